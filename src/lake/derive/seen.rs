//! `seen`: every value that a PAT credential showed in a month, with how often, when first and when last.
//!
//! In: days, as they are written or from their tables, or an earlier fold of some of the month's days. Out: one row a
//! credential, dimension and value. Folds add up, so a month costs what is new of it.

use super::activity::Fold;
use crate::lake::LakeError;
use crate::lake::frame::Frame;
use crate::lake::table::Table;
use crate::model::event_id::{EventId, Stamp};
use crate::model::mechanism::MechanismKind;
use crate::model::names::Names;
use crate::model::time::{Day, HOUR, day_start};
use hashbrown::HashMap;
use std::path::Path;

/// The dimensions that are columns of `activity`.
const SHOWN: [&str; 4] = ["action", "network", "client", "project"];
/// The dimensions, in the order of their numbers.
const DIMENSIONS: [&str; 5] = ["action", "network", "client", "project", "hour"];
/// The number of the hour.
const HOURS: u8 = 4;

/// Columns that are summed, and those of the first and the last event; `activity` and the folds share them.
const COUNTS: [&str; 2] = ["n", "origins"];
const STAMPS: [&str; 4] = ["first_time", "first_event", "last_time", "last_event"];

/// First and last event of each row of a table.
struct Stamps<'t> {
    first: (Vec<i64>, Vec<&'t str>),
    last: (Vec<i64>, Vec<&'t str>),
}

impl<'t> Stamps<'t> {
    fn of(table: &'t Table) -> Self {
        let [first_time, first_event, last_time, last_event] = STAMPS;
        Self {
            first: (table.ints(first_time), table.cells(first_event)),
            last: (table.ints(last_time), table.cells(last_event)),
        }
    }

    fn of_row(&self, row: usize) -> (Stamp, Stamp) {
        let stamp = |(times, events): &(Vec<i64>, Vec<&str>)| (times[row], EventId::from(events[row]));
        (stamp(&self.first), stamp(&self.last))
    }
}

/// A row of `activity`, its texts as numbers.
struct Shown {
    credential: u32,
    /// Of the dimensions that are columns, where it shows one.
    values: [Option<u32>; 4],
    /// Events, and those that began a cascade.
    counts: [i64; 2],
    hours: i64,
    oldest: Stamp,
    newest: Stamp,
}

/// Numbers of a credential, a dimension and a value.
type Key = (u32, u8, u32);
/// A row with its place in the order of the table.
type Row<'s> = ((u32, usize, u32), &'s Key, &'s Value);

/// A fold of days.
#[derive(Debug, Default)]
pub struct Seen {
    names: Names,
    /// By credential, dimension and value.
    values: HashMap<Key, Value>,
}

#[derive(Debug)]
struct Value {
    n: i64,
    origins: i64,
    days: i64,
    last_day: Option<Day>,
    oldest: Stamp,
    newest: Stamp,
}

impl Value {
    fn add(&mut self, other: Self) {
        // The rows of one day follow one another, whatever the order of the days.
        let same_day = other.last_day.is_some() && other.last_day == self.last_day;
        self.days += if same_day { 0 } else { other.days };
        self.last_day = other.last_day;
        self.n += other.n;
        self.origins += other.origins;
        if other.oldest < self.oldest {
            self.oldest = other.oldest;
        }
        if other.newest > self.newest {
            self.newest = other.newest;
        }
    }
}

impl Seen {
    fn add(&mut self, key: Key, value: Value) {
        match self.values.entry(key) {
            hashbrown::hash_map::Entry::Occupied(mut held) => held.get_mut().add(value),
            hashbrown::hash_map::Entry::Vacant(free) => drop(free.insert(value)),
        }
    }

    /// Adds a day as its `activity` is written: the rows of a credential stand together.
    pub(super) fn add_rows(&mut self, day: Day, rows: &[Fold<'_>]) {
        let mut known: [HashMap<u32, u32>; 5] = Default::default();
        let pats = rows.iter().filter(|row| row.key.kind() == MechanismKind::Pat);
        let shown = pats.map(|row| {
            let (key, codes) = (row.key, row.key.codes());
            let texts = [
                (codes.action, key.action()),
                (key.network_code(), key.network()),
                (codes.client, key.client()),
                (codes.project, key.project()),
                (codes.credential, key.credential()),
            ];
            let mut number = |at: usize| {
                let (code, text) = texts[at];
                *known[at].entry(code).or_insert_with(|| self.names.number(text))
            };
            Shown {
                credential: number(4),
                values: std::array::from_fn(|at| (!texts[at].1.is_empty()).then(|| number(at))),
                counts: [row.n, row.origins],
                hours: row.hour_bits,
                oldest: (row.oldest.0, EventId::from(row.oldest.1)),
                newest: (row.newest.0, EventId::from(row.newest.1)),
            }
        });
        let shown: Vec<Shown> = shown.collect();
        self.add_shown(day, &shown);
    }

    /// Adds a day from its `activity`.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn add_day(&mut self, day: Day, activity: &Path) -> Result<(), LakeError> {
        let columns = [&["credential", "kind", "hour_bits"], &SHOWN[..], &COUNTS, &STAMPS].concat();
        let table = Table::read_all(activity, &columns)?;
        let (kinds, hours, stamps) = (table.texts("kind"), table.ints("hour_bits"), Stamps::of(&table));
        let [n, origins] = COUNTS.map(|c| table.ints(c));
        let credentials = table.texts("credential");
        let tokens = self.names.numbers(&credentials.texts);
        let values = SHOWN.map(|c| table.texts(c));
        let numbers = values.each_ref().map(|own| self.names.numbers(&own.texts));
        let pat = kinds.code("pat");
        let pats = (0..table.height()).filter(|row| Some(kinds.codes[*row]) == pat);
        let shown = pats.map(|row| {
            let (oldest, newest) = stamps.of_row(row);
            // Code 0 is no text.
            let value = |at: usize| Some(values[at].codes[row]).filter(|code| *code != 0);
            Shown {
                credential: tokens[credentials.codes[row] as usize],
                values: std::array::from_fn(|at| Some(numbers[at][value(at)? as usize])),
                counts: [n[row], origins[row]],
                hours: hours[row],
                oldest,
                newest,
            }
        });
        let shown: Vec<Shown> = shown.collect();
        self.add_shown(day, &shown);
        Ok(())
    }

    fn add_shown(&mut self, day: Day, rows: &[Shown]) {
        // What one credential showed on the day, few values a dimension.
        let mut own: Vec<((u8, u32), Value)> = Vec::new();
        for rows in rows.chunk_by(|a, b| a.credential == b.credential) {
            let mut hours = 0;
            for row in rows {
                hours |= row.hours;
                for (dimension, number) in (0_u8..).zip(row.values) {
                    let Some(number) = number else { continue };
                    let value = Value {
                        n: row.counts[0],
                        origins: row.counts[1],
                        days: 1,
                        last_day: Some(day),
                        oldest: row.oldest.clone(),
                        newest: row.newest.clone(),
                    };
                    match own.iter_mut().find(|(key, _)| *key == (dimension, number)) {
                        Some((_, held)) => held.add(value),
                        None => own.push(((dimension, number), value)),
                    }
                }
            }
            let token = rows[0].credential;
            for ((dimension, number), value) in own.drain(..) {
                self.add((token, dimension, number), value);
            }
            if !self.names.text(token).is_empty() {
                self.add_hours(day, token, hours);
            }
        }
    }

    fn add_hours(&mut self, day: Day, token: u32, bits: i64) {
        for hour in (0..24).filter(|hour| bits >> hour & 1 == 1) {
            let text = [b'0' + (hour / 10) as u8, b'0' + (hour % 10) as u8];
            let number = self.names.number(std::str::from_utf8(&text).unwrap_or_default());
            let stamp = || (day_start(day) + hour * HOUR, EventId::from(""));
            let value =
                Value { n: 1, origins: 0, days: 1, last_day: Some(day), oldest: stamp(), newest: stamp() };
            self.add((token, HOURS, number), value);
        }
    }

    /// Adds an earlier fold of days that are not added otherwise.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn add_fold(&mut self, path: &Path) -> Result<(), LakeError> {
        let columns = [&["credential", "dimension", "value", "active_days"][..], &COUNTS, &STAMPS].concat();
        let table = Table::read_all(path, &columns)?;
        let dimensions = table.texts("dimension");
        let of_text = |text: &str| (0_u8..).zip(DIMENSIONS).find(|(_, name)| *name == text).map(|(n, _)| n);
        let known: Vec<Option<u8>> = dimensions.texts.texts().map(of_text).collect();
        let [credentials, values] = ["credential", "value"].map(|c| table.texts(c));
        let [tokens, shown] = [&credentials, &values].map(|own| self.names.numbers(&own.texts));
        let (stamps, days) = (Stamps::of(&table), table.ints("active_days"));
        let [n, origins] = COUNTS.map(|c| table.ints(c));
        for i in 0..table.height() {
            let Some(dimension) = known[dimensions.codes[i] as usize] else { continue };
            let key = (tokens[credentials.codes[i] as usize], dimension, shown[values.codes[i] as usize]);
            let (oldest, newest) = stamps.of_row(i);
            let (n, origins, days) = (n[i], origins[i], days[i]);
            self.add(key, Value { n, origins, days, last_day: None, oldest, newest });
        }
        Ok(())
    }

    /// Writes the table.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, path: &Path, org: &str) -> Result<(), LakeError> {
        // Ranks of the texts, so that rows are sorted by numbers.
        let mut ranks: Vec<u32> = (0..).take(self.names.len()).collect();
        ranks.sort_unstable_by_key(|number| self.names.text(*number));
        let mut rank = vec![0_u32; ranks.len()];
        for (place, number) in (0..).zip(&ranks) {
            rank[*number as usize] = place;
        }
        const BY_NAME: [u8; 5] = [0, 2, 4, 1, 3];
        let place = |dimension: u8| BY_NAME.iter().position(|d| *d == dimension).unwrap_or_default();
        let mut rows: Vec<Row<'_>> = self
            .values
            .iter()
            .map(|(key, value)| ((rank[key.0 as usize], place(key.1), rank[key.2 as usize]), key, value))
            .collect();
        rows.sort_unstable_by_key(|row| row.0);
        let r = || rows.iter();
        let texts: Vec<&str> = self.names.texts().collect();
        let coded = |get: fn(&Key) -> u32| r().map(|row| get(row.1)).collect::<Vec<u32>>();
        let event = |stamp: &Stamp| stamp.1.to_string();
        let (first, last): (Vec<String>, Vec<String>) =
            r().map(|row| (event(&row.2.oldest), event(&row.2.newest))).unzip();
        Frame::new(rows.len())
            .same_text("org", org)
            .coded_text("credential", &coded(|key| key.0), &texts)
            .coded_text("dimension", &coded(|key| u32::from(key.1)), &DIMENSIONS)
            .coded_text("value", &coded(|key| key.2), &texts)
            .int("n", r().map(|row| Some(row.2.n)))
            .int("origins", r().map(|row| Some(row.2.origins)))
            .int("active_days", r().map(|row| Some(row.2.days)))
            .time("first_time", r().map(|row| Some(row.2.oldest.0)))
            .time("last_time", r().map(|row| Some(row.2.newest.0)))
            .unique_text("first_event", first.iter().map(String::as_str))
            .unique_text("last_event", last.iter().map(String::as_str))
            .write(path)?;
        Ok(())
    }
}
