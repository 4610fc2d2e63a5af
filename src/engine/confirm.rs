//! Event ids for every finding that asks for them, and their exact number.
//!
//! In: what each finding wants (a token, a span, values of columns). Out: its newest event ids and how many there are,
//! from the events of PATs that are held in columns ([`super::newest`]).

use super::newest::{Granted, Wish};
use super::{Engine, EngineError};
use crate::lake::table::Table;
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
    /// The finding's message, cut where the number of confirmed events belongs; nothing where it tells none.
    pub told: Vec<String>,
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
            let Wanted { org, token_id, from, to, matches, .. } = w;
            (finding, Wish { org, token_id, from, to, matches })
        })
        .unzip();
    Ok(findings.into_iter().zip(engine.newest(&wishes)?).collect())
}

/// Writes the number of confirmed events into the messages that tell it, and moves the beginning of such a finding to the
/// first of them: a row of `activity` that an instant cuts in two does not say how much of it came after. Where nothing
/// was confirmed, the number of the row is the least that there were.
pub(super) fn tell(findings: &mut [Finding], told: &[(usize, Vec<String>)], granted: &[Granted]) {
    for (at, parts) in told {
        let (finding, granted) = (&mut findings[*at], &granted[*at]);
        let number = match granted.oldest {
            None => format!("at least {}", finding.count),
            Some(oldest) => {
                finding.first_time = Some(oldest);
                finding.last_time = granted.newest.first().map(|(time, _)| *time).or(finding.last_time);
                granted.count.to_string()
            }
        };
        finding.message = parts.join(&number);
    }
}

/// Gives findings their confirmed events beside those that their rows name: newest first, no repeats, at most as many
/// as a finding lists. Where events were confirmed, their number is exact. `times` are those that rows held in memory told.
pub(super) fn list(
    engine: &Engine,
    findings: &mut [Finding],
    granted: Vec<Granted>,
    times: HashMap<EventId, Micros>,
) {
    findings.par_iter_mut().zip(&granted).for_each(|(finding, granted)| {
        if granted.newest.is_empty() {
            return;
        }
        if finding.event_ids.is_empty() {
            finding.count = granted.count;
            return;
        }
        let own: HashSet<&EventId> = granted.newest.iter().map(|(_, id)| id).collect();
        finding.event_ids.retain(|id| !own.contains(id));
        // Where the list is cut, what the row names may be among the events left out of it.
        let more = if granted.count > own.len() as u64 { 0 } else { finding.event_ids.len() as u64 };
        finding.count = granted.count + more;
    });
    let times = all_times(engine, findings, &granted, times);
    findings.par_iter_mut().zip(granted).for_each(|(finding, granted)| {
        // Rows that were folded into one may have counted the same event twice.
        let named = std::mem::take(&mut finding.event_ids);
        let all_listed = finding.count == (named.len() + granted.newest.len()) as u64;
        let mut seen = HashSet::new();
        let named = named.into_iter().filter(|id| seen.insert(id.clone()));
        // An event of an organisation that is not judged has no time here: it stays behind the one that the row names
        // before it, so that a list which comes newest first reads alike however many organisations are judged.
        let mut before = Micros::MAX;
        let known = |id: EventId| {
            before = times.get(&id).copied().unwrap_or(before);
            (before, id)
        };
        let mut events: Vec<Stamp> = named.map(known).collect();
        let is_named = !events.is_empty();
        events.extend(granted.newest);
        if all_listed {
            finding.count = events.len() as u64;
        }
        if is_named {
            // A stable sort: ids of one time keep their order.
            events.sort_by_key(|(time, _)| std::cmp::Reverse(*time));
        }
        events.truncate(MAX_EVENT_IDS);
        finding.event_ids = events.into_iter().map(|(_, id)| id).collect();
    });
}

/// The times of the events that findings name and that may have to be put in order, as far as rows tell that detections
/// share: asked before those are let go.
pub(super) fn times(
    engine: &Engine,
    findings: &[Finding],
    wanted: &[(usize, Wanted)],
) -> HashMap<EventId, Micros> {
    let Some(Some(chosen)) = engine.ready().chosen.clone() else { return HashMap::new() };
    let confirmed: HashSet<usize> = wanted.iter().map(|(finding, _)| *finding).collect();
    let in_order = |(at, finding): &(usize, &Finding)| finding.event_ids.len() > 1 || confirmed.contains(at);
    let named = findings.iter().enumerate().filter(in_order).flat_map(|(_, finding)| &finding.event_ids);
    let asked: HashSet<&EventId> = named.collect();
    let may_be = Signs::of(asked.iter().copied());
    chosen.times(|id| may_be.hold(id) && asked.contains(id)).into_iter().collect()
}

