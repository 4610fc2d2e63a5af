//! Files into a lake: every input read, staged, merged; lists and declared spans stored with their organisation.

use super::args::{Kind, Reading};
use super::covers::{self, LostDays};
use super::error::CliError;
use super::instants::{Bare, instant};
use super::lists::{self, Declared, Lists, Placer};
use super::naming::Naming;
use super::ui::Ui;
use crate::lake::Lake;
use crate::lake::import::{Committed, Import, Refused};
use crate::lake::index::Ingest;
use crate::model::inventory::OrgKey;
use crate::model::noun::counted;
use crate::model::secret::{Masked, covered};
use crate::model::time::{DAY, Micros, Span, day_start};
use crate::source::{self, KindHint, Losses, Options, Parsed, Sink};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Kind of an input that could not be read.
const UNREADABLE: &str = "unreadable";

/// What an ingest brought.
#[derive(Debug, Default)]
pub(super) struct Ingested {
    /// One record an input.
    pub inputs: Vec<Ingest>,
    /// Inputs that could not be read, or not to their end.
    pub failed: u64,
    /// Records rejected.
    pub rejected: u64,
}

/// What one input held beside the events that were staged.
struct Input {
    lists: Lists,
    /// Whether it is of the audit log, as far as it shows.
    audit: bool,
    /// What of the audit log it lost.
    losses: Losses,
    rejected: u64,
    /// Whether it breaks off.
    cut: bool,
    /// Organisations of its events.
    keys: BTreeSet<OrgKey>,
}

impl Input {
    /// Days of the audit log that it may lack, those of `refused` records included.
    fn lost(&self, lake: &Lake, name: &str, refused: &[Refused]) -> Option<LostDays> {
        let number = self.lists.input;
        let refused = || refused.iter().filter(|r| r.input == number);
        let mut days = self.losses.days(self.cut);
        days.extend(
            refused()
                .flat_map(|r| &r.days)
                .map(|day| Span { from: day_start(*day), to: day_start(*day) + DAY }),
        );
        let rejected = self.rejected + refused().map(|r| r.rows).sum::<u64>();
        let named = self.keys.iter().filter_map(|key| name_of(lake, key));
        (self.audit && !days.is_empty()).then(|| LostDays {
            input: name.to_owned(),
            orgs: named.chain(self.lists.org.clone()).collect(),
            rejected,
            cut: self.cut,
            days,
        })
    }
}

/// Takes the chunks of one input.
struct Taker<'a, 'l> {
    import: &'a mut Import<'l>,
    lists: Lists,
    losses: Losses,
    keys: BTreeSet<OrgKey>,
    seen: &'a mut BTreeMap<OrgKey, Micros>,
    reasons: BTreeMap<String, u64>,
    /// Cells of lists that could not be read, by column.
    unread: BTreeMap<&'static str, u64>,
    /// Records taken or rejected so far.
    read: u64,
    examples: Vec<String>,
    masked: Masked,
    bar: indicatif::ProgressBar,
}

impl Sink for Taker<'_, '_> {
    fn chunk(&mut self, chunk: Parsed) -> std::io::Result<()> {
        self.losses.take(&chunk);
        self.read += chunk.rejected.len() as u64;
        for ((org, day), batch) in chunk.batches {
            self.read += batch.len() as u64;
            self.import.stage(self.lists.input, org, day, batch).map_err(std::io::Error::other)?;
        }
        for reject in chunk.rejected {
            if self.examples.len() < 3 {
                let detail =
                    if reject.detail.is_empty() { String::new() } else { format!(" ({})", reject.detail) };
                self.examples.push(format!(
                    "line {}, record {}: {}{detail}",
                    reject.line, reject.record, reject.reason
                ));
            }
            *self.reasons.entry(reject.reason).or_default() += 1;
        }
        for (column, cells) in chunk.unread {
            *self.unread.entry(column).or_default() += cells;
        }
        self.lists.inventory.extend(chunk.inventory);
        self.lists.users.extend(chunk.users);
        self.lists.usage.extend(chunk.usage);
        self.masked.merge(&chunk.masked, 1);
        for (org, newest) in chunk.orgs_seen {
            if !self.keys.contains(&org) {
                self.keys.insert(org.clone());
            }
            let slot = self.seen.entry(org).or_insert(newest);
            *slot = newest.max(*slot);
        }
        Ok(())
    }

    fn progress(&mut self, bytes: u64) {
        self.bar.set_position(bytes);
    }
}

