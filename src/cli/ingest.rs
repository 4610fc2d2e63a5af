//! Files into a lake: every input read, staged, merged; lists stored with the organisation they belong to.

use super::args::{Kind, Reading};
use super::error::CliError;
use super::ui::Ui;
use crate::lake::Lake;
use crate::lake::import::{Committed, Import, Refused};
use crate::lake::index::{Cover, Ingest};
use crate::lake::snapshot::Facts;
use crate::model::coverage::Basis;
use crate::model::inventory::{InventoryRow, OrgKey, UsageRow, UserRow};
use crate::model::time::{DAY, Micros, Span, day_start, format_time, parse_day, parse_time};
use crate::source::{self, KindHint, Options, Parsed, Sink};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

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

/// Lists that one input held, kept until the organisations are known.
#[derive(Debug, Default)]
struct Lists {
    input: usize,
    inventory: Vec<InventoryRow>,
    users: Vec<UserRow>,
    usage: Vec<UsageRow>,
    more_follow: bool,
}

/// Takes the chunks of one input.
struct Taker<'a, 'l> {
    import: &'a mut Import<'l>,
    lists: Lists,
    seen: &'a mut BTreeMap<OrgKey, Micros>,
    reasons: BTreeMap<String, u64>,
    /// Records taken or rejected so far.
    read: u64,
    examples: Vec<String>,
    bar: indicatif::ProgressBar,
}

