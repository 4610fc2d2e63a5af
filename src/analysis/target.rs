//! Which token a `Token.*` event is about.
//!
//! In: the events, oldest first, and what an inventory lists. Out: a [`Target`] an event. An authorizationId
//! decides; without one, the owner and the display name in force at that time do, and only where exactly one
//! token fits. A display name alone names candidates and never a token (design, section 5).

use super::ledger::{Aliases, Change, Listed, TokenEvent};
use crate::model::identity;
use crate::model::time::{DAY, HOUR, Micros, parse_time};
use std::collections::{BTreeMap, BTreeSet};

/// What an event is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// The token whose id the event gives.
    Named(String),
    /// The only token that owner and name fit.
    Found(String),
    /// No one token: the candidates, if any, and how they fit.
    Unclear(Fit, Vec<String>),
}

text_enum! {
    /// How the candidates of an event without an id fit it.
    Fit {
        /// Owner and display name fit several tokens.
        OwnerAndName = "owner and name",
        /// The display name alone fits; the owner does not, or the event names none.
        NameOnly = "name only",
        /// No known token fits.
        Nothing = "nothing",
    }
}

/// What is known of one token over time.
#[derive(Debug, Default)]
struct History {
    owner: BTreeSet<String>,
    /// Names as events give them, oldest first.
    names: Vec<(Micros, String)>,
    listed_name: Option<String>,
    born: Option<Micros>,
    /// An event with the id tells of its creation, so no event without one does.
    created: bool,
    revoked: Option<Micros>,
    /// End dates as events give them, oldest first.
    ends: Vec<(Micros, Micros)>,
    listed_end: Option<Micros>,
}

impl History {
    fn note(&mut self, event: &TokenEvent, change: Change, aliases: Aliases<'_>) {
        let name = event.shown_name();
        if !name.is_empty() {
            self.names.push((event.time, name));
        }
        for text in [&event.owner_id, &event.owner].into_iter().filter(|t| !t.is_empty()) {
            self.owner.extend(aliases(&event.org, text));
        }
        let from = parse_time(&event.valid_from);
        match change {
            Change::Created => {
                self.created = true;
                self.born = from.or(self.born).or(Some(event.time));
                if event.owner_id.is_empty() && event.owner.is_empty() && !event.service_actor {
                    for text in [&event.actor_id, &event.actor].into_iter().filter(|t| !t.is_empty()) {
                        self.owner.extend(aliases(&event.org, text));
                    }
                }
            }
            Change::Revoked | Change::SystemRevoked => self.revoked = self.revoked.or(Some(event.time)),
            _ => self.born = self.born.or(from),
        }
        if let Some(to) = parse_time(&event.valid_to) {
            self.ends.push((event.time, to));
        }
    }

    /// The name in force: the newest that an event gave by then, else the oldest known, else the listed one.
    fn name_at(&self, time: Micros) -> Option<&str> {
        let then = self.names.iter().rev().find(|(since, _)| *since <= time).or(self.names.first());
        then.map(|(_, name)| name.as_str()).or(self.listed_name.as_deref())
    }

    fn end_at(&self, time: Micros) -> Option<Micros> {
        let then = self.ends.iter().rev().find(|(since, _)| *since <= time).or(self.ends.first());
        then.map(|(_, to)| *to).or(self.listed_end)
    }

    fn could_be(&self, event: &TokenEvent, change: Change, name: &str) -> bool {
        let time = event.time;
        let in_force = match change {
            // A creation is told once, at the time that the token begins.
            Change::Created => !self.created && self.born.is_none_or(|b| (b - time).abs() <= DAY),
            Change::Expired => self.end_at(time).is_none_or(|to| (to - time).abs() <= 2 * DAY),
            // What has ended is not revoked any more; a leaked copy is found at any time.
            Change::Revoked | Change::SystemRevoked => self.end_at(time).is_none_or(|to| time <= to + HOUR),
            Change::Updated | Change::Discovered => true,
        };
        in_force
            && self.born.is_none_or(|born| born <= time + DAY && (change == Change::Created || born <= time))
            && self.revoked.is_none_or(|at| time <= at)
            && self.name_at(time) == Some(name)
    }
}

