//! Rows of `notable` by action: read once for all detections, each of which asks for a few actions.
//!
//! In: which actions and columns the detections ask for. Out: the rows of each action, with the columns that any of them
//! wants of it, and for one detection those of its actions as one table. What would fill too much memory is not
//! kept; each detection then reads for itself.

use super::attributed::{Tokens, columns_to_read};
use super::collect::collect;
use super::narrow::{Pattern, Words};
use super::schema::{Kind, TableDef};
use super::{Columns, Engine, EngineError, schema, tables};
use crate::lake::columns::Numbers;
use crate::lake::table::Table;
use crate::model::event_id::EventId;
use crate::model::names::Names;
use crate::model::text::TextColumn;
use crate::model::time::Micros;
use pl::{IntoColumn as _, IntoLazy as _, NewChunkedArray as _};
use polars::prelude as pl;
use rayon::prelude::*;
use sqlparser::ast::Statement;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The one table that is kept by action.
pub(super) const TABLE: &str = "notable";
/// Bytes that the rows may fill, and the table that one query is given of them.
const BUDGET: usize = 1 << 30;
/// Bytes of a cell of such a table.
const CELL: usize = 16;

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

/// Rows by action: texts as codes, since a table of views of them would take four times the memory.
pub(super) struct Chosen {
    /// The texts of each column, by code.
    texts: BTreeMap<&'static str, pl::Column>,
    tokens: Arc<Tokens>,
    /// A piece a day: in one piece each would be copied as it grows, and fill more memory than it needs.
    actions: BTreeMap<String, Vec<OfAction>>,
}

/// What one query asks for, not yet put together.
pub(super) struct Asked {
    def: &'static TableDef,
    chosen: Arc<Chosen>,
    want: Want,
}

impl Asked {
    /// Counts the cells of the table.
    pub(super) fn cells(&self) -> usize {
        self.chosen.actions_of(&self.want).map(|rows| rows.height).sum::<usize>() * self.want.columns.len()
    }

    /// The table; nothing where its columns were not read.
    pub(super) fn frame(&self) -> Result<Option<pl::LazyFrame>, EngineError> {
        self.chosen.of(self.def, &self.want)
    }
}

/// The rows of one action on one day.
#[derive(Default)]
struct OfAction {
    height: usize,
    columns: BTreeMap<&'static str, Held>,
}

/// The rows of a column.
enum Held {
    Codes(Vec<u32>),
    Ids(Vec<EventId>),
    Texts(TextColumn),
    Numbers(Numbers),
    /// The greatest number stands for no token.
    Tokens(Vec<u32>),
}

impl Held {
    fn bytes(&self) -> usize {
        match self {
            Self::Codes(rows) => size_of_val(rows.as_slice()),
            Self::Ids(rows) => size_of_val(rows.as_slice()),
            Self::Texts(rows) => rows.bytes() + rows.len() * size_of::<usize>(),
            Self::Numbers(rows) => size_of_val(rows.values.as_slice()) + rows.valid.len(),
            Self::Tokens(rows) => size_of_val(rows.as_slice()),
        }
    }
}

