//! People: who owns a token, and whether they can still sign in.
//!
//! In: users from Graph and entitlements, the actors that events show, the events that take access away or give it back, and
//! who signed in. Out: a look-up by storage key, CUID, descriptor, user name or display name, which says how it matched; and
//! for each person the claims on their access. Sources: facts, sections 0 (item 7) and 5.

use super::claims::{Stated, resolve};
use crate::model::claim::{Claim, Field, Join, Source};
use crate::model::identity::{cuid_of_descriptor, person_key, user_name_key};
use crate::model::inventory::UserRow;
use crate::model::time::Micros;
use crate::model::token::OwnerState;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

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
    /// Spans without access that events show, oldest first.
    pub absences: Vec<Absence>,
    /// Last access of the person, where entitlements say.
    pub last_access: Option<Micros>,
    /// Groups of administrators that events put the person into and never took them out of.
    pub admin_of: Vec<String>,
    /// Everything that is said of their access, with what became of it.
    pub claims: Vec<Claim>,
    /// What is said of their access, until it is resolved.
    access: Vec<Stated<OwnerState>>,
    /// Its place among the people of its organisation.
    place: usize,
}

/// A span without access.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Absence {
    /// When access was taken.
    pub from: Micros,
    /// When the person was next known to have it, if ever.
    pub back: Option<Micros>,
    /// How the event that took it was joined to the person.
    pub join: Join,
}

/// A person put into a group of administrators or taken out of it, as an event shows.
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

/// Access taken from a person or given back, as an event shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessChange {
    /// When.
    pub time: Micros,
    /// The event.
    pub event_id: String,
    /// Whether it was taken.
    pub taken: bool,
    /// Every text by which the event names the person: ids, UPN, display name.
    pub names: Vec<String>,
}

/// Events that a person made with a sign-in of their own, not with a token: they show access. Sign-ins themselves are not
/// in the log (facts, section 4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignIn {
    /// Storage key of the actor.
    pub id: String,
    /// Label of the actor.
    pub label: String,
    /// First of these events.
    pub first: Micros,
    /// Last of them.
    pub last: Micros,
}

/// An actor as events show it, with the span in which they do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Actor {
    /// Storage key.
    pub id: String,
    /// User name, where the events give one.
    pub upn: String,
    /// Display name.
    pub name: String,
    /// First and last event; a user name may pass to another person.
    pub span: (Micros, Micros),
}

/// A person of another organisation, with how the two were joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SamePerson<'a> {
    /// The person.
    pub person: &'a Person,
    /// By an id that both organisations know, or by user name.
    pub join: Join,
}

/// Keys and user names of each person, and who has each user name: worked out when another organisation asks.
#[derive(Debug, Clone, Default)]
struct Aliases {
    /// By person: ids in the form of [`person_key`].
    ids: Vec<Vec<String>>,
    /// By person: user names in the form of [`user_name_key`].
    user_names: Vec<Vec<String>>,
    /// People by such a user name.
    by_user_name: BTreeMap<String, BTreeSet<usize>>,
}

/// The people of one organisation.
#[derive(Debug, Clone, Default)]
pub struct People {
    people: Vec<Person>,
    by_id: BTreeMap<String, usize>,
    /// User names with the spans in which each was whose.
    by_upn: BTreeMap<String, Vec<(usize, Micros, Micros)>>,
    by_name: BTreeMap<String, BTreeSet<usize>>,
    /// Ids that a user name alone joins to the person: the name may have passed to somebody else.
    weak: BTreeSet<String>,
    /// People of whom an id is known.
    with_id: BTreeSet<usize>,
    /// What other organisations compare by.
    aliases: OnceLock<Aliases>,
}

