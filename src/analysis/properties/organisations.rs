//! Random small organisations that share people and tokens: what their sources say, before anything is analysed.
//!
//! In: a random choice. Out: a [`World`], which turns into the rows that the engine and the lists would give. It is made for
//! contradictions: namesakes, pages taken for lists, lists without a date, ids that are cut, events that name a token by its
//! owner or by its name alone.

use crate::analysis::coverage::{Held, HeldDay};
use crate::analysis::facts::Shown;
use crate::analysis::inventory::{Inventory, List};
use crate::analysis::ledger::TokenEvent;
use crate::analysis::people::{AccessChange, Actor, SignIn};
use crate::analysis::run::{Analysis, Depth, Gathered, Inputs, decide};
use crate::analysis::uses::CredentialUse;
use crate::model::coverage::Basis;
use crate::model::identity::person_key;
use crate::model::inventory::{InventoryRow, Targets, UsageRow, UserRow};
use crate::model::policy::Policy;
use crate::model::time::{DAY, HOUR, Micros, Span, Window, format_time};
use crate::model::token::OwnerState;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// Days that every organisation's log covers.
pub(super) const DAYS: i64 = 60;
/// Organisations, by name; the id of each is its name after `s-`.
pub(super) const ORGS: [&str; 3] = ["o", "p", "q"];
/// People; the first and the last share a display name.
const PEOPLE: usize = 4;
/// Tokens; pairs share the first sixteen digits of their ids.
const TOKENS: usize = 5;

/// How an event names its token or its person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    Id,
    UserName,
    DisplayName,
}

/// Which organisations a token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum For {
    Home,
    Two,
    All,
    Stranger,
}

#[derive(Debug, Clone)]
pub(super) struct Pat {
    pub home: usize,
    pub owner: usize,
    pub name: usize,
    pub full: bool,
    pub reach: For,
}

/// A list or a page of PATs.
#[derive(Debug, Clone)]
pub(super) struct Page {
    pub org: usize,
    /// Day on which it was taken; nothing where nobody says.
    pub day: Option<i64>,
    pub complete: bool,
    /// The page of one owner alone.
    pub owner: Option<usize>,
    pub valid: bool,
    /// Leaves out owners and names.
    pub partial: bool,
}

#[derive(Debug, Clone)]
pub(super) struct Change {
    pub token: usize,
    pub day: i64,
    /// 0 created, 1 updated to all organisations, 2 revoked, 3 found in public, 4 extended.
    pub what: usize,
    pub by: By,
    /// In the home organisation, or in the one after it.
    pub abroad: bool,
}

#[derive(Debug, Clone)]
pub(super) struct Use {
    pub token: usize,
    pub org: usize,
    pub day: i64,
    pub shown: usize,
    pub class: &'static str,
}

#[derive(Debug, Clone)]
pub(super) struct Access {
    pub org: usize,
    pub person: usize,
    pub day: i64,
    /// 0 taken, 1 given back, 2 signed in.
    pub what: usize,
    pub by: By,
}

#[derive(Debug, Clone)]
pub(super) struct Listed {
    pub org: usize,
    pub person: usize,
    pub day: Option<i64>,
    pub state: OwnerState,
}

