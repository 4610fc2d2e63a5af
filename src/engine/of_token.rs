//! The rows of one token: a query that names it reads the days and row groups that hold it, and no others.
//!
//! In: a table of day files, a token and the query. Out: the token's rows inside the window, with the columns that the
//! query names.

use super::attributed::{Tokens, columns_to_read};
use super::collect::collect;
use super::days::damaged;
use super::gather::rows_of;
use super::rows::Rows;
use super::{Cut, Engine, EngineError, narrow, newest, schema, tables};
use crate::lake::table::Table;
use crate::lake::view::{day_of_file, days_of_use};
use crate::model::time::{Day, Micros};
use pl::IntoLazy as _;
use polars::prelude as pl;
use rayon::prelude::*;
use sqlparser::ast::Statement;
use std::collections::BTreeSet;
use std::path::PathBuf;

impl Engine {
    /// The rows of one token, for a query that asks for no others.
    pub(super) fn of_token(
        &self,
        name: &str,
        token: &str,
        statement: &Statement,
    ) -> Result<pl::LazyFrame, EngineError> {
        let (Some(source), Some(def)) = (self.sources.get(name), schema::table(name)) else {
            return self.lazy(name);
        };
        // Folds have to be joined, whoever asks for them.
        if name == "seen" || source.files.is_empty() || !source.needs_token {
            return self.lazy(name);
        }
        let credentials = self.credentials_of(token)?;
        let (days, tokens) = (self.days_of(&credentials)?, self.tokens_by_credential()?);
        let columns = narrow::Words::of(statement, name).columns(def);
        let clock = if def.column("time").is_some() { "time" } else { "first_time" };
        let clocks: &[&'static str] = if clock == "time" { &["time"] } else { &["first_time", "date"] };
        let read = columns_to_read(&columns, clocks);
        let holds = |file: &&PathBuf| day_of_file(file).is_none_or(|day| days.contains(&day));
        let files: Vec<&PathBuf> = source.files.iter().filter(holds).collect();
        let one = |file: &&PathBuf| -> Result<pl::DataFrame, EngineError> {
            let part = Table::read_near(file, &read, "credential", &credentials).map_err(damaged)?;
            let rows = self.rows_of_token(&part, (token, &tokens), clock, source.cut);
            rows_of(&part, def, &columns, &rows, &tokens)
        };
        let made: Vec<pl::DataFrame> = files.par_iter().map(one).collect::<Result<_, _>>()?;
        Ok(tables::stacked(def, &columns, made)?.lazy())
    }

    /// The token's rows that the run sees.
    fn rows_of_token(
        &self,
        part: &Table,
        (token, tokens): (&str, &Tokens),
        clock: &str,
        cut: Cut,
    ) -> Vec<pl::IdxSize> {
        let own = tokens.of(part);
        let number = tokens.names().known(token);
        let times: Vec<Micros> = part.ints(clock);
        let days = if clock == "time" { Vec::new() } else { part.ints("date") };
        let first = i64::from(self.window.first_day());
        let is_seen = |row: usize| {
            let inside =
                cut == Cut::None || days.get(row).map_or(times[row] >= self.window.from, |day| *day >= first);
            times[row] <= self.window.as_of && inside
        };
        let rows = (0..part.height()).filter(|row| number.is_some() && own[*row] == number && is_seen(*row));
        rows.map(|row| pl::IdxSize::try_from(row).unwrap_or_default()).collect()
    }

    /// The credentials that are attributed to a token.
    fn credentials_of(&self, token: &str) -> Result<Vec<String>, EngineError> {
        let Some(source) = self.sources.get("credentials") else { return Ok(Vec::new()) };
        let frame = source.frame.clone().filter(pl::col("token_id").eq(pl::lit(token.to_owned())));
        let rows = collect(|| Ok(frame.select([pl::col("credential")])))?;
        let rows = Rows::from_frame(&rows)?;
        Ok((0..rows.len()).filter_map(|row| rows.text(row, "credential").map(str::to_owned)).collect())
    }

    /// The days on which credentials were used.
    fn days_of(&self, credentials: &[String]) -> Result<BTreeSet<Day>, EngineError> {
        let Some(uses) = self.sources.get("lake_uses") else { return Ok(BTreeSet::new()) };
        let frame = uses.frame.clone().filter(newest::one_of("credential", credentials.to_vec()));
        let columns = ["date", "day_bits"].map(pl::col);
        let rows = Rows::from_frame(&collect(|| Ok(frame.select(columns)))?)?;
        Ok((0..rows.len())
            .filter_map(|row| {
                let date = rows.date(row, "date")?;
                Some(days_of_use(date, rows.int(row, "day_bits")))
            })
            .flatten()
            .collect())
    }
}
