//! Findings as CSV, one row each, in the order in which people read them. The columns are [`COLUMNS`] and stay in that order.

use crate::model::finding::Finding;
use crate::output::csv::{self, Cell};
use crate::output::{Format, Result, Style};
use crate::report::{Report, rank};
use std::io;

/// Columns with their meaning; new ones are added at the end.
pub const COLUMNS: &[(&str, &str)] = &[
    ("fingerprint", "org + detection + subject + keys, hashed"),
    ("detection", "id of the detection"),
    ("slug", "its name"),
    ("family", "use, scope, anomaly, hygiene or posture"),
    ("severity", "info, low, medium, high or critical"),
    ("confidence", "low, medium or high"),
    ("org", "organisation"),
    ("subject_kind", "token, user, org, project or other"),
    ("subject_id", "for a token its token_id"),
    ("subject_name", "where one is known"),
    ("owner", "UPN, else name, else storage key"),
    ("first_time", "first event, RFC 3339 UTC"),
    ("last_time", "last event, RFC 3339 UTC; of a state, which stands, the instant of the run"),
    ("count", "exact number of events"),
    ("message", "the finding as a sentence"),
    ("evidence", "JSON object"),
    ("event_ids", "newest 100"),
    ("fix", "what to do"),
    ("controls", "controls it bears on"),
    ("attack", "ATT&CK techniques"),
    ("decision", "the decision that covers it"),
    ("reviewer", "who decided"),
    ("decided_until", "until when the decision holds"),
    ("reviewer_is_owner", "whether the reviewer is the owner of the token"),
];

/// `--format csv`.
#[derive(Debug)]
pub struct Csv;

impl Format<Report> for Csv {
    fn name(&self) -> &'static str {
        "csv"
    }

    fn extension(&self) -> &'static str {
        "csv"
    }

    fn write(&self, report: &Report, style: Style, to: &mut dyn io::Write) -> Result {
        let ranked = rank::findings(report);
        let rows = ranked.into_iter().map(|i| row(&report.findings[i]));
        csv::write_styled(COLUMNS.iter().map(|(name, _)| *name), rows, style, to)
    }
}

fn row(f: &Finding) -> Vec<Cell> {
    let text = |t: &str| Cell::Text(t.to_owned());
    let decision = f.suppressed.as_ref();
    vec![
        text(&f.fingerprint),
        text(&f.detection),
        text(&f.slug),
        text(f.family.as_str()),
        text(f.severity.as_str()),
        text(f.confidence.as_str()),
        text(&f.org),
        text(f.subject.kind.as_str()),
        text(&f.subject.id),
        Cell::maybe(f.subject.name.as_deref()),
        Cell::maybe(f.owner.as_deref()),
        Cell::time(f.first_time),
        Cell::time(f.last_time),
        Cell::Whole(f.count.into()),
        text(&f.message),
        Cell::Text(serde_json::Value::Object(f.evidence.clone()).to_string()),
        Cell::List(f.event_ids.iter().map(ToString::to_string).collect()),
        text(&f.fix),
        Cell::List(f.controls.to_vec()),
        Cell::List(f.attack.to_vec()),
        Cell::maybe(decision.map(|d| d.decision.as_str())),
        Cell::maybe(decision.map(|d| d.reviewer.as_str())),
        Cell::time(decision.and_then(|d| d.until)),
        Cell::maybe(decision.map(|d| if d.reviewer_is_owner { "true" } else { "false" })),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_as_many_cells_as_there_are_columns() {
        let report = crate::output::sample::report();
        assert!(report.findings.iter().all(|f| row(f).len() == COLUMNS.len()));
    }
}
