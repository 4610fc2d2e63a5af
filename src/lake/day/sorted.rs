//! A day in its order, with what follows from the fields of its events.
//!
//! In: the merged events of a day. Out: rows sorted by credential, time and event id, texts that repeat as codes of the
//! whole day: what follows from a text is looked up once a text.

use super::merged::{Merged, number};
use super::row::DayRow;
use crate::lake::frame::Frame;
use crate::lake::projects::ProjectNames;
use crate::model::batch::{DictColumn, EventBatch};
use crate::model::mechanism::{Mechanism, MechanismKind};
use crate::model::{client, identity, network};
use hashbrown::HashMap;
use std::borrow::Cow;

/// Texts of a column as codes: one code a row, one text a code.
#[derive(Debug, Default)]
pub(super) struct Coded<V> {
    pub(super) codes: Vec<u32>,
    pub(super) values: Vec<V>,
}

impl<V: AsRef<str>> Coded<V> {
    pub(super) fn get(&self, i: usize) -> &str {
        self.values[self.codes[i] as usize].as_ref()
    }

    /// Adds the column to a table of some of the rows.
    pub(super) fn add(&self, frame: Frame, name: &str, rows: &[DayRow<'_>]) -> Frame {
        let codes: Vec<u32> = rows.iter().map(|row| self.codes[row.at]).collect();
        frame.coded_text(name, &codes, &self.values)
    }
}

impl<'a> Coded<&'a str> {
    /// Brings the codes of all batches to one count, for the rows in `order`.
    fn of(merged: &'a Merged<'a>, order: &[(u32, u32)], column: impl Fn(&EventBatch) -> &DictColumn) -> Self {
        let mut index: HashMap<&'a str, u32> = HashMap::new();
        let mut values = Vec::new();
        let mut maps: Vec<Vec<u32>> = Vec::new();
        let mut columns = Vec::new();
        for batch in merged.all_batches() {
            let texts = column(batch).values();
            let map = (0..texts.len()).map(|i| {
                *index.entry(texts.get(i)).or_insert_with_key(|text| {
                    values.push(*text);
                    number(values.len() - 1)
                })
            });
            maps.push(map.collect());
            columns.push(column(batch));
        }
        let codes =
            order.iter().map(|&(b, i)| maps[b as usize][columns[b as usize].code(i as usize) as usize]);
        Self { codes: codes.collect(), values }
    }

    /// A column that follows from this one, text by text; `get` is given the code and the text.
    fn follow(&self, get: impl Fn(usize, &'a str) -> Cow<'a, str>) -> Coded<Cow<'a, str>> {
        let mut index: HashMap<Cow<'a, str>, u32> = HashMap::new();
        let mut values = Vec::new();
        let map = self.values.iter().enumerate().map(|(i, text)| {
            *index.entry(get(i, text)).or_insert_with_key(|text| {
                values.push(text.clone());
                number(values.len() - 1)
            })
        });
        let map: Vec<u32> = map.collect();
        Coded { codes: self.codes.iter().map(|code| map[*code as usize]).collect(), values }
    }
}

/// Declares the columns of repeated text that pass through as they are.
macro_rules! texts {
    ($($name:ident),+ $(,)?) => {
        #[derive(Debug)]
        pub(super) struct Texts<'a> { $(pub(super) $name: Coded<&'a str>),+ }

        impl<'a> Texts<'a> {
            fn of(merged: &'a Merged<'a>, order: &[(u32, u32)]) -> Self {
                Self { $($name: Coded::of(merged, order, |batch| &batch.$name)),+ }
            }
        }
    };
}

texts! {
    action, area, category, mechanism, actor_upn, actor_name, actor_id, actor_cuid, actor_client_id, address,
    user_agent, project_id, project, scope_type, scope_id, scope_name,
}

