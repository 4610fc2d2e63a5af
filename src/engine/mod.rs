//! Tables and SQL: the only place beside the lake that knows Polars.
//!
//! In: tables built in memory, Parquet files of the lake, the window and the policy. Out: [`Rows`] of own
//! cells, and findings of a pack. A query is checked ([`check`]), rewritten ([`rewrite`]) and run in a
//! context of its own, because a Polars context remembers aliases from one query to the next.

pub mod apart;
mod attributed;
pub mod blind;
mod bound;
pub mod calls;
pub mod check;
mod chosen;
mod collect;
mod confirm;
pub mod days;
pub mod equivalents;
pub mod findings;
mod first_shown;
mod flagged;
mod gather;
mod narrow;
pub mod newest;
mod not_run;
mod of_token;
mod org_seen;
pub mod pack;
mod parquet;
mod ready;
pub mod rewrite;
pub mod rows;
pub mod run;
pub mod schema;
mod seen;
mod shape;
mod sources;
mod spelling;
mod stays;
mod steps;
pub mod tables;
pub mod views;
mod walk;

#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod probes;

pub use pack::{Detection, Pack, Problem};
pub use rows::{Cell, Column, Rows};
pub use tables::{Table, TableBuilder};

use crate::model::policy::Policy;
use crate::model::time::Window;
use polars::prelude as pl;
use ready::Ready;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// What kind of thing went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum EngineErrorKind {
    /// The check refused the query.
    Refused,
    /// The query failed while it ran.
    Query,
    /// A table does not fit the schema.
    Schema,
    /// A table that the query needs was not handed in.
    Missing,
    /// The SQL engine panicked.
    Panic,
    /// It took more time or memory than it may, and was stopped.
    Limit,
    /// A file of the lake cannot be read.
    Damaged,
}

/// A query or table that could not be used, with how to mend it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, serde::Serialize, serde::Deserialize)]
#[error("{text}")]
pub struct EngineError {
    /// What kind of thing.
    pub kind: EngineErrorKind,
    /// A sentence.
    pub text: String,
    /// How to mend it; may be empty.
    pub hint: String,
}

impl EngineError {
    pub(crate) fn new(kind: EngineErrorKind, text: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { kind, text: text.into(), hint: hint.into() }
    }
}

impl From<pl::PolarsError> for EngineError {
    fn from(error: pl::PolarsError) -> Self {
        // Polars appends its logical plan, which tells a user nothing.
        let text = error.to_string();
        let text = text.split("\n\nResolved plan until failure").next().unwrap_or(&text).trim();
        Self::new(
            EngineErrorKind::Query,
            format!("The query failed: {text}"),
            "See `patwatch query --tables` for tables and columns.",
        )
    }
}

/// Which rows of a registered table a query may see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// Every row.
    None,
    /// Rows inside the window.
    Window,
}

#[derive(Clone)]
struct Source {
    frame: pl::LazyFrame,
    cut: Cut,
    /// Whether `token_id` still has to be joined in from `credentials`.
    needs_token: bool,
    /// The files behind the frame; none for a table in memory.
    files: Vec<PathBuf>,
}

/// Columns of a table that queries ask for.
type Columns = BTreeSet<&'static str>;

/// Tables and the means to query them.
pub struct Engine {
    window: Window,
    policy: Policy,
    sources: BTreeMap<&'static str, Source>,
    ready: Mutex<Ready>,
    /// Held by who makes the table of that name, so that detections which run side by side wait for it.
    making: Mutex<BTreeMap<&'static str, Arc<Mutex<()>>>>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("tables", &self.sources.keys()).finish_non_exhaustive()
    }
}

/// Tells whether a query may read a column of a table.
#[must_use]
pub fn asks(sql: &str, table: &str, column: &str) -> bool {
    // What cannot be read is told when it runs.
    let (Ok((statement, ..)), Some(def)) = (check::inspect(sql), schema::table(table)) else { return false };
    narrow::Words::of(&statement, table).columns(def).contains(column)
}

/// Cells of a table that are many for one detection.
const MANY: usize = 4 << 20;
/// Tables whose rows are cut to the window.
const WINDOWED: &[&str] = &["events", "activity", "token_day", "notable", "actors", "connection_runs"];
/// Tables whose `token_id` is not stored but comes from `credentials`.
const ATTRIBUTED: &[&str] = &["events", "activity", "token_day", "notable", "seen"];

impl Engine {
    /// Starts an engine without tables.
    #[must_use]
    pub fn new(policy: &Policy, window: Window) -> Self {
        Self {
            window,
            policy: policy.clone(),
            sources: BTreeMap::new(),
            ready: Mutex::default(),
            making: Mutex::default(),
        }
    }

