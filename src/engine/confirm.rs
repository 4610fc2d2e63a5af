//! Event ids for every finding that asks for them, and their exact number.
//!
//! In: what each finding wants (a token, a span, values of columns). Out: its newest event ids and how many there are,
//! from one shared pass over the raw events ([`super::newest`]).

use super::days::Part;
use super::newest::{Granted, Wish};
use super::{Engine, EngineError};
use crate::model::event_id::EventId;
use crate::model::time::Micros;
use hashbrown::HashSet;
use std::collections::{BTreeMap, BTreeSet, HashMap};

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

/// Returns the newest events by fingerprint, and how many there are.
///
/// # Errors
/// When the events cannot be read.
pub(super) fn events(
    engine: &Engine,
    wanted: Vec<(String, Wanted)>,
) -> Result<HashMap<String, Granted>, EngineError> {
    let (fingerprints, wishes): (Vec<String>, Vec<Wish>) = wanted
        .into_iter()
        .map(|(fingerprint, w)| {
            let Wanted { org, token_id, from, to, matches } = w;
            (fingerprint, Wish { org, token_id, from, to, matches })
        })
        .unzip();
    Ok(fingerprints.into_iter().zip(engine.newest(&wishes)?).collect())
}

/// Returns the times of the given events, as far as `notable` holds them.
pub(super) fn times(engine: &Engine, ids: &BTreeSet<&str>) -> HashMap<String, Micros> {
    let wanted: HashSet<EventId> = ids.iter().map(|id| EventId::from(*id)).collect();
    let mut found = HashMap::new();
    if wanted.is_empty() {
        return found;
    }
    let of_day = |part: &Part| -> Vec<(String, Micros)> {
        let (cells, times) = (part.cells("event_id"), part.ints("time"));
        let known = cells.iter().zip(times).filter(|(id, _)| wanted.contains(&EventId::from(**id)));
        known.map(|(id, time)| ((*id).to_owned(), time)).collect()
    };
    // Without times the ids keep their order, which is no worse than any other.
    let _ = engine.each_day("notable", &["event_id", "time"], of_day, |times| found.extend(times));
    found
}