/// A day in its order: by credential, time, event id.
#[derive(Debug)]
pub struct Sorted<'a> {
    pub(super) merged: &'a Merged<'a>,
    pub(super) order: Vec<(u32, u32)>,
    /// Which rank brought each row.
    pub ranks: Vec<u32>,
    pub(super) times: Vec<i64>,
    pub(super) origins: Vec<bool>,
    pub(super) texts: Texts<'a>,
    pub(super) class: Coded<Cow<'a, str>>,
    pub(super) kinds: Vec<MechanismKind>,
    pub(super) credential: Coded<Cow<'a, str>>,
    pub(super) network: Coded<Cow<'a, str>>,
    pub(super) client: Coded<Cow<'a, str>>,
    pub(super) actor: Coded<String>,
    /// Project as the event names it; where it does not, the name of its id.
    pub(super) named: Coded<Cow<'a, str>>,
    /// The one name of the project's id.
    pub(super) project: Coded<Cow<'a, str>>,
    pub(super) service: Vec<bool>,
}

impl<'a> Sorted<'a> {
    /// Sorts the events and looks up what follows from them, each distinct text once.
    #[must_use]
    pub fn of(merged: &'a Merged<'a>) -> Self {
        let places = places(merged);
        let order: Vec<(u32, u32)> = places.iter().map(|n| merged.picks[*n as usize]).collect();
        let texts = Texts::of(merged, &order);
        let mechanisms: Vec<Mechanism<'_>> =
            texts.mechanism.values.iter().map(|text| Mechanism::parse(text)).collect();
        let batches = || order.iter().map(|&(b, i)| (merged.batch(b), i as usize));
        let mut sorted = Self {
            merged,
            times: batches().map(|(batch, i)| batch.time[i]).collect(),
            origins: batches()
                .map(|(batch, i)| batch.event_id.get(i) == batch.correlation_id.get(i))
                .collect(),
            ranks: places.iter().map(|n| merged.ranks[*n as usize]).collect(),
            class: texts.mechanism.follow(|i, _| mechanisms[i].class.into()),
            kinds: texts.mechanism.codes.iter().map(|code| mechanisms[*code as usize].kind).collect(),
            credential: texts.mechanism.follow(|i, _| lower(mechanisms[i].credential)),
            network: texts.address.follow(|_, address| network::network_of(address).into()),
            client: texts.user_agent.follow(|_, agent| client::client_of(agent).into()),
            actor: Coded::default(),
            named: texts.project.follow(|_, name| name.into()),
            project: texts.project.follow(|_, name| name.into()),
            service: Vec::new(),
            texts,
            order,
        };
        sorted.look_up_actors();
        sorted
    }
}

/// A column of repeated text that is built again, text by text.
#[derive(Default)]
struct Recoded {
    codes: Vec<u32>,
    values: Vec<String>,
    index: HashMap<String, u32>,
}

impl Recoded {
    fn code(&mut self, text: &str) -> u32 {
        if let Some(code) = self.index.get(text) {
            return *code;
        }
        self.values.push(text.to_owned());
        let code = number(self.values.len() - 1);
        self.index.insert(text.to_owned(), code);
        code
    }

    fn coded<'a>(self) -> Coded<Cow<'a, str>> {
        Coded { codes: self.codes, values: self.values.into_iter().map(Cow::Owned).collect() }
    }
}

fn lower(credential: &str) -> Cow<'_, str> {
    if credential.bytes().any(|c| c.is_ascii_uppercase()) {
        credential.to_ascii_lowercase().into()
    } else {
        credential.into()
    }
}

/// Numbers of the picks of `merged`, by credential, time and event id.
fn places(merged: &Merged<'_>) -> Vec<u32> {
    let credential = Coded::of(merged, &merged.picks, |batch| &batch.mechanism)
        .follow(|_, mechanism| lower(Mechanism::parse(mechanism).credential));
    let mut by_text: Vec<u32> = (0..number(credential.values.len())).collect();
    by_text.sort_unstable_by_key(|code| &credential.values[*code as usize]);
    let mut rank = vec![0; by_text.len()];
    for (place, code) in by_text.iter().enumerate() {
        rank[*code as usize] = number(place);
    }
    // Picks stand in the order of event ids already, so their number stands for the id.
    let mut keys: Vec<(u32, i64, u32)> = merged
        .picks
        .iter()
        .enumerate()
        .map(|(n, &(b, i))| (rank[credential.codes[n] as usize], merged.batch(b).time[i as usize], number(n)))
        .collect();
    keys.sort_unstable();
    keys.into_iter().map(|(_, _, n)| n).collect()
}

