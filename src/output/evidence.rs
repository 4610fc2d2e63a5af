//! Tables that auditors keep: `population.csv`, `response.csv`, `controls.csv` and `changes.csv`.
//!
//! In: a report or a comparison. Out: CSV: how complete the lists of each organisation are and how its tokens stand; how long
//! leaked tokens and those of people who left stayed in force; what bears on each control; what changed since the earlier bundle.

use super::Result;
use super::csv::{self, Cell};
use crate::model::token::TokenState;
use crate::report::Report;
use crate::report::compare::{Comparison, Difference};
use crate::report::controls as known;
use crate::report::response::responses;
use std::io;

/// Columns of `population.csv`.
const POPULATION: [&str; 12] = [
    "org",
    "as_of",
    "list_taken",
    "list_complete",
    "users_listed",
    "users_failed",
    "tokens_listed",
    "not_pats",
    "tokens_known",
    "tokens_in_force",
    "tokens_over",
    "tokens_state_unknown",
];
/// Columns of `controls.csv`.
const CONTROLS: [&str; 7] =
    ["framework", "control", "title", "gives", "missing", "detections", "open_findings"];
/// Columns of `response.csv`.
const RESPONSE: [&str; 9] =
    ["trigger", "org", "token_id", "name", "owner", "from", "ended", "hours", "outcome"];
/// Columns of `changes.csv`.
const CHANGES: [&str; 10] =
    ["of", "change", "org", "id", "name", "owner", "detection", "severity", "what", "why"];

/// Writes one row an organisation.
///
/// # Errors
/// Those of the writer.
pub fn population(report: &Report, to: &mut dyn io::Write) -> Result {
    let rows = report.population.iter().map(|p| {
        let of = |wanted: &dyn Fn(TokenState) -> bool| {
            let own = report.tokens.iter().filter(|t| t.token.org == p.org);
            Cell::Whole(own.filter(|t| wanted(t.token.state)).count() as i128)
        };
        // Without a list these numbers are not zero but unknown.
        let listed = |n: u64| match p.inventory_taken {
            Some(_) => Cell::Whole(n.into()),
            None => Cell::Empty,
        };
        vec![
            Cell::Text(p.org.clone()),
            Cell::time(Some(report.as_of)),
            Cell::maybe(p.inventory_taken.as_deref()),
            Cell::Text(p.complete.to_string()),
            listed(p.users_listed),
            listed(p.users_failed),
            listed(p.tokens),
            listed(p.not_pats),
            of(&|_| true),
            of(&|s| s == TokenState::Active),
            of(&|s| !matches!(s, TokenState::Active | TokenState::Unknown)),
            of(&|s| s == TokenState::Unknown),
        ]
    });
    csv::write(POPULATION, rows, to)
}

/// Writes one row a leak and one row a person who left.
///
/// # Errors
/// Those of the writer.
pub fn response(report: &Report, to: &mut dyn io::Write) -> Result {
    let rows = responses(report).into_iter().map(|r| {
        vec![
            Cell::Text(r.trigger.to_string()),
            Cell::Text(r.org.clone()),
            Cell::maybe(r.token_id.as_deref()),
            Cell::maybe(r.name.as_deref()),
            Cell::maybe(r.owner.as_deref()),
            Cell::time(Some(r.from)),
            Cell::time(r.to),
            r.hours().map_or(Cell::Empty, Cell::Number),
            Cell::Text(r.outcome.to_string()),
        ]
    });
    csv::write(RESPONSE, rows.collect::<Vec<_>>(), to)
}

/// Writes one row a control.
///
/// # Errors
/// Those of the writer.
pub fn controls(report: &Report, to: &mut dyn io::Write) -> Result {
    let rows = known::controls().iter().map(|c| {
        let detections = report.detections.iter().filter(|d| c.concerns(d.family, &d.slug));
        let open = report.findings.iter().filter(|f| f.suppressed.is_none());
        vec![
            Cell::Text(c.framework.clone()),
            Cell::Text(c.control.clone()),
            Cell::Text(c.title.clone()),
            Cell::Text(c.gives.clone()),
            Cell::Text(c.missing.clone()),
            Cell::List(detections.map(|d| d.id.clone()).collect()),
            Cell::Whole(open.filter(|f| f.controls.contains(&c.control)).count() as i128),
        ]
    });
    csv::write(CONTROLS, rows, to)
}

/// Writes one row a finding or token that is not as it was; tokens that need something new come first.
///
/// # Errors
/// Those of the writer.
pub fn changes(c: &Comparison, to: &mut dyn io::Write) -> Result {
    let what = |differences: &[Difference]| {
        let each = differences.iter().map(|d| format!("{}: {} to {}", d.field, d.before, d.after));
        each.collect::<Vec<_>>().join("; ")
    };
    let text = |t: &str| Cell::Text(t.to_owned());
    let tokens = c.tokens.iter().map(|t| {
        let change = match &t.needs {
            Some(needs) => format!("needs something new: {needs}"),
            None => t.kind.to_string(),
        };
        vec![
            text("token"),
            Cell::Text(change),
            text(&t.org),
            text(&t.token_id),
            Cell::maybe(t.name.as_deref()),
            Cell::maybe(t.owner.as_deref()),
            Cell::Empty,
            Cell::Empty,
            Cell::Text(what(&t.differences)),
            text(&t.why),
        ]
    });
    let findings = c.findings.iter().map(|f| {
        let differences = what(&f.differences);
        let said = if differences.is_empty() { f.message.clone() } else { differences };
        vec![
            text("finding"),
            Cell::Text(f.kind.to_string()),
            text(&f.org),
            text(&f.subject.1),
            Cell::maybe(f.subject.2.as_deref()),
            Cell::maybe(f.owner.as_deref()),
            text(&f.detection),
            text(&f.severity),
            Cell::Text(said),
            text(&f.why),
        ]
    });
    csv::write(CHANGES, tokens.chain(findings).collect::<Vec<_>>(), to)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::sample;

    /// The rows of a table, by column name.
    fn rows(bytes: &[u8]) -> Vec<std::collections::HashMap<String, String>> {
        ::csv::Reader::from_reader(bytes).into_deserialize().map(|row| row.expect("a row")).collect()
    }

    #[test]
    fn what_no_list_says_is_empty_and_not_zero() {
        let mut report = sample::report();
        report.population[0].inventory_taken = None;
        report.population[1].inventory_taken = Some("2026-03-30T00:00:00Z".to_owned());
        let mut out = Vec::new();
        population(&report, &mut out).expect("memory");
        let rows = rows(&out);
        assert_eq!(rows.len(), report.population.len());
        assert_eq!(rows[0]["users_listed"], "");
        assert_ne!(rows[1]["users_listed"], "");
        let known: usize = rows.iter().map(|r| r["tokens_known"].parse::<usize>().expect("a number")).sum();
        assert_eq!(known, report.tokens.len());
    }

    #[test]
    fn every_change_and_every_control_has_a_row_and_no_cell_is_a_formula() {
        let report = sample::report();
        let comparison = report.comparison.as_ref().expect("a comparison");
        let (mut changed, mut bearing) = (Vec::new(), Vec::new());
        changes(comparison, &mut changed).expect("memory");
        controls(&report, &mut bearing).expect("memory");
        assert_eq!(rows(&changed).len(), comparison.tokens.len() + comparison.findings.len());
        assert_eq!(rows(&bearing).len(), known::controls().len());
        for row in rows(&changed) {
            assert!(row.values().all(|cell| !cell.starts_with(['=', '@', '+'])), "{row:?}");
        }
    }
}
