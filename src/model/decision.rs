//! What people decided: a reviewer on one token, the configuration on one finding.
//!
//! In: nothing. Out: types. A decision is made on a token as it was then; it ends on its day, or when the
//! token is no longer what it was decided on.

use super::time::{Day, HOUR, Micros, day_of, day_start, day_text};
use super::token::{OwnerState, Token, TokenState};
use crate::model::hash::sha256;

text_enum! {
    /// What a reviewer may decide.
    Choice {
        /// It stays as it is.
        Keep = "keep",
        /// It stays, with fewer scopes.
        Reduce = "reduce",
        /// It goes.
        Revoke = "revoke",
        /// It stays although a rule speaks against it, until a day.
        Exception = "exception",
    }
}

/// A reviewer's decision on one token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Organisation.
    pub org: String,
    /// The token.
    pub token_id: String,
    /// What was decided.
    pub choice: Choice,
    /// Who decided.
    pub reviewer: String,
    /// On which day.
    pub decided_on: Day,
    /// Why.
    pub reason: String,
    /// Last day on which it holds.
    pub end_date: Option<Day>,
    /// The instant that the sheet stood at: what happened later, the reviewer cannot have weighed.
    pub seen_until: Micros,
    /// What the token was then.
    pub state: Fixed,
}

impl Decision {
    /// The instant at which it ends by itself.
    #[must_use]
    pub fn ends(&self) -> Option<Micros> {
        self.end_date.map(|day| day_start(day + 1))
    }

    /// The last instant that it can have weighed: that of the sheet, and no later than its own day.
    #[must_use]
    pub fn weighed_until(&self) -> Micros {
        self.seen_until.min(day_start(self.decided_on + 1) - 1)
    }
}

/// What a decision on a token rests on; when it changes, somebody has to look again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fixed {
    /// active, expired, revoked or unknown.
    pub state: String,
    /// Storage key of the owner, else what is known of them.
    pub owner: String,
    /// active, disabled, removed or unknown.
    pub owner_state: String,
    /// Scopes, blank separated; nothing when unknown.
    pub scopes: Option<String>,
    /// Whether it reaches all organisations; nothing when unknown.
    pub all_orgs: Option<bool>,
    /// End date.
    pub valid_to: Option<Micros>,
    /// Whether it was found in public.
    pub leaked: bool,
}

impl Fixed {
    /// Reads them off a token.
    #[must_use]
    pub fn of(token: &Token) -> Self {
        Self {
            state: token.state.as_str().to_owned(),
            owner: token.owner_id.clone().or_else(|| token.owner.clone()).unwrap_or_default(),
            owner_state: token.owner_state.as_str().to_owned(),
            scopes: token.scopes.as_ref().map(|s| s.join(" ")),
            all_orgs: token.all_orgs,
            valid_to: token.valid_to,
            leaked: token.leaked_at.is_some(),
        }
    }

    /// A short mark of all of it, which a spreadsheet takes for text and leaves alone.
    #[must_use]
    pub fn mark(&self) -> String {
        let text = format!(
            "{}\0{}\0{}\0{:?}\0{:?}\0{:?}\0{}",
            self.state, self.owner, self.owner_state, self.scopes, self.all_orgs, self.valid_to, self.leaked
        );
        format!("state-{}", &sha256(text.as_bytes())[..12])
    }

