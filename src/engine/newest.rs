//! The newest events of many wishes at once: one pass over the raw events, newest day first.
//!
//! In: wishes, each for the events of one token in a span. Out: for each the newest of them, and how many there are. A
//! day is read only where a wish reaches into it, and of a day only the credentials that are wished for.

use super::rows::Rows;
use super::{Engine, EngineError, Source, guarded, schema, tables, time_lit};
use crate::lake::view::day_of_file;
use crate::model::finding::MAX_EVENT_IDS;
use crate::model::time::{DAY, Micros, day_start};
use polars::prelude as pl;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;

/// The events that are wished for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// Organisation.
    pub org: String,
    /// The token.
    pub token_id: String,
    /// First instant.
    pub from: Micros,
    /// Last instant.
    pub to: Micros,
    /// Column to values, any of which will do.
    pub matches: BTreeMap<String, BTreeSet<String>>,
}

/// An event: when, and its id.
pub type Stamped = (Micros, String);

/// What answers a wish.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Granted {
    /// The newest events, newest first, at most as many as a finding may list.
    pub newest: Vec<Stamped>,
    /// All of them, counted.
    pub count: u64,
}

impl Engine {
    /// Counts the events of each wish and keeps the newest.
    ///
    /// # Errors
    /// When the events cannot be read.
    pub fn newest(&self, wishes: &[Wish]) -> Result<Vec<Granted>, EngineError> {
        let mut found: Vec<Granted> = vec![Granted::default(); wishes.len()];
        let (Some(source), Some(def)) = (self.sources.get("events"), schema::table("events")) else {
            return if wishes.is_empty() { Ok(found) } else { Err(Self::missing("events")) };
        };
        let credentials = self.credentials_by_token()?;
        let mut columns: BTreeSet<&str> = ["org", "token_id", "time", "event_id"].into();
        columns.extend(wishes.iter().flat_map(|w| w.matches.keys().map(String::as_str)));
        let mut parts: Vec<Option<&PathBuf>> = source.files.iter().map(Some).collect();
        if parts.is_empty() {
            parts.push(None);
        }
        parts.sort_by_key(|file| std::cmp::Reverse(file.and_then(|f| day_of_file(f))));
        for file in parts {
            let day = file.and_then(|f| day_of_file(f)).map(|d| (day_start(d), day_start(d) + DAY));
            let reaches = |w: &Wish| day.is_none_or(|(from, to)| w.from < to && w.to >= from);
            let active: Vec<usize> = (0..wishes.len()).filter(|at| reaches(&wishes[*at])).collect();
            if active.is_empty() {
                continue;
            }
            let mut frame = match file {
                Some(file) => {
                    let files = vec![file.clone()];
                    let frame = tables::scan(def, &files)?;
                    self.of_source(def, &Source { frame, files, ..source.clone() })?
                }
                None => self.lazy("events")?,
            };
            let keys: BTreeSet<&str> = active.iter().map(|at| wishes[*at].token_id.as_str()).collect();
            let names: Vec<String> =
                keys.iter().flat_map(|k| credentials.get(*k)).flatten().cloned().collect();
            if !names.is_empty() {
                frame = frame.filter(one_of("credential", names));
            }
            let from = active.iter().map(|at| wishes[*at].from).min().unwrap_or(Micros::MIN);
            let to = active.iter().map(|at| wishes[*at].to).max().unwrap_or(Micros::MAX);
            let frame = frame
                .filter(pl::col("time").gt_eq(time_lit(from)).and(pl::col("time").lt_eq(time_lit(to))))
                .select(columns.iter().map(|c| pl::col(*c)).collect::<Vec<_>>());
            let rows = guarded(|| Ok(frame.collect()?))?;
            pick(&rows, wishes, &active, &mut found)?;
        }
        Ok(found)
    }

    fn credentials_by_token(&self) -> Result<HashMap<String, Vec<String>>, EngineError> {
        let mut by_token: HashMap<String, Vec<String>> = HashMap::new();
        let Some(source) = self.sources.get("credentials") else { return Ok(by_token) };
        let frame = source.frame.clone().select(["credential", "token_id"].map(pl::col));
        let rows = Rows::from_frame(&guarded(|| Ok(frame.collect()?))?)?;
        for row in 0..rows.len() {
            if let (Some(credential), Some(token)) =
                (rows.text(row, "credential"), rows.text(row, "token_id"))
            {
                by_token.entry(token.to_owned()).or_default().push(credential.to_owned());
            }
        }
        Ok(by_token)
    }
}

/// Adds the rows of one day to the wishes that they fit, newest first; a wish keeps no more than a finding lists.
fn pick(
    rows: &pl::DataFrame,
    wishes: &[Wish],
    active: &[usize],
    found: &mut [Granted],
) -> Result<(), EngineError> {
    let mut by_key: HashMap<(&str, &str), Vec<usize>> = HashMap::new();
    for at in active {
        by_key.entry((wishes[*at].org.as_str(), wishes[*at].token_id.as_str())).or_default().push(*at);
    }
    let text = |name: &str| Ok::<_, EngineError>(rows.column(name)?.str()?);
    let (org, keys, id) = (text("org")?, text("token_id")?, text("event_id")?);
    let time = rows.column("time")?.cast(&pl::DataType::Int64)?;
    let time = time.i64()?;
    let names: BTreeSet<&str> =
        active.iter().flat_map(|at| wishes[*at].matches.keys().map(String::as_str)).collect();
    let mut columns = HashMap::new();
    for name in names {
        columns.insert(name, text(name)?);
    }
    let mut order: Vec<(Micros, usize)> =
        (0..rows.height()).filter_map(|row| Some((time.get(row)?, row))).collect();
    // Within one instant the least id comes first.
    order.sort_unstable_by_key(|(time, row)| (std::cmp::Reverse(*time), id.get(*row)));
    for (time, row) in order {
        let (Some(org), Some(own)) = (org.get(row), keys.get(row)) else { continue };
        let Some(mine) = by_key.get(&(org, own)) else { continue };
        for at in mine {
            let wish = &wishes[*at];
            let fits = wish.from <= time
                && time <= wish.to
                && wish.matches.iter().all(|(column, values)| {
                    columns[column.as_str()].get(row).is_some_and(|value| values.contains(value))
                });
            if !fits {
                continue;
            }
            found[*at].count += 1;
            if found[*at].newest.len() < MAX_EVENT_IDS
                && let Some(id) = id.get(row)
            {
                found[*at].newest.push((time, id.to_owned()));
            }
        }
    }
    Ok(())
}

/// A condition on a text column; a single value is compared as such, since statistics of row groups can
/// answer that.
pub(super) fn one_of(column: &str, mut values: Vec<String>) -> pl::Expr {
    values.sort_unstable();
    values.dedup();
    let (Some(least), Some(most)) = (values.first().cloned(), values.last().cloned()) else {
        return pl::lit(false);
    };
    let own = pl::col(column);
    if values.len() == 1 {
        return own.eq(pl::lit(least));
    }
    let within = own.clone().gt_eq(pl::lit(least)).and(own.clone().lt_eq(pl::lit(most)));
    let values = pl::Series::from_iter(values);
    within.and(own.is_in(pl::lit(values).implode(true), false))
}