#[derive(Debug, Clone)]
pub(super) struct World {
    pub pats: Vec<Pat>,
    pub pages: Vec<Page>,
    pub changes: Vec<Change>,
    pub uses: Vec<Use>,
    pub access: Vec<Access>,
    pub users: Vec<Listed>,
    /// Person, mechanism, day.
    pub records: Vec<(usize, &'static str, i64)>,
    /// Whether somebody vouches that no record is missing.
    pub declared: bool,
}

pub(super) fn token_id(n: usize) -> String {
    format!("aaaaaaaa-0000-4000-8000-{:012x}", (n / 2) << 40 | n)
}

pub(super) fn person_id(n: usize) -> String {
    format!("bbbbbbbb-0000-6000-8000-{n:012x}")
}

pub(super) fn user_name(n: usize) -> String {
    format!("person{n}@x.example")
}

pub(super) fn display_name(n: usize) -> String {
    format!("Person {}", n % (PEOPLE - 1))
}

fn day() -> impl Strategy<Value = i64> {
    1..DAYS
}

fn maybe_day() -> impl Strategy<Value = Option<i64>> {
    prop::option::weighted(0.7, day())
}

fn by() -> impl Strategy<Value = By> {
    prop::sample::select(vec![By::Id, By::Id, By::UserName, By::DisplayName])
}

pub(super) fn page() -> impl Strategy<Value = Page> {
    let owner = prop::option::weighted(0.4, 0..PEOPLE);
    (0..ORGS.len(), maybe_day(), any::<bool>(), owner, prop::bool::weighted(0.85), prop::bool::weighted(0.2))
        .prop_map(|(org, day, complete, owner, valid, partial)| Page {
            org,
            day,
            complete: complete && owner.is_none(),
            owner,
            valid,
            partial,
        })
}

fn pat() -> impl Strategy<Value = Pat> {
    let reach = prop::sample::select(vec![For::Home, For::Home, For::Two, For::All, For::Stranger]);
    (0..ORGS.len(), 0..PEOPLE, 0..3_usize, any::<bool>(), reach)
        .prop_map(|(home, owner, name, full, reach)| Pat { home, owner, name, full, reach })
}

fn change() -> impl Strategy<Value = Change> {
    (0..TOKENS, day(), 0..5_usize, by(), prop::bool::weighted(0.2))
        .prop_map(|(token, day, what, by, abroad)| Change { token, day, what, by, abroad })
}

fn a_use() -> impl Strategy<Value = Use> {
    let shown = prop::sample::select(vec![36, 36, 34, 28]);
    let class = prop::sample::select(vec!["PAT", "PAT", "PAT_Unscoped", "PAT_Global"]);
    (0..TOKENS, 0..ORGS.len(), day(), shown, class).prop_map(|(token, org, day, shown, class)| Use {
        token,
        org,
        day,
        shown,
        class,
    })
}

fn access() -> impl Strategy<Value = Access> {
    (0..ORGS.len(), 0..PEOPLE, day(), prop::sample::select(vec![0, 0, 1, 2, 2]), by())
        .prop_map(|(org, person, day, what, by)| Access { org, person, day, what, by })
}

fn listed() -> impl Strategy<Value = Listed> {
    let state = prop::sample::select(vec![OwnerState::Active, OwnerState::Disabled, OwnerState::Removed]);
    (0..ORGS.len(), 0..PEOPLE, maybe_day(), state).prop_map(|(org, person, day, state)| Listed {
        org,
        person,
        day,
        state,
    })
}

pub(super) fn world() -> impl Strategy<Value = World> {
    let records = (0..PEOPLE, prop::sample::select(vec!["PAT", "AAD_Cookie"]), day());
    (
        prop::collection::vec(pat(), TOKENS),
        prop::collection::vec(page(), 0..5),
        prop::collection::vec(change(), 0..7),
        prop::collection::vec(a_use(), 0..6),
        prop::collection::vec(access(), 0..6),
        prop::collection::vec(listed(), 0..4),
        prop::collection::vec(records, 0..5),
        any::<bool>(),
    )
        .prop_map(|(pats, pages, changes, uses, access, users, records, declared)| World {
            pats,
            pages,
            changes,
            uses,
            access,
            users,
            records,
            declared,
        })
}

impl World {
    pub(super) fn row(&self, n: usize, page: &Page) -> InventoryRow {
        let pat = &self.pats[n];
        let scope_id = |org: usize| format!("s-{}", ORGS[org % ORGS.len()]);
        InventoryRow {
            token_id: token_id(n),
            name: (!page.partial).then(|| format!("name {}", pat.name)),
            scopes: Some(if pat.full { "app_token".to_owned() } else { "vso.code vso.build".to_owned() }),
            targets: match pat.reach {
                For::Home => Targets::Listed(vec![scope_id(pat.home)]),
                For::Two => Targets::Listed(vec![scope_id(pat.home), scope_id(pat.home + 1)]),
                For::All => Targets::AllOrganisations,
                For::Stranger => Targets::Listed(vec!["s-nobody".to_owned()]),
            },
            valid_from: Some(0),
            valid_to: Some(400 * DAY),
            user_id: (!page.partial).then(|| person_id(pat.owner)),
            is_valid: Some(page.valid),
            ..InventoryRow::default()
        }
    }

    fn event(&self, at: usize, change: &Change) -> TokenEvent {
        let pat = &self.pats[change.token];
        let names = ["Create", "Update", "Revoke", "PublicDiscovery", "Update"];
        let by_id = change.by == By::Id;
        let owner = match change.by {
            By::Id => person_id(pat.owner),
            By::UserName => user_name(pat.owner),
            By::DisplayName => String::new(),
        };
        TokenEvent {
            org: ORGS[(pat.home + usize::from(change.abroad && by_id)) % ORGS.len()].to_owned(),
            event_id: format!("t{at}"),
            time: change.day * DAY + 7 * HOUR,
            action: format!("Token.Pat{}Event", names[change.what]),
            service_actor: true,
            token_id: if by_id { token_id(change.token) } else { String::new() },
            name: format!("name {}", pat.name),
            owner_id: if by_id { owner.clone() } else { String::new() },
            owner: if by_id { String::new() } else { owner },
            all_orgs: if change.what == 1 { "true".to_owned() } else { String::new() },
            valid_to: if change.what == 4 { format_time((300 + change.day) * DAY) } else { String::new() },
            ..TokenEvent::default()
        }
    }