/// Reads `paths` into `lake`.
pub(super) fn ingest(
    lake: &mut Lake,
    paths: &[PathBuf],
    naming: &Naming,
    reading: &Reading,
    ui: &Ui,
) -> Result<Ingested, CliError> {
    let span = |option: &str, text: &Option<String>| {
        text.as_deref().map(|text| covers::parse(option, text)).transpose()
    };
    let audit_covers = span("--covers", &reading.covers)?;
    let usage_covers = span("--usage-covers", &reading.usage_covers)?;
    for span in [audit_covers, usage_covers].into_iter().flatten() {
        if let Some(doubt) = covers::beyond(span, super::now()) {
            ui.warn(&doubt);
        }
    }
    let taken = reading.taken.as_deref().map(parse_taken).transpose()?;
    let source::Expanded { files, notes, warnings, mut faults } = source::expand(paths);
    notes.iter().for_each(|note| ui.detail(note));
    warnings.iter().for_each(|warning| ui.warn(warning));
    // Where nothing is left to read there is no run to record.
    if files.is_empty() && !faults.is_empty() {
        let first = faults.remove(0);
        faults.into_iter().for_each(|fault| ui.err(&CliError::from(fault).render()));
        return Err(first.into());
    }
    naming.check(&files)?;
    let mut result = Ingested { failed: faults.len() as u64, ..Ingested::default() };
    faults.into_iter().for_each(|fault| ui.err(&CliError::from(fault).render()));
    let mut seen = BTreeMap::new();
    let mut read: Vec<Input> = Vec::new();
    let mut import = Import::new(lake, None);
    let names = names(&files);
    for (path, name) in files.iter().zip(&names) {
        let number = import
            .input_of(Ingest { name: name.clone(), ..Ingest::default() }, naming.of(path).map(str::to_owned));
        let (input, error) = read_one(&mut import, number, path, reading.kind, &mut seen, ui);
        if let Some(error) = &error {
            ui.err(&error.render());
        }
        result.failed += u64::from(input.cut || error.is_some());
        read.push(input);
    }
    let seen: Vec<(OrgKey, Micros)> = seen.into_iter().collect();
    let bar = ui.bar(0, "writing days", false);
    let Committed { mut inputs, refused } = import.commit(&seen, &[], |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    })?;
    bar.finish_and_clear();
    for refused in &refused {
        ui.err(&tell(refused, &inputs[refused.input]));
    }
    result.failed += refused.iter().map(|r| r.input).collect::<BTreeSet<_>>().len() as u64;
    let named: BTreeSet<String> =
        seen.iter().filter_map(|(key, _)| name_of(lake, key)).filter(|name| Lake::can_hold(name)).collect();
    let has_lists = read.iter().any(|input| !input.lists.is_empty());
    let has_events = !seen.is_empty();
    // Lists that come with a span declare their own, never the log's.
    let only_lists = !has_events && (!matches!(reading.kind, Kind::Auto | Kind::Audit) || has_lists);
    if let Some(span) = audit_covers.filter(|_| !only_lists) {
        let orgs = declared_orgs(lake, &named, &read);
        if orgs.is_empty() {
            ui.err("error: --covers: these files name no organisation, so nothing is declared; name it with --org");
            result.failed += 1;
        }
        let lost = |input: &Input| input.lost(lake, &inputs[input.lists.input].name, &refused);
        let lost: Vec<LostDays> = read.iter().filter_map(lost).collect();
        covers::declare(lake, &orgs, span, &lost, ui);
    }
    let placer = Placer { named, scopes: scopes(lake), known: lake.orgs() };
    // What audit files hold says nothing of the records beside them.
    let usage = usage_covers.or(audit_covers.filter(|_| only_lists));
    if audit_covers.is_some() && usage.is_none() && read.iter().any(|input| !input.lists.usage.is_empty()) {
        ui.warn("`--covers` describes the audit files only; use `--usage-covers` for the usage records");
    }
    let mut lists: Vec<Lists> = read.into_iter().map(|input| input.lists).collect();
    result.failed += lists::store(
        lake,
        &mut lists,
        &mut inputs,
        &placer,
        Declared { taken, usage, users_complete: reading.users_complete },
        ui,
    )?;
    result.failed += inputs.iter().filter(|input| nothing_kept(input, ui)).count() as u64;
    result.rejected = inputs.iter().map(|i| i.rejected).sum();
    result.inputs.clone_from(&inputs);
    lake.amend_run(inputs)?;
    Ok(result)
}