/// The times of the events that have to be put in order: what is known, then what the events of PATs or `notable` tell.
fn all_times(
    engine: &Engine,
    findings: &[Finding],
    granted: &[Granted],
    mut found: HashMap<EventId, Micros>,
) -> HashMap<EventId, Micros> {
    let in_order =
        |(finding, granted): &(&Finding, &Granted)| finding.event_ids.len() + granted.newest.len() > 1;
    let named = findings.iter().zip(granted).filter(in_order).flat_map(|(finding, _)| &finding.event_ids);
    let mut wanted: HashSet<&EventId> = named.filter(|id| !found.contains_key(*id)).collect();
    if wanted.is_empty() {
        return found;
    }
    // Millions of ids are passed over: their signs rule most of them out.
    let may_be = Signs::of(wanted.iter().copied());
    let calls = engine.ready().calls.clone();
    let held = calls.map(|calls| calls.times(|id| may_be.hold(id) && wanted.contains(id)));
    for (id, time) in held.into_iter().flatten() {
        wanted.remove(&id);
        found.insert(id, time);
    }
    if wanted.is_empty() {
        return found;
    }
    let may_be = Signs::of(wanted.iter().copied());
    let of_day = |part: &Table| -> Vec<(EventId, Micros)> {
        let ids = part.cells("event_id").into_iter().map(EventId::from);
        ids.zip(part.ints("time")).filter(|(id, _)| may_be.hold(id) && wanted.contains(id)).collect()
    };
    // Without times the ids keep their order, which is no worse than any other.
    let _ = engine.each_day("notable", &["event_id", "time"], of_day, |times| found.extend(times));
    found
}

/// Which signs some ids have.
struct Signs(Vec<u64>);

impl Signs {
    /// As many signs are told apart as this many bits can: a million ids then mostly have one of their own.
    const BITS: u32 = 24;

    fn of<'a>(ids: impl Iterator<Item = &'a EventId>) -> Self {
        let mut signs = vec![0; 1 << (Self::BITS - 6)];
        ids.map(Self::place).for_each(|(word, bit)| signs[word] |= bit);
        Self(signs)
    }

    fn place(id: &EventId) -> (usize, u64) {
        let sign = id.sign() >> (u32::BITS - Self::BITS);
        ((sign >> 6) as usize, 1 << (sign & 63))
    }

    fn hold(&self, id: &EventId) -> bool {
        let (word, bit) = Self::place(id);
        self.0[word] & bit != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::fixtures::engine_of;
    use serde_json::json;

    #[test]
    fn ids_that_no_table_in_memory_tells_of_are_put_in_order_by_the_events_of_pats() {
        let event = |id: &str, hour: u32| {
            json!({"org": "o", "event_id": id, "credential": "c", "kind": "pat", "action": "A.B",
                "time": format!("2026-03-02T{hour:02}:00:00Z"), "origin": true})
        };
        let events = [event("first", 1), event("third", 5), event("second", 3)];
        let engine = engine_of(&json!({"tables": {"events": events}}));
        engine.calls(&[]).expect("reads");
        let named = ["second", "unheard of", "first", "third"].map(EventId::from).to_vec();
        let mut findings =
            [Finding { event_ids: named, count: 4, ..crate::analysis::tests_support::finding() }];
        assert!(times(&engine, &findings, &[]).is_empty());
        list(&engine, &mut findings, vec![Granted::default()], HashMap::new());
        let ids: Vec<String> = findings[0].event_ids.iter().map(ToString::to_string).collect();
        assert_eq!(ids, ["third", "second", "unheard of", "first"]);
    }

    #[test]
    fn a_list_that_comes_newest_first_stays_so_without_the_times_of_other_organisations() {
        let event = |id: &str, hour: u32| {
            json!({"org": "o", "event_id": id, "credential": "c", "kind": "pat", "action": "A.B",
                "time": format!("2026-03-02T{hour:02}:00:00Z"), "origin": true})
        };
        let order = |events: &[serde_json::Value]| -> Vec<String> {
            let engine = engine_of(&json!({"tables": {"events": events}}));
            engine.calls(&[]).expect("reads");
            let named = ["newest", "middle", "oldest"].map(EventId::from).to_vec();
            let mut findings =
                [Finding { event_ids: named, count: 3, ..crate::analysis::tests_support::finding() }];
            list(&engine, &mut findings, vec![Granted::default()], HashMap::new());
            findings[0].event_ids.iter().map(ToString::to_string).collect()
        };
        let all = [event("newest", 5), event("middle", 3), event("oldest", 1)];
        for left_out in 0..3 {
            let known: Vec<serde_json::Value> =
                all.iter().enumerate().filter(|(i, _)| *i != left_out).map(|(_, e)| e.clone()).collect();
            assert_eq!(order(&known), ["newest", "middle", "oldest"], "without {left_out}");
        }
    }
}
