//! Event ids for every finding that asks for them, and their exact number.
//!
//! In: what each finding wants (a token, a span, values of columns). Out: its newest event ids and how many there are,
//! from one shared pass over the raw events ([`super::newest`]).

use super::newest::{Granted, Wish};
use super::{Engine, EngineError, guarded, rows::Rows};
use crate::model::time::Micros;
use polars::prelude as pl;
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
    if ids.is_empty() {
        return HashMap::new();
    }
    let found = engine.times_of(ids);
    // Without times the ids keep their order, which is no worse than any other.
    let rows = found.unwrap_or_default();
    (0..rows.len())
        .filter_map(|row| Some((rows.text(row, "event_id")?.to_owned(), rows.time(row, "time")?)))
        .collect()
}

impl Engine {
    fn times_of(&self, ids: &BTreeSet<&str>) -> Result<Rows, EngineError> {
        let ids = pl::Series::from_iter(ids.iter().map(|id| (*id).to_owned()));
        let wanted = pl::col("event_id").is_in(pl::lit(ids).implode(true), false);
        let frame = self.shared_columns("notable", &["event_id", "time"])?.filter(wanted);
        Rows::from_frame(&guarded(|| Ok(frame.select(["event_id", "time"].map(pl::col)).collect()?))?)
    }
}
