//! `seen`: every value that a PAT credential showed in a month, with how often, when first and when last.
//!
//! In: days, as they are written or from their tables, or an earlier fold of some of the month's days. Out: one row a
//! credential, dimension and value. Folds add up, so a month costs what is new of it.

use super::activity::Fold;
use crate::lake::LakeError;
use crate::lake::frame::{Frame, Table};
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
        let mut known: [HashMap<u32, u32>; 4] = Default::default();
        // What one credential showed on the day, few values a dimension.
        let mut own: Vec<((u8, u32), Value)> = Vec::new();
        let credential = |row: &Fold<'_>| row.key.codes().credential;
        for rows in rows.chunk_by(|a, b| credential(a) == credential(b)) {
            let mut hours = 0;
            for row in rows.iter().filter(|row| row.key.kind() == MechanismKind::Pat) {
                hours |= row.hour_bits;
                let (key, codes) = (row.key, row.key.codes());
                let shown = [
                    (codes.action, key.action()),
                    (key.network_code(), key.network()),
                    (codes.client, key.client()),
                    (codes.project, key.project()),
                ];
                let (oldest, newest) = (EventId::from(row.oldest.1), EventId::from(row.newest.1));
                for ((dimension, (code, text)), known) in (0_u8..).zip(shown).zip(&mut known) {
                    if text.is_empty() {
                        continue;
                    }
                    let number = *known.entry(code).or_insert_with(|| self.names.number(text));
                    let value = Value {
                        n: row.n,
                        origins: row.origins,
                        days: 1,
                        last_day: Some(day),
                        oldest: (row.oldest.0, oldest.clone()),
                        newest: (row.newest.0, newest.clone()),
                    };
                    match own.iter_mut().find(|(key, _)| *key == (dimension, number)) {
                        Some((_, held)) => held.add(value),
                        None => own.push(((dimension, number), value)),
                    }
                }
            }
            if hours == 0 {
                continue;
            }
            let credential = rows[0].key.credential();
            let token = self.names.number(credential);
            for ((dimension, number), value) in own.drain(..) {
                self.add((token, dimension, number), value);
            }
            if !credential.is_empty() {
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

    /// Adds a day from its `activity`.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn add_day(&mut self, day: Day, activity: &Path) -> Result<(), LakeError> {
        let columns = [
            "credential",
            "kind",
            "action",
            "network",
            "client",
            "project",
            "n",
            "origins",
            "hour_bits",
            "first_time",
            "last_time",
            "first_event",
            "last_event",
        ];
        let table = Table::read_columns(activity, &columns)?;
        let texts = ["credential", "kind", "first_event", "last_event"].map(|c| table.text(c));
        let [credential, kind, first, last] = texts.each_ref().map(|t| t.cells());
        let shown = SHOWN.map(|c| table.text(c));
        let shown = shown.each_ref().map(|t| t.cells());
        let [n, origins, bits, first_time, last_time] =
            ["n", "origins", "hour_bits", "first_time", "last_time"].map(|c| table.int(c));
        let pats: Vec<usize> = (0..table.height()).filter(|i| kind[*i] == "pat").collect();
        for rows in pats.chunk_by(|a, b| credential[*a] == credential[*b]) {
            let token = self.names.number(credential[rows[0]]);
            for &i in rows {
                for (dimension, cells) in (0_u8..).zip(&shown) {
                    if cells[i].is_empty() {
                        continue;
                    }
                    let number = self.names.number(cells[i]);
                    let value = Value {
                        n: n[i].unwrap_or_default(),
                        origins: origins[i].unwrap_or_default(),
                        days: 1,
                        last_day: Some(day),
                        oldest: (first_time[i].unwrap_or_default(), EventId::from(first[i])),
                        newest: (last_time[i].unwrap_or_default(), EventId::from(last[i])),
                    };
                    self.add((token, dimension, number), value);
                }
            }
            if !credential[rows[0]].is_empty() {
                let bits = rows.iter().fold(0, |all, i| all | bits[*i].unwrap_or_default());
                self.add_hours(day, token, bits);
            }
        }
        Ok(())
    }

    /// Adds an earlier fold of days that are not added otherwise.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn add_fold(&mut self, path: &Path) -> Result<(), LakeError> {
        let table = Table::read(path)?;
        let texts = ["credential", "dimension", "value", "first_event", "last_event"].map(|c| table.text(c));
        let [credential, dimension, value, first, last] = texts.each_ref().map(|t| t.cells());
        let [n, origins, days, first_time, last_time] =
            ["n", "origins", "active_days", "first_time", "last_time"].map(|c| table.int(c));
        let mut before = ("", self.names.number(""));
        for i in 0..table.height() {
            if credential[i] != before.0 {
                before = (credential[i], self.names.number(credential[i]));
            }
            let Some(dimension) = (0_u8..).zip(DIMENSIONS).find(|(_, name)| *name == dimension[i]) else {
                continue;
            };
            let key = (before.1, dimension.0, self.names.number(value[i]));
            let value = Value {
                n: n[i].unwrap_or_default(),
                origins: origins[i].unwrap_or_default(),
                days: days[i].unwrap_or_default(),
                last_day: None,
                oldest: (first_time[i].unwrap_or_default(), EventId::from(first[i])),
                newest: (last_time[i].unwrap_or_default(), EventId::from(last[i])),
            };
            self.add(key, value);
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
