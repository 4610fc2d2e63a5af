//! Lists, ledger and events resolved into one row a token and organisation.
//!
//! In: the lists of an organisation, the ledger, the attributions, the people. Out: [`Token`]s. Each field is the newest
//! dated claim on it, whatever source states it, and every token carries its claims with what became of them.

use super::attribution::{Attribution, How};
use super::claims::token::{Listing, Reach, Said};
use super::claims::{Resolved, Stated, resolve};
use super::elsewhere;
use super::inventory::Inventory;
use super::ledger::{Entry, Ledger};
use super::people::{People, Person};
use crate::model::claim::{Claim, Field, Join, Source, Standing};
use crate::model::finding::Confidence;
use crate::model::identity::{guid, is_guid, person_key};
use crate::model::time::{DAY, Micros, day_of, day_text, format_time};
use crate::model::token::{
    Grant, KnownFrom, LifeEvent, OwnerFacts, OwnerState, Token, TokenState, split_scopes,
};
use std::collections::{BTreeMap, BTreeSet};

/// Everything that tokens are made of.
#[derive(Debug, Default)]
pub struct Sources<'a> {
    /// Inventories by organisation.
    pub inventories: BTreeMap<String, Inventory>,
    /// The ledger.
    pub ledger: Ledger,
    /// People by organisation.
    pub people: BTreeMap<String, People>,
    /// Organisation ids to names, as the lake knows them.
    pub scopes: BTreeMap<String, String>,
    /// Organisations that the lake knows; what a token did in others is not seen.
    pub orgs: Vec<String>,
    /// Attributions.
    pub attributions: &'a [Attribution],
    /// What the use of a token says of it, by (organisation, token id): its mechanism's class and who acted.
    pub uses: BTreeMap<(String, String), Said>,
    /// The run's instant.
    pub as_of: Micros,
}

impl Sources<'_> {
    /// What the ledgers of all organisations say of a token, that of its own first.
    #[must_use]
    pub fn entries(&self, org: &str, token_id: &str) -> Vec<(&str, &Entry)> {
        let key = |org: &str| (org.to_owned(), token_id.to_owned());
        let of =
            |name: &str| self.ledger.get_key_value(&key(name)).map(|((org, _), entry)| (org.as_str(), entry));
        let others = self.orgs.iter().filter(|other| *other != org && is_guid(token_id));
        of(org).into_iter().chain(others.filter_map(|other| of(other))).collect()
    }
}

/// Merges everything into tokens, by organisation and id.
#[must_use]
pub fn merge(sources: &Sources<'_>) -> Vec<Token> {
    let mut keys: BTreeSet<(String, String)> = sources.ledger.keys().cloned().collect();
    for (org, inventory) in &sources.inventories {
        keys.extend(inventory.lists.iter().flat_map(|l| &l.rows).map(|r| (org.clone(), r.token_id.clone())));
    }
    let mut attributed: BTreeMap<(String, String), (Option<&str>, Join)> = BTreeMap::new();
    for attribution in sources.attributions {
        let Some(token_id) = &attribution.token_id else { continue };
        let key = (attribution.org.clone(), token_id.clone());
        let join = if attribution.how == How::Exact { Join::Id } else { Join::UniquePrefix };
        let slot = attributed.entry(key.clone()).or_insert((None, join));
        slot.0 = slot.0.or(attribution.listed_in.as_deref());
        slot.1 = slot.1.max(join);
        keys.insert(key);
    }
    let listed: BTreeMap<&str, Listed<'_>> =
        sources.inventories.iter().map(|(org, inventory)| (org.as_str(), Listed::of(inventory))).collect();
    let mut of_id: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (org, token_id) in sources.ledger.keys() {
        of_id.entry(token_id).or_default().insert(org);
    }
    for (org, listed) in &listed {
        for token_id in listed.rows.keys() {
            of_id.entry(token_id).or_default().insert(org);
        }
    }
    keys.iter()
        .map(|key| {
            let use_of = attributed.get(key).copied();
            let home = use_of.and_then(|(home, _)| home);
            // A whole id is one token in every organisation, so what any of them says of it holds in all.
            let own = [Some(key.0.as_str()), home].into_iter().flatten();
            let others = of_id.get(key.1.as_str()).into_iter().flatten().copied();
            let mut homes: Vec<&str> = own.chain(others.filter(|_| is_guid(&key.1))).collect();
            let mut met = BTreeSet::new();
            homes.retain(|org| met.insert(*org));
            one(sources, key, &homes, &listed, use_of.map(|(_, join)| join))
        })
        .collect()
}

/// Rows of an organisation's lists by token, with the list of each.
struct Listed<'a> {
    rows: BTreeMap<&'a str, Vec<(usize, &'a crate::model::inventory::InventoryRow)>>,
    inventory: &'a Inventory,
    /// Tokens that no newer list leaves out although it would have to list them.
    current: BTreeSet<&'a str>,
}