    /// What the engine would say of the log.
    pub(super) fn gathered(&self) -> Gathered {
        let token_events = self.changes.iter().enumerate().map(|(at, c)| self.event(at, c)).collect();
        let mut told = Gathered { token_events, ..Gathered::default() };
        for (n, one) in self.uses.iter().enumerate() {
            let (time, visible) = (one.day * DAY + 9 * HOUR, token_id(one.token)[..one.shown].to_owned());
            let org = ORGS[one.org].to_owned();
            let owner = self.pats[one.token].owner;
            let stamp = (time, format!("u{n}").as_str().into());
            told.events.told.push(Shown {
                key: (org.clone(), visible.clone()),
                newest: vec![stamp.clone()],
                actions: BTreeMap::from([("Git.RepositoryCreated".to_owned(), (vec![stamp], vec![]))]),
            });
            told.uses.push(CredentialUse {
                org,
                credential: visible,
                class: one.class.to_owned(),
                actor: user_name(owner),
                actor_id: person_id(owner),
                n_ever: 1,
                n: 1,
                first_time: time,
                last_time: time,
                last_in_window: Some(time),
            });
        }
        for org in ORGS {
            for person in 0..PEOPLE {
                let actor = Actor {
                    id: person_id(person),
                    upn: user_name(person),
                    name: String::new(),
                    span: (0, DAYS * DAY),
                };
                told.actors.push((org.to_owned(), actor));
                told.names.insert((org.to_owned(), person_id(person)), display_name(person));
            }
        }
        for (n, one) in self.access.iter().enumerate() {
            let (org, time) = (ORGS[one.org].to_owned(), one.day * DAY + 11 * HOUR);
            let name = match one.by {
                By::Id => person_id(one.person),
                By::UserName => user_name(one.person),
                By::DisplayName => display_name(one.person),
            };
            if one.what == 2 {
                let sign_in =
                    SignIn { id: person_id(one.person), label: String::new(), first: time, last: time };
                told.sign_ins.entry(org).or_default().push(sign_in);
            } else {
                let change =
                    AccessChange { time, event_id: format!("a{n}"), taken: one.what == 0, names: vec![name] };
                told.access.entry(org).or_default().push(change);
            }
        }
        told
    }

    /// What the lists say, and which days are covered.
    pub(super) fn inputs(&self, judged: &[&str]) -> Inputs<'static> {
        let whole = Span { from: 0, to: DAYS * DAY };
        let mut inputs = Inputs {
            orgs: ORGS.map(str::to_owned).to_vec(),
            judged: judged.iter().map(|org| (*org).to_owned()).collect(),
            scopes: ORGS.iter().map(|org| (format!("s-{org}"), (*org).to_owned())).collect(),
            ..Inputs::default()
        };
        for (at, org) in ORGS.iter().enumerate() {
            let lists: Vec<List> = self.pages.iter().filter(|p| p.org == at).map(|p| self.list(p)).collect();
            if !lists.is_empty() {
                inputs.inventories.insert((*org).to_owned(), Inventory::of(lists));
            }
            let users = self.users.iter().filter(|u| u.org == at).map(|user| {
                let row = UserRow {
                    storage_key: Some(person_id(user.person)),
                    upn: user_name(user.person),
                    name: display_name(user.person),
                    state: Some(user.state),
                    ..UserRow::default()
                };
                (user.day.map(|day| day * DAY), row)
            });
            inputs.users.insert((*org).to_owned(), users.collect());
            if !self.records.is_empty() {
                let rows = self.records.iter().map(|(person, mechanism, day)| UsageRow {
                    user_id: person_id(*person),
                    start: day * DAY,
                    end: day * DAY + HOUR,
                    mechanism: (*mechanism).to_owned(),
                    count: 1,
                    ..UsageRow::default()
                });
                let spans = if self.declared { vec![whole] } else { Vec::new() };
                inputs.usage.insert((*org).to_owned(), (spans, rows.collect()));
            }
            let days = (0..DAYS).map(|day| HeldDay {
                day: i32::try_from(day).unwrap_or_default(),
                rows: 9,
                first_time: day * DAY,
                last_time: (day + 1) * DAY - 1,
                shapes: 1,
                hours: vec![0; 24],
                areas: ["Git", "Token", "Project"].map(str::to_owned).to_vec(),
            });
            let covers = vec![(whole, Basis::Pulled)];
            inputs
                .held
                .insert((*org).to_owned(), Held { org, days: days.collect(), covers, ..Held::default() });
        }
        inputs
    }

    fn list(&self, page: &Page) -> List {
        let rows = (0..TOKENS).filter(|n| {
            let pat = &self.pats[*n];
            pat.home == page.org && page.owner.is_none_or(|owner| owner == pat.owner)
        });
        List {
            taken: page.day.unwrap_or(DAYS) * DAY - 1,
            dated: page.day.is_some(),
            complete: page.complete,
            complete_for: page
                .owner
                .and_then(|o| person_key(&person_id(o)))
                .into_iter()
                .collect::<BTreeSet<_>>(),
            rows: rows.map(|n| self.row(n, page)).collect(),
            ..List::default()
        }
    }

    /// Judges some organisations, all where none is named.
    pub(super) fn judged(&self, orgs: &[&str]) -> Analysis {
        analysed(self.gathered(), self.inputs(orgs))
    }
}

pub(super) fn analysed(told: Gathered, mut inputs: Inputs<'_>) -> Analysis {
    decide(told, &mut inputs, Window::ending(as_of(), 90), &Policy::default(), Depth::Verdicts)
}

/// The instant at which every world is judged.
pub(super) const fn as_of() -> Micros {
    DAYS * DAY - 1
}
