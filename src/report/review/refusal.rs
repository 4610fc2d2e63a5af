//! Tokens that may not be kept, and decisions that were not carried out in time.
//!
//! In: how decisions stand, tokens, findings. Out: decisions that are refused or overdue. A token that is leaked, was used with an
//! attack tool or was used after its revoke is known to others: only a revoke, or an exception that ends, is accepted.

use super::standing::{Key, Standing, Status};
use crate::model::claim::Field;
use crate::model::decision::Choice;
use crate::model::finding::{Confidence, Finding, SubjectKind};
use crate::model::time::{Day, Micros, day_of, day_start, day_text};
use crate::model::token::{Token, TokenState};
use std::collections::{BTreeMap, HashMap};

/// Slugs of the detections that find such a token.
pub const GRAVE: [&str; 2] = [ATTACK_TOOL, AFTER_ITS_END];

const ATTACK_TOOL: &str = "attack-tool";
const AFTER_ITS_END: &str = "used-after-its-end";

/// What decisions are accepted on such a token.
pub const ACCEPTED: &str = "only revoke, or exception with an end date, is accepted";

/// Why a token may not be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grave {
    /// Since when.
    pub since: Option<Micros>,
    /// As the rest of a sentence on the token.
    pub text: String,
}

/// Returns why each of these tokens may not be kept, for those of which that is so.
#[must_use]
pub fn grave<'a>(tokens: impl Iterator<Item = &'a Token>, findings: &[Finding]) -> HashMap<Key, Grave> {
    let mut found: HashMap<(&str, &str), Vec<&Finding>> = HashMap::new();
    for f in
        findings.iter().filter(|f| GRAVE.contains(&f.slug.as_str()) && f.subject.kind == SubjectKind::Token)
    {
        found.entry((&f.org, &f.subject.id)).or_default().push(f);
    }
    let of = |token: &Token| {
        let on =
            |time: Option<Micros>| time.map(|t| format!(" on {}", day_text(day_of(t)))).unwrap_or_default();
        let hit = |slug: &str| {
            let own = found.get(&(token.org.as_str(), token.token_id.as_str()));
            own.into_iter().flatten().find(|f| f.slug == slug).map(|f| f.first_time)
        };
        // An event that names its token by owner and name alone may mean another.
        if let Some(at) = token.leaked_at.filter(|_| token.certainty(&[Field::Leaked]) == Confidence::High) {
            return Some((Some(at), format!("it was found in public{}", on(Some(at)))));
        }
        if let Some(at) = hit(ATTACK_TOOL) {
            return Some((at, format!("it was used with an attack tool{}", on(at))));
        }
        let at = hit(AFTER_ITS_END).filter(|_| token.state == TokenState::Revoked)?;
        Some((at, format!("it was used after it was revoked{}", on(at))))
    };
    let key = |token: &Token| (token.org.clone(), token.token_id.clone());
    tokens.filter_map(|t| of(t).map(|(since, text)| (key(t), Grave { since, text }))).collect()
}

/// Returns true if a choice is accepted on a token that may not be kept.
#[must_use]
pub fn is_accepted(choice: Choice, end_date: Option<Day>) -> bool {
    choice == Choice::Revoke || choice == Choice::Exception && end_date.is_some()
}

/// Refuses what may not be decided, and marks what was not carried out within `grace_days`.
pub fn enforce(
    standings: &mut BTreeMap<Key, Standing>,
    grave: &HashMap<Key, Grave>,
    grace_days: Day,
    as_of: Micros,
) {
    for (key, standing) in standings {
        let decision = &standing.decision;
        if let Some(grave) = grave.get(key)
            && !is_accepted(decision.choice, decision.end_date)
            && standing.status != Status::Done
        {
            let text = &grave.text;
            // What came after the decision ends it; what it could have weighed makes it void.
            if grave.since.is_some_and(|at| at > decision.weighed_until()) {
                standing.status = Status::Ended;
                if !standing.note.contains(text.as_str()) {
                    standing.note = format!("It ended: {text}, and {ACCEPTED}.");
                }
            } else {
                standing.status = Status::Refused;
                standing.note = format!("Refused: {text}, and {ACCEPTED}.");
            }
            standing.holds = false;
        }
        let due = decision.decided_on.saturating_add(1).saturating_add(grace_days);
        let asks = matches!(decision.choice, Choice::Revoke | Choice::Reduce);
        if asks && standing.status == Status::NotDone && day_start(due) <= as_of {
            standing.overdue = true;
            standing
                .note
                .push_str(&format!(" It is overdue since {}, so its findings count again.", day_text(due)));
        }
    }
}