impl<'a> Listed<'a> {
    fn of(inventory: &'a Inventory) -> Self {
        let mut rows: BTreeMap<&str, Vec<_>> = BTreeMap::new();
        for (at, list) in inventory.lists.iter().enumerate() {
            for row in &list.rows {
                rows.entry(&row.token_id).or_default().push((at, row));
            }
        }
        let current = inventory.rows().into_iter().map(|row| row.token_id.as_str()).collect();
        Self { rows, inventory, current }
    }

    /// Adds what the lists say of one token. Returns whether any lists it, and whether a complete one does that no newer
    /// one contradicts by leaving it out.
    fn say(&self, said: &mut Said, token_id: &str) -> (bool, bool) {
        let rows = self.rows.get(token_id).map_or(&[][..], Vec::as_slice);
        let mut is_complete = false;
        for (at, row) in rows {
            let list = &self.inventory.lists[*at];
            let owner = row.user_id.as_deref().and_then(person_key);
            let complete = list.complete || owner.is_some_and(|owner| list.complete_for.contains(&owner));
            said.add_row(row, Listing { taken: list.dated.then_some(list.taken), complete });
            is_complete |= complete;
        }
        (!rows.is_empty(), is_complete && self.current.contains(token_id))
    }
}

fn one(
    sources: &Sources<'_>,
    (org, token_id): &(String, String),
    homes: &[&str],
    listed: &BTreeMap<&str, Listed<'_>>,
    seen: Option<Join>,
) -> Token {
    let entries: Vec<&Entry> =
        homes.iter().filter_map(|home| sources.ledger.get(&((*home).to_owned(), token_id.clone()))).collect();
    let lists: Vec<&Listed<'_>> = homes.iter().filter_map(|home| listed.get(home)).collect();
    let mut said = Said::default();
    entries.iter().for_each(|entry| said.extend(&entry.said));
    let (mut is_listed, mut is_current) = (false, false);
    for list in &lists {
        let (listed, current) = list.say(&mut said, token_id);
        is_listed |= listed;
        is_current |= current;
    }
    // Its use in any organisation shows its class and its owner.
    let uses = homes.iter().filter_map(|home| sources.uses.get(&((*home).to_owned(), token_id.clone())));
    uses.for_each(|uses| said.extend(uses));
    // The people of the organisation itself, else those of one that knows the token.
    let mut owners = homes.iter().map(|home| (*home, owner(&said, sources.people.get(*home))));
    let first = owners.next().unwrap_or_else(|| (org, owner(&said, None)));
    let (known_in, owner) = if first.1.person.is_some() {
        first
    } else {
        owners.find(|(_, o)| o.person.is_some()).unwrap_or(first)
    };
    let (names, scopes) = (one_tier(said.names, |a, b| a == b), {
        resolve(vec![said.scopes, said.class_scopes], |a: &Vec<String>, b| a == b || is_full(a) && is_full(b))
    });
    let reach = resolve(vec![said.reach.clone(), said.class_reach], Reach::agrees);
    // The service writes seconds or days, the list microseconds.
    let ends = one_tier(said.ends, |a, b| (a - b).abs() <= DAY);
    let created = earliest(said.created);
    let (revoked, leaked) = (strongest(said.revoked), strongest(said.leaked));
    let valid = validity(said.valid, said.made_valid);
    let last_use = said.users.iter().filter_map(|s| s.claim.time).max();
    let known = [
        (is_listed, KnownFrom::Inventory),
        (!entries.is_empty(), KnownFrom::Ledger),
        (seen.is_some(), KnownFrom::Events),
    ];
    let person = owner.person;
    let mut token = Token {
        org: org.clone(),
        token_id: token_id.clone(),
        name: names.value(),
        owner: owner.label.clone(),
        owner_id: owner.id.clone(),
        owner_state: person.map_or(OwnerState::Unknown, |p| p.state),
        owner_gone_at: person.and_then(|p| p.gone_at),
        known_from: known.into_iter().filter(|(known, _)| *known).map(|(_, from)| from).collect(),
        state: TokenState::Unknown,
        scopes: scopes.value(),
        grants: grants(&entries, &lists, token_id, &created),
        all_orgs: reach.value().map(|r| r == Reach::All),
        reaches_unseen_orgs: false,
        valid_from: created.value(),
        valid_to: ends.value(),
        revoked_at: revoked.value(),
        leaked_at: leaked.value(),
        life: life(&entries),
        other_orgs: Vec::new(),
        joined_by_name: entries.iter().any(|e| e.joined_by_name),
        owner_facts: OwnerFacts::default(),
        claims: Vec::new(),
    };
    set_reach(&mut token, sources, &reach, &said.reach);
    let expired_at = entries.iter().filter_map(|e| e.expired_at).max();
    token.state = state(&token, expired_at, &revoked, &valid, is_current, (last_use, sources.as_of));
    // What is said of a person holds for the token only as surely as the person is its owner.
    let of_person = person.into_iter().flat_map(|p| &p.claims).cloned();
    let of_person = of_person.map(|claim| Claim { join: claim.join.min(owner.join), ..claim });
    let elsewhere = person.map_or_else(Vec::new, |p| elsewhere::contrary(sources, &token, known_in, p));
    token.claims = [
        names.claims,
        owner.claims,
        of_person.collect(),
        elsewhere,
        scopes.claims,
        reach.claims,
        created.claims,
    ]
    .into_iter()
    .chain([ends.claims, valid.claims, revoked.claims, leaked.claims])
    .flatten()
    .collect();
    token.claims.sort();
    token
}