/// Returns true if two sets of texts name one person. Where both have ids, the ids decide: namesakes are two people.
fn is_owner(owner: &BTreeSet<String>, people: &BTreeSet<String>) -> bool {
    let keys = |texts: &BTreeSet<String>| -> BTreeSet<String> {
        // The form of `person_key`: a GUID whose version nibble is blank.
        texts.iter().filter(|t| t.len() == 36 && t.as_bytes()[14] == b'x').cloned().collect()
    };
    let (own, named) = (keys(owner), keys(people));
    if own.is_empty() || named.is_empty() { !owner.is_disjoint(people) } else { !own.is_disjoint(&named) }
}

/// Finds the target of every event; `events` are in time order, and so are the answers.
#[must_use]
pub fn find(events: &[TokenEvent], listed: &[Listed], aliases: Aliases<'_>) -> Vec<Target> {
    let mut histories: BTreeMap<(&str, String), History> = BTreeMap::new();
    let ids: Vec<Option<String>> =
        events.iter().map(|e| identity::guid(&e.token_id).map(std::borrow::Cow::into_owned)).collect();
    // Ids first, so that an event without one finds tokens whose own events come later in the log.
    for (event, id) in events.iter().zip(&ids) {
        if let (Some(change), Some(id)) = (Change::of(&event.action), id) {
            histories.entry((&event.org, id.clone())).or_default().note(event, change, aliases);
        }
    }
    for token in listed {
        let history = histories.entry((&token.org, token.token_id.clone())).or_default();
        history.owner.extend(token.owner.iter().map(|o| o.to_lowercase()));
        history.listed_name = history.listed_name.take().or_else(|| Some(token.name.clone()));
        history.born = history.born.or(token.valid_from);
        history.listed_end = history.listed_end.or(token.valid_to);
    }
    let mut targets = Vec::with_capacity(events.len());
    for (event, id) in events.iter().zip(ids) {
        let Some(change) = Change::of(&event.action) else {
            targets.push(Target::Unclear(Fit::Nothing, Vec::new()));
            continue;
        };
        if let Some(id) = id {
            targets.push(Target::Named(id));
            continue;
        }
        let (name, people) = (event.shown_name(), people(event, aliases));
        let named: Vec<(&String, bool)> = histories
            .iter()
            .filter(|((org, _), h)| *org == event.org && !name.is_empty() && h.could_be(event, change, &name))
            .map(|((_, id), h)| (id, is_owner(&h.owner, &people)))
            .collect();
        let ids = |owned: bool| -> Vec<String> {
            named.iter().filter(|(_, owns)| *owns || !owned).map(|(id, _)| (*id).clone()).collect()
        };
        let (mut owned, all) = (ids(true), ids(false));
        targets.push(match (owned.len(), all.is_empty()) {
            (0, true) => Target::Unclear(Fit::Nothing, Vec::new()),
            (0, false) => Target::Unclear(Fit::NameOnly, all),
            (1, _) => {
                let only = owned.swap_remove(0);
                if let Some(history) = histories.get_mut(&(event.org.as_str(), only.clone())) {
                    history.note(event, change, aliases);
                    history.names.sort();
                    history.ends.sort();
                }
                Target::Found(only)
            }
            _ => Target::Unclear(Fit::OwnerAndName, owned),
        });
    }
    targets
}

/// Texts that name the owner: whom the event names, else who acted, unless the service did.
fn people(event: &TokenEvent, aliases: Aliases<'_>) -> BTreeSet<String> {
    let named = [&event.owner_id, &event.owner];
    let acted = [&event.actor_id, &event.actor];
    let texts = if named.iter().all(|t| t.is_empty()) && !event.service_actor { acted } else { named };
    texts.into_iter().filter(|t| !t.is_empty()).flat_map(|t| aliases(&event.org, t)).collect()
}
