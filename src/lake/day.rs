//! One day of one organisation: copies merged, rows sorted, with what follows from their fields.
//!
//! In: the batches that hold events of the day, old and new. Out: sorted rows for the day file and for the
//! tables derived from it, and for each input how many of its rows were new. Rows stay where they are: merging
//! and sorting move numbers of rows, and texts that repeat are codes of the whole day from here to the file.

use super::frame::{Frame, Table};
use super::{LakeError, merge};
use crate::model::batch::{DictColumn, EventBatch};
use crate::model::event::EventRow;
use crate::model::mechanism::{Mechanism, MechanismKind};
use crate::model::time::{Micros, day_of};
use crate::model::{client, identity, network};
use hashbrown::HashMap;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

/// One event of a sorted day, with what follows from its fields: a place, from which each field is looked up when
/// it is asked for.
#[derive(Debug, Clone, Copy)]
pub struct DayRow<'a> {
    day: &'a Sorted<'a>,
    at: usize,
}

/// Numbers that stand for texts of a row: equal within the day where the texts are, so that a fold need not hash
/// the texts again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Codes {
    /// Of the credential.
    pub credential: u32,
    /// Of the class.
    pub class: u32,
    /// Of the actor.
    pub actor: u32,
    /// Of the action.
    pub action: u32,
    /// Of the address.
    pub address: u32,
    /// Of the client.
    pub client: u32,
    /// Of the project's name.
    pub project: u32,
}

/// Declares how a row looks its texts up: what the event itself holds once an event, once a text, and what follows.
macro_rules! fields {
    (batch { $($b:ident: $bdoc:literal),+ $(,)? } texts { $($t:ident: $tdoc:literal),+ $(,)? } own { $($o:ident: $odoc:literal),+ $(,)? }) => {
        impl<'a> DayRow<'a> {
            $(
                #[doc = $bdoc]
                #[must_use]
                pub fn $b(&self) -> &'a str {
                    let (batch, i) = self.day.place(self.at);
                    batch.$b.get(i)
                }
            )+
            $(
                #[doc = $tdoc]
                #[must_use]
                pub fn $t(&self) -> &'a str {
                    self.day.texts.$t.get(self.at)
                }
            )+
            $(
                #[doc = $odoc]
                #[must_use]
                pub fn $o(&self) -> &'a str {
                    self.day.$o.get(self.at)
                }
            )+
        }

        impl Sorted<'_> {
            /// Adds columns of repeated text to a table of some of the rows, without hashing any text again.
            ///
            /// # Panics
            /// In debug builds, when a name is none of these columns'.
            #[must_use]
            pub(super) fn add(&self, frame: Frame, names: &[&str], rows: &[DayRow<'_>]) -> Frame {
                names.iter().fold(frame, |frame, name| match *name {
                    $(stringify!($t) => self.texts.$t.add(frame, name, rows),)+
                    $(stringify!($o) => self.$o.add(frame, name, rows),)+
                    _ => {
                        debug_assert!(false, "{name} is no column of repeated text");
                        frame
                    }
                })
            }
        }
    };
}

fields! {
    batch {
        event_id: "Bare event GUID.",
        correlation_id: "Correlation id.",
        details: "Rendered text.",
        data: "The `data` object as JSON text.",
    }
    texts {
        action: "Action id.",
        area: "Area.",
        category: "Category.",
        actor_id: "Id of the actor.",
        actor_cuid: "CUID of the actor.",
        actor_name: "Display name of the actor.",
        address: "Address as written.",
        user_agent: "User agent as written.",
        project: "Name of the project.",
        project_id: "Id of the project.",
    }
    own {
        class: "Mechanism class, such as `PAT_Unscoped`.",
        credential: "Visible part of the credential, lower case.",
        actor: "UPN in lower case, else name, else id.",
        network: "/24 or /48 of the address.",
        client: "Product behind the user agent.",
    }
}