/// What a day holds; the codes of texts are its own.
struct OfDay {
    texts: BTreeMap<&'static str, Names>,
    actions: Vec<(String, OfAction)>,
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
                let rows = super::Rows::from_frame(&collect(|| Ok(frame.select([pl::col("action")])))?)?;
                let actions = (0..rows.len()).filter_map(|row| rows.text(row, "action").map(str::to_owned));
                *pattern = Pattern::OneOf(actions.collect());
            }
        }
        Ok(Some(Want { patterns, columns: words.columns(def) }))
    }

    /// The rows that a query asks for; nothing where the table does not lie by action.
    pub(super) fn chosen(&self, want: Want) -> Result<Option<Asked>, EngineError> {
        let Some(def) = schema::table(TABLE) else { return Ok(None) };
        if self.sources.get(TABLE).is_none_or(|source| source.files.is_empty()) {
            return Ok(None);
        }
        let asked = self.read_chosen(def, &want)?.map(|chosen| Asked { def, chosen, want });
        // What is held takes a quarter of what a table of it does; one that is too large is read as far as it is asked for.
        Ok(asked.filter(|asked| asked.cells().saturating_mul(CELL) <= BUDGET))
    }

    fn read_chosen(&self, def: &TableDef, want: &Want) -> Result<Option<Arc<Chosen>>, EngineError> {
        self.once(
            TABLE,
            |ready| &mut ready.chosen,
            || {
                let expected = self.ready().wants.clone();
                let wants = if expected.is_empty() { vec![want.clone()] } else { expected };
                Ok(self.choose(def, &wants)?.map(Arc::new))
            },
        )
    }

    fn choose(&self, def: &TableDef, wants: &[Want]) -> Result<Option<Chosen>, EngineError> {
        let wanted: Columns = wants.iter().flat_map(|want| want.columns.iter().copied()).collect();
        let read = columns_to_read(&wanted, &["action"]);
        let tokens = self.tokens_by_credential()?;
        let mut names: BTreeMap<&'static str, Names> = BTreeMap::new();
        let mut actions: BTreeMap<String, Vec<OfAction>> = BTreeMap::new();
        let mut bytes = 0;
        let take = |day: OfDay| {
            if bytes > BUDGET {
                actions.clear();
                return;
            }
            let number = |(column, texts): (&'static str, Names)| {
                let names = names.entry(column).or_default();
                // No text is code 0, here as there.
                names.number("");
                let before = names.bytes();
                let numbers = names.numbers(&texts);
                bytes += names.bytes() - before;
                (column, numbers)
            };
            let numbers: BTreeMap<&'static str, Vec<u32>> = day.texts.into_iter().map(number).collect();
            for (action, mut of_day) in day.actions {
                for (column, rows) in &mut of_day.columns {
                    if let (Held::Codes(codes), Some(numbers)) = (&mut *rows, numbers.get(column)) {
                        codes.iter_mut().for_each(|code| *code = numbers[*code as usize]);
                    }
                    bytes += rows.bytes();
                }
                actions.entry(action).or_default().push(of_day);
            }
        };
        self.each_day(TABLE, &read, |part| of_day(def, part, wants, &tokens), take)?;
        if bytes > BUDGET {
            return Ok(None);
        }
        let texts = names.iter().map(|(column, names)| {
            let texts = names.texts().map(|text| Some(text).filter(|t| !t.is_empty()));
            (*column, pl::StringChunked::from_iter_options((*column).into(), texts).into_column())
        });
        Ok(Some(Chosen { texts: texts.collect(), tokens, actions }))
    }
}

fn columns_of(wants: &[Want], action: &str) -> Columns {
    wants.iter().filter(|want| want.fits(action)).flat_map(|want| want.columns.iter().copied()).collect()
}

/// Ids that seldom repeat: as a text each they would take twice the memory.
const IDS: &[&str] = &["event_id"];
/// Texts that seldom repeat: to number them would cost more than it saves.
const SELDOM_ALIKE: &[&str] = &["details", "correlation_id"];

/// The rows of a day, an action each, with what is wanted of it.
fn of_day(def: &TableDef, part: &Table, wants: &[Want], tokens: &Tokens) -> OfDay {
    let actions = part.texts("action");
    let wanted: Vec<Columns> = actions.texts.texts().map(|action| columns_of(wants, action)).collect();
    let mut rows: Vec<Vec<usize>> = vec![Vec::new(); wanted.len()];
    for (row, code) in actions.codes.iter().enumerate() {
        if !wanted[*code as usize].is_empty() {
            rows[*code as usize].push(row);
        }
    }
    let mut day = OfDay { texts: BTreeMap::new(), actions: Vec::new() };
    for (action, rows) in actions.texts.texts().zip(&rows) {
        day.actions.push((action.to_owned(), OfAction { height: rows.len(), ..OfAction::default() }));
    }
    // Column by column, so that one alone is in memory as a whole.
    for column in &def.columns {
        let asks = |code: usize| wanted[code].contains(column.name) && !rows[code].is_empty();
        let asking: Vec<usize> = (0..wanted.len()).filter(|code| asks(*code)).collect();
        if asking.is_empty() {
            continue;
        }
        let mut hold = |of: &dyn Fn(&[usize]) -> Held| {
            for code in &asking {
                day.actions[*code].1.columns.insert(column.name, of(&rows[*code]));
            }
        };
        if column.name == "token_id" {
            let own = tokens.of(part);
            hold(&|rows| Held::Tokens(rows.iter().map(|row| own[*row].unwrap_or(u32::MAX)).collect()));
        } else if IDS.contains(&column.name) {
            let cells = part.cells(column.name);
            hold(&|rows| Held::Ids(rows.iter().map(|row| cells[*row].into()).collect()));
        } else if SELDOM_ALIKE.contains(&column.name) {
            let cells = part.cells(column.name);
            hold(&|rows| {
                let mut texts = TextColumn::default();
                rows.iter().for_each(|row| texts.push(cells[*row]));
                Held::Texts(texts)
            });
        } else if column.kind == Kind::Text {
            let cells = part.texts(column.name);
            hold(&|rows| Held::Codes(rows.iter().map(|row| cells.codes[*row]).collect()));
            day.texts.insert(column.name, cells.texts);
        } else {
            let cells = part.known_ints(column.name);
            hold(&|rows| Held::Numbers(rows.iter().map(|row| cells[*row]).collect()));
        }
    }
    day.actions.retain(|(_, rows)| !rows.columns.is_empty());
    day
}