    /// Hands in a table that lies in memory. Tables of events are cut to the window.
    pub fn register(&mut self, table: Table) {
        self.forget_calls(table.name);
        let cut = if WINDOWED.contains(&table.name) { Cut::Window } else { Cut::None };
        self.forget();
        self.sources.insert(
            table.name,
            Source { frame: table.frame, cut, needs_token: table.needs_token, files: Vec::new() },
        );
    }

    /// Hands in the Parquet files of a table; none make an empty table. Columns that a file lacks are null.
    ///
    /// # Errors
    /// When the schema has no such table, or the first file cannot be read.
    pub fn register_parquet(&mut self, name: &str, files: &[PathBuf], cut: Cut) -> Result<(), EngineError> {
        let def = schema::table(name).ok_or_else(|| {
            EngineError::new(EngineErrorKind::Schema, format!("there is no table \"{name}\""), "")
        })?;
        self.forget_calls(def.name);
        let frame = tables::scan(def, files)?;
        let needs_token = ATTRIBUTED.contains(&def.name);
        self.forget();
        self.sources.insert(def.name, Source { frame, cut, needs_token, files: files.to_vec() });
        Ok(())
    }

    /// Hands in an empty table for every table of the schema that is still missing.
    pub fn register_missing(&mut self) {
        for def in schema::tables() {
            let made = views::view(def.name).is_some()
                || matches!(
                    def.name,
                    "policy" | "seen" | "org_seen" | "first_shown" | "stays" | pack::FINDINGS
                );
            if !made && !self.sources.contains_key(def.name) {
                let source = Source {
                    frame: tables::empty(def),
                    cut: Cut::None,
                    needs_token: false,
                    files: Vec::new(),
                };
                self.sources.insert(def.name, source);
            }
        }
    }

