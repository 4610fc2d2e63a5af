//! Risk of a token, 0 to 100, as a sum of contributions that are each listed with their reason.
//!
//! In: one token, its findings, what its events show. Out: points. Five questions, each with a ceiling, so that none
//! fills the scale alone and all together fill it:
//!
//! | question | most | made of |
//! |---|---|---|
//! | reach of the grant | 30 | full access 22, else 4 a high-privilege scope up to 18; unknown 8; all organisations 8 |
//! | the owner | 15 | gone 8, unknown 4; administrator of the collection 7, of anything else 4 |
//! | life left | 10 | 1 up to 7 days, 3 up to 30, 5 up to 90, 8 up to 180, else 10; unknown 5 |
//! | exposure | 25 | found in public 20; used from more than three networks, 1 each, up to 5 |
//! | behaviour | 20 | findings on it: critical 16, high 12, medium 6, low 2 |
//!
//! Every contribution is monotone: a wider grant, a longer life, more networks, a more powerful owner or one finding
//! more never lower the sum. A token that is over has no reach and no life left; the rest stays.

use crate::model::catalogue::catalogue;
use crate::model::finding::{Family, Finding, Severity};
use crate::model::noun::counted;
use crate::model::time::{DAY, Micros};
use crate::model::token::{OwnerState, Token, is_full_scope};
use crate::model::verdict::RiskPart;

const EXPOSURE: f64 = 25.0;
const BEHAVIOUR: f64 = 20.0;

/// Adds up the risk of one token; `networks` is the number of networks that its events came from.
#[must_use]
pub fn assess(token: &Token, findings: &[&Finding], networks: usize, as_of: Micros) -> (f64, Vec<RiskPart>) {
    let mut parts = Vec::new();
    if !token.is_over() {
        reach(token, &mut parts);
        life(token, as_of, &mut parts);
    }
    owner(token, &mut parts);
    exposure(token, networks, &mut parts);
    behaviour(findings, &mut parts);
    // Not `sum`, which is -0.0 of nothing.
    let sum = parts.iter().fold(0.0, |sum, p| sum + p.points);
    (sum.clamp(0.0, 100.0), parts)
}

fn add(parts: &mut Vec<RiskPart>, points: f64, reason: String) {
    if points > 0.0 {
        parts.push(RiskPart { points, reason });
    }
}

fn count(n: usize) -> f64 {
    f64::from(u32::try_from(n).unwrap_or(u32::MAX))
}

fn reach(token: &Token, parts: &mut Vec<RiskPart>) {
    match &token.scopes {
        None => add(parts, 8.0, "reach: the grant is unknown".to_owned()),
        Some(scopes) if scopes.iter().any(|s| is_full_scope(s)) => {
            add(parts, 22.0, "reach: full access".to_owned());
        }
        Some(scopes) => {
            let high = scopes
                .iter()
                .filter(|s| catalogue().scopes.get(*s).is_some_and(|i| i.high_privilege))
                .count();
            let noun = if high == 1 { "scope" } else { "scopes" };
            let reason = format!("reach: {high} {noun} that Microsoft marks as high privilege");
            add(parts, (4.0 * count(high)).min(18.0), reason);
        }
    }
    if token.all_orgs == Some(true) {
        add(parts, 8.0, "reach: all organisations of its owner".to_owned());
    }
}

fn life(token: &Token, as_of: Micros, parts: &mut Vec<RiskPart>) {
    let Some(to) = token.valid_to else {
        return add(parts, 5.0, "life left: the end date is unknown".to_owned());
    };
    let left = (to - as_of).max(0) / DAY;
    let points = match left {
        _ if to <= as_of => 0.0,
        0..=7 => 1.0,
        8..=30 => 3.0,
        31..=90 => 5.0,
        91..=180 => 8.0,
        _ => 10.0,
    };
    add(parts, points, format!("life left: {}", counted(left, "day")));
}

fn owner(token: &Token, parts: &mut Vec<RiskPart>) {
    match token.owner_state {
        OwnerState::Removed | OwnerState::Disabled => {
            add(parts, 8.0, format!("owner: {}", token.owner_state));
        }
        OwnerState::Unknown if token.owner.is_none() => add(parts, 4.0, "owner: unknown".to_owned()),
        _ => {}
    }
    let groups = &token.owner_facts.admin_of;
    if let Some(group) = groups.iter().find(|g| g.contains("Project Collection Administrators")) {
        add(parts, 7.0, format!("owner: member of {group}"));
    } else if let Some(group) = groups.first() {
        add(parts, 4.0, format!("owner: member of {group}"));
    }
}

fn exposure(token: &Token, networks: usize, parts: &mut Vec<RiskPart>) {
    let mut left = EXPOSURE;
    if token.leaked_at.is_some() {
        add(parts, 20.0, "exposure: found in a public place".to_owned());
        left -= 20.0;
    }
    let points = count(networks.saturating_sub(3)).min(5.0).min(left);
    add(parts, points, format!("exposure: used from {}", counted(networks, "network")));
}

