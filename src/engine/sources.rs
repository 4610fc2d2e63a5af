//! Where the rows of a table come from: files read as far as a query asks, or memory that detections share.
//!
//! In: the engine's sources. Out: lazy frames, cut to the run's instant and window, with their token ids.

use super::rows::Rows;
use super::{
    Columns, Cut, Engine, EngineError, Source, guarded, narrow, newest, schema, seen, tables, time_lit, views,
};
use crate::lake::view::{day_of_file, days_of_use};
use crate::model::time::Day;
use pl::IntoLazy as _;
use polars::prelude as pl;
use sqlparser::ast::Statement;
use std::collections::BTreeSet;
use std::path::PathBuf;

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
        {
            let ready = self.ready();
            if let Some((held, frame)) = ready.frames.get(name)
                && held.is_superset(&columns)
            {
                return Ok(frame.clone());
            }
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
        let made = made(&columns)?;
        let mut frame = made.select(columns.iter().map(|c| pl::col(*c)).collect::<Vec<_>>());
        // Raw events stay on disk: few queries read them, and then a small part.
        if name != "events" {
            let mut held = guarded(|| Ok(frame.collect()?))?;
            // Rows taken from a column in several pieces are copied with their texts.
            held.rechunk_mut();
            frame = held.lazy();
        }
        self.ready().frames.insert(def.name, (columns, frame.clone()));
        Ok(frame)
    }

    /// Tells whether so many columns of a table would fill too much memory; each detection then reads for itself
    /// what its own conditions leave of it.
    pub(super) fn is_large(&self, name: &str, columns: usize) -> Result<bool, EngineError> {
        let Some(source) = self.sources.get(name).filter(|s| !s.files.is_empty()) else { return Ok(false) };
        let known = self.ready().counts.get(name).copied();
        let rows = match known {
            Some(rows) => rows,
            None => {
                // The footers tell the number of rows.
                let counted = source.frame.clone().select([pl::len().cast(pl::DataType::Int64).alias("n")]);
                let rows =
                    Rows::from_frame(&guarded(|| Ok(counted.collect()?))?)?.int(0, "n").unwrap_or_default();
                let rows = usize::try_from(rows).unwrap_or(usize::MAX);
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

    /// The rows of one token, read from the days and row groups that hold it alone.
    pub(super) fn of_token(&self, name: &str, token: &str) -> Result<pl::LazyFrame, EngineError> {
        let frame = self.lazy(name)?;
        let (Some(source), Some(def)) = (self.sources.get(name), schema::table(name)) else {
            return Ok(frame);
        };
        if source.files.is_empty() || !source.needs_token {
            return Ok(frame);
        }
        let credentials = self.credentials_of(token)?;
        let days = self.days_of(&credentials)?;
        let files: Vec<PathBuf> = source
            .files
            .iter()
            .filter(|f| day_of_file(f).is_none_or(|day| days.contains(&day)))
            .cloned()
            .collect();
        let frame = tables::scan(def, &files)?.filter(newest::one_of("credential", credentials));
        self.of_source(def, &Source { frame, files, ..source.clone() })
    }

    /// The credentials that are attributed to a token.
    pub(super) fn credentials_of(&self, token: &str) -> Result<Vec<String>, EngineError> {
        let Some(source) = self.sources.get("credentials") else { return Ok(Vec::new()) };
        let frame = source.frame.clone().filter(pl::col("token_id").eq(pl::lit(token.to_owned())));
        let rows = guarded(|| Ok(frame.select([pl::col("credential")]).collect()?))?;
        let rows = Rows::from_frame(&rows)?;
        Ok((0..rows.len()).filter_map(|row| rows.text(row, "credential").map(str::to_owned)).collect())
    }

    /// The days on which credentials were used.
    pub(super) fn days_of(&self, credentials: &[String]) -> Result<BTreeSet<Day>, EngineError> {
        let Some(uses) = self.sources.get("lake_uses") else { return Ok(BTreeSet::new()) };
        let frame = uses.frame.clone().filter(newest::one_of("credential", credentials.to_vec()));
        let columns = ["date", "day_bits"].map(pl::col);
        let rows = Rows::from_frame(&guarded(|| Ok(frame.select(columns).collect()?))?)?;
        Ok((0..rows.len())
            .filter_map(|row| {
                let date = rows.date(row, "date")?;
                Some(days_of_use(date, rows.int(row, "day_bits")))
            })
            .flatten()
            .collect())
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
        Ok(Rows::from_frame(&guarded(|| Ok(orgs.collect()?))?)?.int(0, "org") == Some(1))
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

/// Tells whether files lie below the folder of one organisation.
fn is_one_org(files: &[PathBuf]) -> bool {
    let org = |file: &PathBuf| file.parent().and_then(|f| f.parent()).map(std::path::Path::to_owned);
    let mut orgs = files.iter().map(org);
    orgs.next().is_some_and(|first| first.is_some() && orgs.all(|other| other == first))
}
