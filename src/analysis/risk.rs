//! Risk of a token, 0 to 100, as a sum of contributions that are each listed with their reason.
//!
//! In: one token, its verdicts and findings. Out: points. Every contribution is monotone: a wider grant, a
//! longer life, more exposure or more anomalies never lower the sum. The parts are capped so that no single
//! one fills the scale: reach 35, life 15, owner 10, exposure 25, behaviour 25.

use crate::model::catalogue::catalogue;
use crate::model::finding::{Family, Finding, Severity};
use crate::model::time::{DAY, Micros};
use crate::model::token::{OwnerState, Token, is_full_scope};
use crate::model::verdict::RiskPart;

/// Adds up the risk of one token.
#[must_use]
pub fn assess(token: &Token, findings: &[&Finding], as_of: Micros) -> (f64, Vec<RiskPart>) {
    let mut parts = Vec::new();
    if !token.is_over() {
        reach(token, &mut parts);
        life(token, as_of, &mut parts);
    }
    owner(token, &mut parts);
    exposure(token, &mut parts);
    behaviour(findings, &mut parts);
    let sum: f64 = parts.iter().map(|p| p.points).sum();
    (sum.clamp(0.0, 100.0), parts)
}

fn add(parts: &mut Vec<RiskPart>, points: f64, reason: String) {
    if points > 0.0 {
        parts.push(RiskPart { points, reason });
    }
}

fn reach(token: &Token, parts: &mut Vec<RiskPart>) {
    match &token.scopes {
        None => add(parts, 10.0, "the grant is unknown".to_owned()),
        Some(scopes) if scopes.iter().any(|s| is_full_scope(s)) => add(parts, 25.0, "full access".to_owned()),
        Some(scopes) => {
            let high = scopes
                .iter()
                .filter(|s| catalogue().scopes.get(*s).is_some_and(|i| i.high_privilege))
                .count();
            let points = (4.0 * f64::from(u32::try_from(high).unwrap_or(u32::MAX))).min(20.0);
            add(parts, points, format!("{high} scopes that Microsoft marks as high privilege"));
        }
    }
    if token.all_orgs == Some(true) {
        add(parts, 10.0, "reaches all organisations of its owner".to_owned());
    }
}

fn life(token: &Token, as_of: Micros, parts: &mut Vec<RiskPart>) {
    let Some(to) = token.valid_to else {
        return add(parts, 5.0, "the end date is unknown".to_owned());
    };
    let left = (to - as_of).max(0) / DAY;
    let points = match left {
        0 => 0.0,
        1..=30 => 2.0,
        31..=90 => 5.0,
        91..=180 => 10.0,
        _ => 15.0,
    };
    add(parts, points, format!("{left} days of life left"));
}

fn owner(token: &Token, parts: &mut Vec<RiskPart>) {
    match token.owner_state {
        OwnerState::Removed | OwnerState::Disabled => {
            add(parts, 10.0, format!("the owner is {}", token.owner_state));
        }
        OwnerState::Unknown if token.owner.is_none() => add(parts, 5.0, "the owner is unknown".to_owned()),
        _ => {}
    }
}

fn exposure(token: &Token, parts: &mut Vec<RiskPart>) {
    if token.leaked_at.is_some() {
        add(parts, 25.0, "found in a public place".to_owned());
    }
}

fn behaviour(findings: &[&Finding], parts: &mut Vec<RiskPart>) {
    let mut points = 0.0;
    for finding in findings.iter().filter(|f| f.family == Family::Anomaly) {
        points += match finding.severity {
            Severity::Critical => 20.0,
            Severity::High => 15.0,
            Severity::Medium => 8.0,
            Severity::Low => 3.0,
            Severity::Info => 0.0,
        };
    }
    add(parts, f64::min(points, 25.0), "findings on its behaviour".to_owned());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::tests_support::token;

    #[test]
    fn wider_longer_and_leaked_never_lower_it() {
        let narrow = token("vso.code");
        let base = assess(&narrow, &[], 0).0;
        for wider in [
            token("vso.code vso.code_manage"),
            token("app_token"),
            Token { all_orgs: Some(true), ..narrow.clone() },
            Token { valid_to: Some(400 * DAY), ..narrow.clone() },
            Token { leaked_at: Some(1), ..narrow.clone() },
            Token { owner_state: OwnerState::Removed, ..narrow.clone() },
        ] {
            assert!(assess(&wider, &[], 0).0 >= base, "{wider:?}");
        }
        let worst = Token {
            all_orgs: Some(true),
            leaked_at: Some(1),
            owner_state: OwnerState::Removed,
            valid_to: Some(400 * DAY),
            ..token("app_token")
        };
        assert!(assess(&worst, &[], 0).0 <= 100.0);
    }
}
