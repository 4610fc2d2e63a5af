//! How a decision stands at the instant of a run: whether it still holds, and whether it was carried out.
//!
//! In: decisions and tokens. Out: one [`Standing`] a token, for its newest decision, and the decisions on tokens that the
//! run does not see.

use super::reduction::{Reduction, check};
use crate::model::decision::{Choice, Decision, Fixed, who};
use crate::model::identity::person_key;
use crate::model::time::{DAY, Day, Micros, day_of, day_start, day_text};
use crate::model::token::{Token, TokenState};
use std::collections::BTreeMap;

text_enum! {
    /// How a decision stands at the run's instant.
    Status {
        /// It holds.
        Holds = "holds",
        /// It holds no longer.
        Ended = "ended",
        /// What it asks for was done.
        Done = "done",
        /// What it asks for was not done.
        NotDone = "not done",
        /// The token is one of those that may not be kept.
        Refused = "refused",
    }
}

/// The newest decision on a token, and how it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The decision.
    pub decision: Decision,
    /// Whether it still covers findings.
    pub holds: bool,
    /// How it stands.
    pub status: Status,
    /// One sentence on the status.
    pub note: String,
    /// What changed about the token since, as words: leak, state, owner, access, scopes, reach, end.
    pub changed: Vec<&'static str>,
    /// Whether the reviewer is the owner of the token.
    pub reviewer_is_owner: bool,
    /// Last day on which it holds: the reviewer's, or earlier where the configuration limits a keep.
    pub until: Option<Day>,
    /// Whether a revoke or reduction is not done after the days of grace: its findings count again.
    pub overdue: bool,
}

impl Standing {
    /// The instant at which it ends by itself.
    #[must_use]
    pub fn ends(&self) -> Option<Micros> {
        self.until.map(|day| day_start(day + 1))
    }

    /// Returns who decided, with a mark where it is the owner.
    #[must_use]
    pub fn who(&self) -> String {
        who(&self.decision.reviewer, self.reviewer_is_owner)
    }
}

/// Organisation and token.
pub type Key = (String, String);

/// Returns how the newest decision on each token stands. Among those of one day, the one that came last counts.
#[must_use]
pub fn standings<'a>(
    decisions: &[Decision],
    tokens: impl Iterator<Item = &'a Token>,
    keep_days: Option<Day>,
    as_of: Micros,
) -> (BTreeMap<Key, Standing>, Vec<Decision>) {
    let mut newest: BTreeMap<Key, &Decision> = BTreeMap::new();
    for decision in decisions.iter().filter(|d| day_start(d.decided_on) <= as_of) {
        let slot = newest.entry((decision.org.clone(), decision.token_id.clone())).or_insert(decision);
        if decision.decided_on >= slot.decided_on {
            *slot = decision;
        }
    }
    let mut standings = BTreeMap::new();
    for token in tokens {
        let key = (token.org.clone(), token.token_id.clone());
        if let Some(decision) = newest.remove(&key) {
            standings.insert(key, standing(decision, token, keep_days, as_of));
        }
    }
    (standings, newest.into_values().cloned().collect())
}