impl Sorted<'_> {
    /// Names projects by their ids; ids without a name here keep what the events say.
    #[must_use]
    pub(in crate::lake) fn with_projects(mut self, names: Option<&ProjectNames>) -> Self {
        let known = |id: &&str| names.and_then(|names| names.get(*id));
        let by_id: Vec<Option<&String>> = self.texts.project_id.values.iter().map(known).collect();
        if by_id.iter().all(Option::is_none) {
            return self;
        }
        let (mut named, mut project) = (Recoded::default(), Recoded::default());
        let mut pairs: HashMap<(u32, u32), (u32, u32)> = HashMap::new();
        for i in 0..self.order.len() {
            let (id, name) = (self.texts.project_id.codes[i], self.texts.project.codes[i]);
            let (as_named, as_known) = *pairs.entry((id, name)).or_insert_with(|| {
                let written = self.texts.project.values[name as usize];
                let one = by_id[id as usize].map_or(written, String::as_str);
                // An id that stands for itself is no name that an event could have had.
                let is_name = one != self.texts.project_id.values[id as usize];
                let filled = if written.is_empty() && is_name { one } else { written };
                (named.code(filled), project.code(one))
            });
            named.codes.push(as_named);
            project.codes.push(as_known);
        }
        (self.named, self.project) = (named.coded(), project.coded());
        self
    }

    /// Projects as the events name them: id and name, those without an id left out.
    pub(in crate::lake) fn shown_projects(&self) -> Vec<(String, String)> {
        let (ids, names) = (&self.texts.project_id, &self.texts.project);
        let mut pairs: Vec<(u32, u32)> = ids.codes.iter().copied().zip(names.codes.iter().copied()).collect();
        pairs.sort_unstable();
        pairs.dedup();
        let texts = |(id, name): (u32, u32)| {
            (ids.values[id as usize].to_owned(), names.values[name as usize].to_owned())
        };
        pairs.into_iter().map(texts).filter(|(id, _)| !id.is_empty()).collect()
    }

    fn look_up_actors(&mut self) {
        let mut index: HashMap<(u32, u32, u32, bool), u32> = HashMap::new();
        let mut texts: HashMap<String, u32> = HashMap::new();
        let silent: Vec<bool> = self.texts.mechanism.values.iter().map(|m| m.trim().is_empty()).collect();
        for i in 0..self.order.len() {
            let (id, by_client) = match self.texts.actor_id.get(i) {
                "" => (&self.texts.actor_client_id, true),
                _ => (&self.texts.actor_id, false),
            };
            let (upn, name) = (self.texts.actor_upn.get(i), self.texts.actor_name.get(i));
            let key = (self.texts.actor_upn.codes[i], self.texts.actor_name.codes[i], id.codes[i], by_client);
            let code = *index.entry(key).or_insert_with(|| {
                *texts.entry(identity::actor_label(upn, name, id.get(i))).or_insert_with_key(|text| {
                    self.actor.values.push(text.clone());
                    number(self.actor.values.len() - 1)
                })
            });
            self.actor.codes.push(code);
            let service = silent[self.texts.mechanism.codes[i] as usize]
                && identity::is_service_actor(upn, name, self.texts.actor_id.get(i), "");
            self.service.push(service);
        }
    }

    /// Counts events.
    #[must_use]
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// Tells whether there are no events.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    pub(super) fn place(&self, at: usize) -> (&EventBatch, usize) {
        let (b, i) = self.order[at];
        (self.merged.batch(b), i as usize)
    }

    /// The rows, in their order.
    #[must_use]
    pub fn rows(&self) -> Vec<DayRow<'_>> {
        (0..self.len()).map(|at| DayRow { day: self, at }).collect()
    }

    /// The areas that occur.
    pub fn areas(&self) -> impl Iterator<Item = &str> {
        self.texts.area.values.iter().copied().filter(|area| !area.is_empty())
    }
}
