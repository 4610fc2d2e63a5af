//! `patwatch review`: a sheet of tokens for an access review goes out, the decisions come back, and what was
//! decided to be revoked goes out as bodies for Microsoft's service.

use super::Context;
use super::args::{ReviewArgs, ReviewCommand, Selection};
use super::decided::{self, SheetFile};
use super::error::{CliError, Outcome};
use super::gate::Gate;
use super::session::{Instants, Session};
use crate::lake::Lake;
use crate::lake::index::Ingest;
use crate::model::decision::{Choice, Decision, Fixed};
use crate::model::hash::sha256;
use crate::model::noun::counted;
use crate::model::time::{DAY, Micros, day_start, day_text, format_time};
use crate::model::token::Token;
use crate::output::review::read::{Fault, Row};
use crate::output::review::{self as sheet, revoke};
use crate::report::Report;
use crate::report::review::{self, Grave, Key};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

pub(super) fn run(context: &Context, args: &ReviewArgs) -> Result<Outcome, CliError> {
    match &args.command {
        ReviewCommand::Export { file, revoke_list, all, owner, selection } => {
            let choice = sheet::Choice { all: *all, owner: owner.clone() };
            export(context, file.as_deref().map(|file| (file, choice)), revoke_list.as_deref(), selection)
        }
        ReviewCommand::Import { file } => import(context, file),
    }
}

fn export(
    context: &Context,
    file: Option<(&Path, sheet::Choice)>,
    revoke_list: Option<&Path>,
    selection: &Selection,
) -> Result<Outcome, CliError> {
    let session = Session::open(&context.lake, context.config.clone(), selection, &context.ui)?;
    let found = session.find(&[], &context.ui)?;
    if let Some((file, choice)) = file {
        let mut bytes = Vec::new();
        sheet::write(&found.report, &choice, &mut bytes)?;
        context.ui.write(Some(file), &bytes)?;
        let rows = sheet::chosen(&found.report, &choice).len();
        if let Some(owner) = choice.owner.as_deref().filter(|_| rows == 0) {
            context.ui.warn(&format!(
                "no token{} has an owner that contains \"{owner}\"",
                if choice.all { "" } else { " in force" }
            ));
        }
        let left_out = found.report.tokens.iter().filter(|t| t.token.is_over()).count();
        let over = if choice.all || choice.owner.is_some() || left_out == 0 {
            String::new()
        } else {
            format!("; left out: {} that expired or were revoked (--all)", counted(left_out, "token"))
        };
        context.ui.info(&format!("{} to review in {}{over}", counted(rows, "token"), file.display()));
    }
    if let Some(place) = revoke_list {
        revocations(context, &found.report, place)?;
    }
    Ok(Gate::open(selection.reading.strict).outcome(&found.report, &session, &context.ui))
}

/// Writes the bodies: a folder gets them all with the reasons beside, a single file only what fits one call.
fn revocations(context: &Context, report: &Report, place: &Path) -> Result<(), CliError> {
    let ui = &context.ui;
    let list = revoke::collect(report);
    let bodies = revoke::bodies(&list)?;
    let single = !place.is_dir() && place.extension().is_some_and(|e| e.eq_ignore_ascii_case("json"));
    if single {
        let bytes = match bodies.as_slice() {
            [] => b"[]\n".to_vec(),
            [one] => one.bytes.clone(),
            more => {
                return Err(CliError::new(format!(
                    "{} tokens need {} calls, one organisation and {} ids each, and do not fit one file",
                    list.listed.len(),
                    more.len(),
                    revoke::MOST
                ))
                .hint("give a folder: --revoke-list DIR"));
            }
        };
        ui.write(Some(place), &bytes)?;
    } else {
        for body in &bodies {
            ui.write(Some(&place.join(&body.file)), &body.bytes)?;
        }
        ui.write(Some(&place.join("listed.csv")), &revoke::table(&list.listed)?)?;
        ui.write(Some(&place.join("left-out.csv")), &revoke::table(&list.left_out)?)?;
    }
    for body in &bodies {
        let target = if single { place.to_owned() } else { place.join(&body.file) };
        ui.info(&format!(
            "{}: {}, for POST https://vssps.dev.azure.com/{}/_apis/tokenadmin/revocations?api-version=7.1-preview.1",
            target.display(),
            counted(body.tokens, "token"),
            body.org
        ));
    }
    for entry in &list.listed {
        ui.info(&format!("  {} {} ({}): {}", entry.org, entry.token_id, entry.label, entry.why));
    }
    for entry in &list.left_out {
        ui.warn(&format!("left out: {} {} ({}): {}", entry.org, entry.token_id, entry.label, entry.why));
    }
    if bodies.is_empty() {
        ui.info("no token is to be revoked: none has such a decision or such advice");
    }
    Ok(())
}

