//! People: who owns a token, and whether they can still sign in.
//!
//! In: users from Graph and entitlements, the actors that events show, and the events that take access away or
//! give it back. Out: a look-up by storage key, CUID or name. Sources: facts, sections 0 (item 7) and 5.

use crate::model::identity::person_key;
use crate::model::inventory::UserRow;
use crate::model::time::Micros;
use crate::model::token::OwnerState;
use std::collections::{BTreeMap, BTreeSet};

/// One person of one organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Storage key, where known.
    pub id: Option<String>,
    /// UPN in lower case, else display name.
    pub label: String,
    /// Display name.
    pub name: String,
    /// Whether they can sign in.
    pub state: OwnerState,
    /// Since when they cannot.
    pub gone_at: Option<Micros>,
    /// Spans without access that events tell of, oldest first: from the taking to the giving back, if it came.
    pub absences: Vec<(Micros, Option<Micros>)>,
    /// Last access of the person, where entitlements tell.
    pub last_access: Option<Micros>,
    /// Groups of administrators that events put the person into and never took them out of.
    pub admin_of: Vec<String>,
    /// When a list last told the state.
    listed_at: Option<Micros>,
}

/// A person put into a group of administrators or taken out of it, as an event tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupChange {
    /// When.
    pub time: Micros,
    /// Whether the person was put in.
    pub added: bool,
    /// The group, as the event names it.
    pub group: String,
    /// Every text by which the event names the person.
    pub names: Vec<String>,
}

/// Access taken from a person or given back, as an event tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessChange {
    /// When.
    pub time: Micros,
    /// Whether it was taken.
    pub taken: bool,
    /// Every text by which the event names the person: ids, UPN, display name.
    pub names: Vec<String>,
}

/// The people of one organisation.
#[derive(Debug, Clone, Default)]
pub struct People {
    people: Vec<Person>,
    by_text: BTreeMap<String, usize>,
    /// Display names that more than one person has: they name nobody.
    shared: BTreeSet<String>,
}

impl People {
    /// Builds the look-up. `users` come with the instant of their list, oldest first; `actors` are (storage key,
    /// UPN, display name) as events show them.
    #[must_use]
    pub fn build(
        users: &[(Micros, UserRow)],
        actors: &[(String, String, String)],
        changes: &[AccessChange],
    ) -> Self {
        let mut people = Self::default();
        for (taken, user) in
            users.iter().filter(|(_, u)| !matches!(u.subject_kind.as_str(), "group" | "servicePrincipal"))
        {
            let keys = [user.storage_key.as_deref(), user.cuid.as_deref()];
            let at = people.slot(keys.into_iter().flatten(), &user.upn, &user.name);
            let person = &mut people.people[at];
            if person.id.is_none() {
                person.id.clone_from(&user.storage_key);
            }
            if let Some(state) = user.state {
                person.state = state;
                person.listed_at = Some(*taken);
            }
            person.last_access = person.last_access.max(user.last_access);
        }
        for (id, upn, name) in actors {
            let at = people.slot((!id.is_empty()).then_some(id.as_str()).into_iter(), upn, name);
            let person = &mut people.people[at];
            if person.id.is_none() && !id.is_empty() {
                person.id = Some(id.clone());
            }
        }
        let mut changes: Vec<&AccessChange> = changes.iter().collect();
        changes.sort_by_key(|c| c.time);
        for change in changes {
            let Some(at) = change.names.iter().find_map(|n| people.at(n)) else { continue };
            let person = &mut people.people[at];
            // A list taken after the change has the last word on the state; the event still dates a leaving.
            if person.listed_at.is_some_and(|listed| change.time <= listed) {
                let gone = matches!(person.state, OwnerState::Removed | OwnerState::Disabled);
                person.gone_at = (gone && change.taken).then_some(person.gone_at.unwrap_or(change.time));
                continue;
            }
            if change.taken {
                if person.state != OwnerState::Disabled {
                    person.state = OwnerState::Removed;
                }
                person.gone_at = person.gone_at.or(Some(change.time));
                if person.absences.last().is_none_or(|(_, back)| back.is_some()) {
                    person.absences.push((change.time, None));
                }
            } else {
                // Access that returns makes the tokens work again: they are not deleted (facts, section 7).
                person.state = OwnerState::Active;
                person.gone_at = None;
                if let Some((_, back @ None)) = person.absences.last_mut() {
                    *back = Some(change.time);
                }
            }
        }
        people
    }

    /// Notes who administrates what, from events in any order.
    pub fn note_groups(&mut self, changes: &[GroupChange]) {
        let mut changes: Vec<&GroupChange> = changes.iter().collect();
        changes.sort_by(|a, b| (a.time, a.added, &a.group).cmp(&(b.time, b.added, &b.group)));
        for change in changes {
            let Some(at) = change.names.iter().find_map(|n| self.at(n)) else { continue };
            let groups = &mut self.people[at].admin_of;
            groups.retain(|g| *g != change.group);
            if change.added {
                groups.push(change.group.clone());
                groups.sort();
            }
        }
    }

