//! Claims resolved: of everything that is said about one field, the answer and what became of the rest.
//!
//! In: values, each with the claim that states it. Out: the value that holds and every claim with its standing. The newest
//! dated claim wins, field by field; a claim without a date never beats a dated one; what cannot be explained by time is a
//! contradiction (design, section 8).

pub mod token;

use crate::model::claim::{Claim, Source, Standing};
use crate::model::time::Micros;

/// A value with the claim that states it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stated<T> {
    /// The value.
    pub value: T,
    /// Who says so.
    pub claim: Claim,
}

/// One field after resolution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved<T> {
    /// The value that holds, with the claim that decided it.
    pub held: Option<Stated<T>>,
    /// Every claim with its standing.
    pub claims: Vec<Claim>,
}

impl<T> Default for Resolved<T> {
    fn default() -> Self {
        Self { held: None, claims: Vec::new() }
    }
}

impl<T: Clone> Resolved<T> {
    /// The value that holds.
    #[must_use]
    pub fn value(&self) -> Option<T> {
        self.held.as_ref().map(|held| held.value.clone())
    }

    /// The time that the deciding claim speaks of.
    #[must_use]
    pub fn time(&self) -> Option<Micros> {
        self.held.as_ref().and_then(|held| held.claim.time)
    }
}

/// What decides between two claims: a date before none, the later date, at the same instant the event before the list, then
/// the stronger join. The text comes last, so that the order in which sources were read never matters.
fn rank(claim: &Claim) -> (Option<Micros>, bool, crate::model::claim::Join, bool, &str) {
    (claim.time, claim.source == Source::Event, claim.join, claim.complete, &claim.value)
}

/// Resolves one field. `tiers` are in order of authority: the first one with a claim decides, and what the others say
/// either agrees or contradicts. `same` says when two values are one.
#[must_use]
pub fn resolve<T: Clone>(tiers: Vec<Vec<Stated<T>>>, same: impl Fn(&T, &T) -> bool) -> Resolved<T> {
    let Some(first) = tiers.iter().position(|tier| !tier.is_empty()) else { return Resolved::default() };
    let held = tiers[first].iter().max_by(|a, b| rank(&a.claim).cmp(&rank(&b.claim))).cloned();
    let Some(winner) = &held else { return Resolved::default() };
    let mut claims: Vec<Claim> = Vec::new();
    for (at, tier) in tiers.iter().enumerate() {
        for stated in tier {
            let standing = if same(&stated.value, &winner.value) {
                Standing::Holds
            } else if at > first {
                Standing::Contradicts
            } else {
                standing(&stated.claim, &winner.claim)
            };
            claims.push(Claim { standing, ..stated.claim.clone() });
        }
    }
    claims.sort();
    claims.dedup();
    Resolved { held, claims }
}

/// The standing of a claim that another value beat.
fn standing(beaten: &Claim, winner: &Claim) -> Standing {
    match (beaten.time, winner.time) {
        // The log shows changes, so a later list that differs from an event shows one that the log does not have.
        (Some(then), Some(now)) if then < now => {
            if beaten.source == Source::Event && winner.source != Source::Event {
                Standing::Contradicts
            } else {
                Standing::Superseded
            }
        }
        _ => Standing::Contradicts,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::claim::{Field, Join};

    fn say(value: &'static str, time: Option<Micros>, source: Source) -> Stated<&'static str> {
        Stated { value, claim: Claim::new(Field::Scopes, value, time, source) }
    }

    fn of(stated: Vec<Stated<&'static str>>) -> (Option<&'static str>, Vec<(String, Standing)>) {
        let resolved = resolve(vec![stated], |a, b| a == b);
        let claims = resolved.claims.iter().map(|c| (c.value.clone(), c.standing)).collect();
        (resolved.value(), claims)
    }

    #[test]
    fn the_newest_dated_claim_wins() {
        let (value, claims) = of(vec![
            say("new", Some(20), Source::Event),
            say("old", Some(10), Source::List),
            say("undated", None, Source::List),
        ]);
        assert_eq!(value, Some("new"));
        assert!(claims.contains(&("old".to_owned(), Standing::Superseded)));
        assert!(claims.contains(&("undated".to_owned(), Standing::Contradicts)));
    }

    #[test]
    fn a_later_list_that_differs_from_an_event_shows_a_missing_change() {
        let (value, claims) =
            of(vec![say("event", Some(10), Source::Event), say("list", Some(20), Source::List)]);
        assert_eq!(value, Some("list"));
        assert!(claims.contains(&("event".to_owned(), Standing::Contradicts)));
    }

    #[test]
    fn an_undated_list_is_used_where_nothing_else_speaks() {
        assert_eq!(of(vec![say("list", None, Source::List)]).0, Some("list"));
        assert_eq!(of(Vec::new()).0, None);
    }

    #[test]
    fn the_order_of_reading_never_matters() {
        let all = [
            say("a", Some(5), Source::List),
            say("b", Some(5), Source::List),
            say("c", Some(5), Source::Event),
            say("d", None, Source::List),
        ];
        let there = of(all.to_vec());
        let back = of(all.into_iter().rev().collect());
        assert_eq!(there, back);
        assert_eq!(there.0, Some("c"), "the event at the same instant");
    }

    #[test]
    fn a_lower_tier_decides_only_where_the_higher_is_silent() {
        let weak = say("weak", Some(90), Source::Event);
        let both = resolve(vec![vec![say("list", None, Source::List)], vec![weak.clone()]], |a, b| a == b);
        assert_eq!(both.value(), Some("list"));
        assert!(both.claims.iter().any(|c| c.value == "weak" && c.standing == Standing::Contradicts));
        assert_eq!(resolve(vec![vec![], vec![weak]], |a, b| a == b).value(), Some("weak"));
    }

    #[test]
    fn what_agrees_with_the_answer_holds_too() {
        let by_name = Stated {
            value: "x",
            claim: Claim::new(Field::Owner, "x", Some(9), Source::List).joined(Join::DisplayName),
        };
        let by_id = Stated { value: "x", claim: Claim::new(Field::Owner, "x", Some(3), Source::List) };
        let resolved = resolve(vec![vec![by_name, by_id]], |a, b| a == b);
        assert!(resolved.claims.iter().all(|c| c.standing == Standing::Holds));
    }
}