fn is_full(scopes: &[String]) -> bool {
    scopes.iter().any(|s| crate::model::token::is_full_scope(s))
}

fn one_tier<T: Clone>(stated: Vec<Stated<T>>, same: impl Fn(&T, &T) -> bool) -> Resolved<T> {
    resolve(vec![stated], same)
}

/// Whether the service accepts a token. A list that names it was taken after its creation, whenever that was, so that what
/// the creation shows is older than any list; changes have no such order to a list without a date.
fn validity(stated: Vec<Stated<bool>>, made: Vec<Stated<bool>>) -> Resolved<bool> {
    if stated.iter().any(|s| s.claim.source == Source::List && s.claim.time.is_none()) {
        let mut resolved = one_tier(stated, |a, b| a == b);
        let held = resolved.value();
        resolved.claims.extend(made.into_iter().map(|s| {
            let standing = if Some(s.value) == held { Standing::Holds } else { Standing::Superseded };
            Claim { standing, ..s.claim }
        }));
        return resolved;
    }
    one_tier([stated, made].concat(), |a, b| a == b)
}

/// The first creation: what comes later is an edit that keeps it (facts, section 7).
fn earliest(stated: Vec<Stated<Micros>>) -> Resolved<Micros> {
    let held = stated.iter().min_by_key(|s| (s.value, s.claim.clone())).cloned();
    let first = held.as_ref().map(|s| s.value).unwrap_or_default();
    let standing = |value: Micros| if value - first <= DAY { Standing::Holds } else { Standing::Contradicts };
    let claims = stated.into_iter().map(|s| Claim { standing: standing(s.value), ..s.claim }).collect();
    Resolved { held, claims }
}

/// What happens once: the first time that the surest claims give. A claim by name neither moves it nor makes it doubtful.
fn strongest(stated: Vec<Stated<Micros>>) -> Resolved<Micros> {
    let surest = stated.iter().map(|s| s.claim.join.certainty()).max();
    let is_certain = surest == Some(Confidence::High);
    let counts = |s: &&Stated<Micros>| !is_certain || s.claim.join.certainty() == Confidence::High;
    let held = stated.iter().filter(counts).min_by_key(|s| (s.value, s.claim.clone())).cloned();
    Resolved { held, claims: stated.into_iter().map(|s| s.claim).collect() }
}

/// The owner of a token, as its claims name them.
struct Owner<'a> {
    id: Option<String>,
    label: Option<String>,
    person: Option<&'a Person>,
    /// How the person was found.
    join: Join,
    claims: Vec<Claim>,
}

fn owner<'a>(said: &Said, people: Option<&'a People>) -> Owner<'a> {
    // Two texts name one owner if they name one person, or are the same.
    let key = |text: &String| -> String {
        match people.and_then(|p| p.number(text, None)) {
            Some((number, _)) => format!("#{number}"),
            None => person_key(text).unwrap_or_else(|| text.trim().to_lowercase()),
        }
    };
    let tiers = vec![said.owners.clone(), said.creators.clone(), said.users.clone()];
    let all: Vec<String> = tiers.iter().flatten().map(|s| s.value.clone()).collect();
    let resolved = resolve(tiers, |a, b| key(a) == key(b));
    let Some(held) = &resolved.held else {
        return Owner { id: None, label: None, person: None, join: Join::DisplayName, claims: Vec::new() };
    };
    let own = key(&held.value);
    let mut texts: Vec<&String> = all.iter().filter(|text| key(text) == own).collect();
    texts.sort();
    let found =
        people.and_then(|p| texts.iter().filter_map(|t| p.find_joined(t)).max_by_key(|(_, join)| *join));
    let person = found.map(|(person, _)| person);
    // The surest of the claims that name this owner, each as sure as its text names the person.
    let sure = |c: &Claim| {
        let located = people.and_then(|p| p.find_joined(&c.value)).map(|(_, join)| join);
        located.map_or(c.join, |join| join.min(c.join))
    };
    let holds = || resolved.claims.iter().filter(|c| c.standing == Standing::Holds);
    let join = holds().map(sure).max().unwrap_or(Join::DisplayName);
    // A PAT acts as its owner: one that somebody else used after the owner was stated is known no better than by name.
    let stated = holds().map(|c| c.time).max().flatten();
    let by_another = |c: &Claim| {
        c.standing == Standing::Contradicts && c.join.certainty() == Confidence::High && c.time >= stated
    };
    let join = if resolved.claims.iter().any(by_another) { join.min(Join::UserName) } else { join };
    let id = texts.iter().find_map(|t| guid(t).map(std::borrow::Cow::into_owned));
    let id = id.or_else(|| person.and_then(|p| p.id.clone()));
    let said = texts.iter().filter(|t| guid(t).is_none()).max_by_key(|t| t.contains('@'));
    let label =
        person.map(|p| p.label.clone()).filter(|l| !l.is_empty()).or_else(|| said.map(|t| (*t).clone()));
    let label = label.map(|l| if l.contains('@') { l.to_lowercase() } else { l }).filter(|l| !l.is_empty());
    Owner { label: label.or_else(|| id.clone()), id, person, join, claims: resolved.claims }
}