/// The organisations that a declared span is about: those that the audit files of the import name, and those that `--org`
/// gives them; where there is none of either, the only one that the lake knows.
fn declared_orgs(lake: &Lake, named: &BTreeSet<String>, read: &[Input]) -> BTreeSet<String> {
    let said = read.iter().filter(|input| input.audit).filter_map(|input| input.lists.org.clone());
    let mut orgs: BTreeSet<String> = named.iter().cloned().chain(said).collect();
    if orgs.is_empty()
        && let [only] = lake.orgs().as_slice()
    {
        orgs.insert(only.clone());
    }
    orgs
}

/// Says which records of an input were not kept, and why.
fn tell(refused: &Refused, input: &Ingest) -> String {
    let Refused { rows, why, event_id, .. } = refused;
    let which = event_id
        .as_ref()
        .map(|id| if *rows == 1 { format!(" (event {id})") } else { format!(" (event {id} among them)") });
    let records = if *rows == 1 { "record is" } else { "records are" };
    format!("error: {}: {rows} {records} not kept{}: {why}", input.name, which.unwrap_or_default())
}

/// Returns true, and says so, if an input had records of which none was kept; one that could not be read was reported before.
fn nothing_kept(input: &Ingest, ui: &Ui) -> bool {
    let nothing = input.kind != UNREADABLE && input.read > 0 && input.kept + input.duplicate == 0;
    if nothing {
        let reasons: Vec<String> = input.reasons.iter().map(|(reason, n)| format!("{n} {reason}")).collect();
        let records = if input.read == 1 { "its only record" } else { "any of its records" };
        ui.err(&super::error::message(&format!(
            "error: {}: could not keep {records} ({}){}",
            input.name,
            reasons.join("; "),
            hints(&input.reasons)
        )));
    }
    nothing
}

/// What to do about rejected records, a line a reason.
fn hints(reasons: &BTreeMap<String, u64>) -> String {
    let hint = |reason: &String| {
        source::remedy(reason).map(|advice| format!("\n  hint: {reason}: {advice}")).unwrap_or_default()
    };
    reasons.keys().map(hint).collect()
}

fn scopes(lake: &Lake) -> BTreeMap<String, String> {
    lake.index.orgs.iter().map(|o| (o.scope_id.clone(), o.name.clone())).collect()
}

fn name_of(lake: &Lake, key: &OrgKey) -> Option<String> {
    lake.index
        .org_of_scope(&key.scope_id)
        .map(str::to_owned)
        .or_else(|| (!key.name.is_empty()).then(|| key.name.clone()))
}

/// Names of the inputs as records and manifests show them: no folder that names a machine, yet unique.
fn names(files: &[PathBuf]) -> Vec<String> {
    let base = |path: &PathBuf| {
        path.file_name().map_or_else(|| path.display().to_string(), |n| n.to_string_lossy().into_owned())
    };
    let mut twins: BTreeMap<String, usize> = BTreeMap::new();
    for path in files {
        *twins.entry(base(path)).or_default() += 1;
    }
    files
        .iter()
        .map(|path| {
            let name = base(path);
            let twins = twins.get(&name).copied().unwrap_or_default();
            match path.parent().and_then(Path::file_name) {
                Some(folder) if twins > 1 => format!("{}/{name}", folder.to_string_lossy()),
                _ => name,
            }
        })
        .map(|name| covered(&name).into_owned())
        .collect()
}

