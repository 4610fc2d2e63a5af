//! `patwatch explain`: why a PAT was or was not flagged by a detection.

use super::Context;
use super::args::ExplainArgs;
use super::error::{CliError, Outcome};
use super::find::find;
use super::session::Session;
use super::suggest;
use crate::model::claim::Field;
use crate::model::finding::{Family, Finding, SubjectKind};
use crate::model::time::format_time;
use crate::model::token::Token;
use crate::output::words::s;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt::Write as _;

pub(super) fn run(context: &Context, args: &ExplainArgs) -> Result<Outcome, CliError> {
    let session = Session::open(&context.lake, context.config.clone(), &args.selection, &context.ui)?;
    let Some(detection) = session.pack.get(&args.detection) else {
        return Err(CliError::new(format!("no detection is called \"{}\"", args.detection))
            .hint(suggest::detection(&args.detection, &session.pack, false)));
    };
    let found = session.find(std::slice::from_ref(&detection.meta.id), &context.ui)?;
    let not_run = found.report.not_run.iter().find(|n| n.detection == detection.meta.id);
    let mut text = String::new();
    let hits = find(&found, &args.token)?;
    let mut shown = hits.tokens.as_slice();
    if !hits.is_single() {
        let style = context.ui.style(None);
        context.ui.write(None, hits.list(&args.token, style).as_bytes())?;
        shown = &[];
    }
    for token in shown {
        let t = &token.token;
        let own = events_of(&found, &t.org, &t.token_id);
        let hits: Vec<_> = found
            .report
            .findings
            .iter()
            .filter(|f| f.org == t.org)
            .filter(|f| f.subject.id == t.token_id || concerns(f, &t.token_id, &own))
            .collect();
        let about_others = hits.iter().all(|f| f.subject.id != t.token_id);
        let _ = writeln!(
            text,
            "{} {} on {} {} in {}: {}",
            detection.meta.id,
            detection.meta.title,
            t.name.as_deref().unwrap_or("(no name)"),
            t.token_id,
            t.org,
            match (hits.is_empty(), not_run, about_others) {
                (true, Some(_), _) => "not judged",
                (true, None, _) => "not flagged",
                (false, _, true) => "flagged, in a finding on something else that this token took part in",
                (false, _, false) => "flagged",
            }
        );
        for hit in &hits {
            let _ =
                writeln!(text, "  {} severity, {} confidence: {}", hit.severity, hit.confidence, hit.message);
            for (name, value) in &hit.evidence {
                let _ = writeln!(text, "    {name} = {}", cut(&value.to_string()));
            }
            if hit.count > 0 {
                let ids: Vec<String> = hit.event_ids.iter().take(SHOWN).map(ToString::to_string).collect();
                let more = if hit.count > ids.len() as u64 { ", newest first:" } else { ":" };
                let _ = writeln!(text, "    {} event{}{more} {}", hit.count, s(hit.count), ids.join(", "));
            }
        }
        if let Some(not_run) = not_run {
            let _ = writeln!(text, "  it did not run: {}", not_run.reason);
        }
        for b in found.report.blind.iter().filter(|b| b.org == t.org && b.detection == detection.meta.id) {
            let _ = writeln!(text, "  {}", crate::output::words::blind(b));
        }
        if t.is_over() && matches!(detection.meta.family, Family::Use | Family::Scope) {
            let _ = writeln!(text, "  the token is {}: no use or scope finding is made of it", t.state);
        }
        claims(&mut text, t, &detection.meta.rests_on);
        let _ = writeln!(text, "  what it looks for: {}", detection.meta.rationale);
        let _ = writeln!(text, "  what it looked at:");
        // Rows that hold what the evidence says are those that it was made of.
        let told: BTreeSet<String> =
            hits.iter().flat_map(|hit| hit.evidence.values()).map(plain).filter(|v| v.len() > 3).collect();
        inputs(&mut text, &found, detection, (&t.org, &t.token_id), &told);
        let _ = writeln!(text, "  thresholds in force:");
        let policy = serde_json::to_value(&found.report.policy).unwrap_or_default();
        for (name, value) in policy.as_object().into_iter().flatten() {
            if detection.sql.contains(name.as_str()) {
                let _ = writeln!(text, "    policy.{name} = {value}");
            }
        }
        let window = found.report.window;
        let _ = writeln!(text, "  window: {} to {}", format_time(window.from), format_time(window.as_of));
    }
    context.ui.write(None, super::error::clean(&text).as_bytes())?;
    let outcome = super::import::outcome_of(&session, &args.selection);
    Ok(outcome.max(super::check::not_run(&found.report.not_run, &context.ui)))
}

/// Ids of the events of a token that are kept with their data, as posture findings list them.
fn events_of(found: &super::session::Found, org: &str, token_id: &str) -> BTreeSet<String> {
    let quote = |s: &str| s.replace('\'', "''");
    let sql = format!(
        "SELECT event_id FROM notable WHERE org = '{}' AND token_id = '{}'",
        quote(org),
        quote(token_id)
    );
    let Ok(rows) = found.engine.query(&sql) else { return BTreeSet::new() };
    (0..rows.len()).filter_map(|row| rows.text(row, "event_id")).map(str::to_owned).collect()
}