    /// Tells whether a table was handed in.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.sources.contains_key(name)
    }

    /// Hands a table that was made on the way on to the queries that follow.
    pub(crate) fn hand_on(&self, table: Table) -> Result<(), EngineError> {
        let def = schema::table(table.name).ok_or_else(|| Self::missing(table.name))?;
        let columns = def.columns.iter().map(|c| c.name).collect();
        self.ready().frames.insert(def.name, (columns, table.frame));
        Ok(())
    }

    /// The window that queries see.
    #[must_use]
    pub const fn window(&self) -> &Window {
        &self.window
    }

    /// Runs a user's query after the safety checks. It reads the files itself, so that its conditions and columns
    /// decide what is read of them.
    ///
    /// # Errors
    /// When the check refuses it or it fails; the hint then names the known edge that it met.
    pub fn query(&self, sql: &str) -> Result<Rows, EngineError> {
        self.answer(sql, |frame| Rows::from_frame(&frame))
    }

    /// Runs an ad hoc query and has its frame turned into what leaves the engine.
    fn answer<T>(
        &self,
        sql: &str,
        take: impl FnOnce(pl::DataFrame) -> Result<T, EngineError>,
    ) -> Result<T, EngineError> {
        let checked = check::check(sql, check::Mode::AdHoc)?;
        let hints = checked.hints();
        let statement = checked.statement.clone();
        let only = narrow::token_of(&statement);
        let table = |name: &str| match &only {
            Some((narrowed, token)) if narrowed == name => self.of_token(name, token, &statement),
            _ => self.lazy(name),
        };
        self.execute(checked, table).and_then(take).map_err(|mut error| {
            if !hints.is_empty() {
                error.hint = hints;
            }
            error
        })
    }

    /// Runs one detection's query over tables that all detections share.
    ///
    /// # Errors
    /// When the check refuses it or it fails.
    pub fn run(&self, detection: &Detection) -> Result<Rows, EngineError> {
        let checked = check::check(&detection.sql, check::Mode::Pack)?;
        let read = checked.tables.clone();
        let frame = self.run_checked(detection, checked);
        // Also where it failed: others count on the tables to go after their last reader.
        self.done_with(&read);
        Rows::from_frame(&frame?)
    }

    fn run_checked(
        &self,
        detection: &Detection,
        checked: check::Checked,
    ) -> Result<pl::DataFrame, EngineError> {
        let asked = match checked.tables.contains(chosen::TABLE) {
            true => self.want(&checked.statement)?.map_or(Ok(None), |want| self.chosen(want))?,
            false => None,
        };
        // Of two that run side by side one alone may take many rows of this table into memory.
        let large = self.making("a large table");
        let _alone = asked
            .as_ref()
            .filter(|asked| asked.cells() > MANY)
            .map(|_| large.lock().unwrap_or_else(PoisonError::into_inner));
        let chosen = asked.map_or(Ok(None), |asked| asked.frame())?;
        let statement = checked.statement.clone();
        let flagged = match checked.tables.contains(flagged::TABLE) {
            true => self.flagged(detection, &statement)?,
            false => None,
        };
        let table = |name: &str| match (&chosen, &flagged) {
            (Some(frame), _) if name == chosen::TABLE => Ok(frame.clone()),
            (_, Some(frame)) if name == flagged::TABLE => Ok(frame.clone()),
            _ => self.shared(name, &statement),
        };
        self.execute(checked, table)
    }

    fn execute(
        &self,
        mut checked: check::Checked,
        table: impl Fn(&str) -> Result<pl::LazyFrame, EngineError>,
    ) -> Result<pl::DataFrame, EngineError> {
        rewrite::rewrite(&mut checked.statement, &self.policy_cells());
        let tables = checked.tables.iter().map(|name| Ok((name.clone(), table(name)?)));
        steps::run(&checked.statement, tables.collect::<Result<_, EngineError>>()?).map_err(|error| {
            // What a view reads does not stand in the query.
            let views = checked.tables.iter().any(|name| views::view(name).is_some());
            let read = self.sources.iter().filter(|(name, _)| views || checked.tables.contains(**name));
            tables::blame(error, read.flat_map(|(_, source)| &source.files))
        })
    }

    fn missing(name: &str) -> EngineError {
        EngineError::new(
            EngineErrorKind::Missing,
            format!("the table \"{name}\" was not handed in"),
            "Import or pull the data that it is made from.",
        )
    }

    fn view(&self, view: &views::View) -> Result<pl::LazyFrame, EngineError> {
        let mut checked = check::check(view.sql, check::Mode::Pack)?;
        let statement = checked.statement.clone();
        rewrite::rewrite(&mut checked.statement, &self.policy_cells());
        let mut context = polars::sql::SQLContext::new();
        for table in &checked.tables {
            context.register(table, self.shared(table, &statement)?);
        }
        let sql = checked.statement.to_string();
        let columns: Vec<pl::Expr> =
            view.columns.iter().map(|(name, kind, _)| pl::col(*name).cast(tables::dtype(*kind))).collect();
        guarded(|| Ok(context.execute(&sql)?.select(columns)))
    }

    /// The policy row as cells, which the rewrite turns into literals.
    fn policy_cells(&self) -> Vec<(&'static str, Cell)> {
        let fields = serde_json::to_value(&self.policy).unwrap_or_default();
        let Some(def) = schema::table("policy") else { return Vec::new() };
        def.columns
            .iter()
            .map(|c| {
                let cell = match c.name {
                    "as_of" => Cell::Time(self.window.as_of),
                    "window_from" => Cell::Time(self.window.from),
                    "window_days" => Cell::Int(i64::from(self.window.days)),
                    name => match &fields[name] {
                        serde_json::Value::Bool(b) => Cell::Bool(*b),
                        serde_json::Value::Number(n) => {
                            n.as_i64().map_or_else(|| n.as_f64().map_or(Cell::Null, Cell::Float), Cell::Int)
                        }
                        serde_json::Value::String(text) => Cell::Text(text.clone()),
                        _ => Cell::Null,
                    },
                };
                (c.name, cell)
            })
            .collect()
    }

    fn policy_frame(&self) -> Result<pl::LazyFrame, EngineError> {
        let mut builder = TableBuilder::new("policy");
        for (name, cell) in self.policy_cells() {
            builder = match cell {
                Cell::Bool(b) => builder.bool(name, vec![Some(b)]),
                Cell::Int(n) => builder.int(name, vec![Some(n)]),
                Cell::Float(x) => builder.float(name, vec![Some(x)]),
                Cell::Text(text) => builder.text(name, vec![Some(text)]),
                Cell::Time(time) => builder.time(name, vec![Some(time)]),
                Cell::Date(day) => builder.date(name, vec![Some(day)]),
                Cell::Null => builder,
            };
        }
        Ok(builder.build()?.frame)
    }
}

/// Stack of the thread that a query runs on. Plans are walked by recursion, a frame or more a step of the query, and
/// an overflow cannot be caught; the memory is only reserved, not touched.
const STACK: usize = 128 << 20;

/// Runs Polars code on a thread with room for deep plans; a panic inside becomes an error.
fn guarded<T: Send>(work: impl FnOnce() -> Result<T, EngineError> + Send) -> Result<T, EngineError> {
    let failed = |why: &str| {
        EngineError::new(
            EngineErrorKind::Panic,
            format!("The SQL engine gave up: {why}"),
            "Simplify the query; this is a fault of the engine, not of the data.",
        )
    };
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("query".to_owned()).stack_size(STACK);
        match thread.spawn_scoped(scope, work) {
            Ok(running) => running.join().unwrap_or_else(|panic| {
                let text = panic.downcast_ref::<&str>().copied();
                let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
                Err(failed(text.unwrap_or("no message")))
            }),
            Err(error) => Err(failed(&format!("no thread could be started: {error}"))),
        }
    })
}

fn time_lit(time: crate::model::time::Micros) -> pl::Expr {
    pl::lit(time).cast(tables::dtype(schema::Kind::Time))
}
