//! Events of PATs inside the window, in columns: read once, for what they prove and for the ids that findings list.
//!
//! In: day files of `events`, or a table in memory. Out: for each credential its rows, the newest first. Nothing is
//! sorted or copied for that: a day lies sorted by credential, time and id, so a credential's rows of it are a range.

use super::collect::collect;
use super::rows::Rows;
use super::{Engine, EngineError};
use crate::lake::table::Table;
use crate::model::event_id::EventId;
use crate::model::names::Names;
use crate::model::time::{Day, Micros};
use hashbrown::{HashMap, HashSet};
use polars::prelude as pl;
use rayon::prelude::*;
use std::sync::Arc;

/// Columns that findings are confirmed by, and that are held of every event.
const COLUMNS: [&str; 4] = ["action", "network", "client", "project"];

/// What an event proves of its action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proves {
    /// It began its cascade.
    Origin,
    /// It follows an event that the lake does not hold.
    Orphan,
}

/// Bits of [`Rowset::flags`].
const PAT: u8 = 1;
const ORIGIN: u8 = 2;
const ORPHAN: u8 = 4;

/// Rows of one day; texts are numbers of [`Calls::names`].
#[derive(Debug, Default)]
struct Rowset {
    times: Vec<Micros>,
    ids: Vec<EventId>,
    flags: Vec<u8>,
    columns: Vec<Vec<u32>>,
}

/// The rows of one credential on one day.
#[derive(Debug, Clone, Copy)]
struct Span {
    set: u32,
    from: u32,
    to: u32,
}

/// Where a row lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct At {
    set: u32,
    row: u32,
}

/// Events of PATs inside the window.
#[derive(Debug, Default)]
pub struct Calls {
    sets: Vec<Rowset>,
    columns: Vec<&'static str>,
    names: Names,
    /// By organisation and credential, or token where the table tells it; the newest day first.
    spans: HashMap<String, HashMap<String, Vec<Span>>>,
}

impl Calls {
    /// The rows of some credentials, the newest first, and within one instant the greatest id.
    #[must_use]
    pub fn rows<'a>(&self, keys: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<At> {
        let mut rows: Vec<At> = Vec::new();
        let mut several = 0;
        for spans in keys.filter_map(|(org, key)| self.spans.get(org)?.get(key)) {
            several += 1;
            for span in spans {
                rows.extend((span.from..span.to).rev().map(|row| At { set: span.set, row }));
            }
        }
        if several > 1 {
            rows.sort_by(|a, b| (self.time(*b), self.id(*b)).cmp(&(self.time(*a), self.id(*a))));
        }
        rows
    }

    /// The times of those events that `wanted` asks for.
    pub(super) fn times(&self, wanted: impl Fn(&EventId) -> bool + Sync) -> Vec<(EventId, Micros)> {
        let of_day = |set: &Rowset| {
            let rows = set.ids.iter().zip(&set.times);
            rows.filter(|(id, _)| wanted(id)).map(|(id, time)| (id.clone(), *time)).collect::<Vec<_>>()
        };
        self.sets.par_iter().flat_map_iter(of_day).collect()
    }

    /// When an event happened.
    #[must_use]
    pub fn time(&self, at: At) -> Micros {
        self.sets[at.set as usize].times[at.row as usize]
    }

    /// Which event it is.
    #[must_use]
    pub fn id(&self, at: At) -> &EventId {
        &self.sets[at.set as usize].ids[at.row as usize]
    }

    /// Whether it was made with a PAT, and not with another kind of sign-in that shows the same credential.
    #[must_use]
    pub fn is_pat(&self, at: At) -> bool {
        self.sets[at.set as usize].flags[at.row as usize] & PAT != 0
    }

    /// What it proves of its action; an event that follows an origin which the lake holds proves nothing.
    #[must_use]
    pub fn proves(&self, at: At) -> Option<Proves> {
        match self.sets[at.set as usize].flags[at.row as usize] & (ORIGIN | ORPHAN) {
            0 => None,
            ORPHAN => Some(Proves::Orphan),
            _ => Some(Proves::Origin),
        }
    }

    /// The number of its action.
    #[must_use]
    pub fn action(&self, at: At) -> u32 {
        self.cell(0, at)
    }

    /// The text of a number.
    #[must_use]
    pub fn text(&self, number: u32) -> &str {
        self.names.text(number)
    }

    pub(super) fn number(&self, text: &str) -> Option<u32> {
        self.names.known(text)
    }

    pub(super) fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|c| *c == name)
    }

    pub(super) fn cell(&self, column: usize, at: At) -> u32 {
        self.sets[at.set as usize].columns[column][at.row as usize]
    }
}