/// Returns true if a finding on a user, a project or the organisation names the token: in its evidence, or by an event.
fn concerns(finding: &Finding, token_id: &str, own: &BTreeSet<String>) -> bool {
    let names =
        |value: &Value| value.as_str().is_some_and(|text| text.split_whitespace().any(|id| id == token_id));
    finding.subject.kind != SubjectKind::Token
        && (finding.evidence.values().any(names)
            || finding.event_ids.iter().any(|id| own.contains(&id.to_string())))
}

/// Shows the claims that a detection rests on: the chain from source to conclusion.
fn claims(text: &mut String, token: &Token, fields: &[Field]) {
    let rests = token.claims.iter().filter(|c| fields.contains(&c.field));
    for (at, claim) in rests.enumerate() {
        if at == 0 {
            let bound = token.certainty(fields);
            let _ = writeln!(text, "  it rests on these claims, which allow {bound} confidence at most:");
        }
        let when = claim.time.map_or_else(|| "without a date".to_owned(), format_time);
        let event = claim.event_id.as_deref().map(|id| format!(", event {id}")).unwrap_or_default();
        let org = claim.stated_in.as_deref().map(|org| format!(", in {org}")).unwrap_or_default();
        let _ = writeln!(
            text,
            "    {} = {}: {} {when}, joined by {}{event}{org} ({})",
            claim.field,
            cut(&claim.value),
            claim.source,
            claim.join,
            claim.standing
        );
    }
}

/// Rows of a table and ids of events that are shown.
const SHOWN: usize = 3;

/// Rows among which those that say what the evidence says are looked for.
const LOOKED_AT: usize = 2_000;

/// The text of a value as a cell shows it.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Lists of a hundred ids hide what stands beside them: they are cut, with their number.
fn cut(text: &str) -> String {
    const ROOM: usize = 160;
    let length = text.chars().count();
    if length <= ROOM {
        return text.to_owned();
    }
    let entries: Vec<&str> = text.trim_matches(['[', ']', '"']).split(',').collect();
    let entries: Vec<&str> = entries.into_iter().map(|entry| entry.trim().trim_matches('"')).collect();
    // Prose has commas too, but its parts are of several words.
    if entries.len() > SHOWN && entries.iter().all(|entry| !entry.contains(char::is_whitespace)) {
        return format!("{}, ... ({} in all)", entries[..SHOWN].join(", "), entries.len());
    }
    let kept: String = text.chars().take(ROOM).collect();
    format!("{kept}... ({length} characters in all)")
}

/// Shows the token's rows of each table that the detection reads, without the empty cells.
fn inputs(
    text: &mut String,
    found: &super::session::Found,
    detection: &crate::engine::pack::Detection,
    (org, token_id): (&str, &str),
    told: &BTreeSet<String>,
) {
    for table in &detection.tables {
        let has = |column| crate::engine::schema::table(table).is_some_and(|t| t.column(column).is_some());
        let quote = |s: &str| s.replace('\'', "''");
        let mut rows = format!("FROM {table} WHERE org = '{}'", quote(org));
        if has("token_id") {
            rows = format!("{rows} AND token_id = '{}'", quote(token_id));
        } else if !matches!(table.as_str(), "coverage" | "gaps") {
            continue;
        }
        let Ok(counted) = found.engine.query(&format!("SELECT COUNT(*) AS n {rows}")) else { continue };
        let n = counted.int(0, "n").and_then(|n| u64::try_from(n).ok()).unwrap_or_default();
        let Ok(rows) = found.engine.query(&format!("SELECT * {rows} LIMIT {LOOKED_AT}")) else { continue };
        let fits =
            |row: &usize| rows.cells.iter().filter(|column| told.contains(&column[*row].to_string())).count();
        let mut shown: Vec<usize> = (0..rows.len()).collect();
        shown.sort_by_cached_key(|row| std::cmp::Reverse(fits(row)));
        shown.truncate(SHOWN);
        let of = if n == shown.len() as u64 { String::new() } else { format!(", {} of them:", shown.len()) };
        let _ = writeln!(text, "    {table}: {n} row{}{of}", s(n));
        for i in shown {
            let cells: Vec<String> = rows
                .columns
                .iter()
                .filter(|c| !matches!(c.name.as_str(), "org" | "token_id"))
                .map(|c| (c.name.as_str(), rows.get(i, &c.name).to_string()))
                .filter(|(_, value)| !value.is_empty())
                .map(|(name, value)| format!("{name}={}", cut(&value)))
                .collect();
            let _ = writeln!(text, "      {}", cells.join(", "));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_are_cut_with_their_number() {
        assert_eq!(cut("short, list"), "short, list");
        let ids: Vec<String> = (0..40).map(|i| format!("id-{i:08}")).collect();
        let expected = "id-00000000, id-00000001, id-00000002, ... (40 in all)";
        assert_eq!(cut(&ids.join(", ")), expected);
        assert_eq!(cut(&serde_json::json!(ids).to_string()), expected);
        let prose = "Added ann, bob and carol to the group, ".repeat(8);
        assert!(cut(&prose).ends_with("characters in all)"));
    }
}
