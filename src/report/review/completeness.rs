//! How far a review has come: how many tokens in force are decided, and what of it is not done.
//!
//! In: tokens with their decisions, and the period of the review. Out: [`Completeness`]. A decision from before the period,
//! one that ended and one that is refused leave their token open.

use super::standing::{Standing, Status};
use crate::model::decision::Choice;
use crate::model::noun::counted;
use crate::model::review_period::Period;
use crate::report::{Report, TokenReport};
use std::collections::BTreeMap;

text_enum! {
    /// What became of the review of one token in force.
    Progress {
        /// It is decided, and nothing is left to do.
        Done = "done",
        /// It is decided, and the log does not show the revoke or the reduction.
        NotDone = "not done",
        /// It is to be reduced, and its scopes then or now are not known.
        NotKnown = "not known",
        /// No decision of the period holds.
        Open = "open",
    }
}

/// How far a review has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completeness {
    /// The days whose decisions count; every one where none is set.
    pub period: Option<Period>,
    /// Tokens in force by organisation, and of those how many are in each state of [`Progress`], in its order.
    pub orgs: BTreeMap<String, [u64; 4]>,
    /// Whether any decision is known.
    pub any: bool,
}

impl Completeness {
    /// Counts the tokens of a report that are in force.
    #[must_use]
    pub fn of(report: &Report) -> Self {
        let mut orgs: BTreeMap<String, [u64; 4]> = BTreeMap::new();
        for t in in_force(report) {
            let now = progress(t.decision.as_ref(), report.review_period);
            let at = Progress::ALL.iter().position(|p| *p == now).unwrap_or_default();
            orgs.entry(t.token.org.clone()).or_default()[at] += 1;
        }
        let any = report.tokens.iter().any(|t| t.decision.is_some());
        Self { period: report.review_period, orgs, any }
    }

    /// Returns the number of tokens in a state.
    #[must_use]
    pub fn count(&self, progress: Progress) -> u64 {
        let at = Progress::ALL.iter().position(|p| *p == progress).unwrap_or_default();
        self.orgs.values().map(|row| row[at]).sum()
    }

    /// Returns the sentence on it; nothing where no token is in force, or nobody reviews.
    #[must_use]
    pub fn sentence(&self) -> Option<String> {
        let all: u64 = self.orgs.values().flatten().sum();
        if all == 0 || !self.any && self.period.is_none() {
            return None;
        }
        let open = self.count(Progress::Open);
        let decided = all - open;
        let when = self.period.map(|p| format!(" {}", p.words())).unwrap_or_default();
        let mut text = format!(
            "{decided} of {} in force decided{when} ({} %), {open} open, {} not done",
            counted(all, "token"),
            share(decided, all),
            self.count(Progress::NotDone)
        );
        match self.count(Progress::NotKnown) {
            0 => {}
            n => text.push_str(&format!(", {n} not known")),
        }
        Some(text)
    }
}

/// Returns the tokens that a review decides on.
pub fn in_force(report: &Report) -> impl Iterator<Item = &TokenReport> {
    report.tokens.iter().filter(|t| !t.token.is_over())
}

/// Returns what became of the review of a token in force.
#[must_use]
pub fn progress(standing: Option<&Standing>, period: Option<Period>) -> Progress {
    let Some(standing) = standing else { return Progress::Open };
    let decision = &standing.decision;
    if period.is_some_and(|p| !p.contains(decision.decided_on)) {
        return Progress::Open;
    }
    match standing.status {
        Status::Ended | Status::Refused => Progress::Open,
        Status::NotDone => Progress::NotDone,
        Status::Holds if decision.choice == Choice::Reduce => Progress::NotKnown,
        Status::Holds | Status::Done => Progress::Done,
    }
}

/// A share in whole percent: 100 only for all of them, and 0 only for none.
fn share(part: u64, all: u64) -> u64 {
    match (part, all) {
        (0, _) | (_, 0) => 0,
        (part, all) if part >= all => 100,
        (part, all) => ((part * 200 + all) / (all * 2)).clamp(1, 99),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(row: [u64; 4], period: Option<Period>) -> Completeness {
        Completeness { period, orgs: [("contoso".to_owned(), row)].into(), any: true }
    }

    #[test]
    fn the_sentence_counts_what_is_decided_open_and_not_done() {
        let period = Period::parse("2026-10-01..");
        let text = of([214, 11, 0, 15], period).sentence();
        assert_eq!(
            text.as_deref(),
            Some("225 of 240 tokens in force decided since 2026-10-01 (94 %), 15 open, 11 not done")
        );
        let text = of([1, 0, 2, 997], None).sentence().expect("a sentence");
        assert_eq!(text, "3 of 1000 tokens in force decided (1 %), 997 open, 0 not done, 2 not known");
        assert!(of([999, 0, 0, 1], None).sentence().is_some_and(|t| t.contains("(99 %)")));
        assert_eq!(of([0; 4], period).sentence(), None);
        let nobody = Completeness { any: false, ..of([0, 0, 0, 3], None) };
        assert_eq!(nobody.sentence(), None, "nobody reviews");
        assert!(Completeness { period, ..nobody }.sentence().is_some_and(|t| t.starts_with("0 of 3 tokens")));
    }

    #[test]
    fn only_a_decision_of_the_period_that_holds_closes_a_token() {
        let report = crate::output::sample::report();
        let standing = report.tokens.iter().find_map(|t| t.decision.clone()).expect("a decision");
        let on = standing.decision.decided_on;
        let within = Some(Period { from: on, to: Some(on) });
        let with = |choice, status| {
            let mut s = standing.clone();
            (s.decision.choice, s.status) = (choice, status);
            s
        };
        for (choice, status, expected) in [
            (Choice::Keep, Status::Holds, Progress::Done),
            (Choice::Revoke, Status::NotDone, Progress::NotDone),
            (Choice::Reduce, Status::Holds, Progress::NotKnown),
            (Choice::Reduce, Status::Done, Progress::Done),
            (Choice::Keep, Status::Ended, Progress::Open),
            (Choice::Keep, Status::Refused, Progress::Open),
        ] {
            let one = with(choice, status);
            assert_eq!(progress(Some(&one), within), expected, "{choice} {status}");
            assert_eq!(progress(Some(&one), None), expected, "{choice} {status}");
            for period in [Period { from: on + 1, to: None }, Period { from: on - 9, to: Some(on - 1) }] {
                assert_eq!(progress(Some(&one), Some(period)), Progress::Open);
            }
        }
        assert_eq!(progress(None, None), Progress::Open);
        let all = Completeness::of(&report);
        assert_eq!(all.orgs.values().flatten().sum::<u64>(), in_force(&report).count() as u64);
    }
}