impl Sink for Taker<'_, '_> {
    fn chunk(&mut self, chunk: Parsed) -> std::io::Result<()> {
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
        self.lists.inventory.extend(chunk.inventory);
        self.lists.users.extend(chunk.users);
        self.lists.usage.extend(chunk.usage);
        for (org, newest) in chunk.orgs_seen {
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
    org: Option<&str>,
    reading: &Reading,
    ui: &Ui,
) -> Result<Ingested, CliError> {
    let covers = reading.covers.as_deref().map(|text| parse_covers("--covers", text)).transpose()?;
    let usage_covers =
        reading.usage_covers.as_deref().map(|text| parse_covers("--usage-covers", text)).transpose()?;
    for span in [covers, usage_covers].into_iter().flatten() {
        if let Some(doubt) = beyond(span, super::now()) {
            ui.warn(&doubt);
        }
    }
    let taken = reading.taken.as_deref().map(parse_taken).transpose()?;
    let org = org.map(crate::model::identity::org_name);
    let source::Expanded { files, notes, mut faults } = source::expand(paths);
    for note in &notes {
        ui.detail(note);
    }
    // Where nothing is left to read there is no run to record.
    if files.is_empty() && !faults.is_empty() {
        let first = faults.remove(0);
        faults.into_iter().for_each(|fault| ui.err(&CliError::from(fault).render()));
        return Err(first.into());
    }
    let mut result = Ingested { failed: faults.len() as u64, ..Ingested::default() };
    faults.into_iter().for_each(|fault| ui.err(&CliError::from(fault).render()));
    let mut seen = BTreeMap::new();
    let mut lists = Vec::new();
    let mut import = Import::new(lake, org);
    let names = names(&files);
    for (path, name) in files.iter().zip(&names) {
        match read_one(&mut import, path, name, reading.kind, &mut seen, ui) {
            Ok((found, truncated)) => {
                result.failed += u64::from(truncated);
                lists.push(found);
            }
            Err(error) => {
                ui.err(&error.render());
                result.failed += 1;
            }
        }
    }
    let seen: Vec<(OrgKey, Micros)> = seen.into_iter().collect();
    let org = import.org().map(str::to_owned);
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
    // Lists that come with a span declare their own, never the log's.
    let only_lists = named.is_empty()
        && (!matches!(reading.kind, Kind::Auto | Kind::Audit)
            || lists
                .iter()
                .any(|l: &Lists| !(l.inventory.is_empty() && l.users.is_empty() && l.usage.is_empty())));
    if let Some(span) = covers.filter(|_| !only_lists) {
        let orgs = if named.is_empty() { lake.orgs().into_iter().collect() } else { named.clone() };
        lake.index.covers.extend(orgs.into_iter().map(|org| Cover { org, span, basis: Basis::Declared }));
    }
    let placer = Placer { org, named, scopes: scopes(lake), known: lake.orgs() };
    // What audit files hold says nothing of the records beside them.
    let usage_covers = usage_covers.or(covers.filter(|_| only_lists));
    if covers.is_some() && usage_covers.is_none() && lists.iter().any(|l| !l.usage.is_empty()) {
        ui.warn(
            "--covers tells what the audit files hold, not the usage records beside them: tell their span by --usage-covers",
        );
    }
    result.failed += store_lists(lake, &lists, &mut inputs, &placer, taken, usage_covers, ui)?;
    result.rejected = inputs.iter().map(|i| i.rejected).sum();
    result.inputs.clone_from(&inputs);
    lake.amend_run(inputs)?;
    Ok(result)
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
        .collect()
}

/// Reads one input; returns its lists, and whether it ended early.
fn read_one(
    import: &mut Import<'_>,
    path: &Path,
    name: &str,
    kind: Kind,
    seen: &mut BTreeMap<OrgKey, Micros>,
    ui: &Ui,
) -> Result<(Lists, bool), CliError> {
    let stdin = path == Path::new("-");
    let mut input: Box<dyn std::io::Read + Send> = if stdin {
        Box::new(std::io::stdin())
    } else {
        let open = std::fs::File::open(path)
            .map_err(|e| CliError::new(format!("cannot read {}: {e}", path.display())))?;
        Box::new(open)
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
    let number = import.input(Ingest { name: name.to_owned(), ..Ingest::default() });
    let bar = ui.bar(size, name, true);
    let lists = Lists { input: number, ..Lists::default() };
    let mut taker =
        Taker { import, lists, seen, reasons: BTreeMap::new(), read: 0, examples: Vec::new(), bar };
    let outcome = source::read(&path.display().to_string(), &mut input, &options, &mut taker);
    taker.bar.finish_and_clear();
    let Taker { mut lists, reasons, read, examples, import, .. } = taker;
    let outcome = match outcome {
        Ok(outcome) => outcome,
        Err(error) => {
            // What was staged before the fault stays: one unreadable file does not cost the rest.
            let ingest = import.ingest(number);
            ingest.kind = "unreadable".to_owned();
            (ingest.read, ingest.rejected, ingest.reasons) = (read, reasons.values().sum(), reasons);
            return Err(error.into());
        }
    };
    lists.more_follow = outcome.continuation.is_some();
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
            "{}: {} of {} records rejected ({})",
            path.display(),
            outcome.rejected,
            outcome.read,
            reasons.join("; ")
        ));
        for example in examples {
            ui.info(&format!("  {}: {example}", path.display()));
        }
    }
    if let Some(reason) = &outcome.truncated {
        ui.warn(&format!("{}: {reason}", path.display()));
    }
    Ok((lists, outcome.truncated.is_some()))
}

/// Tells which organisation a row of a list belongs to.
struct Placer {
    org: Option<String>,
    named: BTreeSet<String>,
    scopes: BTreeMap<String, String>,
    known: Vec<String>,
}

impl Placer {
    fn default_org(&self, what: &str) -> Result<String, String> {
        if let Some(org) = &self.org {
            return Ok(org.clone());
        }
        let orgs: Vec<&String> =
            if self.named.is_empty() { self.known.iter().collect() } else { self.named.iter().collect() };
        match orgs.as_slice() {
            [only] => Ok((*only).clone()),
            [] => Err(format!("{what} names no organisation; name it with --org")),
            [a, b, ..] => {
                Err(format!("{what} names no organisation, and it could be {a} or {b}; name it with --org"))
            }
        }
    }

    /// Organisation of a token: as the row says, else by the ids that it targets, else the list's.
    fn of_token(&self, row: &InventoryRow, list: &Result<String, String>) -> Result<String, String> {
        if let Some(org) = &row.org {
            return named_org(org);
        }
        let targets: BTreeSet<&String> =
            row.targets.listed().into_iter().flatten().filter_map(|t| self.scopes.get(t)).collect();
        match (targets.len(), targets.first()) {
            (1, Some(only)) => Ok((*only).clone()),
            _ => list.clone(),
        }
    }
}