/// What one day holds, its texts still numbered by itself.
struct OfDay {
    set: Rowset,
    texts: Vec<Names>,
    /// Organisation, credential and their rows.
    keys: Vec<(String, String, std::ops::Range<u32>)>,
}

impl Engine {
    /// The events of PATs inside the window, with the columns that findings are confirmed by and those of `more`;
    /// kept until the findings have their ids.
    ///
    /// # Errors
    /// When the events were not handed in or a file cannot be read.
    pub fn calls(&self, more: &[&'static str]) -> Result<Arc<Calls>, EngineError> {
        let held = self.ready().calls.clone();
        if let Some(calls) = held.filter(|held| more.iter().all(|name| held.columns.contains(name))) {
            return Ok(calls);
        }
        let mut columns = COLUMNS.to_vec();
        columns.extend(more.iter().filter(|name| !COLUMNS.contains(name)));
        let calls = Arc::new(self.read_calls(columns)?);
        self.ready().calls = Some(Arc::clone(&calls));
        Ok(calls)
    }

    fn read_calls(&self, columns: Vec<&'static str>) -> Result<Calls, EngineError> {
        let source = self.sources.get("events").ok_or_else(|| Self::missing("events"))?;
        // A table in memory may tell the token itself.
        let key = if source.needs_token || !source.files.is_empty() { "credential" } else { "token_id" };
        let known = if source.files.is_empty() { None } else { self.pat_credentials()? };
        // An orphan is told of in the file of its day.
        let mut orphans: HashMap<Option<Day>, HashSet<EventId>> = HashMap::new();
        if self.has("lake_orphans") {
            let of_day = |part: &Table| -> (Option<Day>, HashSet<EventId>) {
                (part.day, part.cells("event_id").into_iter().map(EventId::from).collect())
            };
            let take = |(day, ids): (Option<Day>, HashSet<EventId>)| {
                orphans.entry(day).and_modify(|held| held.extend(ids.iter().cloned())).or_insert(ids);
            };
            self.each_day("lake_orphans", &["event_id"], of_day, take)?;
        }
        let mut read = vec!["org", key, "kind", "time", "event_id", "origin"];
        read.extend(columns.iter().filter(|name| !matches!(**name, "org" | "credential" | "token_id")));
        let mut calls = Calls { columns: columns.clone(), ..Calls::default() };
        let none = HashSet::new();
        let make = |part: &Table| {
            let orphans = orphans.get(&part.day).unwrap_or(&none);
            of_day(part, key, &columns, known.as_ref(), orphans)
        };
        // Events without a credential come first in a day, and are nobody's here.
        self.each_day_from(Some(key), "events", &read, make, |day| {
            let OfDay { mut set, texts, keys } = day;
            let number = u32::try_from(calls.sets.len()).unwrap_or(u32::MAX);
            for (codes, texts) in set.columns.iter_mut().zip(&texts) {
                let numbers = calls.names.numbers(texts);
                codes.iter_mut().for_each(|code| *code = numbers[*code as usize]);
            }
            calls.sets.push(set);
            for (org, credential, rows) in keys {
                let span = Span { set: number, from: rows.start, to: rows.end };
                calls.spans.entry(org).or_default().entry(credential).or_default().push(span);
            }
        })?;
        Ok(calls)
    }

    /// Organisations and credentials of every PAT that the lake has seen; nothing where no fold of the lake tells.
    fn pat_credentials(&self) -> Result<Option<HashSet<(String, String)>>, EngineError> {
        let Some(uses) = self.sources.get("lake_uses").filter(|uses| !uses.files.is_empty()) else {
            return Ok(None);
        };
        let columns = ["org", "credential"].map(pl::col);
        let pats = uses.frame.clone().filter(pl::col("kind").eq(pl::lit("pat")));
        let frame = collect(|| Ok(pats.select(columns).unique(None, pl::UniqueKeepStrategy::Any)))?;
        let rows = Rows::from_frame(&frame)?;
        let text = |row, name| rows.text(row, name).map(str::to_owned);
        Ok(Some(
            (0..rows.len()).filter_map(|row| Some((text(row, "org")?, text(row, "credential")?))).collect(),
        ))
    }
}

fn of_day(
    part: &Table,
    key: &str,
    columns: &[&'static str],
    known: Option<&HashSet<(String, String)>>,
    orphans: &HashSet<EventId>,
) -> OfDay {
    let (orgs, keys, kinds) = (part.texts("org"), part.texts(key), part.texts("kind"));
    let (times, ids, origins) = (part.ints("time"), part.cells("event_id"), part.flags("origin"));
    let pat = kinds.code("pat");
    let mut wanted: HashMap<(u32, u32), bool> = HashMap::new();
    let mut is_wanted = |row: usize| {
        let codes = (orgs.codes[row], keys.codes[row]);
        codes.1 != 0
            && *wanted.entry(codes).or_insert_with(|| {
                let text = || (orgs.text(row).to_owned(), keys.text(row).to_owned());
                known.is_none_or(|known| known.contains(&text()))
            })
    };
    let mut rows: Vec<usize> = Vec::new();
    let mut last = (u32::MAX, u32::MAX, false);
    for row in 0..part.height() {
        let codes = (orgs.codes[row], keys.codes[row]);
        if (last.0, last.1) != codes {
            last = (codes.0, codes.1, is_wanted(row));
        }
        if last.2 {
            rows.push(row);
        }
    }
    let place = |row: &usize| (orgs.codes[*row], keys.codes[*row], times[*row], ids[*row]);
    // A day lies so already, a table in memory need not.
    if !rows.is_sorted_by_key(place) {
        rows.sort_unstable_by_key(place);
    }
    let mut set = Rowset {
        times: rows.iter().map(|row| times[*row]).collect(),
        ids: rows.iter().map(|row| EventId::from(ids[*row])).collect(),
        ..Rowset::default()
    };
    set.flags = rows
        .iter()
        .zip(&set.ids)
        .map(|(row, id)| {
            let is_pat = pat == Some(kinds.codes[*row]);
            let proves = match origins[*row] {
                true => ORIGIN,
                false if is_pat && orphans.contains(id) => ORPHAN,
                false => 0,
            };
            proves | if is_pat { PAT } else { 0 }
        })
        .collect();
    let mut texts = Vec::new();
    for name in columns {
        let column = part.texts(name);
        set.columns.push(rows.iter().map(|row| column.codes[*row]).collect());
        texts.push(column.texts);
    }
    let mut spans = Vec::new();
    let mut from = 0;
    for run in rows.chunk_by(|a, b| (orgs.codes[*a], keys.codes[*a]) == (orgs.codes[*b], keys.codes[*b])) {
        let to = from + u32::try_from(run.len()).unwrap_or_default();
        spans.push((orgs.text(run[0]).to_owned(), keys.text(run[0]).to_owned(), from..to));
        from = to;
    }
    OfDay { set, texts, keys: spans }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::fixtures::engine_of;
    use serde_json::json;

    #[test]
    fn rows_of_a_credential_come_newest_first_with_what_they_prove() {
        let event = |id: &str, credential: &str, hour: u32, kind: &str, origin: bool| {
            json!({"org": "o", "event_id": id, "credential": credential, "kind": kind, "action": "A.B",
                "time": format!("2026-03-02T{hour:02}:00:00Z"), "origin": origin})
        };
        let engine = engine_of(&json!({"tables": {"events": [
            event("e1", "c1", 3, "pat", true), event("e2", "c2", 1, "pat", false), event("e3", "c1", 5, "pat", false),
            event("e4", "c1", 5, "pat", true), event("e5", "c1", 4, "session", true), event("e6", "c9", 4, "pat", true),
        ]}}));
        let calls = engine.calls(&[]).expect("reads");
        let ids = |keys: &[&str]| -> Vec<String> {
            let rows = calls.rows(keys.iter().map(|key| ("o", *key)));
            rows.into_iter().map(|at| calls.id(at).to_string()).collect()
        };
        assert_eq!(ids(&["c1"]), ["e4", "e3", "e5", "e1"]);
        assert_eq!(ids(&["c1", "c2", "none"]), ["e4", "e3", "e5", "e1", "e2"]);
        let rows = calls.rows([("o", "c1")].into_iter());
        let proves: Vec<_> = rows.iter().map(|at| (calls.is_pat(*at), calls.proves(*at))).collect();
        let origin = Some(Proves::Origin);
        assert_eq!(proves, [(true, origin), (true, None), (false, origin), (true, origin)]);
        assert_eq!(calls.text(calls.action(rows[0])), "A.B");
    }
}
