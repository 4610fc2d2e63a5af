//! The one order in which people read tokens and findings: by risk, then by severity, then the newest first.
//!
//! In: a report. Out: its tokens or findings in that order, and fair shares of them where a list is cut, so that no
//! organisation is crowded out by a noisy one. Files for programs keep their own order: by organisation and id.

use super::{Report, TokenReport};
use crate::model::finding::{Finding, Severity, SubjectKind};
use crate::model::time::Micros;
use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeMap, HashMap};

/// What decides the place of a token or finding.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rank {
    /// Risk, 0 to 100.
    pub risk: f64,
    /// Severity; of a token, that of its worst open finding.
    pub severity: Option<Severity>,
    /// Last event.
    pub time: Option<Micros>,
}

/// Compares two ranks: what comes first is less.
#[must_use]
pub fn compare(a: &Rank, b: &Rank) -> Ordering {
    b.risk.total_cmp(&a.risk).then_with(|| b.severity.cmp(&a.severity)).then_with(|| b.time.cmp(&a.time))
}

/// The least risk of what a finding is about. It places findings on people and organisations among those on tokens, and
/// keeps a critical finding on a token of little risk from the end of the list.
const fn least_risk(severity: Severity) -> f64 {
    match severity {
        Severity::Critical => 100.0,
        Severity::High => 70.0,
        Severity::Medium => 40.0,
        Severity::Low => 10.0,
        Severity::Info => 0.0,
    }
}

/// Places of tokens in [`Report::tokens`], first to last.
#[must_use]
pub fn tokens(report: &Report) -> Vec<usize> {
    let mut worst: HashMap<&str, Severity> = HashMap::new();
    for f in report.findings.iter().filter(|f| f.suppressed.is_none()) {
        let slot = worst.entry(&f.fingerprint).or_insert(f.severity);
        *slot = f.severity.max(*slot);
    }
    let rank = |t: &TokenReport| Rank {
        risk: t.verdicts.risk,
        severity: t.findings.iter().filter_map(|print| worst.get(print.as_str()).copied()).max(),
        time: t.verdicts.usage.last_observed,
    };
    sorted(report.tokens.iter().map(rank).collect())
}

/// Places of findings in [`Report::findings`], first to last. Findings that a decision covers keep their place.
#[must_use]
pub fn findings(report: &Report) -> Vec<usize> {
    let risks: HashMap<(&str, &str), f64> = report
        .tokens
        .iter()
        .map(|t| ((t.token.org.as_str(), t.token.token_id.as_str()), t.verdicts.risk))
        .collect();
    let rank = |f: &Finding| {
        let own = risks.get(&(f.org.as_str(), f.subject.id.as_str()));
        let own = own.copied().filter(|_| f.subject.kind == SubjectKind::Token).unwrap_or_default();
        Rank { risk: own.max(least_risk(f.severity)), severity: Some(f.severity), time: f.last_time }
    };
    sorted(report.findings.iter().map(rank).collect())
}

/// Places of ranks, first to last; equal ranks keep their order.
fn sorted(ranks: Vec<Rank>) -> Vec<usize> {
    let mut places: Vec<usize> = (0..ranks.len()).collect();
    places.sort_by(|a, b| compare(&ranks[*a], &ranks[*b]));
    places
}

/// What a cut list shows, and how much of each organisation it leaves out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share<T> {
    /// What is shown, in its order.
    pub shown: Vec<T>,
    /// Organisations with the number of rows that are left out, most first.
    pub left_out: Vec<(String, usize)>,
}

/// Cuts a ranked list to `most` rows. Each organisation gets an equal share of them, and what it does not need goes to
/// the others; each has at least one row, so that the list is longer where there are more organisations than rows.
pub fn fair<T>(rows: Vec<T>, most: usize, org: impl Fn(&T) -> String) -> Share<T> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for row in &rows {
        *counts.entry(org(row)).or_default() += 1;
    }
    let mut by_count: Vec<(String, usize)> = counts.into_iter().collect();
    by_count.sort_by_key(|(_, n)| *n);
    let (mut left, mut orgs) = (most.max(by_count.len()), by_count.len());
    let mut shares: HashMap<String, usize> = HashMap::new();
    let mut left_out = Vec::new();
    for (name, n) in by_count {
        let share = n.min(left.div_ceil(orgs));
        (left, orgs) = (left - share, orgs - 1);
        if n > share {
            left_out.push((name.clone(), n - share));
        }
        shares.insert(name, share);
    }
    left_out.sort_by_key(|(_, n)| Reverse(*n));
    let takes = |row: &T| {
        let Some(share) = shares.get_mut(&org(row)).filter(|share| **share > 0) else { return false };
        *share -= 1;
        true
    };
    Share { shown: rows.into_iter().filter(takes).collect(), left_out }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn risk_comes_before_severity_and_severity_before_time() {
        let rank = |risk, severity, time| Rank { risk, severity: Some(severity), time: Some(time) };
        let ranks = [
            rank(50.0, Severity::Critical, 9),
            rank(60.0, Severity::Low, 1),
            rank(50.0, Severity::Critical, 10),
            rank(60.0, Severity::High, 0),
        ];
        assert_eq!(sorted(ranks.to_vec()), [3, 1, 2, 0]);
    }

    #[test]
    fn findings_follow_the_risk_of_their_token_and_no_critical_one_is_buried() {
        let mut report = crate::output::sample::report();
        let (a, b) = (0, report.findings.len() - 1);
        for (i, f) in report.findings.iter_mut().enumerate() {
            f.severity = if i == b { Severity::Critical } else { Severity::Low };
        }
        report.tokens.iter_mut().for_each(|t| t.verdicts.risk = 5.0);
        let subject = report.findings[a].subject.id.clone();
        let org = report.findings[a].org.clone();
        let token = report.tokens.iter_mut().find(|t| t.token.token_id == subject && t.token.org == org);
        token.expect("its token").verdicts.risk = 80.0;
        let order = findings(&report);
        assert_eq!(order[0], b, "critical");
        let first_low = &report.findings[order[1]];
        assert_eq!((&first_low.subject.id, &first_low.org), (&subject, &org));
    }

    #[test]
    fn a_noisy_organisation_leaves_room_for_the_others() {
        let rows: Vec<(usize, &str)> = (0..100)
            .map(|i| {
                (
                    i,
                    if i < 90 {
                        "noisy"
                    } else if i < 98 {
                        "b"
                    } else {
                        "c"
                    },
                )
            })
            .collect();
        let share = fair(rows, 12, |row| row.1.to_owned());
        let of = |org: &str| share.shown.iter().filter(|row| row.1 == org).count();
        assert_eq!((of("noisy"), of("b"), of("c")), (5, 5, 2));
        assert_eq!(share.left_out, [("noisy".to_owned(), 85), ("b".to_owned(), 3)]);
        assert!(share.shown.is_sorted());
    }

    proptest! {
        #[test]
        fn shares_add_up(orgs in prop::collection::vec(0_u8..6, 0..80), most in 0_usize..40) {
            let share = fair(orgs.clone(), most, ToString::to_string);
            let out: usize = share.left_out.iter().map(|(_, n)| n).sum();
            prop_assert_eq!(share.shown.len() + out, orgs.len());
            let named: std::collections::BTreeSet<u8> = orgs.iter().copied().collect();
            prop_assert!(share.shown.len() >= orgs.len().min(most));
            prop_assert!(share.shown.len() <= most.max(named.len()));
            prop_assert_eq!(share.shown.iter().copied().collect::<std::collections::BTreeSet<_>>(), named);
        }
    }
}
