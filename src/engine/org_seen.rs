//! The table `org_seen`: networks and clients that an organisation showed inside the window, with who was there.
//!
//! In: `activity`, whoever made it. Out: one row a value. In Rust because a day's rows are folded as they are read: of
//! millions of rows with texts for keys no engine makes that fold as cheaply.

use super::flagged::TABLE;
use super::{Engine, EngineError, schema, tables};
use crate::lake::table::{Table, Texts};
use crate::model::names::Names;
use crate::model::time::{Day, Micros};
use hashbrown::HashMap;
use pl::{IntoLazy as _, NamedFrom as _};
use polars::prelude as pl;

/// Who was in a network on a day: actor, credential, whether the service itself acted, day.
type Visit = (u32, u32, bool, Day);

/// What a day holds, texts as its own numbers: first times of clients, and of visits, by organisation and value.
struct OfDay {
    orgs: Names,
    actors: Names,
    credentials: Names,
    networks: Names,
    clients: Names,
    used: Vec<((u32, u32), Micros)>,
    visited: Vec<((u32, u32, Visit), Micros)>,
}

/// The least instant of each key; most rows show the key of the one before.
struct Least<K> {
    found: Vec<(K, Micros)>,
    index: HashMap<K, usize>,
    last: usize,
}

impl<K> Default for Least<K> {
    fn default() -> Self {
        Self { found: Vec::new(), index: HashMap::new(), last: usize::MAX }
    }
}

impl<K: Copy + Eq + std::hash::Hash> Least<K> {
    fn add(&mut self, key: K, time: Micros) {
        if self.found.get(self.last).is_none_or(|(held, _)| *held != key) {
            self.last = *self.index.entry(key).or_insert_with(|| {
                self.found.push((key, time));
                self.found.len() - 1
            });
        }
        let held = &mut self.found[self.last].1;
        *held = time.min(*held);
    }
}

/// What is known of one network.
#[derive(Default)]
struct Network {
    first: Option<Micros>,
    actors: Few,
    credentials: Few,
    days: Vec<Day>,
    /// When each user or credential came.
    comers: Few,
}

/// Numbers with the least instant of each. Most networks are a few people's, so these are looked through.
#[derive(Default)]
struct Few {
    few: Vec<(u32, Micros)>,
    many: HashMap<u32, Micros>,
}

impl Few {
    /// Numbers that are looked through before they are hashed.
    const MOST: usize = 12;

    fn add(&mut self, number: u32, time: Micros) {
        let held = match self.few.iter().position(|(known, _)| *known == number) {
            Some(place) => &mut self.few[place].1,
            None if self.few.len() < Self::MOST => return self.few.push((number, time)),
            None => self.many.entry(number).or_insert(time),
        };
        *held = time.min(*held);
    }

    fn len(&self) -> usize {
        self.few.len() + self.many.len()
    }

    fn times(&self) -> impl Iterator<Item = Micros> {
        self.few.iter().map(|(_, time)| *time).chain(self.many.values().copied())
    }
}

impl Engine {
    /// Folds `activity` into the table.
    pub(super) fn org_seen(&self) -> Result<pl::LazyFrame, EngineError> {
        let columns =
            ["org", "credential", "actor", "service_actor", "date", "network", "client", "first_time"];
        let mut names = Names::default();
        let mut clients: HashMap<(u32, u32), Micros> = HashMap::new();
        let mut networks: HashMap<(u32, u32), Network> = HashMap::new();
        let take = |day: OfDay| {
            let [orgs, actors, credentials, places, agents] =
                [&day.orgs, &day.actors, &day.credentials, &day.networks, &day.clients]
                    .map(|texts| names.numbers(texts));
            for ((org, client), first) in day.used {
                let held = clients.entry((orgs[org as usize], agents[client as usize])).or_insert(first);
                *held = first.min(*held);
            }
            for ((org, network, (actor, credential, service, date)), first) in day.visited {
                let one = networks.entry((orgs[org as usize], places[network as usize])).or_default();
                let (known, shown) = (actor != 0, credential != 0);
                let (actor, credential) = (actors[actor as usize], credentials[credential as usize]);
                one.first = Some(one.first.map_or(first, |held| first.min(held)));
                // The visits of a file are of one day.
                if one.days.last() != Some(&date) {
                    one.days.push(date);
                }
                if known {
                    one.actors.add(actor, first);
                }
                if shown {
                    one.credentials.add(credential, first);
                }
                if !service {
                    one.comers.add(if shown { credential } else { actor }, first);
                }
            }
        };
        self.each_day(TABLE, &columns, of_day, take)?;
        frame(&names, &clients, &networks)
    }
}

