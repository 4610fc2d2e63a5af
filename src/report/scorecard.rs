//! What reviewers made of each detection: confirmed, accepted or dismissed, and what follows from it.
//!
//! In: findings, and the newest decision on each token. Out: one [`Score`] a detection. A decision is on a token, so it counts
//! for every detection that its sheet listed; where the sheet lists none, for the findings of this run that the decision covers.

use super::review::{Status, covers};
use crate::model::decision::{Choice, Decision};
use crate::model::finding::{Severity, SubjectKind};
use crate::report::Report;
use std::collections::{BTreeMap, BTreeSet};

text_enum! {
    /// What the decisions suggest for a detection.
    Proposal {
        /// It stays as it is.
        Keep = "keep",
        /// Its thresholds, its severity or exceptions need work.
        Tune = "tune",
        /// It can be switched off.
        Off = "off",
    }
}

/// Fewer decisions than this propose nothing.
const MIN_DECISIONS: u64 = 5;
/// Fewer decisions than this do not propose to switch a detection off.
const MIN_DECISIONS_OFF: u64 = 10;
/// Fewer reviewers than this do not propose to switch a detection off.
const MIN_REVIEWERS_OFF: u64 = 2;

/// The rule of the proposals, for help and documentation.
pub const RULE: &str = "A decision to revoke or reduce confirms the findings of its token, an exception or a keep with an end date accepts them, \
and a keep without an end date dismisses them. keep: at least half of the decisions confirm. off: 10 or more decisions by 2 or more reviewers, \
none confirms and at least four of five dismiss; never for severity high or critical. tune: everything else. Fewer than 5 decisions propose nothing. \
Decisions by the owner of the token are counted apart, and refused ones not at all.";

/// What reviewers made of one detection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Score {
    /// Id.
    pub detection: String,
    /// Short name.
    pub slug: String,
    /// How bad its findings are.
    pub severity: Severity,
    /// Findings of this run.
    pub findings: u64,
    /// Decisions that confirm it.
    pub confirmed: u64,
    /// Decisions and exceptions that accept it.
    pub accepted: u64,
    /// Decisions that dismiss it.
    pub dismissed: u64,
    /// Decisions by owners of the tokens, which are in none of the numbers before.
    pub by_owner: u64,
    /// People who confirmed, accepted or dismissed.
    pub reviewers: u64,
    /// What follows.
    pub proposal: Option<Proposal>,
}

/// Decisions on one detection, counted.
#[derive(Debug, Default)]
struct Count {
    confirmed: u64,
    accepted: u64,
    dismissed: u64,
    by_owner: u64,
    reviewers: BTreeSet<String>,
}

impl Count {
    fn add(&mut self, choice: Choice, has_end: bool, reviewer: &str) {
        match choice {
            Choice::Revoke | Choice::Reduce => self.confirmed += 1,
            Choice::Exception => self.accepted += 1,
            Choice::Keep if has_end => self.accepted += 1,
            Choice::Keep => self.dismissed += 1,
        }
        self.reviewers.insert(reviewer.trim().to_lowercase());
    }
}

/// Returns the score of every detection of the run, in the order of the pack.
#[must_use]
pub fn scorecard(report: &Report) -> Vec<Score> {
    let mut counts: BTreeMap<&str, Count> = BTreeMap::new();
    let mut of_token: BTreeMap<(&str, &str), Vec<&crate::model::finding::Finding>> = BTreeMap::new();
    for f in report.findings.iter().filter(|f| f.subject.kind == SubjectKind::Token) {
        of_token.entry((&f.org, &f.subject.id)).or_default().push(f);
    }
    let none = Vec::new();
    let mut decided: BTreeSet<(&str, &str)> = BTreeSet::new();
    let standing = report.tokens.iter().filter_map(|t| t.decision.as_ref());
    let seen = standing.filter(|s| s.status != Status::Refused).map(|s| (&s.decision, s.reviewer_is_owner));
    for (decision, by_owner) in seen.chain(report.decisions_elsewhere.iter().map(|d| (d, false))) {
        let key = (decision.org.as_str(), decision.token_id.as_str());
        decided.insert(key);
        for detection in weighed(decision, of_token.get(&key).unwrap_or(&none)) {
            let count = counts.entry(detection).or_default();
            if by_owner {
                count.by_owner += 1;
            } else {
                count.add(decision.choice, decision.end_date.is_some(), &decision.reviewer);
            }
        }
    }
    // Exceptions of the configuration; what a decision covers is counted above.
    for f in &report.findings {
        if let Some(s) = &f.suppressed
            && !decided.contains(&(f.org.as_str(), f.subject.id.as_str()))
        {
            counts.entry(&f.detection).or_default().add(Choice::Exception, true, &s.reviewer);
        }
    }
    let mut findings: BTreeMap<&str, u64> = BTreeMap::new();
    for f in &report.findings {
        *findings.entry(&f.detection).or_default() += 1;
    }
    report
        .detections
        .iter()
        .map(|d| {
            let count = counts.remove(d.id.as_str()).unwrap_or_default();
            Score {
                detection: d.id.clone(),
                slug: d.slug.clone(),
                severity: d.severity,
                findings: findings.get(d.id.as_str()).copied().unwrap_or_default(),
                proposal: proposal(&count, d.severity),
                confirmed: count.confirmed,
                accepted: count.accepted,
                dismissed: count.dismissed,
                by_owner: count.by_owner,
                reviewers: count.reviewers.len() as u64,
            }
        })
        .collect()
}

