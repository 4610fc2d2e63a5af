//! `decisions.csv`: every token in force with its decision, for the file of an access review.
//!
//! In: a [`Report`]. Out: CSV, one row a token, open ones as well.

use super::Result;
use super::csv::{self, Cell};
use crate::model::time::day_text;
use crate::report::review::{Progress, in_force, progress};
use crate::report::{Report, TokenReport};
use std::io;

/// Columns with their meaning.
pub const COLUMNS: &[(&str, &str)] = &[
    ("org", "organisation"),
    ("token_id", "authorizationId"),
    ("name", "display name"),
    ("owner", "UPN, else name, else storage key"),
    (
        "status",
        "done, not done, not known (the scopes then or now are not known) or open (no decision of the period holds)",
    ),
    ("decision", "the newest one: keep, reduce, revoke or exception"),
    ("reviewer", "who decided"),
    ("reviewer_is_owner", "whether the reviewer is the owner of the token"),
    ("decided_on", "day of the decision"),
    ("end_date", "last day on which it holds"),
    ("reason", "the reviewer's"),
    ("overdue", "whether a revoke or reduction is not done after the days of grace"),
    ("note", "one sentence on how it stands"),
    ("risk", "0 to 100"),
];

/// Writes the decisions.
///
/// # Errors
/// Those of the writer.
pub fn write(report: &Report, to: &mut dyn io::Write) -> Result {
    let row = |t: &TokenReport| {
        let text = |t: &str| Cell::Text(t.to_owned());
        let truth = |b: bool| text(if b { "true" } else { "false" });
        let standing = t.decision.as_ref();
        let status = progress(standing, report.review_period);
        let mut row = vec![
            text(&t.token.org),
            text(&t.token.token_id),
            Cell::maybe(t.token.name.as_deref()),
            Cell::maybe(t.token.owner.as_deref()),
            text(status.as_str()),
        ];
        match standing {
            None => row.extend(std::iter::repeat_n(Cell::Empty, 8)),
            Some(s) => {
                let d = &s.decision;
                let is_outside = report.review_period.is_some_and(|p| !p.contains(d.decided_on));
                let note = if status == Progress::Open && is_outside {
                    format!("Decided outside the period of the review. {}", s.note)
                } else {
                    s.note.clone()
                };
                row.extend([
                    text(d.choice.as_str()),
                    text(&d.reviewer),
                    truth(s.reviewer_is_owner),
                    text(&day_text(d.decided_on)),
                    s.until.map_or(Cell::Empty, |day| Cell::Text(day_text(day))),
                    text(&d.reason),
                    truth(s.overdue),
                    Cell::Text(note),
                ]);
            }
        }
        row.push(Cell::Number(t.verdicts.risk));
        row
    };
    csv::write(COLUMNS.iter().map(|(name, _)| *name), in_force(report).map(row), to)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::review_period::Period;

    fn rows(report: &Report) -> Vec<Vec<String>> {
        let mut out = Vec::new();
        write(report, &mut out).expect("memory");
        let mut reader = ::csv::Reader::from_reader(out.as_slice());
        reader.records().map(|r| r.expect("a record").iter().map(str::to_owned).collect()).collect()
    }

    #[test]
    fn every_token_in_force_is_listed_and_a_decision_outside_the_period_leaves_it_open() {
        let mut report = crate::output::sample::report();
        let at = report
            .tokens
            .iter()
            .position(|t| t.decision.is_some() && !t.token.is_over())
            .expect("a decision");
        let standing = report.tokens[at].decision.as_mut().expect("a decision");
        standing.reviewer_is_owner = true;
        let (on, id) = (standing.decision.decided_on, report.tokens[at].token.token_id.clone());
        report.review_period = Some(Period { from: on, to: None });
        let of = |report: &Report| {
            let rows = rows(report);
            assert_eq!(rows.len(), in_force(report).count());
            assert!(rows.iter().all(|r| r.len() == COLUMNS.len()));
            rows.into_iter().find(|r| r[1] == id).expect("the token")
        };
        let row = of(&report);
        assert_eq!(
            (row[4].as_str(), row[5].as_str(), row[7].as_str()),
            ("not done", "revoke", "true"),
            "{row:?}"
        );
        report.review_period = Some(Period { from: on + 1, to: None });
        let row = of(&report);
        assert_eq!(row[4], "open");
        assert!(row[12].starts_with("Decided outside the period"), "{row:?}");
    }
}