fn frame(
    names: &Names,
    clients: &HashMap<(u32, u32), Micros>,
    networks: &HashMap<(u32, u32), Network>,
) -> Result<pl::LazyFrame, EngineError> {
    let count = |n: usize| i64::try_from(n).ok();
    let third = |network: &Network| {
        let mut times: Vec<Micros> = network.comers.times().collect();
        times.sort_unstable();
        times.get(2).copied()
    };
    let client = |(key, first): (&(u32, u32), &Micros)| (*key, "client", Some(*first), None, [None; 3]);
    let network = |(key, n): (&(u32, u32), &Network)| {
        let mut days = n.days.clone();
        days.sort_unstable();
        days.dedup();
        let counts = [days.len(), n.actors.len(), n.credentials.len()].map(count);
        (*key, "network", n.first, third(n), counts)
    };
    let mut rows: Vec<_> = clients.iter().map(client).chain(networks.iter().map(network)).collect();
    rows.sort_unstable_by_key(|row| (names.text(row.0.0), row.1, names.text(row.0.1)));
    let r = || rows.iter();
    let text = |name: &str, values: Vec<&str>| pl::Series::new(name.into(), values).into();
    let number = |name: &str, kind, values: Vec<Option<i64>>| -> Result<pl::Column, EngineError> {
        Ok(pl::Series::new(name.into(), values).cast(&tables::dtype(kind))?.into())
    };
    let columns: Vec<pl::Column> = vec![
        text("org", r().map(|row| names.text(row.0.0)).collect()),
        text("dimension", r().map(|row| row.1).collect()),
        text("value", r().map(|row| names.text(row.0.1)).collect()),
        number("first_time", schema::Kind::Time, r().map(|row| row.2).collect())?,
        number("third_time", schema::Kind::Time, r().map(|row| row.3).collect())?,
        number("days", schema::Kind::Int, r().map(|row| row.4[0]).collect())?,
        number("actors", schema::Kind::Int, r().map(|row| row.4[1]).collect())?,
        number("credentials", schema::Kind::Int, r().map(|row| row.4[2]).collect())?,
    ];
    Ok(pl::DataFrame::new(rows.len(), columns)?.lazy())
}

fn of_day(part: &Table) -> OfDay {
    let [orgs, actors, credentials, networks, clients] =
        ["org", "actor", "credential", "network", "client"].map(|name| part.texts(name));
    let service = part.flags("service_actor");
    let (days, first) = (part.ints("date"), part.ints("first_time"));
    let (mut used, mut visited) = (Least::default(), Least::default());
    for row in 0..part.height() {
        let org = orgs.codes[row];
        if clients.codes[row] != 0 {
            used.add((org, clients.codes[row]), first[row]);
        }
        if networks.codes[row] != 0 {
            let day = Day::try_from(days[row]).unwrap_or_default();
            let visit = (actors.codes[row], credentials.codes[row], service[row], day);
            visited.add((org, networks.codes[row], visit), first[row]);
        }
    }
    let texts = |texts: Texts| texts.texts;
    OfDay {
        orgs: texts(orgs),
        actors: texts(actors),
        credentials: texts(credentials),
        networks: texts(networks),
        clients: texts(clients),
        used: used.found,
        visited: visited.found,
    }
}