fn behaviour(findings: &[&Finding], parts: &mut Vec<RiskPart>) {
    let odd: Vec<&&Finding> = findings.iter().filter(|f| f.family == Family::Anomaly).collect();
    let points: f64 = odd
        .iter()
        .map(|finding| match finding.severity {
            Severity::Critical => 16.0,
            Severity::High => 12.0,
            Severity::Medium => 6.0,
            Severity::Low => 2.0,
            Severity::Info => 0.0,
        })
        .sum();
    let mut ids: Vec<&str> = odd.iter().map(|f| f.detection.as_str()).collect();
    ids.dedup();
    add(parts, points.min(BEHAVIOUR), format!("behaviour: {}", ids.join(", ")));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::tests_support::token;
    use proptest::prelude::*;

    fn groups(names: &[&str]) -> crate::model::token::OwnerFacts {
        let admin_of = names.iter().map(|n| (*n).to_owned()).collect();
        crate::model::token::OwnerFacts { admin_of, ..Default::default() }
    }

    fn anomaly(severity: Severity) -> Finding {
        let mut finding = crate::analysis::tests_support::finding();
        finding.severity = severity;
        finding
    }

    #[test]
    fn every_question_adds_and_the_ceilings_make_a_hundred() {
        let narrow = Token { valid_to: Some(20 * DAY), ..token("vso.code") };
        let base = assess(&narrow, &[], 0, 0).0;
        for wider in [
            Token { valid_to: narrow.valid_to, ..token("vso.code vso.code_manage") },
            Token { valid_to: narrow.valid_to, ..token("app_token") },
            Token { all_orgs: Some(true), ..narrow.clone() },
            Token { valid_to: Some(400 * DAY), ..narrow.clone() },
            Token { leaked_at: Some(1), ..narrow.clone() },
            Token { owner_state: OwnerState::Removed, ..narrow.clone() },
            Token { owner_facts: groups(&["[o]\\Project Collection Administrators"]), ..narrow.clone() },
        ] {
            assert!(assess(&wider, &[], 0, 0).0 > base, "{wider:?}");
        }
        let worst = Token {
            all_orgs: Some(true),
            leaked_at: Some(1),
            owner_state: OwnerState::Removed,
            valid_to: Some(400 * DAY),
            owner_facts: groups(&["[o]\\Project Collection Administrators"]),
            ..token("app_token")
        };
        let bad = anomaly(Severity::Critical);
        let (risk, parts) = assess(&worst, &[&bad, &bad], 12, 0);
        assert_eq!(risk, 100.0, "{parts:?}");
        assert_eq!(parts.iter().map(|p| p.points).sum::<f64>(), risk, "nothing is cut off");
    }

    fn severities() -> impl Strategy<Value = Vec<Severity>> {
        prop::collection::vec(prop::sample::select(Severity::ALL), 0..4)
    }

    proptest! {
        #[test]
        fn more_never_lowers_it(
            scopes in prop::collection::btree_set(prop::sample::select(
                catalogue().scopes.keys().cloned().collect::<Vec<_>>()), 1..5),
            more in prop::sample::select(catalogue().scopes.keys().cloned().collect::<Vec<_>>()),
            (days, longer) in (-10_i64..500, 0_i64..500),
            (networks, further) in (0_usize..12, 0_usize..12),
            (found, worse) in (severities(), severities()),
            (all, leaked, gone, admin) in any::<(bool, bool, bool, bool)>(),
        ) {
            let text = scopes.iter().cloned().collect::<Vec<_>>().join(" ");
            let low = Token { valid_to: Some(days * DAY), ..token(&text) };
            let high = Token {
                all_orgs: Some(all),
                leaked_at: leaked.then_some(1),
                owner_state: if gone { OwnerState::Removed } else { OwnerState::Active },
                owner_facts: if admin { groups(&["[p]\\Project Administrators"]) } else { groups(&[]) },
                valid_to: Some((days + longer) * DAY),
                ..token(&format!("{text} {more}"))
            };
            let first: Vec<Finding> = found.iter().copied().map(anomaly).collect();
            let both: Vec<Finding> = found.iter().chain(&worse).copied().map(anomaly).collect();
            let (a, _) = assess(&low, &first.iter().collect::<Vec<_>>(), networks, 0);
            let (b, parts) = assess(&high, &both.iter().collect::<Vec<_>>(), networks + further, 0);
            prop_assert!(a <= b, "{a} > {b}: {parts:?}");
            prop_assert!((0.0..=100.0).contains(&b));
            prop_assert_eq!(parts.iter().map(|p| p.points).sum::<f64>(), b);
        }
    }
}
