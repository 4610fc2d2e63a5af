//! Where the rows of a table come from: files read as far as a query asks, or memory that detections share.
//!
//! In: the engine's sources. Out: lazy frames, cut to the run's instant and window, with their token ids.

use super::attributed::columns_to_read;
use super::collect::collect;
use super::days::damaged;
use super::gather::rows_of;
use super::rows::Rows;
use super::{Columns, Cut, Engine, EngineError, Source, narrow, schema, seen, tables, time_lit, views};
use crate::lake::decode;
use pl::IntoLazy as _;
use polars::prelude as pl;
use rayon::prelude::*;
use sqlparser::ast::Statement;
use std::path::PathBuf;
use std::sync::PoisonError;

/// Bytes that a shared table may fill.
const SHARED: usize = 256 << 20;
/// Bytes of a cell, whatever it holds: a text takes sixteen even where it is null.
const CELL: usize = 16;

impl Engine {
    /// A table as detections see it: in memory, with the columns that any of them wants.
    pub(super) fn shared(&self, name: &str, statement: &Statement) -> Result<pl::LazyFrame, EngineError> {
        let def = schema::table(name).ok_or_else(|| Self::missing(name))?;
        let columns = narrow::Words::of(statement, name).columns(def);
        self.shared_in(def, columns)
    }

