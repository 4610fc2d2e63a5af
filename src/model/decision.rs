//! What people decided: a reviewer on one token, the configuration on one finding.
//!
//! In: nothing. Out: types. A decision is made on a token as it was then ([`Fixed`]); it ends on its day, or when the
//! token is no longer what it was decided on.

use super::time::{Day, Micros, day_start};

pub use super::decided_state::{Change, Fixed};

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
    /// Ids of the detections that the sheet listed for the token, blank separated; nothing where it does not say.
    pub detections: Option<String>,
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

    /// Returns what changed about the token since, as far as both sides know it.
    ///
    /// An end that came before the decision is no change: whoever decided on that day decided on a token that had ended.
    #[must_use]
    pub fn changes(&self, now: &Fixed) -> Vec<Change> {
        let mut changes = self.state.changes(now);
        let before = now.ended_at.is_some_and(|at| at < day_start(self.decided_on + 1));
        changes.retain(|change| change.field != "state" || !before);
        changes
    }
}

/// Returns who decided, with a mark where it is the owner of the token.
#[must_use]
pub fn who(reviewer: &str, is_owner: bool) -> String {
    if is_owner { format!("{reviewer} (the owner)") } else { reviewer.to_owned() }
}

/// An exception of the configuration: one detection (or family) on one subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// Detection id, slug or family.
    pub detection: String,
    /// Id or name of a token or another subject; [`Approval::ANY`] stands for all.
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
    /// The subject that stands for every one.
    pub const ANY: &str = "*";

    /// Returns true if it is about a subject with this id and name.
    #[must_use]
    pub fn names(&self, id: &str, name: Option<&str>) -> bool {
        let is = |text: &str| self.subject.trim().eq_ignore_ascii_case(text.trim());
        self.subject == Self::ANY || is(id) || name.is_some_and(is)
    }

    /// Returns true if it does not name a subject by its id.
    #[must_use]
    pub fn is_broad(&self, id: &str) -> bool {
        !self.subject.trim().eq_ignore_ascii_case(id.trim())
    }

    /// The instant at which it ends.
    #[must_use]
    pub fn ends(&self) -> Micros {
        day_start(self.end_date + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decision(state: Fixed) -> Decision {
        Decision {
            org: "o".into(),
            token_id: "t".into(),
            choice: Choice::Keep,
            reviewer: "r".into(),
            decided_on: 10,
            reason: "x".into(),
            end_date: Some(20),
            seen_until: day_start(12),
            state,
            detections: None,
        }
    }

    #[test]
    fn a_decision_weighs_nothing_after_its_sheet_or_its_day() {
        let mut decision = decision(Fixed::default());
        assert_eq!(decision.weighed_until(), day_start(11) - 1);
        decision.seen_until = day_start(9);
        assert_eq!(decision.weighed_until(), day_start(9));
        assert_eq!(decision.ends(), Some(day_start(21)));
    }

    #[test]
    fn an_end_before_the_decision_does_not_end_it() {
        let active = Fixed { state: "active".into(), ..Fixed::default() };
        let expired = |at| Fixed { state: "expired".into(), ended_at: Some(at), ..Fixed::default() };
        assert_eq!(decision(active.clone()).changes(&expired(day_start(9))), []);
        assert_eq!(decision(active.clone()).changes(&expired(day_start(10) + 5)), [], "the day itself");
        assert_eq!(decision(active).changes(&expired(day_start(11))).len(), 1);
    }
}