/// Reads one input; returns what it held, and why it was not read to its end where that failed.
fn read_one(
    import: &mut Import<'_>,
    number: usize,
    path: &Path,
    kind: Kind,
    seen: &mut BTreeMap<OrgKey, Micros>,
    ui: &Ui,
) -> (Input, Option<CliError>) {
    let stdin = path == Path::new("-");
    let mut input: Box<dyn std::io::Read + Send> = if stdin {
        Box::new(std::io::stdin())
    } else {
        match std::fs::File::open(path) {
            Ok(file) => Box::new(file),
            Err(e) => {
                let error = CliError::new(format!("cannot read {}: {e}", path.display()));
                return (unread(number), Some(error));
            }
        }
    };
    let size = if stdin { 0 } else { std::fs::metadata(path).map_or(0, |m| m.len()) };
    let options = Options {
        kind: match kind {
            Kind::Auto => KindHint::Auto,
            Kind::Audit => KindHint::Audit,
            Kind::Inventory => KindHint::Inventory,
            Kind::Users => KindHint::Users,
            Kind::Entitlements => KindHint::Entitlements,
            Kind::Usage => KindHint::Usage,
        },
        threads: std::thread::available_parallelism().map_or(2, usize::from),
    };
    let bar = ui.bar(size, &import.ingest(number).name.clone(), true);
    let lists = Lists { input: number, org: import.org_of(number).map(str::to_owned), ..Lists::default() };
    let (reasons, examples) = (BTreeMap::new(), Vec::new());
    let (losses, keys) = (Losses::default(), BTreeSet::new());
    let (unread, masked) = (BTreeMap::new(), Masked::default());
    let mut taker =
        Taker { import, lists, losses, keys, seen, reasons, unread, read: 0, examples, masked, bar };
    let outcome = source::read(&path.display().to_string(), &mut input, &options, &mut taker);
    taker.bar.finish_and_clear();
    let Taker { mut lists, losses, keys, reasons, unread, read, examples, masked, import, .. } = taker;
    import.ingest(number).masked.clone_from(&masked);
    if !masked.is_empty() {
        ui.warn(&masked_words(&path.display().to_string(), &masked));
    }
    let outcome = match outcome {
        Ok(outcome) => outcome,
        Err(error) => {
            // What was staged before the fault stays: one unreadable file does not cost the rest.
            let ingest = import.ingest(number);
            ingest.kind = UNREADABLE.to_owned();
            (ingest.read, ingest.rejected, ingest.reasons) = (read, reasons.values().sum(), reasons);
            let (audit, rejected) = (losses.has_events(), ingest.rejected);
            // Rows of a list that was not read to its end are not counted, so they are not kept.
            let lists = Lists { input: number, org: lists.org, ..Lists::default() };
            return (Input { lists, audit, losses, rejected, cut: audit, keys }, Some(error.into()));
        }
    };
    let cut = outcome.truncated.is_some();
    lists.ends = outcome.ends;
    lists.goes_on = outcome.continuation.is_some();
    lists.whole = !cut && outcome.rejected == 0;
    lists.kind = outcome.holds;
    let audit =
        losses.has_events() || matches!(outcome.holds, None | Some(KindHint::Audit)) && lists.is_empty();
    let ingest = import.ingest(number);
    ingest.kind = outcome.kind;
    ingest.sha256 = outcome.sha256;
    ingest.read = outcome.read;
    ingest.rejected = outcome.rejected;
    ingest.reasons = reasons;
    ingest.truncated.clone_from(&outcome.truncated);
    if outcome.rejected > 0 {
        let reasons: Vec<String> = ingest.reasons.iter().map(|(reason, n)| format!("{n} {reason}")).collect();
        ui.warn(&format!(
            "{}: {} of {} rejected ({}){}",
            path.display(),
            outcome.rejected,
            counted(outcome.read, "record"),
            reasons.join("; "),
            hints(&ingest.reasons)
        ));
        for example in examples {
            ui.info(&format!("  {}: {example}", path.display()));
        }
    }
    if !unread.is_empty() {
        let cells: Vec<String> = unread.iter().map(|(column, n)| format!("{n} {column}")).collect();
        ui.warn(&format!(
            "{}: cells that could not be read leave the fact unknown ({})",
            path.display(),
            cells.join("; ")
        ));
    }
    if let Some(encoding) = &outcome.encoding {
        ui.warn(&format!("{}: {encoding}", path.display()));
    }
    if let Some(assumption) = &outcome.assumption {
        ui.warn(&format!("{}: {assumption}", path.display()));
    }
    if let Some(reason) = &outcome.truncated {
        ui.warn(&format!("{}: {reason}", path.display()));
    }
    (Input { lists, audit, losses, rejected: outcome.rejected, cut, keys }, None)
}

/// Says what was masked in an input.
pub(super) fn masked_words(name: &str, masked: &Masked) -> String {
    let n = masked.total();
    format!(
        "{name}: {n} credential{} masked before anything was stored ({}); revoke or change what was written there",
        if n == 1 { " was" } else { "s were" },
        masked.words()
    )
}

/// An input of which nothing could be read.
fn unread(number: usize) -> Input {
    let lists = Lists { input: number, ..Lists::default() };
    Input { lists, audit: false, losses: Losses::default(), rejected: 0, cut: false, keys: BTreeSet::new() }
}

fn parse_taken(text: &str) -> Result<Micros, CliError> {
    instant("--taken", text, Bare::Start)
}
