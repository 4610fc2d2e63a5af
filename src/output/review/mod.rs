//! `review.csv`: the access review, one row a token with the facts, then columns for the decision.
//!
//! In: a [`Report`]. Out: CSV that goes through a spreadsheet and back; the last five columns come empty.
//! [`read`] takes it back.

pub mod read;
pub mod revoke;

use super::csv::{self, Cell};
use super::{Result, words};
use crate::model::decision::Fixed;
use crate::report::{Report, TokenReport};
use std::io;

/// Columns with their meaning. The facts come first; those that say what the token was are read back with the decision,
/// and of them only `token_id` must be there.
pub const COLUMNS: &[(&str, &str)] = &[
    ("org", "organisation"),
    ("token_id", "authorizationId"),
    ("name", "display name"),
    ("owner", "UPN, else name, else storage key"),
    ("owner_state", "active, disabled, removed or unknown"),
    ("state", "active, expired, revoked or unknown"),
    ("scopes", "granted scopes"),
    ("valid_from", "creation"),
    ("valid_to", "end date"),
    ("use", "what the log says on its use, in words"),
    ("last_audited_change", "last one that the lake holds"),
    ("covered_days", "whole days without a gap inside window and life"),
    ("proposed_scopes", "safe proposal"),
    ("reduced_scopes", "proposal to confirm with the owner"),
    ("risk", "0 to 100"),
    ("findings", "detections that hit, with severity"),
    ("advice", "what patwatch would do, and why"),
    ("last_decision", "the newest one before this review, and whether it still holds"),
    ("as_of", "the instant that this sheet stands at"),
    ("state_mark", "mark of the state that is decided on; when the token changes, the decision ends"),
    ("decision", "keep, reduce, revoke or exception"),
    ("reviewer", "who decides"),
    ("decided_on", "YYYY-MM-DD"),
    ("reason", "why"),
    ("end_date", "until when the decision holds, YYYY-MM-DD"),
];

/// Writes the review.
///
/// # Errors
/// Those of the writer.
pub fn write(report: &Report, to: &mut dyn io::Write) -> Result {
    let by_print: std::collections::HashMap<&str, String> = report
        .findings
        .iter()
        .map(|f| (f.fingerprint.as_str(), format!("{} {} ({})", f.detection, f.slug, f.severity)))
        .collect();
    let row = |t: &TokenReport| {
        let (token, v) = (&t.token, &t.verdicts);
        let text = |t: &str| Cell::Text(t.to_owned());
        let findings = t.findings.iter().filter_map(|f| by_print.get(f.as_str()).cloned()).collect();
        let advice = if v.advice.reason.is_empty() {
            v.advice.action.to_string()
        } else {
            format!("{}: {}", v.advice.action, v.advice.reason)
        };
        let mut row = vec![
            text(&token.org),
            text(&token.token_id),
            Cell::maybe(token.name.as_deref()),
            Cell::maybe(token.owner.as_deref()),
            text(token.owner_state.as_str()),
            text(token.state.as_str()),
            Cell::maybe_list(token.scopes.as_ref()),
            Cell::time(token.valid_from),
            Cell::time(token.valid_to),
            text(words::use_words(v.usage.verdict)),
            Cell::time(v.usage.last_observed_ever),
            Cell::Whole(v.usage.covered_days.into()),
            Cell::maybe_list(v.proposed_scopes.as_ref()),
            Cell::maybe_list(v.reduced_scopes.as_ref()),
            Cell::Number(v.risk),
            Cell::List(findings),
            Cell::Text(advice),
            t.decision.as_ref().map_or(Cell::Empty, |d| Cell::Text(words::decision_words(d))),
            Cell::time(Some(report.as_of)),
            Cell::Text(Fixed::of(token).mark(&token.token_id)),
        ];
        row.resize(COLUMNS.len(), Cell::Empty);
        row
    };
    csv::write(COLUMNS.iter().map(|(name, _)| *name), report.tokens.iter().map(row), to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_row_a_token_with_empty_decisions() {
        let report = crate::output::sample::report();
        let mut out = Vec::new();
        write(&report, &mut out).expect("memory");
        let mut reader = ::csv::Reader::from_reader(out.as_slice());
        let rows: Vec<::csv::StringRecord> = reader.records().map(|r| r.expect("a record")).collect();
        assert_eq!(rows.len(), report.tokens.len());
        for (row, token) in rows.iter().zip(&report.tokens) {
            assert_eq!(row.len(), COLUMNS.len());
            let name = token.token.name.as_deref().unwrap_or_default();
            assert_eq!(csv::original(&row[2]), csv::visible(name));
            assert!(row.iter().skip(20).all(str::is_empty));
        }
    }
}