impl DayRow<'_> {
    /// When it happened.
    #[must_use]
    pub fn time(&self) -> Micros {
        self.day.times[self.at]
    }

    /// Mechanism kind.
    #[must_use]
    pub fn kind(&self) -> MechanismKind {
        self.day.kinds[self.at]
    }

    /// Tells whether it was made by the service itself.
    #[must_use]
    pub fn service_actor(&self) -> bool {
        self.day.service[self.at]
    }

    /// Bits of all shapes it arrived in.
    #[must_use]
    pub fn shapes(&self) -> u8 {
        let (batch, i) = self.day.place(self.at);
        batch.shapes[i]
    }

    /// How many reads of the log the entry stands for.
    #[must_use]
    pub fn folded(&self) -> u32 {
        let (batch, i) = self.day.place(self.at);
        batch.folded[i]
    }

    /// Tells whether the event began its cascade.
    #[must_use]
    pub fn origin(&self) -> bool {
        self.day.origins[self.at]
    }

    /// Numbers for its texts.
    #[must_use]
    pub fn codes(&self) -> Codes {
        let (day, at) = (self.day, self.at);
        Codes {
            credential: day.credential.codes[at],
            class: day.class.codes[at],
            actor: day.actor.codes[at],
            action: day.texts.action.codes[at],
            address: day.texts.address.codes[at],
            client: day.client.codes[at],
            project: day.texts.project.codes[at],
        }
    }

    /// Number for its network, which no fold has in its key.
    #[must_use]
    pub fn network_code(&self) -> u32 {
        self.day.network.codes[self.at]
    }

    /// Numbers for the id, CUID and display name of its actor.
    #[must_use]
    pub fn actor_codes(&self) -> [u32; 3] {
        let texts = &self.day.texts;
        [&texts.actor_id, &texts.actor_cuid, &texts.actor_name].map(|column| column.codes[self.at])
    }
}

/// A batch and the inputs that its rows came from.
#[derive(Debug)]
pub struct Source<'a> {
    /// The rows.
    pub batch: &'a EventBatch,
    /// Ranks of the inputs, each with the number of rows that follow one another. The least rank that holds an
    /// event is the one that brought it; rank 0 is what was held before.
    pub runs: Vec<(u32, usize)>,
}

impl<'a> Source<'a> {
    /// A batch of one input.
    #[must_use]
    pub fn whole(rank: u32, batch: &'a EventBatch) -> Self {
        Self { batch, runs: vec![(rank, batch.len())] }
    }
}

/// The rows of a day as merged, before what follows from them is looked up.
#[derive(Debug)]
pub struct Merged<'a> {
    batches: Vec<&'a EventBatch>,
    /// Rows that no batch holds as they became by merging copies.
    made: EventBatch,
    /// Batch and row of each event; a batch beyond the last stands for `made`.
    picks: Vec<(u32, u32)>,
    /// Which rank brought each event.
    ranks: Vec<u32>,
    /// New events by rank: those that no lesser rank held.
    pub kept: BTreeMap<u32, u64>,
    /// Whether anything differs from rank 0, the day as it is held.
    pub changed: bool,
}

/// Merges the copies of each event.
#[must_use]
pub fn merge_sources<'a>(sources: &[Source<'a>]) -> Merged<'a> {
    let mut order: Vec<(u128, u32, u32, u32)> =
        Vec::with_capacity(sources.iter().map(|s| s.batch.len()).sum());
    for (b, source) in sources.iter().enumerate() {
        let ranks = source.runs.iter().flat_map(|(rank, rows)| std::iter::repeat_n(*rank, *rows));
        for (i, rank) in (0..source.batch.len()).zip(ranks) {
            order.push((guid_number(source.batch.event_id.get(i)), rank, number(b), number(i)));
        }
    }
    order.sort_unstable();
    let batches: Vec<&EventBatch> = sources.iter().map(|s| s.batch).collect();
    let mut made = EventBatch::default();
    let mut picks = Vec::with_capacity(order.len());
    let mut ranks = Vec::with_capacity(order.len());
    let mut kept = BTreeMap::new();
    let mut changed = false;
    for copies in order.chunk_by(|a, b| a.0 == b.0) {
        let (_, rank, b, i) = copies[0];
        let mut pick = (b, i);
        if copies.len() > 1 {
            let at = |b: u32, i: u32| {
                let (batch, i) = (batches[b as usize], i as usize);
                (batch.row(i), batch.shapes[i])
            };
            let (mut row, mut shapes) = at(b, i);
            let before = (row, shapes);
            for &(_, _, b, i) in &copies[1..] {
                let (other, bits) = at(b, i);
                merge::merge(&mut row, &other);
                shapes |= bits;
            }
            // The first shape is a view on the bits, not content of its own.
            row.shape = before.0.shape;
            if before != (row, shapes) {
                changed = true;
                pick = (number(batches.len()), number(made.len()));
                made.push_merged(&row, shapes);
            }
        }
        *kept.entry(rank).or_insert(0) += 1;
        changed |= rank != 0;
        picks.push(pick);
        ranks.push(rank);
    }
    Merged { batches, made, picks, ranks, kept, changed }
}

/// Merges one batch with itself: a day as it is held.
#[must_use]
pub fn merge_one(batch: &EventBatch) -> Merged<'_> {
    merge_sources(&[Source::whole(0, batch)])
}

fn number(i: usize) -> u32 {
    u32::try_from(i).unwrap_or(u32::MAX)
}