fn standing(decision: &Decision, token: &Token, keep_days: Option<Day>, as_of: Micros) -> Standing {
    let limit = keep_days
        .filter(|_| decision.choice == Choice::Keep)
        .map(|days| (days, decision.decided_on.saturating_add(days)))
        .filter(|(_, last)| decision.end_date.is_none_or(|end| *last < end));
    let until = limit.map(|(_, last)| last).or(decision.end_date);
    let now = Fixed::of(token);
    let mut changes = decision.changes(&now);
    let reduction = (decision.choice == Choice::Reduce).then(|| check(&decision.state, &now));
    // Fewer scopes, and not as few as was proposed, are a part of what was decided and do not end it.
    if matches!(reduction, Some(Reduction::NotDone(_))) {
        changes.retain(|change| change.field != "scopes");
    }
    let changed: Vec<&'static str> = changes.iter().map(|c| c.field).collect();
    let over = until.is_some_and(|day| day_start(day.saturating_add(1)) <= as_of);
    let holds = !over && changes.is_empty();
    let ended = match until {
        _ if !changes.is_empty() => {
            let texts: Vec<&str> = changes.iter().map(|c| c.text.as_str()).collect();
            format!("It ended (changed since: {}): {}.", changed.join(", "), texts.join("; "))
        }
        Some(end) if over => {
            let why = limit.map(|(days, _)| format!(" (keep_days = {days})")).unwrap_or_default();
            format!("It ended on {}{why}.", day_text(end))
        }
        _ => String::new(),
    };
    let (status, note) = match decision.choice {
        Choice::Revoke => revoked(decision, token, as_of, &ended),
        Choice::Reduce if token.is_over() => (Status::Done, "The token is out of force.".to_owned()),
        Choice::Reduce => match reduction.unwrap_or(Reduction::Unknown) {
            Reduction::Done(how) => (Status::Done, how),
            Reduction::NotDone(what) => {
                let since = match days_since(decision, as_of) {
                    0 => "as before".to_owned(),
                    1 => "1 day later".to_owned(),
                    n => format!("{n} days later"),
                };
                (Status::NotDone, format!("Decided but not done: {what} {since}. {ended}"))
            }
            Reduction::Unknown if holds => {
                let why = "Its scopes then or now are not known, so it is open whether it was done.";
                (Status::Holds, why.to_owned())
            }
            Reduction::Unknown | Reduction::Wider => (Status::Ended, ended),
        },
        Choice::Keep | Choice::Exception if holds => (
            Status::Holds,
            until.map_or_else(
                || "It holds until the token changes.".to_owned(),
                |end| format!("It holds until {}, or until the token changes.", day_text(end)),
            ),
        ),
        Choice::Keep | Choice::Exception => (Status::Ended, ended),
    };
    Standing {
        decision: decision.clone(),
        holds,
        status,
        note: note.trim_end().to_owned(),
        changed,
        reviewer_is_owner: is_owner(&decision.reviewer, token),
        until,
        overdue: false,
    }
}

/// Returns true if the reviewer is written as the owner of the token is: by UPN, name or id.
fn is_owner(reviewer: &str, token: &Token) -> bool {
    let reviewer = reviewer.trim();
    let name =
        token.owner.as_deref().is_some_and(|owner| owner.trim().to_lowercase() == reviewer.to_lowercase());
    let id = token.owner_id.as_deref().and_then(person_key);
    name || id.is_some() && id == person_key(reviewer)
}

fn days_since(decision: &Decision, as_of: Micros) -> i64 {
    (as_of - day_start(decision.decided_on)).max(0) / DAY
}

/// How a decision to revoke stands.
fn revoked(decision: &Decision, token: &Token, as_of: Micros, ended: &str) -> (Status, String) {
    let day = |t: Micros| day_text(day_of(t));
    let note = match token.state {
        TokenState::Revoked => match token.revoked_at {
            Some(at) if at < day_start(decision.decided_on) => {
                format!("It was revoked on {}, before the decision.", day(at))
            }
            Some(at) => format!("A revoke event of {} shows it done.", day(at)),
            None => "The inventory lists it as no longer valid; the lake has no revoke event.".to_owned(),
        },
        TokenState::Expired => {
            "The lake has no revoke event; the token has expired, so nothing is left to do.".to_owned()
        }
        TokenState::Active | TokenState::Unknown => {
            let since = match days_since(decision, as_of) {
                0 => "since".to_owned(),
                1 => "in 1 day since".to_owned(),
                n => format!("in {n} days since"),
            };
            return (Status::NotDone, format!("Decided but not done: no revoke event {since}. {ended}"));
        }
    };
    (Status::Done, note)
}
