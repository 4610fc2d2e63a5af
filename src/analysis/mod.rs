//! Attribution, ledger, coverage, verdicts and risk: what the rows mean.
//!
//! In: rows from the engine, snapshots of inventory and users, the index's record of days. Out: tokens with
//! verdicts, coverage, credentials; these go back to the engine as tables for the detections, and all of it
//! ends in one [`Report`](crate::report::Report). Each step is a function of its inputs, so each is tested
//! without files.

pub mod advice;
pub mod attribution;
pub mod claims;
mod contrary;
pub mod coverage;
pub mod dependence;
mod elsewhere;
pub mod facts;
mod grants;
pub mod inventory;
mod known;
pub mod ledger;
mod owner_usage;
pub mod people;
pub mod places;
pub mod proposal;
pub mod risk;
pub mod rotation;
pub mod run;
pub mod scope;
pub mod tables;
pub mod target;
pub mod tokens;
pub mod usage;
pub mod uses;
pub mod whereabouts;

#[cfg(test)]
mod properties;

#[cfg(test)]
pub(crate) mod tests_support {
    //! Small tokens and coverages for the tests of the steps.

    use crate::model::coverage::{Basis, Coverage};
    use crate::model::finding::{Confidence, Family, Finding, Severity, Subject, SubjectKind};
    use crate::model::time::{DAY, Span};
    use crate::model::token::{OwnerFacts, OwnerState, Token, TokenState, split_scopes};

    pub(crate) fn token(scopes: &str) -> Token {
        Token {
            org: "o".into(),
            token_id: "aaaaaaaa-0000-1111-2222-333333333333".into(),
            name: Some("deploy".into()),
            owner: Some("ann@x.example".into()),
            owner_id: Some("bbbbbbbb-0000-1111-2222-333333333333".into()),
            owner_state: OwnerState::Active,
            owner_gone_at: None,
            known_from: vec![],
            state: TokenState::Active,
            scopes: (!scopes.is_empty()).then(|| split_scopes(scopes)),
            grants: vec![],
            all_orgs: Some(false),
            reaches_unseen_orgs: false,
            valid_from: Some(0),
            valid_to: Some(200 * DAY),
            revoked_at: None,
            leaked_at: None,
            life: vec![],
            other_orgs: vec![],
            joined_by_name: false,
            owner_facts: OwnerFacts::default(),
            claims: vec![],
        }
    }

    pub(crate) fn finding() -> Finding {
        Finding {
            fingerprint: "f".into(),
            detection: "PAT-A001".into(),
            slug: "burst".into(),
            family: Family::Anomaly,
            severity: Severity::Medium,
            confidence: Confidence::Medium,
            org: "o".into(),
            subject: Subject { kind: SubjectKind::Token, id: "t".into(), name: None },
            owner: None,
            first_time: None,
            last_time: None,
            count: 1,
            message: String::new(),
            evidence: serde_json::Map::new(),
            event_ids: vec![],
            fix: "".into(),
            controls: Vec::new().into(),
            attack: Vec::new().into(),
            suppressed: None,
            claims: vec![],
            list: vec![],
        }
    }

    pub(crate) fn coverage(days: i32) -> Coverage {
        Coverage {
            org: "o".into(),
            span: Span { from: 0, to: i64::from(days) * DAY },
            basis: Basis::Pulled,
            gaps: vec![],
            covered: (0..days).collect(),
            areas: 9,
            events: 100,
        }
    }
}