/// The detections that a reviewer had in front of them.
fn weighed<'a>(decision: &'a Decision, findings: &[&'a crate::model::finding::Finding]) -> BTreeSet<&'a str> {
    match &decision.detections {
        Some(listed) => listed.split(' ').filter(|id| !id.is_empty()).collect(),
        None => {
            let until = Some(decision.weighed_until());
            findings.iter().filter(|f| covers(f, until)).map(|f| f.detection.as_str()).collect()
        }
    }
}

fn proposal(count: &Count, severity: Severity) -> Option<Proposal> {
    let all = count.confirmed + count.accepted + count.dismissed;
    if all < MIN_DECISIONS {
        return None;
    }
    let is_off = all >= MIN_DECISIONS_OFF
        && count.reviewers.len() as u64 >= MIN_REVIEWERS_OFF
        && count.confirmed == 0
        && count.dismissed * 5 >= all * 4
        && severity < Severity::High;
    Some(if count.confirmed * 2 >= all {
        Proposal::Keep
    } else if is_off {
        Proposal::Off
    } else {
        Proposal::Tune
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(confirmed: u64, accepted: u64, dismissed: u64, reviewers: usize) -> Count {
        let reviewers = (0..reviewers).map(|n| n.to_string()).collect();
        Count { confirmed, accepted, dismissed, by_owner: 0, reviewers }
    }

    #[test]
    fn small_numbers_propose_nothing_and_grave_detections_are_never_switched_off() {
        use Severity::{Critical, High, Low, Medium};
        for (of, severity, expected) in [
            (count(0, 0, 4, 2), Low, None),
            (count(4, 0, 0, 2), Low, None),
            (count(3, 1, 2, 1), Low, Some(Proposal::Keep)),
            (count(2, 1, 2, 1), High, Some(Proposal::Tune)),
            (count(0, 0, 9, 2), Low, Some(Proposal::Tune)),
            (count(0, 2, 8, 2), Medium, Some(Proposal::Off)),
            (count(0, 3, 7, 2), Medium, Some(Proposal::Tune)),
            (count(1, 0, 50, 2), Medium, Some(Proposal::Tune)),
            (count(0, 0, 50, 1), Medium, Some(Proposal::Tune)),
            (count(0, 0, 50, 2), High, Some(Proposal::Tune)),
            (count(0, 0, 50, 2), Critical, Some(Proposal::Tune)),
        ] {
            assert_eq!(proposal(&of, severity), expected, "{of:?} {severity}");
        }
    }

    #[test]
    fn a_decision_counts_for_what_its_sheet_listed_and_an_owner_apart() {
        let mut report = crate::output::sample::report();
        let at = report.tokens.iter().position(|t| t.decision.is_some()).expect("a decision");
        let id = report.detections[0].id.clone();
        report.approved.clear();
        report.decisions_elsewhere.clear();
        report.findings.iter_mut().for_each(|f| f.suppressed = None);
        for (i, t) in report.tokens.iter_mut().enumerate() {
            t.decision = t.decision.take().filter(|_| i == at);
        }
        let set = |report: &mut Report, choice, end, by_owner, detections: Option<&str>| {
            let standing = report.tokens[at].decision.as_mut().expect("a decision");
            standing.decision.choice = choice;
            standing.decision.end_date = end;
            standing.decision.detections = detections.map(str::to_owned);
            standing.reviewer_is_owner = by_owner;
        };
        for (choice, end, by_owner, expected) in [
            (Choice::Revoke, None, false, (1, 0, 0, 0, 1)),
            (Choice::Reduce, None, false, (1, 0, 0, 0, 1)),
            (Choice::Exception, Some(30_000), false, (0, 1, 0, 0, 1)),
            (Choice::Keep, Some(30_000), false, (0, 1, 0, 0, 1)),
            (Choice::Keep, None, false, (0, 0, 1, 0, 1)),
            (Choice::Keep, None, true, (0, 0, 0, 1, 0)),
        ] {
            set(&mut report, choice, end, by_owner, Some(&format!("{id} NO-SUCH1")));
            let scores = scorecard(&report);
            assert_eq!(scores.len(), report.detections.len());
            let numbers = |s: &Score| (s.confirmed, s.accepted, s.dismissed, s.by_owner, s.reviewers);
            assert_eq!(numbers(&scores[0]), expected, "{choice} {end:?}");
            assert!(scores[1..].iter().all(|s| numbers(s) == (0, 0, 0, 0, 0)));
        }
        // A sheet without findings confirms nothing; one that does not say is held against the findings of this run.
        set(&mut report, Choice::Revoke, None, false, Some(""));
        assert!(scorecard(&report).iter().all(|s| s.confirmed == 0));
        set(&mut report, Choice::Revoke, None, false, None);
        let token = &report.tokens[at].token;
        let own: BTreeSet<&str> = report
            .findings
            .iter()
            .filter(|f| f.org == token.org && f.subject.id == token.token_id)
            .map(|f| f.detection.as_str())
            .collect();
        let confirmed = scorecard(&report).iter().filter(|s| s.confirmed > 0).count();
        assert!(confirmed > 0 && confirmed <= own.len(), "{confirmed} of {own:?}");
        report.tokens[at].decision.as_mut().expect("a decision").status = Status::Refused;
        assert!(scorecard(&report).iter().all(|s| s.confirmed == 0));
    }
}
