//! `patwatch review`: a sheet of tokens for an access review goes out, the decisions come back, and what was
//! decided to be revoked goes out as bodies for Microsoft's service.

use super::Context;
use super::args::{FailOn, ReviewArgs, ReviewCommand, Selection};
use super::error::{CliError, Outcome, message};
use super::session::Session;
use crate::lake::Lake;
use crate::lake::index::Ingest;
use crate::model::decision::{Choice, Decision, Fixed};
use crate::model::hash::sha256;
use crate::model::identity::org_name;
use crate::model::time::{DAY, Micros, day_start, day_text, format_time};
use crate::model::token::Token;
use crate::output::review::read::{Fault, Row, read};
use crate::output::review::{self, revoke};
use crate::report::Report;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

pub(super) fn run(context: &Context, args: &ReviewArgs) -> Result<Outcome, CliError> {
    match &args.command {
        ReviewCommand::Export { file, revoke_list, selection } => {
            export(context, file.as_deref(), revoke_list.as_deref(), selection)
        }
        ReviewCommand::Import { file } => import(context, file),
    }
}

fn export(
    context: &Context,
    file: Option<&Path>,
    revoke_list: Option<&Path>,
    selection: &Selection,
) -> Result<Outcome, CliError> {
    let session = Session::open(&context.lake, context.config.clone(), selection, &context.ui)?;
    let found = session.find(&[], &context.ui)?;
    if let Some(file) = file {
        let mut bytes = Vec::new();
        review::write(&found.report, &mut bytes)?;
        context.ui.write(Some(file), &bytes)?;
        context.ui.info(&format!("{} tokens to review in {}", found.report.tokens.len(), file.display()));
    }
    if let Some(place) = revoke_list {
        revocations(context, &found.report, place)?;
    }
    Ok(super::check::outcome(
        &found.report,
        &session,
        FailOn { fail_on: None },
        selection.reading.strict,
        &context.ui,
    ))
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
            "{}: {} tokens, for POST https://vssps.dev.azure.com/{}/_apis/tokenadmin/revocations?api-version=7.1-preview.1",
            target.display(),
            body.tokens,
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

/// The tokens of the lake as they stood at one instant.
struct Moment {
    as_of: Micros,
    orgs: Vec<String>,
    tokens: BTreeMap<(String, String), Token>,
}

impl Moment {
    fn at(context: &Context, as_of: Option<Micros>) -> Result<Self, CliError> {
        let selection =
            Selection { as_of: as_of.map(format_time), window: "90d".to_owned(), ..Selection::default() };
        let session = Session::open(&context.lake, context.config.clone(), &selection, &context.ui)?;
        let tokens = session.tokens(&context.ui)?;
        Ok(Self {
            as_of: session.window.as_of,
            orgs: session.orgs.clone(),
            tokens: tokens.into_iter().map(|t| ((t.org.clone(), t.token_id.clone()), t)).collect(),
        })
    }

    /// The row as a decision on a token that is here, as it was.
    fn decide(&self, row: &Row, now: Micros) -> Result<Decision, Fault> {
        let fault = |column, reason: String| Err(Fault { line: row.line, column, reason });
        let id = &row.token_id;
        let org = if row.org.is_empty() {
            match self.orgs.as_slice() {
                [only] => only.clone(),
                _ => {
                    return fault(
                        "org",
                        "org is empty, and the lake holds more than one; name it".to_owned(),
                    );
                }
            }
        } else {
            org_name(&row.org)
        };
        if !self.orgs.contains(&org) {
            let known = self.orgs.join(", ");
            return fault("org", format!("the lake holds no organisation \"{}\"; it holds {known}", row.org));
        }
        let Some(token) = self.tokens.get(&(org.clone(), id.clone())) else {
            let other = self.tokens.keys().find(|(_, t)| t == id);
            let hint = other.map_or_else(
                || "keep the cell as the export wrote it".to_owned(),
                |(o, _)| format!("it is one of {o}"),
            );
            return fault("token_id", format!("{org} has no token {id}; {hint}"));
        };
        let state = Fixed::of(token);
        if row.mark.as_ref().is_some_and(|mark| *mark != state.mark()) {
            return fault(
                "state_mark",
                "the token is not what this sheet shows: more was imported since about the time of the sheet; export again and decide on what it is now".to_owned(),
            );
        }
        if day_start(row.decided_on) > now.max(self.as_of) + DAY {
            return fault(
                "decided_on",
                format!("decided_on {} lies in the future", day_text(row.decided_on)),
            );
        }
        Ok(Decision {
            org,
            token_id: id.clone(),
            choice: row.choice,
            reviewer: row.reviewer.clone(),
            decided_on: row.decided_on,
            reason: row.reason.clone(),
            end_date: row.end_date,
            seen_until: self.as_of,
            state,
        })
    }
}

fn import(context: &Context, file: &Path) -> Result<Outcome, CliError> {
    let ui = &context.ui;
    let name = if file.as_os_str() == "-" { "stdin".to_owned() } else { file.display().to_string() };
    let bytes = if file.as_os_str() == "-" {
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut std::io::stdin().lock(), &mut bytes)?;
        bytes
    } else {
        std::fs::read(file).map_err(|e| CliError::new(format!("cannot read {name}: {e}")))?
    };
    let mut sheet = read(&bytes).map_err(|e| CliError::new(format!("cannot take {name}: {e}")))?;
    // The state that was decided on is that of the sheet's own instant, whatever was imported since.
    let instants: BTreeSet<Option<Micros>> = sheet.rows.iter().map(|r| r.as_of).collect();
    let mut moments = BTreeMap::new();
    for instant in instants {
        moments.insert(instant, Moment::at(context, instant)?);
    }
    let mut decisions = Vec::new();
    let mut seen = BTreeMap::new();
    for row in &sheet.rows {
        let Some(moment) = moments.get(&row.as_of) else { continue };
        match moment.decide(row, super::now()) {
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
    sheet.faults.sort_by_key(|f| f.line);
    for fault in &sheet.faults {
        ui.err(&message(&format!("{name}:{}: {}", fault.line, fault.reason)));
    }
    store(context, &name, &bytes, &decisions, &sheet.faults, sheet.undecided)?;
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
    let mut reasons: BTreeMap<String, u64> = BTreeMap::new();
    for fault in faults {
        *reasons.entry(format!("bad {}", fault.column)).or_default() += 1;
    }
    let (taken, bad) = (decisions.len() as u64, faults.len() as u64);
    let short = Path::new(name).file_name().map_or(name.into(), |n| n.to_string_lossy()).into_owned();
    if taken + bad > 0 {
        lake.add_run(vec![Ingest {
            name: short,
            sha256: sha256(bytes),
            kind: "review".to_owned(),
            read: taken + bad,
            kept: new,
            duplicate: taken - new,
            rejected: bad,
            reasons,
            truncated: None,
        }])?;
    }
    let count = |choice: Choice| {
        let n = decisions.iter().filter(|d| d.choice == choice).count();
        (n > 0).then(|| format!("{n} {choice}"))
    };
    let kinds: Vec<String> = Choice::ALL.iter().filter_map(|c| count(*c)).collect();
    context.ui.info(&format!(
        "{taken} decisions taken{}{}; {undecided} rows without one; {bad} rows rejected",
        if kinds.is_empty() { String::new() } else { format!(" ({})", kinds.join(", ")) },
        if new == taken { String::new() } else { format!(", {} of them held already", taken - new) },
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