impl Chosen {
    /// The times of those events that `wanted` asks for, as far as their rows are held.
    pub(super) fn times(&self, wanted: impl Fn(&EventId) -> bool + Sync) -> Vec<(EventId, Micros)> {
        let days: Vec<&OfAction> = self.actions.values().flatten().collect();
        let of_day = |rows: &&OfAction| match (rows.columns.get("event_id"), rows.columns.get("time")) {
            (Some(Held::Ids(ids)), Some(Held::Numbers(times))) => {
                let rows = ids.iter().zip(&times.values);
                rows.filter(|(id, _)| wanted(id)).map(|(id, time)| (id.clone(), *time)).collect()
            }
            _ => Vec::new(),
        };
        days.par_iter().flat_map_iter(of_day).collect()
    }

    fn actions_of(&self, want: &Want) -> impl Iterator<Item = &OfAction> {
        self.actions.iter().filter(|(action, _)| want.fits(action)).flat_map(|(_, days)| days)
    }

    /// The rows and columns that a query asks for; nothing where they were not read.
    fn of(&self, def: &TableDef, want: &Want) -> Result<Option<pl::LazyFrame>, EngineError> {
        let asked: Vec<&OfAction> = self.actions_of(want).collect();
        let height = asked.iter().map(|rows| rows.height).sum();
        let mut columns: Vec<pl::Column> = Vec::with_capacity(want.columns.len());
        for column in def.columns.iter().filter(|c| want.columns.contains(c.name)) {
            let held: Option<Vec<&Held>> = asked.iter().map(|rows| rows.columns.get(column.name)).collect();
            let Some(held) = held else { return Ok(None) };
            let dtype = tables::dtype(column.kind);
            let made = match held.is_empty() {
                true => pl::Column::full_null(column.name.into(), 0, &dtype),
                false => self.column(column.name, &held)?,
            };
            columns.push(if *made.dtype() == dtype { made } else { made.cast(&dtype)? });
        }
        Ok(Some(pl::DataFrame::new(height, columns)?.lazy()))
    }

    fn column(&self, name: &'static str, held: &[&Held]) -> Result<pl::Column, EngineError> {
        Ok(match (held.first(), self.texts.get(name)) {
            (Some(Held::Codes(_)), Some(texts)) => {
                let rows = of(held, |rows| if let Held::Codes(rows) = rows { Some(rows) } else { None });
                texts.take(&pl::IdxCa::from_vec("rows".into(), rows.copied().collect()))?
            }
            (Some(Held::Tokens(_)), _) => {
                let rows = of(held, |rows| if let Held::Tokens(rows) = rows { Some(rows) } else { None });
                self.tokens.take(rows.map(|token| Some(*token).filter(|token| *token != u32::MAX)))?
            }
            (Some(Held::Ids(_)), _) => {
                let rows = of(held, |rows| if let Held::Ids(rows) = rows { Some(rows) } else { None });
                tables::ids(name, rows)
            }
            (Some(Held::Texts(_)), _) => {
                let parts = held
                    .iter()
                    .filter_map(|rows| if let Held::Texts(rows) = rows { Some(rows) } else { None });
                let texts = parts.flat_map(TextColumn::iter).map(|text| Some(text).filter(|t| !t.is_empty()));
                pl::StringChunked::from_iter_options(name.into(), texts).into_column()
            }
            _ => {
                let parts = held
                    .iter()
                    .filter_map(|rows| if let Held::Numbers(rows) = rows { Some(rows) } else { None });
                pl::Int64Chunked::from_iter_options(name.into(), parts.flat_map(Numbers::known)).into_column()
            }
        })
    }
}

/// The rows of several actions and days, one after the other.
fn of<'a, T: 'a>(
    held: &'a [&'a Held],
    rows: impl Fn(&'a Held) -> Option<&'a Vec<T>> + 'a,
) -> impl Iterator<Item = &'a T> {
    held.iter().filter_map(move |held| rows(held)).flatten()
}