    /// Finds or makes the person that any of the texts names.
    fn slot<'a>(&mut self, ids: impl Iterator<Item = &'a str>, upn: &str, name: &str) -> usize {
        let ids: Vec<String> = ids.map(str::to_lowercase).collect();
        let upn = upn.trim().to_lowercase();
        let found = ids
            .iter()
            .find_map(|id| self.at(id))
            .or_else(|| (!upn.is_empty()).then(|| self.at(&upn)).flatten());
        let at = found.unwrap_or_else(|| {
            self.people.push(Person {
                id: None,
                label: String::new(),
                name: String::new(),
                state: OwnerState::Unknown,
                gone_at: None,
                absences: Vec::new(),
                last_access: None,
                admin_of: Vec::new(),
                listed_at: None,
            });
            self.people.len() - 1
        });
        for id in &ids {
            self.by_text.entry(id.clone()).or_insert(at);
            if let Some(key) = person_key(id) {
                self.by_text.entry(key).or_insert(at);
            }
        }
        let person = &mut self.people[at];
        if person.name.is_empty() {
            name.trim().clone_into(&mut person.name);
        }
        if !upn.is_empty() {
            if !person.label.contains('@') {
                person.label.clone_from(&upn);
            }
            self.by_text.entry(upn).or_insert(at);
        } else if person.label.is_empty() {
            name.trim().clone_into(&mut person.label);
        }
        let name = name.trim().to_lowercase();
        if !name.is_empty() && *self.by_text.entry(name.clone()).or_insert(at) != at {
            self.shared.insert(name);
        }
        at
    }

    fn at(&self, text: &str) -> Option<usize> {
        let text = text.trim().to_lowercase();
        if self.shared.contains(&text) {
            return None;
        }
        self.by_text.get(&text).or_else(|| person_key(&text).and_then(|key| self.by_text.get(&key))).copied()
    }

    /// Finds a person by storage key, CUID, UPN or display name.
    #[must_use]
    pub fn find(&self, text: &str) -> Option<&Person> {
        self.at(text).map(|at| &self.people[at])
    }

    /// Everyone.
    #[must_use]
    pub fn all(&self) -> &[Person] {
        &self.people
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "e0729319-5632-68c1-9625-b53fe559bcd7";
    const CUID: &str = "e0729319-5632-78c1-9625-b53fe559bcd7";

    fn graph() -> UserRow {
        UserRow {
            cuid: Some(CUID.into()),
            upn: "Ann@X.example".into(),
            name: "Ann".into(),
            ..UserRow::default()
        }
    }

    #[test]
    fn cuid_joins_storage_key() {
        let people = People::build(&[(0, graph())], &[(KEY.into(), String::new(), "Ann".into())], &[]);
        assert_eq!(people.all().len(), 1);
        let ann = people.find(&KEY.to_uppercase()).expect("joined");
        assert_eq!((ann.label.as_str(), ann.state), ("ann@x.example", OwnerState::Unknown));
    }

    #[test]
    fn access_that_returns_ends_the_leaving() {
        let change = |time, taken| AccessChange { time, taken, names: vec!["ann@x.example".into()] };
        let gone = People::build(&[(0, graph())], &[], &[change(5, true)]);
        let ann = gone.find(KEY).expect("known");
        assert_eq!((ann.state, ann.gone_at), (OwnerState::Removed, Some(5)));
        let back = People::build(&[(0, graph())], &[], &[change(9, false), change(5, true)]);
        assert_eq!(back.find(KEY).expect("known").gone_at, None);
        assert_eq!(back.find(KEY).expect("known").absences, [(5, Some(9))], "what was stays told");
    }

    #[test]
    fn a_list_taken_after_the_leaving_has_the_last_word() {
        let active = UserRow { state: Some(OwnerState::Active), ..graph() };
        let disabled = UserRow { state: Some(OwnerState::Disabled), ..graph() };
        let left = [AccessChange { time: 5, taken: true, names: vec!["ann@x.example".into()] }];
        let state = |users: &[(Micros, UserRow)]| {
            let people = People::build(users, &[], &left);
            let ann = people.find(KEY).expect("known");
            (ann.state, ann.gone_at)
        };
        assert_eq!(state(&[(9, active.clone())]), (OwnerState::Active, None));
        assert_eq!(state(&[(4, active)]), (OwnerState::Removed, Some(5)));
        assert_eq!(state(&[(9, disabled)]), (OwnerState::Disabled, Some(5)));
    }

    #[test]
    fn a_name_that_two_people_share_names_nobody() {
        let other = UserRow { upn: "ann2@x.example".into(), name: "Ann".into(), ..UserRow::default() };
        let people = People::build(&[(0, graph()), (0, other)], &[], &[]);
        assert!(people.find("ann").is_none());
        assert!(people.find("ann2@x.example").is_some());
    }

    #[test]
    fn administrators_are_those_that_were_put_in_and_stayed() {
        let mut people = People::build(&[(0, graph())], &[], &[]);
        let change = |time, added, group: &str| GroupChange {
            time,
            added,
            group: group.into(),
            names: vec!["ann@x.example".into()],
        };
        people.note_groups(&[change(3, false, "a"), change(1, true, "a"), change(2, true, "b")]);
        assert_eq!(people.find(KEY).expect("known").admin_of, ["b"]);
    }
}