/// The tokens of the lake as they were at one instant.
struct Moment {
    as_of: Micros,
    tokens: BTreeMap<Key, Token>,
    /// Why tokens may not be kept; worked out for the newest instant alone.
    grave: HashMap<Key, Grave>,
}

impl Moment {
    fn at(context: &Context, as_of: Option<Micros>) -> Result<Self, CliError> {
        let selection =
            Selection { as_of: as_of.map(format_time), window: "90d".to_owned(), ..Selection::default() };
        let session =
            Session::open_at(&context.lake, context.config.clone(), &selection, Instants::Any, &context.ui)?;
        let (tokens, findings) = match as_of {
            Some(_) => (session.tokens(&context.ui)?, Vec::new()),
            None => {
                let report = session.find(&review::GRAVE.map(str::to_owned), &context.ui)?.report;
                (report.tokens.into_iter().map(|t| t.token).collect(), report.findings)
            }
        };
        Ok(Self {
            as_of: session.window.as_of,
            grave: review::grave(tokens.iter(), &findings),
            tokens: tokens.into_iter().map(|t| ((t.org.clone(), t.token_id.clone()), t)).collect(),
        })
    }
}

/// What the rows of a sheet are held against.
struct Known {
    orgs: Vec<String>,
    /// The lake as it is now.
    newest: Moment,
    /// The lake at the instants of rows without a mark, which need it.
    moments: BTreeMap<Micros, Moment>,
}

impl Known {
    /// The row as a decision. A mark says what the token was; without one, the lake has to.
    fn decide(&self, row: &Row, now: Micros) -> Result<Decision, Fault> {
        let fault = |column, reason: String| Err(Fault { line: row.line, column, reason });
        let org = decided::org_of(row, &self.orgs)?;
        if !self.orgs.contains(&org) {
            let known = self.orgs.join(", ");
            return fault("org", format!("the lake has no organisation \"{}\"; it has {known}", row.org));
        }
        let key: Key = (org.clone(), row.token_id.clone());
        let moment = row.as_of.and_then(|at| self.moments.get(&at)).unwrap_or(&self.newest);
        let token = moment.tokens.get(&key).or_else(|| self.newest.tokens.get(&key));
        let state = match (&row.state, token) {
            (Some(state), _) => state.clone(),
            (None, Some(token)) => Fixed::of(token),
            (None, None) => {
                let other = self.newest.tokens.keys().find(|(_, t)| *t == row.token_id);
                let hint = other.map_or_else(
                    || "keep the cell as the export wrote it".to_owned(),
                    |(o, _)| format!("it is one of {o}"),
                );
                return fault("token_id", format!("{org} has no token {}; {hint}", row.token_id));
            }
        };
        if let Some(grave) = self.newest.grave.get(&key)
            && !review::is_accepted(row.choice, row.end_date)
        {
            let reason = format!("{} is refused: {}, and {}", row.choice, grave.text, review::ACCEPTED);
            return fault("decision", reason);
        }
        let seen_until = row.as_of.unwrap_or(moment.as_of);
        if day_start(row.decided_on) > now.max(seen_until) + DAY {
            return fault(
                "decided_on",
                format!("decided_on {} lies in the future", day_text(row.decided_on)),
            );
        }
        Ok(decided::decision(row, org, seen_until, state))
    }
}