/// Reads the hex digits of a GUID as a number; sources let only GUIDs through.
fn guid_number(guid: &str) -> u128 {
    let digit = |c: u8| match c {
        b'0'..=b'9' => Some(c - b'0'),
        b'a'..=b'f' => Some(c - b'a' + 10),
        b'A'..=b'F' => Some(c - b'A' + 10),
        _ => None,
    };
    // Two halves in machine words: half the work of one long number.
    let half = |text: &[u8]| text.iter().filter_map(|c| digit(*c)).fold(0_u64, |n, d| n << 4 | u64::from(d));
    let (left, right) = guid.as_bytes().split_at(guid.len().min(18));
    u128::from(half(left)) << 64 | u128::from(half(right))
}

impl Merged<'_> {
    /// Counts events.
    #[must_use]
    pub fn len(&self) -> usize {
        self.picks.len()
    }

    /// Tells whether there are no events.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.picks.is_empty()
    }

    fn batch(&self, b: u32) -> &EventBatch {
        self.batches.get(b as usize).copied().unwrap_or(&self.made)
    }

    fn all_batches(&self) -> impl Iterator<Item = &EventBatch> {
        self.batches.iter().copied().chain(std::iter::once(&self.made))
    }
}

/// Texts of a column as codes: one code a row, one text a code.
#[derive(Debug, Default)]
struct Coded<V> {
    codes: Vec<u32>,
    values: Vec<V>,
}

impl<V: AsRef<str>> Coded<V> {
    fn get(&self, i: usize) -> &str {
        self.values[self.codes[i] as usize].as_ref()
    }

    /// Adds the column to a table of some of the rows.
    fn add(&self, frame: Frame, name: &str, rows: &[DayRow<'_>]) -> Frame {
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
        struct Texts<'a> { $($name: Coded<&'a str>),+ }

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
    merged: &'a Merged<'a>,
    order: Vec<(u32, u32)>,
    /// Which rank brought each row.
    pub ranks: Vec<u32>,
    times: Vec<i64>,
    origins: Vec<bool>,
    texts: Texts<'a>,
    class: Coded<Cow<'a, str>>,
    kinds: Vec<MechanismKind>,
    credential: Coded<Cow<'a, str>>,
    network: Coded<Cow<'a, str>>,
    client: Coded<Cow<'a, str>>,
    actor: Coded<String>,
    service: Vec<bool>,
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
            service: Vec::new(),
            texts,
            order,
        };
        sorted.look_up_actors();
        sorted
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

    fn place(&self, at: usize) -> (&EventBatch, usize) {
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

    /// Writes the day file; returns its content id.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, path: &Path, org: &str) -> Result<String, LakeError> {
        let at = || self.order.iter().map(|&(b, i)| (self.merged.batch(b), i as usize));
        macro_rules! coded {
            ($from:expr, $frame:expr; $($name:ident),+) => {
                $frame$(.coded_text(stringify!($name), &$from.$name.codes, &$from.$name.values))+
            };
        }
        let frame = Frame::new(self.len())
            .same_text("org", org)
            .unique_text("event_id", at().map(|(batch, i)| batch.event_id.get(i)))
            .time("time", self.times.iter().map(|time| Some(*time)))
            .date("date", self.times.iter().map(|time| Some(day_of(*time))));
        let frame = coded!(self.texts, frame; action, area, category, mechanism);
        let frame = coded!(self, frame; class).text("kind", self.kinds.iter().map(|k| k.as_str()));
        let frame = coded!(self, frame; credential, actor);
        let frame = coded!(self.texts, frame; actor_id, actor_upn, actor_name, actor_cuid, actor_client_id)
            .flag("service_actor", self.service.iter().map(|service| Some(*service)))
            .unique_text("correlation_id", at().map(|(batch, i)| batch.correlation_id.get(i)))
            .unique_text("activity_id", at().map(|(batch, i)| batch.activity_id.get(i)))
            .flag("origin", self.origins.iter().map(|origin| Some(*origin)));
        let frame = coded!(self.texts, frame; address);
        let frame = coded!(self, frame; network, client);
        coded!(self.texts, frame; user_agent, project_id, project, scope_type, scope_id, scope_name)
            .long_text("details", at().map(|(batch, i)| batch.details.get(i)))
            .long_text("data", at().map(|(batch, i)| batch.data.get(i)))
            .int("shapes", at().map(|(batch, i)| Some(i64::from(batch.shapes[i]))))
            .int("folded", at().map(|(batch, i)| Some(i64::from(batch.folded[i]))))
            .write_hashed(path)
    }
}