    /// Says what changed from here to `now`, or nothing where it is still the same. What was or becomes unknown
    /// is no change of the token, only of what is known of it.
    #[must_use]
    pub fn changed(&self, now: &Self) -> Option<String> {
        let unknown = [TokenState::Unknown.as_str(), OwnerState::Unknown.as_str(), ""];
        let differ = |a: &str, b: &str| a != b && !unknown.contains(&a) && !unknown.contains(&b);
        let end = |t: Option<Micros>| t.map_or_else(|| "unknown".to_owned(), |t| day_text(day_of(t)));
        if now.leaked && !self.leaked {
            return Some("it was found in public since".to_owned());
        }
        if differ(&self.state, &now.state) {
            return Some(format!("it was {} and is {}", self.state, now.state));
        }
        if differ(&self.owner, &now.owner) {
            return Some("it has another owner".to_owned());
        }
        if differ(&self.owner_state, &now.owner_state) {
            return Some(format!("its owner was {} and is {}", self.owner_state, now.owner_state));
        }
        if self.scopes != now.scopes && now.scopes.is_some() {
            return Some(match &self.scopes {
                None => "its scopes were unknown and are known now".to_owned(),
                Some(_) => "its scopes changed".to_owned(),
            });
        }
        if now.all_orgs.is_some() && self.all_orgs != now.all_orgs && now.all_orgs != Some(false) {
            return Some("it reaches all organisations now".to_owned());
        }
        match (self.valid_to, now.valid_to) {
            // Sources round the same instant differently.
            (Some(a), Some(b)) if (a - b).abs() > HOUR => {
                Some(format!("its end date moved from {} to {}", end(Some(a)), end(Some(b))))
            }
            _ => None,
        }
    }
}

/// An exception of the configuration: one detection (or family) on one subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// Detection id, slug or family.
    pub detection: String,
    /// Token id, or another subject.
    pub subject: String,
    /// Organisation; every one where none is named.
    pub org: Option<String>,
    /// Who approved it.
    pub owner: String,
    /// Why.
    pub reason: String,
    /// Since when; without a day it covers no `anomaly` or `posture` finding.
    pub approved_on: Option<Day>,
    /// Last day on which it holds.
    pub end_date: Day,
}

impl Approval {
    /// The instant at which it ends.
    #[must_use]
    pub fn ends(&self) -> Micros {
        day_start(self.end_date + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fixed() -> Fixed {
        Fixed {
            state: "active".into(),
            owner: "a".into(),
            owner_state: "active".into(),
            scopes: Some("vso.code".into()),
            all_orgs: Some(false),
            valid_to: Some(0),
            leaked: false,
        }
    }

    #[test]
    fn a_change_of_the_token_counts_and_a_change_of_knowledge_does_not() {
        let then = fixed();
        assert_eq!(then.changed(&fixed()), None);
        let less = Fixed { state: "unknown".into(), owner_state: "unknown".into(), scopes: None, ..fixed() };
        assert_eq!(then.changed(&less), None);
        assert_eq!(less.changed(&Fixed { scopes: None, ..fixed() }), None);
        for (now, word) in [
            (Fixed { state: "revoked".into(), ..fixed() }, "revoked"),
            (Fixed { owner: "b".into(), ..fixed() }, "another owner"),
            (Fixed { owner_state: "removed".into(), ..fixed() }, "removed"),
            (Fixed { scopes: Some("vso.code_write".into()), ..fixed() }, "scopes"),
            (Fixed { all_orgs: Some(true), ..fixed() }, "all organisations"),
            (Fixed { valid_to: Some(48 * HOUR), ..fixed() }, "end date"),
            (Fixed { leaked: true, ..fixed() }, "public"),
        ] {
            assert!(then.changed(&now).is_some_and(|t| t.contains(word)), "{now:?}");
            assert_ne!(then.mark(), now.mark());
        }
    }

    #[test]
    fn a_decision_weighs_nothing_after_its_sheet_or_its_day() {
        let mut decision = Decision {
            org: "o".into(),
            token_id: "t".into(),
            choice: Choice::Keep,
            reviewer: "r".into(),
            decided_on: 10,
            reason: "x".into(),
            end_date: Some(20),
            seen_until: day_start(12),
            state: fixed(),
        };
        assert_eq!(decision.weighed_until(), day_start(11) - 1);
        decision.seen_until = day_start(9);
        assert_eq!(decision.weighed_until(), day_start(9));
        assert_eq!(decision.ends(), Some(day_start(21)));
    }
}