fn import(context: &Context, file: &Path) -> Result<Outcome, CliError> {
    let ui = &context.ui;
    let SheetFile { name, bytes, mut sheet } = decided::read_sheet(file)?;
    let newest = Moment::at(context, None)?;
    let mut known = Known { orgs: Lake::open(&context.lake)?.orgs(), newest, moments: BTreeMap::new() };
    // The state that was decided on is that of the sheet's own instant, whatever was imported since.
    for at in sheet.rows.iter().filter(|r| r.state.is_none()).filter_map(|r| r.as_of).collect::<BTreeSet<_>>()
    {
        known.moments.insert(at, Moment::at(context, Some(at))?);
    }
    let mut decisions = Vec::new();
    let mut seen = BTreeMap::new();
    for row in &sheet.rows {
        match known.decide(row, super::now()) {
            Ok(decision) => {
                let key = (decision.org.clone(), decision.token_id.clone());
                if let Some(first) = seen.insert(key, row.line) {
                    let reason = format!("the token has a decision on line {first} already; keep one");
                    sheet.faults.push(Fault { line: row.line, column: "token_id", reason });
                } else {
                    decisions.push(decision);
                }
            }
            Err(fault) => sheet.faults.push(fault),
        }
    }
    decided::report_faults(&name, &mut sheet.faults, ui);
    store(context, &name, &bytes, &decisions, &sheet.faults, sheet.undecided)?;
    let unseen =
        decisions.iter().filter(|d| !known.newest.tokens.contains_key(&(d.org.clone(), d.token_id.clone())));
    match unseen.count() {
        0 => {}
        1 => ui.info("1 decision is on a token that the lake neither lists nor sees yet"),
        n => ui.info(&format!("{n} decisions are on tokens that the lake neither lists nor sees yet")),
    }
    Ok(if sheet.faults.is_empty() { Outcome::Done } else { Outcome::Incomplete })
}

/// Stores what was decided, records the sheet as an input, and says what became of it.
fn store(
    context: &Context,
    name: &str,
    bytes: &[u8],
    decisions: &[Decision],
    faults: &[Fault],
    undecided: u64,
) -> Result<(), CliError> {
    let (mut lake, _lock) = Lake::open_to_write(&context.lake)?;
    let new = lake.add_decisions(decisions)?;
    let (taken, bad) = (decisions.len() as u64, faults.len() as u64);
    if taken + bad > 0 {
        lake.add_run(vec![Ingest {
            name: decided::short_name(name),
            sha256: sha256(bytes),
            kind: "review".to_owned(),
            read: taken + bad,
            kept: new,
            duplicate: taken - new,
            rejected: bad,
            reasons: decided::reasons(faults),
            ..Ingest::default()
        }])?;
    }
    let count = |choice: Choice| {
        let n = decisions.iter().filter(|d| d.choice == choice).count();
        (n > 0).then(|| format!("{n} {choice}"))
    };
    let kinds: Vec<String> = Choice::ALL.iter().filter_map(|c| count(*c)).collect();
    context.ui.info(&format!(
        "{} taken{}{}; {} without one; {} rejected",
        counted(taken, "decision"),
        if kinds.is_empty() { String::new() } else { format!(" ({})", kinds.join(", ")) },
        if new == taken { String::new() } else { format!(", {} of them held already", taken - new) },
        counted(undecided, "row"),
        counted(bad, "row"),
    ));
    let later: BTreeSet<&str> =
        decisions.iter().filter(|d| day_start(d.decided_on) > d.seen_until).map(|d| d.org.as_str()).collect();
    if let Some(newest) = decisions.iter().map(|d| d.decided_on).max().filter(|_| !later.is_empty()) {
        context.ui.info(&format!(
            "some decisions are newer than what the lake holds: a run sees them once it stands at {} or later (import newer data, or give --as-of {})",
            day_text(newest),
            day_text(newest)
        ));
    }
    Ok(())
}