/// The organisation that a row names, where a folder can be named after it.
fn named_org(written: &str) -> Result<String, String> {
    let org = crate::model::identity::org_name(written);
    let long =
        || format!("the organisation's name \"{}...\" is too long", org.chars().take(40).collect::<String>());
    if Lake::can_hold(&org) { Ok(org) } else { Err(long()) }
}

/// Stores what the inputs listed; returns how many inputs could not be placed.
fn store_lists(
    lake: &mut Lake,
    lists: &[Lists],
    inputs: &mut [Ingest],
    placer: &Placer,
    taken: Option<Micros>,
    usage_covers: Option<Span>,
    ui: &Ui,
) -> Result<u64, CliError> {
    let mut failed = 0;
    let mut inventories: BTreeMap<String, Vec<(usize, InventoryRow)>> = BTreeMap::new();
    let mut users: BTreeMap<String, Vec<(usize, UserRow)>> = BTreeMap::new();
    let mut usage: BTreeMap<String, Vec<(usize, UsageRow)>> = BTreeMap::new();
    for list in lists {
        let ingest = &mut inputs[list.input];
        let mut lost = 0;
        let mut reason = String::new();
        let what = ingest.name.clone();
        let fallback = placer.default_org(&what);
        // Tokens for one organisation tell it for the global ones beside them.
        let told: BTreeSet<String> =
            list.inventory.iter().filter_map(|r| placer.of_token(r, &Err(String::new())).ok()).collect();
        let home = match (told.len(), told.first()) {
            (1, Some(only)) if placer.org.is_none() => Ok(only.clone()),
            _ => fallback.clone(),
        };
        for row in &list.inventory {
            match placer.of_token(row, &home) {
                Ok(org) => inventories.entry(org).or_default().push((list.input, row.clone())),
                Err(why) => (lost, reason) = (lost + 1, why),
            }
        }
        let named = |org: &Option<String>| match org {
            Some(org) => named_org(org),
            None => fallback.clone(),
        };
        for row in &list.users {
            match named(&row.org) {
                Ok(org) => users.entry(org).or_default().push((list.input, row.clone())),
                Err(why) => (lost, reason) = (lost + 1, why),
            }
        }
        for row in &list.usage {
            match named(&row.org) {
                Ok(org) => usage.entry(org).or_default().push((list.input, row.clone())),
                Err(why) => (lost, reason) = (lost + 1, why),
            }
        }
        if lost > 0 {
            ui.err(&super::error::message(&format!("error: {reason}")));
            ingest.rejected += lost;
            *ingest.reasons.entry("organisation unknown".to_owned()).or_default() += lost;
            failed += 1;
        }
    }
    for (org, rows) in inventories {
        let complete = is_complete(lists, &rows);
        let newest = rows.iter().filter_map(|(_, r)| r.valid_from).max();
        let facts = Facts {
            taken: taken.or_else(|| newest_event(lake, &org)).or(newest).unwrap_or_default(),
            complete,
            users_listed: rows.iter().filter_map(|(_, r)| r.user_id.as_deref()).collect::<BTreeSet<_>>().len()
                as u64,
            ..Facts::default()
        };
        let (from, rows): (Vec<usize>, Vec<InventoryRow>) = rows.into_iter().unzip();
        let new = lake.add_inventory(&org, &rows, facts)?;
        count(inputs, &from, &rows.iter().map(|r| format!("{}{:?}", r.token_id, r)).collect::<Vec<_>>(), new);
        ui.detail(&format!("{org}: inventory of {} rows, taken {}", rows.len(), format_time(facts.taken)));
    }
    for (org, rows) in users {
        let facts = Facts {
            taken: taken.or_else(|| newest_event(lake, &org)).unwrap_or_default(),
            complete: true,
            ..Facts::default()
        };
        let (from, rows): (Vec<usize>, Vec<UserRow>) = rows.into_iter().unzip();
        let new = lake.add_users(&org, &rows, facts)?;
        count(inputs, &from, &rows.iter().map(|r| format!("{r:?}")).collect::<Vec<_>>(), new);
    }
    for (org, rows) in usage {
        // First to last record is no declaration: a file with one record at each end would rule out all between.
        let last = rows.iter().map(|(_, r)| r.end).max();
        let taken = taken.or_else(|| newest_event(lake, &org)).or(last).unwrap_or_default();
        let facts = Facts { taken, complete: true, span: usage_covers, ..Facts::default() };
        let (from, rows): (Vec<usize>, Vec<UsageRow>) = rows.into_iter().unzip();
        let new = lake.add_usage(&org, &rows, facts)?;
        count(inputs, &from, &rows.iter().map(|r| format!("{r:?}")).collect::<Vec<_>>(), new);
    }
    for input in inputs {
        input.duplicate = input.read.saturating_sub(input.kept + input.rejected);
    }
    Ok(failed)
}

