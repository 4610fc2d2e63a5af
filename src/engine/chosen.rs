//! Rows of `notable` by action: read once for all detections, each of which asks for a few actions.
//!
//! In: which actions and columns the detections ask for. Out: one frame an action, with the columns that any of them
//! wants of it, and for one detection the frames of its actions as one table. What would fill too much memory is not
//! kept; each detection then reads for itself.

use super::attributed::Tokens;
use super::days::Part;
use super::narrow::{Pattern, Words};
use super::schema::TableDef;
use super::{Columns, Engine, EngineError, guarded, schema, tables};
use pl::IntoLazy as _;
use polars::prelude as pl;
use sqlparser::ast::Statement;
use std::collections::BTreeMap;

/// The one table that is kept by action.
pub(super) const TABLE: &str = "notable";
/// Bytes that the frames may fill.
const BUDGET: usize = 1 << 30;

/// What one query asks for: actions, all of them where none are named, and columns.
#[derive(Debug, Clone)]
pub(super) struct Want {
    patterns: Option<Vec<Pattern>>,
    columns: Columns,
}

impl Want {
    fn fits(&self, action: &str) -> bool {
        self.patterns.as_ref().is_none_or(|patterns| patterns.iter().any(|p| p.fits(action)))
    }
}

/// Frames by action.
pub(super) struct Chosen {
    frames: BTreeMap<String, (Columns, pl::DataFrame)>,
}

impl Engine {
    /// What a query asks of the table.
    pub(super) fn want(&self, statement: &Statement) -> Result<Option<Want>, EngineError> {
        let words = Words::of(statement, TABLE);
        let Some(def) = schema::table(TABLE) else { return Ok(None) };
        let mut patterns = super::narrow::values_of(statement, TABLE, "action");
        for pattern in patterns.iter_mut().flatten() {
            if let Pattern::Listed(table) = pattern {
                let frame = self.shared_columns(table, &["action"])?;
                let rows = super::Rows::from_frame(&guarded(|| {
                    Ok(frame.select([pl::col("action")]).collect()?)
                })?)?;
                let actions = (0..rows.len()).filter_map(|row| rows.text(row, "action").map(str::to_owned));
                *pattern = Pattern::OneOf(actions.collect());
            }
        }
        Ok(Some(Want { patterns, columns: words.columns(def) }))
    }

    /// The table as a query sees it; nothing where it does not lie by action.
    pub(super) fn chosen(&self, want: &Want) -> Result<Option<pl::LazyFrame>, EngineError> {
        let Some(def) = schema::table(TABLE) else { return Ok(None) };
        if self.sources.get(TABLE).is_none_or(|source| source.files.is_empty()) {
            return Ok(None);
        }
        let expected = {
            let ready = self.ready();
            match &ready.chosen {
                Some(None) => return Ok(None),
                Some(Some(chosen)) => return chosen.of(def, want),
                None => ready.wants.clone(),
            }
        };
        let wants = if expected.is_empty() { vec![want.clone()] } else { expected };
        let chosen = self.choose(def, &wants)?;
        let frame = chosen.as_ref().map_or(Ok(None), |chosen| chosen.of(def, want))?;
        self.ready().chosen = Some(chosen);
        Ok(frame)
    }

    fn choose(&self, def: &TableDef, wants: &[Want]) -> Result<Option<Chosen>, EngineError> {
        let mut read: Columns = wants.iter().flat_map(|want| want.columns.iter().copied()).collect();
        read.extend(["org", "action", "credential"]);
        read.remove("token_id");
        let read: Vec<&'static str> = read.into_iter().collect();
        let tokens = self.tokens_by_credential()?;
        let mut parts: BTreeMap<String, Vec<pl::DataFrame>> = BTreeMap::new();
        let (mut bytes, mut failed) = (0, None);
        let take = |made: Result<Vec<(String, pl::DataFrame)>, EngineError>| match made {
            _ if bytes > BUDGET => parts.clear(),
            Ok(frames) => {
                for (action, frame) in frames {
                    bytes += frame.width() * frame.height() * 16;
                    parts.entry(action).or_default().push(frame);
                }
            }
            Err(error) => failed = Some(error),
        };
        self.each_day(TABLE, &read, |part| by_action(def, part, wants, &tokens), take)?;
        if let Some(error) = failed {
            return Err(error);
        }
        if bytes > BUDGET {
            return Ok(None);
        }
        let mut frames = BTreeMap::new();
        for (action, parts) in parts {
            let columns = columns_of(wants, &action);
            let mut parts = parts.into_iter();
            let Some(mut frame) = parts.next() else { continue };
            for part in parts {
                frame.vstack_mut_owned(part)?;
            }
            frame.rechunk_mut();
            frames.insert(action, (columns, frame));
        }
        Ok(Some(Chosen { frames }))
    }
}

fn columns_of(wants: &[Want], action: &str) -> Columns {
    wants.iter().filter(|want| want.fits(action)).flat_map(|want| want.columns.iter().copied()).collect()
}

/// The rows of a day, an action each, with what is wanted of it.
fn by_action(
    def: &TableDef,
    part: &Part,
    wants: &[Want],
    tokens: &Tokens,
) -> Result<Vec<(String, pl::DataFrame)>, EngineError> {
    let pieces = part.pieces().into_iter().map(|piece| of_piece(def, &piece, wants, tokens));
    Ok(pieces.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
}

fn of_piece(
    def: &TableDef,
    part: &Part,
    wants: &[Want],
    tokens: &Tokens,
) -> Result<Vec<(String, pl::DataFrame)>, EngineError> {
    let actions = part.texts("action");
    let wanted: Vec<Columns> = actions.texts.iter().map(|action| columns_of(wants, action)).collect();
    let mut rows: Vec<Vec<pl::IdxSize>> = vec![Vec::new(); wanted.len()];
    for (row, code) in actions.codes.iter().enumerate() {
        if !wanted[*code as usize].is_empty() {
            rows[*code as usize].push(pl::IdxSize::try_from(row).unwrap_or_default());
        }
    }
    let own = tokens.of(part);
    let mut frames = Vec::new();
    for ((action, columns), rows) in actions.texts.iter().zip(&wanted).zip(rows) {
        if rows.is_empty() {
            continue;
        }
        let frame = part.rows(def, columns, &pl::IdxCa::from_vec("rows".into(), rows), |rows| {
            tokens.take(rows.iter().map(|row| own[row.unwrap_or_default() as usize]))
        })?;
        frames.push((action.clone(), frame));
    }
    Ok(frames)
}

impl Chosen {
    /// The rows and columns that a query asks for; nothing where they were not read.
    fn of(&self, def: &TableDef, want: &Want) -> Result<Option<pl::LazyFrame>, EngineError> {
        let columns: Vec<&schema::ColumnDef> =
            def.columns.iter().filter(|c| want.columns.contains(c.name)).collect();
        let mut whole: Option<pl::DataFrame> = None;
        for (_, (held, frame)) in self.frames.iter().filter(|(action, _)| want.fits(action)) {
            if !held.is_superset(&want.columns) {
                return Ok(None);
            }
            let frame = frame.select(columns.iter().map(|c| c.name))?;
            match &mut whole {
                Some(whole) => drop(whole.vstack_mut_owned(frame)?),
                None => whole = Some(frame),
            }
        }
        let empty = || {
            let none =
                |c: &&schema::ColumnDef| pl::Column::full_null(c.name.into(), 0, &tables::dtype(c.kind));
            pl::DataFrame::new(0, columns.iter().map(none).collect())
        };
        Ok(Some(whole.map_or_else(empty, Ok)?.lazy()))
    }
}
