//! `patwatch explain`: why a PAT was or was not flagged by a detection.

use super::Context;
use super::args::ExplainArgs;
use super::error::{CliError, Outcome};
use super::session::Session;
use crate::model::finding::Family;
use crate::model::time::format_time;
use std::fmt::Write as _;

pub(super) fn run(context: &Context, args: &ExplainArgs) -> Result<Outcome, CliError> {
    let session = Session::open(&context.lake, context.config.clone(), &args.selection, &context.ui)?;
    let Some(detection) = session.pack.get(&args.detection) else {
        return Err(CliError::new(format!("no detection is called \"{}\"", args.detection))
            .hint("`patwatch detections list` prints them all"));
    };
    let found = session.find(std::slice::from_ref(&detection.meta.id), &context.ui)?;
    let mut text = String::new();
    for token in super::token::find(&found.report, &args.token)? {
        let t = &token.token;
        let hits: Vec<_> =
            found.report.findings.iter().filter(|f| f.org == t.org && f.subject.id == t.token_id).collect();
        let _ = writeln!(
            text,
            "{} {} on {} {} in {}: {}",
            detection.meta.id,
            detection.meta.title,
            t.name.as_deref().unwrap_or("(no name)"),
            t.token_id,
            t.org,
            if hits.is_empty() { "not flagged" } else { "flagged" }
        );
        for hit in hits {
            let _ =
                writeln!(text, "  {} severity, {} confidence: {}", hit.severity, hit.confidence, hit.message);
            for (name, value) in &hit.evidence {
                let _ = writeln!(text, "    {name} = {value}");
            }
        }
        if let Some(not_run) = found.report.not_run.iter().find(|n| n.detection == detection.meta.id) {
            let _ = writeln!(text, "  it did not run: {}", not_run.reason);
        }
        if t.is_over() && matches!(detection.meta.family, Family::Use | Family::Scope) {
            let _ = writeln!(text, "  the token is {}: no use or scope finding is made of it", t.state);
        }
        let _ = writeln!(text, "  what it looks for: {}", detection.meta.rationale);
        let _ = writeln!(text, "  what it looked at:");
        inputs(&mut text, &found, detection, &t.org, &t.token_id);
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
    Ok(Outcome::Done)
}

/// Shows the token's row of each table that the detection reads, without the empty cells.
fn inputs(
    text: &mut String,
    found: &super::session::Found,
    detection: &crate::engine::pack::Detection,
    org: &str,
    token_id: &str,
) {
    for table in &detection.tables {
        let has = |column| crate::engine::schema::table(table).is_some_and(|t| t.column(column).is_some());
        let quote = |s: &str| s.replace('\'', "''");
        let mut sql = format!("SELECT * FROM {table} WHERE org = '{}'", quote(org));
        if has("token_id") {
            sql = format!("{sql} AND token_id = '{}'", quote(token_id));
        } else if !matches!(table.as_str(), "coverage" | "gaps") {
            continue;
        }
        let sql = format!("{sql} LIMIT 20");
        let Ok(rows) = found.engine.query(&sql) else { continue };
        let _ = writeln!(
            text,
            "    {table}: {} rows{}",
            rows.len(),
            if rows.len() == 20 { " (the first 20)" } else { "" }
        );
        for i in 0..rows.len().min(3) {
            let cells: Vec<String> = rows
                .columns
                .iter()
                .filter(|c| !matches!(c.name.as_str(), "org" | "token_id"))
                .map(|c| (c.name.as_str(), rows.get(i, &c.name).to_string()))
                .filter(|(_, value)| !value.is_empty())
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            let _ = writeln!(text, "      {}", cells.join(", "));
        }
    }
}
