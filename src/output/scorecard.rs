//! `scorecard.csv` and `detections scorecard`: what reviewers made of each detection.
//!
//! In: a [`Report`]. Out: CSV, or a grid.

use super::Result;
use super::csv::{self, Cell};
use super::grid::Grid;
use crate::report::Report;
use crate::report::scorecard::{Proposal, Score, scorecard};
use std::io;

/// Columns with their meaning.
pub const COLUMNS: &[(&str, &str)] = &[
    ("detection", "id"),
    ("slug", "short name"),
    ("severity", "of the detection"),
    ("findings", "of this run, covered ones included"),
    ("confirmed", "decisions to revoke or to reduce"),
    ("accepted", "exceptions, and decisions to keep with an end date"),
    ("dismissed", "decisions to keep without an end date"),
    ("by_owner", "decisions by the owner of the token, which are in none of the numbers before"),
    ("reviewers", "people who confirmed, accepted or dismissed"),
    ("proposal", "keep, tune or off; empty where the numbers are small"),
];

/// Writes the scorecard.
///
/// # Errors
/// Those of the writer.
pub fn write(report: &Report, to: &mut dyn io::Write) -> Result {
    let row = |s: Score| {
        let [id, slug, severity, proposal] = texts(&s);
        let mut row: Vec<Cell> = [id, slug, severity].map(Cell::Text).to_vec();
        row.extend(numbers(&s).map(|n| Cell::Whole(n.into())));
        row.push(Cell::Text(proposal));
        row
    };
    csv::write(COLUMNS.iter().map(|(name, _)| *name), scorecard(report).into_iter().map(row), to)
}

/// Returns the scorecard as a grid, in the order of the columns.
#[must_use]
pub fn grid(report: &Report) -> Grid {
    let row = |s: Score| {
        let [id, slug, severity, proposal] = texts(&s);
        let mut row: Vec<serde_json::Value> = [id, slug, severity].map(Into::into).to_vec();
        row.extend(numbers(&s).map(serde_json::Value::from));
        row.push(proposal.into());
        row
    };
    Grid {
        columns: COLUMNS.iter().map(|(name, _)| (*name).to_owned()).collect(),
        rows: scorecard(report).into_iter().map(row).collect(),
    }
}

fn texts(s: &Score) -> [String; 4] {
    let proposal = s.proposal.map_or("", Proposal::as_str);
    [s.detection.clone(), s.slug.clone(), s.severity.to_string(), proposal.to_owned()]
}

const fn numbers(s: &Score) -> [u64; 6] {
    [s.findings, s.confirmed, s.accepted, s.dismissed, s.by_owner, s.reviewers]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_row_a_detection_in_both() {
        let report = crate::output::sample::report();
        let mut out = Vec::new();
        write(&report, &mut out).expect("memory");
        let mut reader = ::csv::Reader::from_reader(out.as_slice());
        let rows: Vec<::csv::StringRecord> = reader.records().map(|r| r.expect("a record")).collect();
        let grid = grid(&report);
        assert_eq!((rows.len(), grid.rows.len()), (report.detections.len(), report.detections.len()));
        for (row, cells) in rows.iter().zip(&grid.rows) {
            assert_eq!((row.len(), cells.len()), (COLUMNS.len(), COLUMNS.len()));
            assert_eq!(row[3], cells[3].to_string());
        }
    }
}