/// Writes the rows of batches one after the other, to be read back by [`read`].
///
/// # Errors
/// When the file cannot be written.
pub(super) fn write_part(path: &Path, batches: &[&EventBatch]) -> Result<(), LakeError> {
    let at = || batches.iter().flat_map(|batch| (0..batch.len()).map(move |i| (*batch, i)));
    let mut frame = Frame::new(at().count())
        .time("time", at().map(|(batch, i)| Some(batch.time[i])))
        .int("shapes", at().map(|(batch, i)| Some(i64::from(batch.shapes[i]))))
        .int("folded", at().map(|(batch, i)| Some(i64::from(batch.folded[i]))));
    macro_rules! columns {
        ($how:ident: $($name:ident),+ $(,)?) => {
            $( frame = frame.$how(stringify!($name), at().map(|(batch, i)| batch.$name.get(i))); )+
        };
    }
    columns!(text: action, area, category, mechanism, actor_upn, actor_name, actor_id, actor_cuid, actor_client_id,
        address, user_agent, project_id, project, scope_type, scope_id, scope_name);
    columns!(long_text: event_id, correlation_id, activity_id, details, data);
    frame.write(path)?;
    Ok(())
}

/// Reads a day file back as a batch.
///
/// # Errors
/// When the file cannot be read.
pub fn read(path: &Path) -> Result<EventBatch, LakeError> {
    let table = Table::read(path)?;
    let mut batch = EventBatch::default();
    let (time, shapes, folded) = (table.int("time"), table.int("shapes"), table.int("folded"));
    macro_rules! columns {
        ($($name:ident),+ $(,)?) => {
            $( let $name = table.text(stringify!($name)); let $name = $name.cells(); )+
            for i in 0..table.height() {
                let row = EventRow {
                    time: time[i].unwrap_or_default(),
                    folded: folded[i].and_then(|n| u32::try_from(n).ok()).unwrap_or(1),
                    $($name: $name[i],)+
                    ..EventRow::EMPTY
                };
                batch.push_merged(&row, shapes[i].and_then(|n| u8::try_from(n).ok()).unwrap_or_default());
            }
        };
    }
    columns!(
        event_id,
        action,
        area,
        category,
        mechanism,
        actor_upn,
        actor_name,
        actor_id,
        actor_cuid,
        actor_client_id,
        correlation_id,
        activity_id,
        address,
        user_agent,
        project_id,
        project,
        scope_type,
        scope_id,
        scope_name,
        details,
        data,
    );
    Ok(batch)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_survives_writing_and_reading() {
        let mut batch = EventBatch::default();
        for i in 0..3 {
            let id = format!("00000000-0000-0000-0000-00000000000{i}");
            batch.push(&EventRow {
                event_id: &id,
                time: 1_000_000 + i,
                action: "A.B",
                mechanism: "PAT authorizationId: AAAAAAAA-0000-0000-0000-000000000001",
                address: "10.0.0.1",
                data: "{\"k\":\"=1\"}",
                ..EventRow::EMPTY
            });
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.parquet");
        let merged = merge_sources(&[Source::whole(1, &batch)]);
        assert!(merged.changed);
        Sorted::of(&merged).write(&path, "o").unwrap();
        let again = read(&path).unwrap();
        for i in 0..3 {
            assert_eq!(again.row(i), batch.row(i));
        }
        let both = merge_sources(&[Source::whole(0, &again), Source::whole(1, &batch)]);
        assert_eq!((both.kept, both.changed), (BTreeMap::from([(0, 3)]), false));
    }

    #[test]
    fn copies_count_for_the_least_rank_wherever_they_stand() {
        let mut early = EventBatch::default();
        let mut late = EventBatch::default();
        let id = |i: usize| format!("0000000{i}-0000-0000-0000-0000000000ff");
        for i in 0..4 {
            early.push(&EventRow { event_id: &id(i), time: 9, action: "A.B", ..EventRow::EMPTY });
        }
        for i in 2..6 {
            late.push(&EventRow {
                event_id: &id(i),
                time: 9,
                action: "A.B",
                details: "more",
                ..EventRow::EMPTY
            });
        }
        let one = Source { batch: &early, runs: vec![(1, 3), (4, 1)] };
        for sources in [
            vec![Source::whole(2, &late), one],
            vec![Source { batch: &early, runs: vec![(1, 3), (4, 1)] }, Source::whole(2, &late)],
        ] {
            let merged = merge_sources(&sources);
            assert_eq!(merged.kept, BTreeMap::from([(1, 3), (2, 3)]));
            let sorted = Sorted::of(&merged);
            let rows = sorted.rows();
            let details: Vec<&str> = rows.iter().map(DayRow::details).collect();
            assert_eq!(details, ["", "", "more", "more", "more", "more"]);
            assert!(rows.windows(2).all(|w| w[0].event_id() < w[1].event_id()));
        }
    }
}