/// Counts rows as kept by the first input that brought them; a list that the lake had adds none.
fn count(inputs: &mut [Ingest], from: &[usize], rows: &[String], new: bool) {
    let mut seen = BTreeSet::new();
    for (input, row) in from.iter().zip(rows) {
        if new && seen.insert(row) {
            inputs[*input].kept += 1;
        }
    }
}

fn newest_event(lake: &Lake, org: &str) -> Option<Micros> {
    lake.index.days.iter().filter(|d| d.org == org).map(|d| d.last_time).max()
}

/// Whether the pages hold an end for every user whose list goes on, and none is a list of one's own, which names no user
/// and leaves out everybody else.
fn is_complete(lists: &[Lists], rows: &[(usize, InventoryRow)]) -> bool {
    let users = |more: bool| -> BTreeSet<Option<&str>> {
        let of = |input: usize| lists.iter().any(|l| l.input == input && l.more_follow == more);
        rows.iter().filter(|(input, _)| of(*input)).map(|(_, r)| r.user_id.as_deref()).collect()
    };
    rows.iter().all(|(_, r)| r.user_id.is_some()) && users(true).is_subset(&users(false))
}

/// Reads `FROM..TO`; a bare day as TO means its end.
fn parse_covers(option: &str, text: &str) -> Result<Span, CliError> {
    let wrong = || {
        CliError::new(format!("{option} \"{text}\" is no span"))
            .hint("write FROM..TO, such as 2026-01-01..2026-03-31 (both days whole)")
    };
    let (from, to) = text.split_once("..").ok_or_else(wrong)?;
    let from = parse_time(from).ok_or_else(wrong)?;
    let to = match parse_day(to) {
        Some(day) => day_start(day) + DAY,
        None => parse_time(to).ok_or_else(wrong)?,
    };
    if from < to { Ok(Span { from, to }) } else { Err(wrong()) }
}

/// What speaks against a declared span: nobody knows the future, and there was no audit log before 2018.
fn beyond(span: Span, now: Micros) -> Option<String> {
    const LOGS_BEGIN: Micros = 17_532 * DAY;
    let text = format!("{}..{}", format_time(span.from), format_time(span.to));
    if span.to > now.saturating_add(DAY) {
        return Some(format!(
            "{text} is declared as covered, but ends in the future: days that nobody can know yet count as days without events"
        ));
    }
    (span.from < LOGS_BEGIN).then(|| {
        format!("{text} is declared as covered, but begins before Azure DevOps kept audit logs: such days count as days without events")
    })
}

fn parse_taken(text: &str) -> Result<Micros, CliError> {
    parse_time(text).ok_or_else(|| {
        CliError::new(format!("--taken \"{text}\" is no time")).hint("write it as 2026-03-31T12:00:00Z")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_that_nobody_can_vouch_for_are_told() {
        let now = parse_time("2026-04-01T00:00:00Z").expect("a time");
        let doubt = |text: &str| beyond(parse_covers("--covers", text).expect("a span"), now);
        assert!(doubt("0001-01-01..9999-12-31").expect("a doubt").contains("in the future"));
        assert!(doubt("2017-12-31..2026-01-01").expect("a doubt").contains("audit logs"));
        assert_eq!(doubt("2018-01-01..2026-04-01"), None);
    }
}