impl People {
    /// Builds the look-up. `users` come with the instant of their list, or none where it has no date, oldest first.
    #[must_use]
    pub fn build(
        users: &[(Option<Micros>, UserRow)],
        actors: &[Actor],
        changes: &[AccessChange],
        sign_ins: &[SignIn],
    ) -> Self {
        let mut people = Self::default();
        for (taken, user) in
            users.iter().filter(|(_, u)| !matches!(u.subject_kind.as_str(), "group" | "servicePrincipal"))
        {
            let keys = [user.storage_key.as_deref(), user.cuid.as_deref()];
            let at = taken.unwrap_or(Micros::MIN);
            let at = people.slot(
                keys.into_iter().flatten(),
                user.storage_key.as_deref(),
                &user.upn,
                &user.name,
                (at, at),
            );
            let by_id = user.storage_key.is_some() || user.cuid.is_some();
            let person = &mut people.people[at];
            if let Some(state) = user.state {
                let claim = Claim::new(Field::OwnerState, state.as_str(), *taken, Source::UsersList)
                    .joined(if by_id { Join::Id } else { Join::UserName });
                person.access.push(Stated { value: state, claim });
            }
            person.last_access = person.last_access.max(user.last_access);
        }
        for actor in actors {
            let id = (!actor.id.is_empty()).then_some(actor.id.as_str());
            people.slot(id.into_iter(), id, &actor.upn, &actor.name, actor.span);
        }
        for change in changes {
            let Some((at, join)) = people.of_texts(&change.names, change.time) else { continue };
            // Two people may share a display name: it takes access from nobody.
            if join == Join::DisplayName {
                continue;
            }
            let state = if change.taken { OwnerState::Removed } else { OwnerState::Active };
            let claim = Claim::new(Field::OwnerState, state.as_str(), Some(change.time), Source::Event)
                .joined(join)
                .of_event(&change.event_id);
            people.people[at].access.push(Stated { value: state, claim });
        }
        for sign_in in sign_ins {
            let texts = [sign_in.id.clone(), sign_in.label.clone()];
            let Some((at, join)) = people.of_texts(&texts, sign_in.last) else { continue };
            if join == Join::DisplayName {
                continue;
            }
            for time in BTreeSet::from([sign_in.first, sign_in.last]) {
                let claim =
                    Claim::new(Field::OwnerState, "signed in", Some(time), Source::Event).joined(join);
                people.people[at].access.push(Stated { value: OwnerState::Active, claim });
            }
        }
        people.people.iter_mut().for_each(settle);
        people
    }

    /// Notes who administrates what, from events in any order.
    pub fn note_groups(&mut self, changes: &[GroupChange]) {
        let mut changes: Vec<&GroupChange> = changes.iter().collect();
        changes.sort_by(|a, b| (a.time, a.added, &a.group).cmp(&(b.time, b.added, &b.group)));
        for change in changes {
            let Some((at, _)) = self.of_texts(&change.names, change.time) else { continue };
            let groups = &mut self.people[at].admin_of;
            groups.retain(|g| *g != change.group);
            if change.added {
                groups.push(change.group.clone());
                groups.sort();
            }
        }
    }