/// Every grant that is known, oldest first: those that events state, and the listed ones where they say something else. A
/// list taken before the first change shows what was in force until then; of a list without a date that is not known.
fn grants(
    entries: &[&Entry],
    lists: &[&Listed<'_>],
    token_id: &str,
    created: &Resolved<Micros>,
) -> Vec<Grant> {
    let mut grants: Vec<Grant> = entries.iter().flat_map(|e| e.grants.iter().cloned()).collect();
    grants.sort_by_key(|grant| grant.since);
    let is_created = entries.iter().any(|e| e.created.is_some());
    let mut rows: Vec<_> = lists
        .iter()
        .flat_map(|l| {
            l.rows.get(token_id).into_iter().flatten().map(|(at, row)| (&l.inventory.lists[*at], *row))
        })
        .collect();
    rows.sort_by_key(|(list, _)| list.taken);
    for (list, row) in rows {
        let Some(scopes) = row.scopes.as_deref().map(split_scopes).filter(|scopes| !scopes.is_empty()) else {
            continue;
        };
        let grant = |scopes| Grant {
            scopes: Some(scopes),
            valid_to: row.valid_to,
            all_orgs: row.targets.all(),
            targets: row.targets.listed().cloned().unwrap_or_default(),
            listed: true,
            ..Grant::default()
        };
        // A list without a date says nothing of when: it stands for what was in force before the first change.
        let before = grants.iter().rposition(|g| list.dated && g.since <= list.taken);
        match before {
            Some(at) if grants[at].scopes.as_ref() == Some(&scopes) => {}
            // The list differs from what was known until then: a change that the log does not have.
            Some(at) => grants.insert(at + 1, Grant { since: list.taken, ..grant(scopes) }),
            None if is_created || !list.dated && !grants.is_empty() => {}
            None => {
                let since = created.value().unwrap_or(Micros::MIN);
                grants.insert(0, Grant { since, ..grant(scopes) });
            }
        }
    }
    grants
}

/// Everything that events of any organisation say happened to a token, oldest first.
fn life(entries: &[&Entry]) -> Vec<LifeEvent> {
    let mut life: Vec<LifeEvent> = entries.iter().flat_map(|e| e.life.iter().cloned()).collect();
    life.sort_by(|a, b| (a.time, &a.event_id).cmp(&(b.time, &b.event_id)));
    life.dedup();
    life
}

/// Which other organisations the token reaches: those of this run by name, the others as a flag.
fn set_reach(token: &mut Token, sources: &Sources<'_>, reach: &Resolved<Reach>, said: &[Stated<Reach>]) {
    // "Not all" names nobody; the newest claim that does, does.
    let named = |s: &&Stated<Reach>| matches!(&s.value, Reach::Only(ids) if !ids.is_empty());
    let newest =
        said.iter().filter(named).max_by(|a, b| (a.claim.time, &a.claim).cmp(&(b.claim.time, &b.claim)));
    let targets = match (reach.value(), newest) {
        (Some(Reach::Only(ids)), _) if !ids.is_empty() => ids,
        (Some(Reach::Only(_)), Some(Stated { value: Reach::Only(ids), .. })) => ids.clone(),
        (Some(Reach::All), _) => {
            token.reaches_unseen_orgs = true;
            return;
        }
        _ => return,
    };
    let judged = |id: &String| sources.scopes.get(id).filter(|name| sources.orgs.contains(name));
    // An organisation that nobody knows may be any, so the reach is not known to end here.
    token.reaches_unseen_orgs = targets.iter().any(|id| judged(id).is_none());
    token.other_orgs = targets.iter().filter_map(judged).filter(|org| **org != token.org).cloned().collect();
    token.other_orgs.sort();
    token.other_orgs.dedup();
}

/// What lists and the log say against each other of one token, as a sentence.
#[must_use]
pub fn differs(sources: &Sources<'_>, token: &Token) -> Option<String> {
    let mut parts: Vec<String> = Vec::new();
    let inventory = sources.inventories.get(&token.org);
    let entry = sources.ledger.get(&(token.org.clone(), token.token_id.clone()));
    if let (Some(inventory), Some(entry)) = (inventory, entry) {
        let newest = inventory.lists.iter().rfind(|l| l.complete && l.dated);
        let left_out = newest.is_some_and(|list| {
            entry.last_change.is_some_and(|at| at <= list.taken)
                && !list.rows.iter().any(|row| row.token_id == token.token_id)
                && token.valid_to.is_none_or(|to| to > list.taken)
        });
        if left_out && token.revoked_at.is_none() && entry.expired_at.is_none() && !token.is_over() {
            parts.push("events created it and none ended it, and the complete list leaves it out".to_owned());
        }
    }
    let alive = |c: &&Claim| {
        let (later, list) = (c.time.is_none_or(|at| Some(at) > token.revoked_at), c.source == Source::List);
        c.field == Field::State && c.value == "valid" && list && later
    };
    if let Some((at, list)) = token.revoked_at.zip(token.claims.iter().rfind(alive)) {
        parts.push(format!("an event revokes it at {}, {} calls it valid", format_time(at), said_by(list)));
    }
    for field in [Field::State, Field::OwnerState, Field::Scopes, Field::Reach, Field::Ends] {
        let of_field =
            |standing| token.claims.iter().filter(move |c| c.field == field && c.standing == standing);
        let contrary =
            of_field(Standing::Contradicts).filter(|c| c.stated_in.is_none()).max_by_key(|c| c.time);
        let held = of_field(Standing::Holds).max_by_key(|c| (c.time, c.join));
        let Some((contrary, held)) = contrary.zip(held) else { continue };
        // A class that disagrees with the grant is a finding of its own.
        if [contrary, held].iter().any(|c| c.source == Source::MechanismClass) {
            continue;
        }
        parts.push(format!("{} {}, {} {}", said_by(contrary), says(contrary), said_by(held), says(held)));
    }
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// The source of a claim and its day, as a sentence begins.
fn said_by(claim: &Claim) -> String {
    match claim.time {
        Some(time) => format!("the {} of {}", claim.source, day_text(day_of(time))),
        None => format!("a {} without a date", claim.source),
    }
}

/// What a claim says, as a sentence goes on.
fn says(claim: &Claim) -> String {
    match claim.field {
        Field::Scopes => format!("grants {}", claim.value),
        Field::Reach => format!("says that it is for {}", claim.value),
        Field::Ends => format!("ends it at {}", claim.value),
        Field::OwnerState if claim.value == "signed in" => "shows that the owner signed in".to_owned(),
        Field::OwnerState => format!("says that the owner is {}", claim.value),
        _ => format!("calls it {}", claim.value),
    }
}

fn state(
    token: &Token,
    expired_at: Option<Micros>,
    revoked: &Resolved<Micros>,
    valid: &Resolved<bool>,
    is_current: bool,
    (last_use, as_of): (Option<Micros>, Micros),
) -> TokenState {
    if let Some(at) = revoked.value().filter(|t| *t <= as_of) {
        // A later list or a later change shows the token alive: then neither is sure, and neither is said.
        let alive = valid.value() == Some(true) && valid.time().is_some_and(|then| then > at);
        return if alive { TokenState::Unknown } else { TokenState::Revoked };
    }
    let ended = token.valid_to.is_some_and(|to| to <= as_of);
    let said_expired = expired_at.is_some_and(|at| token.valid_to.is_none_or(|to| to <= at.max(as_of)));
    if ended || said_expired {
        return TokenState::Expired;
    }
    let unsaid = !valid.claims.iter().any(|c| c.source == Source::List);
    let complete = |c: &Claim| c.standing == Standing::Holds && c.complete && c.value == "valid";
    match valid.value() {
        // A list calls it invalid although its end has not come: somebody ended it, unless it was used since, or the list
        // has no date and use shows that it was valid at some time.
        Some(false) if last_use <= valid.time() => TokenState::Revoked,
        Some(false) => TokenState::Unknown,
        _ if is_current && token.valid_to.is_some() && (unsaid || valid.claims.iter().any(complete)) => {
            TokenState::Active
        }
        _ => TokenState::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::inventory::List;
    use crate::analysis::ledger::{TokenEvent, build};
    use crate::model::inventory::{InventoryRow, Targets};

    const ID: &str = "aaaaaaaa-0000-1111-2222-333333333333";
    const ANN: &str = "11111111-1111-4111-8111-111111111111";
    const BOB: &str = "22222222-2222-4222-8222-222222222222";

    fn row() -> InventoryRow {
        InventoryRow {
            token_id: ID.into(),
            scopes: Some("vso.code vso.build".into()),
            targets: Targets::Listed(vec!["s1".into()]),
            valid_to: Some(100),
            is_valid: Some(true),
            ..InventoryRow::default()
        }
    }

    fn list(taken: Option<Micros>, complete: bool, row: InventoryRow) -> List {
        List {
            taken: taken.unwrap_or(90),
            dated: taken.is_some(),
            complete,
            rows: vec![row],
            ..List::default()
        }
    }

    fn event(time: Micros, action: &str) -> TokenEvent {
        TokenEvent {
            org: "o".into(),
            event_id: format!("e{time}"),
            time,
            action: format!("Token.Pat{action}Event"),
            token_id: ID.into(),
            ..TokenEvent::default()
        }
    }

    fn sources(lists: Vec<List>, events: Vec<TokenEvent>, as_of: Micros) -> Sources<'static> {
        Sources {
            inventories: BTreeMap::from([("o".to_owned(), Inventory::of(lists))]),
            ledger: build(events, &[], &|_, text| vec![text.to_lowercase()]).0,
            scopes: BTreeMap::from([("s1".to_owned(), "o".to_owned())]),
            orgs: vec!["o".to_owned()],
            as_of,
            ..Sources::default()
        }
    }

    fn token(lists: Vec<List>, events: Vec<TokenEvent>, as_of: Micros) -> Token {
        merge(&sources(lists, events, as_of)).remove(0)
    }

    #[test]
    fn active_needs_a_complete_list() {
        let with = |row, complete, as_of| token(vec![list(Some(50), complete, row)], vec![], as_of).state;
        assert_eq!(with(row(), true, 60), TokenState::Active);
        assert_eq!(with(row(), false, 60), TokenState::Unknown);
        assert_eq!(with(row(), true, 100), TokenState::Expired);
        assert_eq!(with(InventoryRow { is_valid: Some(false), ..row() }, true, 60), TokenState::Revoked);
    }

    #[test]
    fn a_token_that_the_newest_complete_list_leaves_out_stays_and_is_not_active() {
        let other = InventoryRow { token_id: "bbbbbbbb-0000-1111-2222-333333333333".into(), ..row() };
        let tokens =
            merge(&sources(vec![list(Some(10), true, row()), list(Some(20), true, other)], vec![], 60));
        let states: Vec<TokenState> = tokens.iter().map(|t| t.state).collect();
        assert_eq!(states, [TokenState::Unknown, TokenState::Active]);
    }

    #[test]
    fn an_old_list_does_not_undo_a_later_extension() {
        let invalid = InventoryRow { is_valid: Some(false), ..row() };
        let mut extended = event(20, "Update");
        extended.valid_to = "1970-01-02T00:00:00Z".into();
        let token = token(vec![list(Some(10), true, invalid)], vec![extended], 60);
        assert_eq!(token.state, TokenState::Unknown);
        assert_eq!(token.valid_to, Some(DAY));
    }

    #[test]
    fn a_later_list_that_calls_a_revoked_token_valid_leaves_its_state_open() {
        let later = || vec![list(Some(30), true, row())];
        assert_eq!(token(later(), vec![event(20, "Revoke")], 60).state, TokenState::Unknown);
        assert_eq!(token(later(), vec![event(40, "Revoke")], 60).state, TokenState::Revoked);
        let undated = vec![list(None, true, row())];
        assert_eq!(
            token(undated, vec![event(20, "Revoke")], 60).state,
            TokenState::Revoked,
            "no date, no undoing"
        );
    }

    fn used(sources: &mut Sources<'_>, by: &str, time: Micros) {
        let claim = Claim::new(Field::Owner, by, Some(time), Source::Event);
        let users = vec![Stated { value: by.to_owned(), claim }];
        sources.uses.insert(("o".into(), ID.into()), Said { users, ..Said::default() });
    }

    #[test]
    fn a_token_that_is_used_after_a_list_calls_it_invalid_is_not_out_of_force() {
        let of = |taken, time| {
            let invalid = InventoryRow { is_valid: Some(false), ..row() };
            let mut sources = sources(vec![list(taken, true, invalid)], vec![], 60);
            used(&mut sources, ANN, time);
            merge(&sources)[0].state
        };
        assert_eq!(of(Some(30), 20), TokenState::Revoked);
        assert_eq!(of(Some(30), 40), TokenState::Unknown);
        assert_eq!(of(None, 20), TokenState::Unknown, "when the list was taken nobody knows");
    }

    #[test]
    fn an_owner_whom_later_use_contradicts_carries_no_revocation() {
        let of = |taken, time| {
            let listed = InventoryRow { user_id: Some(ANN.into()), ..row() };
            let mut sources = sources(vec![list(taken, true, listed)], vec![], 60);
            used(&mut sources, BOB, time);
            let gone = crate::model::inventory::UserRow {
                storage_key: Some(ANN.into()),
                state: Some(OwnerState::Removed),
                ..Default::default()
            };
            let people = People::build(&[(Some(50), gone)], &[], &[], &[]);
            sources.people = BTreeMap::from([("o".to_owned(), people)]);
            let token = merge(&sources).remove(0);
            (token.owner_state, token.certainty(&[Field::Owner, Field::OwnerState]))
        };
        assert_eq!(of(Some(30), 20), (OwnerState::Removed, Confidence::High));
        assert_eq!(of(Some(30), 40), (OwnerState::Removed, Confidence::Medium));
        assert_eq!(of(None, 20), (OwnerState::Removed, Confidence::Medium));
    }

    #[test]
    fn a_partial_newer_row_hides_nothing() {
        let whole = InventoryRow { user_id: Some(ANN.into()), name: Some("deploy".into()), ..row() };
        let partial = InventoryRow { token_id: ID.into(), valid_to: Some(200), ..InventoryRow::default() };
        let token = token(vec![list(Some(10), true, whole), list(Some(20), false, partial)], vec![], 60);
        assert_eq!((token.owner_id.as_deref(), token.name.as_deref()), (Some(ANN), Some("deploy")));
        assert_eq!(token.valid_to, Some(200));
    }

    #[test]
    fn an_undated_list_never_beats_an_event() {
        let mut widened = event(20, "Update");
        widened.scopes = "vso.code_full".into();
        let token = token(vec![list(None, true, row())], vec![widened], 60);
        assert_eq!(token.scopes, Some(vec!["vso.code_full".to_owned()]));
        let undated =
            token.claims.iter().find(|c| c.field == Field::Scopes && c.time.is_none()).expect("claim");
        assert_eq!(undated.standing, Standing::Contradicts);
    }

    #[test]
    fn any_list_that_names_a_token_is_later_than_its_creation() {
        let invalid = || InventoryRow { is_valid: Some(false), ..row() };
        let of = |change| {
            let sources = sources(vec![list(None, true, invalid())], vec![event(20, change)], 60);
            let token = merge(&sources).remove(0);
            (token.state, differs(&sources, &token).is_some())
        };
        assert_eq!(of("Create"), (TokenState::Revoked, false));
        assert_eq!(of("Update"), (TokenState::Unknown, true), "a change may be later than the list");
    }

    #[test]
    fn a_later_reach_beats_an_older_one_whatever_states_it() {
        let mut global = event(20, "Update");
        global.all_orgs = "true".into();
        let wide = token(vec![list(Some(10), true, row())], vec![global.clone()], 60);
        assert_eq!((wide.all_orgs, wide.reaches_unseen_orgs), (Some(true), true));
        let narrow = token(vec![list(Some(30), true, row())], vec![global], 60);
        assert_eq!((narrow.all_orgs, narrow.reaches_unseen_orgs), (Some(false), false));
    }

    #[test]
    fn a_list_without_targets_leaves_the_reach_unknown() {
        let silent = InventoryRow { targets: Targets::Unknown, ..row() };
        let token = token(vec![list(Some(50), true, silent)], vec![], 60);
        assert_eq!((token.all_orgs, token.reaches_unseen_orgs), (None, false));
        assert!(!token.is_for_one_org());
    }

    #[test]
    fn a_target_that_nobody_knows_is_unknown_reach() {
        let elsewhere = InventoryRow { targets: Targets::Listed(vec!["s9".into()]), ..row() };
        let mut sources = sources(vec![list(Some(10), true, elsewhere)], vec![], 60);
        assert!(merge(&sources)[0].reaches_unseen_orgs);
        sources.scopes.clear();
        assert!(merge(&sources)[0].reaches_unseen_orgs);
    }

    #[test]
    fn a_leak_by_name_is_medium_and_a_leak_by_id_certain() {
        let mut by_name = event(30, "PublicDiscovery");
        (by_name.token_id, by_name.name, by_name.owner) = (String::new(), "deploy".into(), "ann@x".into());
        let mut created = event(5, "Create");
        (created.name, created.owner) = ("deploy".into(), "ann@x".into());
        let of = |events: Vec<TokenEvent>| {
            let token = token(vec![], events, 60);
            (token.leaked_at, crate::model::claim::certainty(&token.claims, &[Field::Leaked]))
        };
        use crate::model::finding::Confidence;
        assert_eq!(of(vec![created.clone(), by_name.clone()]), (Some(30), Confidence::Medium));
        let by_id = event(40, "PublicDiscovery");
        assert_eq!(
            of(vec![created, by_name, by_id]),
            (Some(40), Confidence::High),
            "the certain one dates it"
        );
    }

    #[test]
    fn who_used_a_token_does_not_lend_its_owner_a_name() {
        let of = |actor: &str| {
            let listed = InventoryRow { user_id: Some(ANN.into()), ..row() };
            let mut sources = sources(vec![list(Some(50), true, listed)], vec![], 60);
            let users = [(actor, Join::Id), ("ann@x", Join::UserName)].map(|(text, join)| Stated {
                value: text.to_owned(),
                claim: Claim::new(Field::Owner, text, Some(40), Source::Event).joined(join),
            });
            let actor = crate::analysis::people::Actor {
                id: actor.into(),
                upn: "ann@x".into(),
                ..Default::default()
            };
            sources.people = BTreeMap::from([("o".to_owned(), People::build(&[], &[actor], &[], &[]))]);
            sources.uses.insert(("o".into(), ID.into()), Said { users: users.to_vec(), ..Said::default() });
            merge(&sources)[0].owner.clone()
        };
        assert_eq!(of(ANN).as_deref(), Some("ann@x"));
        assert_eq!(of(BOB).as_deref(), Some(ANN));
    }

    #[test]
    fn a_class_says_full_access_where_no_grant_is_known_and_contradicts_one_that_is() {
        let class = Stated {
            value: vec!["app_token".to_owned()],
            claim: Claim::new(Field::Scopes, "app_token", Some(40), Source::MechanismClass)
                .joined(Join::Class),
        };
        let of = |lists| {
            let mut sources = sources(lists, vec![event(5, "Create")], 60);
            let said = Said { class_scopes: vec![class.clone()], ..Said::default() };
            sources.uses.insert(("o".into(), ID.into()), said);
            merge(&sources).remove(0)
        };
        let alone = of(vec![]);
        assert!(alone.is_full_access());
        assert_eq!(crate::model::claim::certainty(&alone.claims, &[Field::Scopes]), Confidence::Medium);
        let listed = of(vec![list(Some(50), true, row())]);
        assert!(!listed.is_full_access());
        let contrary = |c: &&Claim| c.source == Source::MechanismClass && c.standing == Standing::Contradicts;
        assert_eq!(listed.claims.iter().filter(contrary).count(), 1);
    }

    #[test]
    fn a_global_token_used_here_brings_its_grant_along() {
        let attribution = Attribution {
            org: "p".into(),
            visible: ID[..28].into(),
            how: How::Prefix,
            token_id: Some(ID.into()),
            listed_in: Some("o".into()),
            candidates: vec![],
        };
        let global = InventoryRow { targets: Targets::AllOrganisations, ..row() };
        let attributions = [attribution];
        let sources = Sources {
            attributions: &attributions,
            ..sources(vec![list(Some(50), true, global)], vec![], 60)
        };
        let tokens = merge(&sources);
        assert_eq!(tokens.len(), 2);
        assert_eq!(
            (tokens[1].org.as_str(), tokens[1].all_orgs, tokens[1].state),
            ("p", Some(true), TokenState::Active)
        );
        assert!(tokens.iter().all(|t| t.reaches_unseen_orgs));
    }

    #[test]
    fn a_dated_list_and_older_events_that_differ_say_so() {
        let mut created = event(10, "Create");
        created.scopes = "vso.code".into();
        let of = |taken, scopes: &str| {
            let listed = InventoryRow { scopes: Some(scopes.into()), ..row() };
            let sources = sources(vec![list(taken, true, listed)], vec![created.clone()], 60);
            let token = merge(&sources).remove(0);
            differs(&sources, &token)
        };
        let said = of(Some(50), "vso.build").expect("they differ");
        assert!(said.contains("grants vso.code, the list of 1970-01-01 grants vso.build"), "{said}");
        assert_eq!(of(Some(50), "vso.code"), None);
        assert_eq!(of(Some(5), "vso.build"), None, "an older list contradicts nothing");
        assert!(of(None, "vso.build").expect("undated").contains("a list without a date grants vso.build"));
        let revoked = sources(vec![list(Some(50), true, row())], vec![event(10, "Revoke")], 60);
        let said = differs(&revoked, &merge(&revoked)[0]).expect("revoked and valid");
        assert!(said.contains("revokes it at") && said.contains("calls it valid"), "{said}");
        let other = InventoryRow { token_id: "bbbbbbbb-0000-1111-2222-333333333333".into(), ..row() };
        let left_out = sources(vec![list(Some(50), true, other)], vec![event(10, "Create")], 60);
        assert!(differs(&left_out, &merge(&left_out)[0]).expect("missing").contains("leaves it out"));
    }
}