    /// Some columns of a table as detections see it.
    pub(super) fn shared_columns(
        &self,
        name: &str,
        columns: &[&'static str],
    ) -> Result<pl::LazyFrame, EngineError> {
        let def = schema::table(name).ok_or_else(|| Self::missing(name))?;
        self.shared_in(def, columns.iter().copied().collect())
    }

    pub(super) fn shared_in(
        &self,
        def: &schema::TableDef,
        mut columns: Columns,
    ) -> Result<pl::LazyFrame, EngineError> {
        let name = def.name;
        let asked = columns.clone();
        let held = || {
            let ready = self.ready();
            let held = ready.frames.get(name).filter(|(held, _)| held.is_superset(&asked));
            held.map(|(_, frame)| frame.clone())
        };
        if let Some(frame) = held() {
            return Ok(frame);
        }
        let making = self.making(name);
        let _making = making.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(frame) = held() {
            return Ok(frame);
        }
        {
            let ready = self.ready();
            columns.extend(ready.expected.get(name).into_iter().flatten());
            columns.extend(ready.frames.get(name).iter().flat_map(|(held, _)| held));
        }
        let made = |columns: &Columns| match (views::view(name), self.sources.get(name)) {
            (Some(view), _) => self.view(view),
            // Whose a row is costs a join over all of them.
            (None, Some(source)) if name != "seen" && !columns.contains("token_id") && source.needs_token => {
                self.of_source(def, &Source { needs_token: false, ..source.clone() })
            }
            _ => self.lazy(name),
        };
        if self.is_large(name, columns.len())? {
            return made(&asked);
        }
        let of_files = self.sources.get(name).filter(|source| !source.files.is_empty() && name != "seen");
        let frame = match of_files {
            // Raw events stay on disk: few queries read them, and then a small part.
            Some(_) if name == "events" => made(&columns)?,
            Some(source) => in_one(self.rows_in(def, source, &columns)?),
            None => {
                let made = made(&columns)?.select(columns.iter().map(|c| pl::col(*c)).collect::<Vec<_>>());
                in_one(collect(|| Ok(made))?)
            }
        };
        self.ready().frames.insert(def.name, (columns, frame.clone()));
        Ok(frame)
    }

    /// Some columns of all rows of a table's files that the run sees.
    fn rows_in(
        &self,
        def: &schema::TableDef,
        source: &Source,
        columns: &Columns,
    ) -> Result<pl::DataFrame, EngineError> {
        let tokens = self.tokens_by_credential()?;
        let whose = source.needs_token && columns.contains("token_id");
        let read = if whose { columns_to_read(columns, &[]) } else { columns.iter().copied().collect() };
        let one = |file: &PathBuf| {
            let part = self.part(def, source, Some(file), &read)?;
            let all = (0..part.height()).filter_map(|row| pl::IdxSize::try_from(row).ok());
            rows_of(&part, def, columns, &all.collect::<Vec<_>>(), &tokens)
        };
        let made: Vec<pl::DataFrame> = source.files.par_iter().map(one).collect::<Result<_, _>>()?;
        tables::stacked(def, columns, made)
    }

    /// Tells whether so many columns of a table would fill too much memory; each detection then reads for itself
    /// what its own conditions leave of it.
    pub(super) fn is_large(&self, name: &str, columns: usize) -> Result<bool, EngineError> {
        let Some(source) = self.sources.get(name).filter(|s| !s.files.is_empty()) else { return Ok(false) };
        let known = self.ready().counts.get(name).copied();
        let rows = match known {
            Some(rows) => rows,
            // Months are joined before a query sees them.
            None if name == "seen" => self.joined()?.height(),
            None => {
                let counts = source.files.iter().map(|file| decode::count(file).map_err(damaged));
                let rows = counts.sum::<Result<usize, _>>()?;
                self.ready().counts.insert(name.to_owned(), rows);
                rows
            }
        };
        Ok(rows.saturating_mul(columns * CELL) > SHARED)
    }

    /// A table as it lies in its files: nothing is read yet.
    pub(super) fn lazy(&self, name: &str) -> Result<pl::LazyFrame, EngineError> {
        let def = schema::table(name).ok_or_else(|| Self::missing(name))?;
        if name == "policy" {
            return self.policy_frame();
        }
        if let Some(view) = views::view(name) {
            return self.view(view);
        }
        // Made on the way, so that it lies among the shared tables alone.
        if name == super::pack::FINDINGS
            && let Some((_, frame)) = self.ready().frames.get(name)
        {
            return Ok(frame.clone());
        }
        if name == "seen" && !self.sources.contains_key("seen") {
            return Ok(seen::seen(self.uncut("activity")?, self.uncut("token_day")?));
        }
        if name == "first_shown" && !self.sources.contains_key("first_shown") {
            return self.first_shown();
        }
        if name == "org_seen" && !self.sources.contains_key("org_seen") {
            return self.org_seen();
        }
        if name == "stays" && !self.sources.contains_key("stays") {
            return self.stays();
        }
        let source = self.sources.get(name).ok_or_else(|| Self::missing(name))?;
        if name == "seen" && !source.files.is_empty() {
            return self.seen_of_months();
        }
        self.of_source(def, source)
    }

    /// A stored table up to `as_of`, before the window and with its token ids.
    pub(super) fn uncut(&self, name: &str) -> Result<pl::LazyFrame, EngineError> {
        let source = self.sources.get(name).ok_or_else(|| Self::missing(name))?;
        let def = schema::table(name).ok_or_else(|| Self::missing(name))?;
        self.of_source(def, &Source { cut: Cut::None, ..source.clone() })
    }

    /// The frame of a source, cut to the run's instant and window, with its token ids.
    pub(super) fn of_source(
        &self,
        def: &schema::TableDef,
        source: &Source,
    ) -> Result<pl::LazyFrame, EngineError> {
        let mut frame = source.frame.clone();
        frame = match def.name {
            "events" | "notable" => frame.filter(pl::col("time").lt_eq(time_lit(self.window.as_of))),
            "activity" | "token_day" | "seen" | "actors" | "connection_runs" => {
                frame.filter(pl::col("first_time").lt_eq(time_lit(self.window.as_of)))
            }
            _ => frame,
        };
        if source.cut == Cut::Window {
            frame = self.in_window(def, frame);
        }
        if source.needs_token
            && let Some(credentials) = self.sources.get("credentials")
        {
            let mut keys = credentials
                .frame
                .clone()
                .group_by([pl::col("org"), pl::col("credential")])
                .agg([pl::col("token_id").drop_nulls().first()]);
            let mut on = vec![pl::col("credential"), pl::col("org")];
            // Rows of one organisation need no key that is the same in all of them.
            if is_one_org(&source.files) && self.is_one_org_known()? {
                keys = keys.drop(pl::cols(["org"]));
                on.truncate(1);
            }
            let columns: Vec<pl::Expr> = def.columns.iter().map(|c| pl::col(c.name)).collect();
            frame = frame
                .drop(pl::cols(["token_id"]))
                .join(keys, on.clone(), on, pl::JoinArgs::new(pl::JoinType::Left))
                .select(columns);
        }
        Ok(frame)
    }

    /// Tells whether all credentials are of one organisation.
    pub(super) fn is_one_org_known(&self) -> Result<bool, EngineError> {
        let Some(credentials) = self.sources.get("credentials") else { return Ok(false) };
        let orgs = credentials.frame.clone().select([pl::col("org").n_unique().cast(pl::DataType::Int64)]);
        Ok(Rows::from_frame(&collect(|| Ok(orgs))?)?.int(0, "org") == Some(1))
    }

    pub(super) fn in_window(&self, def: &schema::TableDef, frame: pl::LazyFrame) -> pl::LazyFrame {
        if def.column("time").is_some() {
            frame.filter(pl::col("time").gt_eq(time_lit(self.window.from)))
        } else {
            let first = pl::lit(self.window.first_day()).cast(pl::DataType::Date);
            frame.filter(pl::col("date").gt_eq(first))
        }
    }
}

/// Rows taken from a column in several pieces are copied with their texts.
fn in_one(mut frame: pl::DataFrame) -> pl::LazyFrame {
    frame.rechunk_mut();
    frame.lazy()
}

/// Tells whether files lie below the folder of one organisation.
fn is_one_org(files: &[PathBuf]) -> bool {
    let org = |file: &PathBuf| file.parent().and_then(|f| f.parent()).map(std::path::Path::to_owned);
    let mut orgs = files.iter().map(org);
    orgs.next().is_some_and(|first| first.is_some() && orgs.all(|other| other == first))
}