    /// Finds or makes the person that any of the texts names.
    fn slot<'a>(
        &mut self,
        ids: impl Iterator<Item = &'a str>,
        storage_key: Option<&str>,
        upn: &str,
        name: &str,
        span: (Micros, Micros),
    ) -> usize {
        let ids: Vec<String> = ids.filter_map(person_key).collect();
        let upn = upn.trim().to_lowercase();
        let found = ids.iter().find_map(|id| self.by_id.get(id).copied()).or_else(|| {
            // A user name joins what comes without an id, and ids of two kinds; two storage keys are two people.
            let held = self.by_upn.get(&upn)?;
            let other = |at: usize| match (&self.people[at].id, storage_key) {
                (Some(own), Some(new)) => person_key(own) != person_key(new),
                _ => false,
            };
            let fits: BTreeSet<usize> = held.iter().map(|h| h.0).filter(|at| !other(*at)).collect();
            if fits.len() == 1 { fits.into_iter().next() } else { None }
        });
        let known = found.is_some_and(|at| self.with_id.contains(&at));
        if known && !ids.iter().any(|id| self.by_id.contains_key(id)) {
            self.weak.extend(ids.iter().cloned());
        }
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
                claims: Vec::new(),
                access: Vec::new(),
                place: self.people.len(),
            });
            self.people.len() - 1
        });
        if !ids.is_empty() {
            self.with_id.insert(at);
        }
        for id in ids {
            self.by_id.entry(id).or_insert(at);
        }
        let person = &mut self.people[at];
        if person.id.is_none() {
            person.id = storage_key.map(str::to_owned);
        }
        let name = name.trim();
        if person.name.is_empty() {
            name.clone_into(&mut person.name);
        }
        if !upn.is_empty() {
            if !person.label.contains('@') {
                person.label.clone_from(&upn);
            }
            let spans = self.by_upn.entry(upn).or_default();
            match spans.iter_mut().find(|held| held.0 == at) {
                Some((_, from, to)) => (*from, *to) = ((*from).min(span.0), (*to).max(span.1)),
                None => spans.push((at, span.0, span.1)),
            }
        } else if person.label.is_empty() {
            name.clone_into(&mut person.label);
        }
        if !name.is_empty() {
            self.by_name.entry(name.to_lowercase()).or_default().insert(at);
        }
        at
    }

    /// Finds the person that one text names at a time, with how it matched.
    fn locate(&self, text: &str, time: Option<Micros>) -> Option<(usize, Join)> {
        let text = text.trim();
        if text.is_empty() {
            return None;
        }
        if let Some(key) = person_key(text).or_else(|| person_key(&cuid_of_descriptor(text)?)) {
            let join = if self.weak.contains(&key) { Join::UserName } else { Join::Id };
            return self.by_id.get(&key).map(|at| (*at, join));
        }
        let text = text.to_lowercase();
        if let Some(held) = self.by_upn.get(&text) {
            // A name that passed to another person is whose it was then; without a time it names nobody.
            let then = |h: &&(usize, Micros, Micros)| time.is_some_and(|t| h.1 <= t && t <= h.2);
            let at = match held.as_slice() {
                [only] => Some(only.0),
                several => {
                    let mut fits = several.iter().filter(then);
                    fits.next().filter(|_| fits.next().is_none()).map(|h| h.0)
                }
            };
            return at.map(|at| (at, Join::UserName));
        }
        let named = self.by_name.get(&text)?;
        (named.len() == 1).then(|| named.first().map(|at| (*at, Join::DisplayName))).flatten()
    }

    /// Finds the person that any of several texts names, by the strongest of them. Ids that name two people name nobody.
    fn of_texts(&self, texts: &[String], time: Micros) -> Option<(usize, Join)> {
        let found: Vec<(usize, Join)> = texts.iter().filter_map(|t| self.locate(t, Some(time))).collect();
        let best = found.iter().map(|f| f.1).max()?;
        let mut people: BTreeSet<usize> = found.iter().filter(|f| f.1 == best).map(|f| f.0).collect();
        let only = people.pop_first().filter(|_| people.is_empty())?;
        // An id that nobody is known by is somebody else, whatever the name next to it says.
        let stranger = |t: &String| person_key(t).is_some_and(|key| !self.by_id.contains_key(&key));
        let join = if best == Join::DisplayName && texts.iter().any(stranger) { return None } else { best };
        Some((only, join))
    }

    /// Finds a person by storage key, CUID, descriptor, UPN or display name.
    #[must_use]
    pub fn find(&self, text: &str) -> Option<&Person> {
        self.find_joined(text).map(|(person, _)| person)
    }

    /// The same, with how the text matched.
    #[must_use]
    pub fn find_joined(&self, text: &str) -> Option<(&Person, Join)> {
        self.locate(text, None).map(|(at, join)| (&self.people[at], join))
    }

    /// Finds whoever may be `person` of `other`: by an id that both know, else by user name, which may be several people.
    #[must_use]
    pub fn same_as(&self, other: &Self, person: &Person) -> Vec<SamePerson<'_>> {
        let (theirs, at) = (other.aliases(), person.place);
        let by_id = theirs.ids[at].iter().find_map(|id| {
            let is_weak = self.weak.contains(id) || other.weak.contains(id);
            let join = if is_weak { Join::UserName } else { Join::Id };
            Some(SamePerson { person: &self.people[*self.by_id.get(id)?], join })
        });
        if let Some(found) = by_id {
            return vec![found];
        }
        let own = self.aliases();
        let named = theirs.user_names[at].iter().filter_map(|name| own.by_user_name.get(name)).flatten();
        let people: BTreeSet<usize> = named.copied().collect();
        people.iter().map(|at| SamePerson { person: &self.people[*at], join: Join::UserName }).collect()
    }

    /// Returns the ids of a person, in the form of [`person_key`], and the user names, present and former.
    #[must_use]
    pub fn names_of(&self, person: &Person) -> Vec<String> {
        let aliases = self.aliases();
        [&aliases.ids[person.place], &aliases.user_names[person.place]]
            .into_iter()
            .flatten()
            .cloned()
            .collect()
    }

    fn aliases(&self) -> &Aliases {
        self.aliases.get_or_init(|| {
            let none = || vec![Vec::new(); self.people.len()];
            let mut aliases = Aliases { ids: none(), user_names: none(), by_user_name: BTreeMap::new() };
            for (id, at) in &self.by_id {
                aliases.ids[*at].push(id.clone());
            }
            for (name, held) in &self.by_upn {
                let name = user_name_key(name);
                for (at, ..) in held {
                    if !aliases.user_names[*at].contains(&name) {
                        aliases.user_names[*at].push(name.clone());
                    }
                    aliases.by_user_name.entry(name.clone()).or_default().insert(*at);
                }
            }
            aliases
        })
    }

    /// A number for the person that a text names, equal for every text that names the same one.
    #[must_use]
    pub fn number(&self, text: &str, time: Option<Micros>) -> Option<(usize, Join)> {
        self.locate(text, time)
    }

    /// Everyone.
    #[must_use]
    pub fn all(&self) -> &[Person] {
        &self.people
    }
}

