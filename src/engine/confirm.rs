//! One pass over the raw events for every finding that asks for its event ids.
//!
//! In: what each finding wants (a token, a span, values of columns). Out: its newest event ids. The pass
//! is shared and filtered by credential, by which day files are sorted, so most row groups are skipped.

use super::{Engine, EngineError, guarded, rows::Rows, time_lit};
use crate::model::finding::MAX_EVENT_IDS;
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

/// Returns the newest event ids by fingerprint, newest first.
///
/// # Errors
/// When the events cannot be read.
pub(super) fn events(
    engine: &Engine,
    wanted: &[(String, Wanted)],
) -> Result<HashMap<String, Vec<String>>, EngineError> {
    if wanted.is_empty() {
        return Ok(HashMap::new());
    }
    let tokens: BTreeSet<&str> = wanted.iter().map(|(_, w)| w.token_id.as_str()).collect();
    let from = wanted.iter().map(|(_, w)| w.from).min().unwrap_or(Micros::MIN);
    let to = wanted.iter().map(|(_, w)| w.to).max().unwrap_or(Micros::MAX);
    let columns: BTreeSet<&str> = ["org", "token_id", "time", "event_id"]
        .into_iter()
        .chain(wanted.iter().flat_map(|(_, w)| w.matches.keys().map(String::as_str)))
        .collect();
    let mut frame = engine.frame("events")?;
    if let Ok(credentials) = engine.query("SELECT org, credential, token_id FROM credentials") {
        let names: Vec<String> = (0..credentials.len())
            .filter(|row| credentials.text(*row, "token_id").is_some_and(|t| tokens.contains(t)))
            .filter_map(|row| credentials.text(row, "credential").map(str::to_owned))
            .collect();
        if !names.is_empty() {
            frame = frame.filter(one_of("credential", names));
        }
    }
    let frame = frame
        .filter(one_of("token_id", tokens.iter().map(|t| (*t).to_owned()).collect()))
        .filter(pl::col("time").gt_eq(time_lit(from)).and(pl::col("time").lt_eq(time_lit(to))))
        .select(columns.iter().map(|c| pl::col(*c)).collect::<Vec<_>>());
    let rows = Rows::from_frame(&guarded(|| Ok(frame.collect()?))?)?;
    Ok(pick(&rows, wanted))
}

fn one_of(column: &str, values: Vec<String>) -> pl::Expr {
    let values = pl::Series::from_iter(values);
    pl::col(column).is_in(pl::lit(values).implode(true), false)
}

fn pick(rows: &Rows, wanted: &[(String, Wanted)]) -> HashMap<String, Vec<String>> {
    let mut by_token: HashMap<(&str, &str), Vec<(Micros, usize)>> = HashMap::new();
    for row in 0..rows.len() {
        if let (Some(org), Some(token), Some(time)) =
            (rows.text(row, "org"), rows.text(row, "token_id"), rows.time(row, "time"))
        {
            by_token.entry((org, token)).or_default().push((time, row));
        }
    }
    for events in by_token.values_mut() {
        events.sort_by_key(|&(time, row)| (std::cmp::Reverse(time), rows.text(row, "event_id")));
    }
    wanted
        .iter()
        .map(|(fingerprint, w)| {
            let events = by_token.get(&(w.org.as_str(), w.token_id.as_str()));
            let ids = events
                .into_iter()
                .flatten()
                .filter(|(time, _)| w.from <= *time && *time <= w.to)
                .filter(|(_, row)| {
                    w.matches.iter().all(|(column, values)| {
                        rows.text(*row, column).is_some_and(|value| values.contains(value))
                    })
                })
                .filter_map(|(_, row)| rows.text(*row, "event_id").map(str::to_owned))
                .take(MAX_EVENT_IDS)
                .collect();
            (fingerprint.clone(), ids)
        })
        .collect()
}
