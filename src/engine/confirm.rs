//! Event ids for every finding that asks for them, and their exact number.
//!
//! In: what each finding wants (a token, a span, values of columns). Out: its newest event ids and how many there are,
//! from the events of PATs that are held in columns ([`super::newest`]).

use super::days::Part;
use super::newest::{Granted, Wish};
use super::{Engine, EngineError};
use crate::model::event_id::{EventId, Stamp};
use crate::model::finding::{Finding, MAX_EVENT_IDS};
use crate::model::time::Micros;
use hashbrown::{HashMap, HashSet};
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// The events that one finding wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    pub org: String,
    pub token_id: String,
    pub from: Micros,
    pub to: Micros,
    /// Column to values, any of which will do.
    pub matches: BTreeMap<String, BTreeSet<String>>,
}

impl Wanted {
    /// Widens to what another row of the same finding wants.
    pub(super) fn fold(&mut self, other: &Self) {
        self.from = self.from.min(other.from);
        self.to = self.to.max(other.to);
        // A column that one of the two leaves open stays open.
        self.matches.retain(|column, _| other.matches.contains_key(column));
        for (column, values) in &mut self.matches {
            values.extend(other.matches.get(column).into_iter().flatten().cloned());
        }
    }
}

/// Returns the newest events by finding, and how many there are.
///
/// # Errors
/// When the events cannot be read.
pub(super) fn events(
    engine: &Engine,
    wanted: Vec<(usize, Wanted)>,
) -> Result<Vec<(usize, Granted)>, EngineError> {
    let (findings, wishes): (Vec<usize>, Vec<Wish>) = wanted
        .into_iter()
        .map(|(finding, w)| {
            let Wanted { org, token_id, from, to, matches } = w;
            (finding, Wish { org, token_id, from, to, matches })
        })
        .unzip();
    Ok(findings.into_iter().zip(engine.newest(&wishes)?).collect())
}

/// Gives findings their confirmed events beside those that their rows name: newest first, no repeats, at most as many
/// as a finding lists. Where events were confirmed, their number is exact.
pub(super) fn list(engine: &Engine, findings: &mut [Finding], granted: Vec<Granted>) {
    findings.par_iter_mut().zip(&granted).for_each(|(finding, granted)| {
        if granted.newest.is_empty() {
            return;
        }
        let own: HashSet<&EventId> = granted.newest.iter().map(|(_, id)| id).collect();
        finding.event_ids.retain(|id| !own.contains(id));
        // Where the list is cut, what the row names may be among the events left out of it.
        let more = if granted.count > own.len() as u64 { 0 } else { finding.event_ids.len() as u64 };
        finding.count = granted.count + more;
    });
    let times = times(engine, findings, &granted);
    findings.par_iter_mut().zip(granted).for_each(|(finding, granted)| {
        // Rows that were folded into one may have counted the same event twice.
        let named = std::mem::take(&mut finding.event_ids);
        let all_listed = finding.count == (named.len() + granted.newest.len()) as u64;
        let mut seen = HashSet::new();
        let named = named.into_iter().filter(|id| seen.insert(id.clone()));
        let known = |id: EventId| (times.get(&id).copied().unwrap_or(Micros::MIN), id);
        let mut events: Vec<Stamp> = named.map(known).collect();
        let is_named = !events.is_empty();
        events.extend(granted.newest);
        if all_listed {
            finding.count = events.len() as u64;
        }
        if is_named {
            // A stable sort: ids whose time is not known keep their order.
            events.sort_by_key(|(time, _)| std::cmp::Reverse(*time));
        }
        events.truncate(MAX_EVENT_IDS);
        finding.event_ids = events.into_iter().map(|(_, id)| id).collect();
    });
}

/// The times of the events that rows name and that have to be put in order, as far as a confirmed list or `notable`
/// tells them.
fn times(engine: &Engine, findings: &[Finding], granted: &[Granted]) -> HashMap<EventId, Micros> {
    let in_order =
        |(finding, granted): &(&Finding, &Granted)| finding.event_ids.len() + granted.newest.len() > 1;
    let named = findings.iter().zip(granted).filter(in_order).flat_map(|(finding, _)| &finding.event_ids);
    let wanted: HashSet<&EventId> = named.collect();
    let mut found = HashMap::new();
    if wanted.is_empty() {
        return found;
    }
    let confirmed: Vec<Stamp> = granted
        .par_iter()
        .flat_map_iter(|granted| &granted.newest)
        .filter(|(_, id)| wanted.contains(id))
        .cloned()
        .collect();
    found.extend(confirmed.into_iter().map(|(time, id)| (id, time)));
    if wanted.iter().all(|id| found.contains_key(*id)) {
        return found;
    }
    // Millions of ids are passed over: what they begin with rules most of them out.
    let begins =
        |text: &str| text.get(..8).map_or(0, |start| start.bytes().fold(0, |n, c| n << 4 ^ usize::from(c)));
    let mut may_be = vec![false; 1 << 20];
    for id in wanted.iter().filter(|id| !found.contains_key(**id)) {
        may_be[begins(&id.to_string()) & 0xf_ffff] = true;
    }
    let of_day = |part: &Part| -> Vec<(EventId, Micros)> {
        let (cells, times) = (part.cells("event_id"), part.ints("time"));
        let likely = cells.into_iter().zip(times).filter(|(id, _)| may_be[begins(id) & 0xf_ffff]);
        let ids = likely.map(|(id, time)| (EventId::from(id), time));
        ids.filter(|(id, _)| wanted.contains(id)).collect()
    };
    // Without times the ids keep their order, which is no worse than any other.
    let _ = engine.each_day("notable", &["event_id", "time"], of_day, |times| found.extend(times));
    found
}