/// Resolves what is said of one person's access.
fn settle(person: &mut Person) {
    let mut access = std::mem::take(&mut person.access);
    // At the same instant access wins: a licence that is removed and assigned in one step was changed, not taken.
    let gone = |state: OwnerState| matches!(state, OwnerState::Removed | OwnerState::Disabled);
    // Of two lists without a date nobody knows which is the newer, so access wins there too.
    let given: BTreeSet<Option<Micros>> =
        access.iter().filter(|s| s.value == OwnerState::Active).map(|s| s.claim.time).collect();
    access.retain(|s| !(s.value == OwnerState::Removed && given.contains(&s.claim.time)));
    access.sort_by(|a, b| (a.claim.time, &a.claim).cmp(&(b.claim.time, &b.claim)));
    // A state that is not known says nothing.
    access.retain(|s| s.value != OwnerState::Unknown);
    for stated in &access {
        let Some(time) = stated.claim.time else { continue };
        match stated.value {
            OwnerState::Active => {
                if let Some(Absence { back: back @ None, .. }) = person.absences.last_mut() {
                    *back = Some(time);
                }
            }
            _ if stated.claim.source == Source::Event
                && person.absences.last().is_none_or(|a| a.back.is_some()) =>
            {
                person.absences.push(Absence { from: time, back: None, join: stated.claim.join });
            }
            _ => {}
        }
    }
    let resolved = resolve(vec![access], |a, b| a == b || gone(*a) && gone(*b));
    if let Some(held) = &resolved.held {
        person.state = held.value;
        // A list of users says that somebody is gone, not since when; an event before it may.
        person.gone_at =
            person.absences.last().filter(|a| gone(held.value) && a.back.is_none()).map(|a| a.from);
        // Disabled is said by lists alone, and says more than an event that took access before or after.
        let disabled = |c: &Claim| c.value == OwnerState::Disabled.as_str() && c.time >= person.gone_at;
        if gone(held.value) && resolved.claims.iter().any(disabled) {
            person.state = OwnerState::Disabled;
        }
    }
    person.claims = resolved.claims;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::claim::Standing;

    const KEY: &str = "e0729319-5632-68c1-9625-b53fe559bcd7";
    const CUID: &str = "e0729319-5632-78c1-9625-b53fe559bcd7";
    const OTHER: &str = "11111111-5632-68c1-9625-b53fe559bcd7";

    fn graph() -> UserRow {
        UserRow {
            cuid: Some(CUID.into()),
            upn: "Ann@X.example".into(),
            name: "Ann".into(),
            ..UserRow::default()
        }
    }

    fn change(time: Micros, taken: bool, name: &str) -> AccessChange {
        AccessChange { time, event_id: format!("e{time}"), taken, names: vec![name.into()] }
    }

    fn sign_in(first: Micros, last: Micros) -> SignIn {
        SignIn { id: KEY.into(), label: "ann@x.example".into(), first, last }
    }

    fn ann(users: &[(Option<Micros>, UserRow)], changes: &[AccessChange], sign_ins: &[SignIn]) -> Person {
        People::build(users, &[], changes, sign_ins).find(KEY).expect("known").clone()
    }

    #[test]
    fn cuid_joins_storage_key() {
        let actor = Actor { id: KEY.into(), name: "Ann".into(), ..Actor::default() };
        let people = People::build(&[(None, graph())], &[actor], &[], &[]);
        assert_eq!(people.all().len(), 1);
        let ann = people.find(&KEY.to_uppercase()).expect("joined");
        assert_eq!((ann.label.as_str(), ann.state), ("ann@x.example", OwnerState::Unknown));
    }

    #[test]
    fn a_person_has_every_id_and_user_name_that_is_known() {
        let actor = |upn: &str, span| Actor { id: KEY.into(), upn: upn.into(), span, ..Actor::default() };
        let guest = "Ann_X.example#EXT#@y.onmicrosoft.com";
        let people = People::build(
            &[(None, graph())],
            &[actor("former@x.example", (1, 2)), actor(guest, (3, 4))],
            &[],
            &[],
        );
        let names = people.names_of(people.find(CUID).expect("Ann"));
        assert_eq!(names[0], person_key(KEY).expect("key"));
        assert_eq!(names[1..], ["ann@x.example", "former@x.example"]);
    }

    #[test]
    fn access_that_returns_ends_the_leaving() {
        let users = [(None, graph())];
        let gone = ann(&users, &[change(5, true, CUID)], &[]);
        assert_eq!((gone.state, gone.gone_at), (OwnerState::Removed, Some(5)));
        let back = ann(&users, &[change(9, false, CUID), change(5, true, CUID)], &[]);
        assert_eq!((back.state, back.gone_at), (OwnerState::Active, None));
        assert_eq!(
            back.absences,
            [Absence { from: 5, back: Some(9), join: Join::Id }],
            "the past stays known"
        );
    }

    #[test]
    fn a_later_sign_in_shows_access() {
        let users = [(None, graph())];
        let here = ann(&users, &[change(5, true, CUID)], &[sign_in(1, 8)]);
        assert_eq!((here.state, here.gone_at), (OwnerState::Active, None));
        assert_eq!(here.absences, [Absence { from: 5, back: Some(8), join: Join::Id }]);
        assert!(here.claims.iter().any(|c| c.value == "removed" && c.standing == Standing::Superseded));
        let gone = ann(&users, &[change(5, true, CUID)], &[sign_in(1, 4)]);
        assert_eq!(gone.state, OwnerState::Removed);
    }

    #[test]
    fn removed_and_assigned_at_the_same_instant_is_access() {
        for both in
            [[change(5, true, CUID), change(5, false, CUID)], [change(5, false, CUID), change(5, true, CUID)]]
        {
            let here = ann(&[(None, graph())], &both, &[]);
            assert_eq!((here.state, here.gone_at), (OwnerState::Active, None));
            assert!(here.absences.is_empty());
        }
    }

    #[test]
    fn a_display_name_takes_access_from_nobody() {
        let here = ann(&[(None, graph())], &[change(5, true, "Ann")], &[]);
        assert_eq!((here.state, here.absences.len()), (OwnerState::Unknown, 0));
    }

    #[test]
    fn a_user_name_is_a_weaker_witness_than_an_id() {
        let gone = ann(&[(None, graph())], &[change(5, true, "ann@x.example")], &[]);
        assert_eq!((gone.state, gone.absences[0].join), (OwnerState::Removed, Join::UserName));
        assert_eq!(gone.claims[0].join, Join::UserName);
    }

    #[test]
    fn two_lists_without_a_date_that_disagree_take_no_access() {
        let with = |state| (None, UserRow { state: Some(state), ..graph() });
        let both = [with(OwnerState::Removed), with(OwnerState::Active)];
        assert_eq!(ann(&both, &[], &[]).state, OwnerState::Active);
    }

    #[test]
    fn an_id_that_a_user_name_alone_joins_is_no_better_than_the_name() {
        let deleted = UserRow { state: Some(OwnerState::Removed), ..graph() };
        let actor = Actor { id: OTHER.into(), upn: "ann@x.example".into(), ..Actor::default() };
        let people = People::build(&[(Some(5), deleted)], &[actor], &[], &[]);
        let join = |text: &str| people.find_joined(text).map(|(_, join)| join);
        assert_eq!((join(CUID), join(OTHER)), (Some(Join::Id), Some(Join::UserName)));
    }

    #[test]
    fn an_id_that_is_nobodys_is_not_the_namesake() {
        let mut stranger = change(5, true, "Ann");
        stranger.names.push(OTHER.into());
        assert_eq!(ann(&[(None, graph())], &[stranger], &[]).absences.len(), 0);
    }

    #[test]
    fn the_newest_dated_claim_decides_and_an_undated_list_does_not() {
        let with = |state| UserRow { state: Some(state), ..graph() };
        let (active, disabled) = (with(OwnerState::Active), with(OwnerState::Disabled));
        let left = [change(5, true, CUID)];
        let state = |users: &[(Option<Micros>, UserRow)]| {
            let ann = ann(users, &left, &[]);
            (ann.state, ann.gone_at)
        };
        assert_eq!(state(&[(Some(9), active.clone())]), (OwnerState::Active, None));
        assert_eq!(state(&[(Some(4), active.clone())]), (OwnerState::Removed, Some(5)));
        assert_eq!(state(&[(Some(9), disabled.clone())]), (OwnerState::Disabled, Some(5)));
        assert_eq!(state(&[(None, active)]), (OwnerState::Removed, Some(5)));
        // An undated list against a dated sign-in is a contradiction, not an answer.
        let here = ann(&[(None, disabled)], &[], &[sign_in(3, 3)]);
        assert_eq!(here.state, OwnerState::Active);
        assert!(here.claims.iter().any(|c| c.value == "disabled" && c.standing == Standing::Contradicts));
    }

    #[test]
    fn a_name_that_two_people_share_names_nobody() {
        let other = UserRow { upn: "ann2@x.example".into(), name: "Ann".into(), ..UserRow::default() };
        let people = People::build(&[(None, graph()), (None, other)], &[], &[], &[]);
        assert!(people.find("ann").is_none());
        assert!(people.find("ann2@x.example").is_some());
    }

    #[test]
    fn a_user_name_that_passed_on_is_whose_it_was_then() {
        let actor =
            |id: &str, upn: &str, span| Actor { id: id.into(), upn: upn.into(), name: String::new(), span };
        let actors = [
            actor(KEY, "ann@x.example", (0, 10)),
            actor(KEY, "ann.new@x.example", (11, 90)),
            actor(OTHER, "ann@x.example", (20, 90)),
        ];
        let people = People::build(&[], &actors, &[], &[]);
        let who =
            |text: &str, time| people.number(text, Some(time)).map(|(at, _)| people.all()[at].id.clone());
        assert_eq!(who("ann@x.example", 5), Some(Some(KEY.to_owned())));
        assert_eq!(who("ann@x.example", 30), Some(Some(OTHER.to_owned())));
        assert_eq!(who("ann.new@x.example", 5), Some(Some(KEY.to_owned())));
        assert!(people.find("ann@x.example").is_none(), "without a time it names nobody");
    }

    #[test]
    fn administrators_are_those_that_were_put_in_and_stayed() {
        let mut people = People::build(&[(None, graph())], &[], &[], &[]);
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
