//! Rows of `activity` that a detection can use at all: millions of rows are passed over for a few tokens and days.
//!
//! In: a detection whose head names the CTE that flags tokens (and days), or whose every mention of the table asks for
//! certain clients. Out: those rows as a table; the query that runs over them is the same and so is its answer.

use super::attributed::{Tokens, columns_to_read};
use super::gather::rows_of;
use super::narrow::{self, Pattern, Words};
use super::pack::Detection;
use super::rows::Rows;
use super::schema::{self, TableDef};
use super::{Columns, Engine, EngineError, check, tables};
use crate::lake::table::Table;
use crate::lake::view::day_of_file;
use crate::model::time::Day;
use hashbrown::{HashMap, HashSet};
use pl::IntoLazy as _;
use polars::prelude as pl;
use rayon::prelude::*;
use sqlparser::ast::{Query, SelectItem, SetExpr, Statement};
use std::path::PathBuf;

/// The table.
pub(super) const TABLE: &str = "activity";

/// Tokens by organisation, with their days; no days are all of them.
type Flags = HashMap<String, HashMap<String, Option<HashSet<Day>>>>;

/// Which rows a detection can use.
enum Use {
    Of(Flags),
    With(Vec<Pattern>),
}

/// The query that asks for the rows of a CTE: those before it, itself, and its tokens and days.
pub(super) fn question(statement: &Statement, name: &str) -> Option<(Statement, bool)> {
    let Statement::Query(query) = statement else { return None };
    let mut query = query.clone();
    let ctes = &mut query.with.as_mut()?.cte_tables;
    let at = ctes.iter().position(|cte| cte.alias.name.value.eq_ignore_ascii_case(name))?;
    ctes.truncate(at + 1);
    let gives = |column: &str| gives(&ctes[at].query, column);
    let dated = gives("date");
    if !gives("org") || !gives("token_id") {
        return None;
    }
    let columns = if dated { "org, token_id, date" } else { "org, token_id" };
    let (asked, ..) = check::inspect(&format!("SELECT {columns} FROM {name} GROUP BY {columns}")).ok()?;
    let Statement::Query(asked) = asked else { return None };
    query.body = asked.body;
    query.order_by = None;
    let asked = Statement::Query(query);
    let (asked, read, _) = check::inspect(&asked.to_string()).ok()?;
    (!read.contains(TABLE)).then_some((asked, dated))
}

/// Tells whether a query gives a column of that name.
fn gives(query: &Query, column: &str) -> bool {
    let mut body = &*query.body;
    while let SetExpr::SetOperation { left, .. } = body {
        body = left;
    }
    let SetExpr::Select(select) = body else { return false };
    select.projection.iter().any(|item| match item {
        SelectItem::ExprWithAlias { alias, .. } => alias.value.eq_ignore_ascii_case(column),
        SelectItem::UnnamedExpr(expr) => {
            let text = expr.to_string();
            text.rsplit('.').next().is_some_and(|last| last.eq_ignore_ascii_case(column))
        }
        _ => false,
    })
}

impl Engine {
    /// Tells whether only some rows of the table are read for a detection.
    pub(super) fn is_narrowed(&self, detection: &Detection, statement: &Statement) -> bool {
        let in_files = self.sources.get(TABLE).is_some_and(|source| !source.files.is_empty());
        let flagged = || detection.flagged.as_ref().and_then(|name| question(statement, name)).is_some();
        in_files && (flagged() || narrow::values_of(statement, TABLE, "client").is_some())
    }

    /// The rows that a detection can use; nothing where it may use any.
    pub(super) fn flagged(
        &self,
        detection: &Detection,
        statement: &Statement,
    ) -> Result<Option<pl::LazyFrame>, EngineError> {
        if !self.is_narrowed(detection, statement) {
            return Ok(None);
        }
        let def = schema::table(TABLE).ok_or_else(|| Self::missing(TABLE))?;
        let columns = Words::of(statement, TABLE).columns(def);
        let asked = detection.flagged.as_ref().and_then(|name| question(statement, name));
        let rows = match (asked, narrow::values_of(statement, TABLE, "client")) {
            (Some((asked, dated)), _) => Use::Of(self.flags(asked, dated)?),
            (None, Some(patterns)) => Use::With(patterns),
            (None, None) => return Ok(None),
        };
        Ok(Some(self.rows_of(def, &columns, &rows)?.lazy()))
    }

    fn flags(&self, asked: Statement, dated: bool) -> Result<Flags, EngineError> {
        let checked = check::check(&asked.to_string(), check::Mode::Pack)?;
        let statement = checked.statement.clone();
        let rows = Rows::from_frame(&self.execute(checked, |name| self.shared(name, &statement))?)?;
        let mut flags = Flags::new();
        for row in 0..rows.len() {
            let (Some(org), Some(token)) = (rows.text(row, "org"), rows.text(row, "token_id")) else {
                continue;
            };
            let days = flags.entry_ref(org).or_default().entry_ref(token);
            let days = days.or_insert_with(|| dated.then(HashSet::new));
            if let (Some(days), Some(day)) = (days, rows.date(row, "date")) {
                days.insert(day);
            }
        }
        Ok(flags)
    }

    fn rows_of(&self, def: &TableDef, columns: &Columns, rows: &Use) -> Result<pl::DataFrame, EngineError> {
        let source = self.sources.get(TABLE).ok_or_else(|| Self::missing(TABLE))?;
        let tokens = self.tokens_by_credential()?;
        let read = columns_to_read(columns, &[]);
        let probe: &[&'static str] = match rows {
            Use::Of(_) => &["org", "credential"],
            Use::With(_) => &["client"],
        };
        let days: Option<HashSet<Day>> = match rows {
            Use::Of(flags) => {
                let all = flags.values().flat_map(HashMap::values);
                all.map(|days| days.as_ref().map(|days| days.iter().copied())).collect::<Option<Vec<_>>>()
            }
            .map(|days| days.into_iter().flatten().collect()),
            Use::With(_) => None,
        };
        let asked = |file: &&PathBuf| {
            let day = day_of_file(file);
            days.as_ref().zip(day).is_none_or(|(days, day)| days.contains(&day))
        };
        let files: Vec<&PathBuf> = source.files.iter().filter(asked).collect();
        let one = |file: &&PathBuf| -> Result<Option<pl::DataFrame>, EngineError> {
            // Most files hold nothing, which a look at one or two columns tells.
            let found = rows.of(&self.part(def, source, Some(file), probe)?, &tokens);
            if found.is_empty() {
                return Ok(None);
            }
            let part = self.part(def, source, Some(file), &read)?;
            rows_of(&part, def, columns, &found, &tokens).map(Some)
        };
        let made: Vec<Option<pl::DataFrame>> = files.par_iter().map(one).collect::<Result<_, _>>()?;
        let mut whole = tables::stacked(def, columns, made.into_iter().flatten())?;
        whole.rechunk_mut();
        Ok(whole)
    }
}

impl Use {
    /// The rows of a file that can be used.
    fn of(&self, part: &Table, tokens: &Tokens) -> Vec<pl::IdxSize> {
        let place = |row: usize| pl::IdxSize::try_from(row).unwrap_or_default();
        match self {
            Self::With(patterns) => {
                let clients = part.texts("client");
                let fits: Vec<bool> = clients
                    .texts
                    .texts()
                    .map(|text| !text.is_empty() && patterns.iter().any(|p| p.fits(text)))
                    .collect();
                if !fits.contains(&true) {
                    return Vec::new();
                }
                let rows = (0..part.height()).filter(|row| fits[clients.codes[*row] as usize]);
                rows.map(place).collect()
            }
            Self::Of(flags) => {
                let (orgs, own, texts) = (part.texts("org"), tokens.of(part), tokens.names());
                let mut known: HashMap<(u32, u32), bool> = HashMap::new();
                let mut is_flagged = |row: usize| {
                    let Some(token) = own[row] else { return false };
                    *known.entry((orgs.codes[row], token)).or_insert_with(|| {
                        let days = flags.get(orgs.text(row)).and_then(|own| own.get(texts.text(token)));
                        match days {
                            None => false,
                            Some(None) => true,
                            Some(Some(days)) => part.day.is_none_or(|day| days.contains(&day)),
                        }
                    })
                };
                (0..part.height()).filter(|row| is_flagged(*row)).map(place).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(sql: &str, name: &str) -> Option<(String, bool)> {
        let (statement, ..) = check::inspect(sql).expect("parses");
        question(&statement, name).map(|(asked, dated)| (asked.to_string(), dated))
    }

    #[test]
    fn a_cte_is_asked_for_its_tokens_and_days() {
        let sql = "WITH a AS (SELECT org, token_id FROM tokens), b AS (SELECT a.org AS org, a.token_id AS token_id, d.date AS date FROM a JOIN token_day AS d ON a.token_id = d.token_id), \
            c AS (SELECT a.n FROM activity AS a JOIN b ON a.token_id = b.token_id) SELECT n FROM c ORDER BY n";
        let first =
            "WITH a AS (SELECT org, token_id FROM tokens) SELECT org, token_id FROM a GROUP BY org, token_id";
        assert_eq!(asked(sql, "a"), Some((first.to_owned(), false)));
        let (second, dated) = asked(sql, "B").expect("a question");
        assert!(
            dated && second.ends_with("SELECT org, token_id, date FROM b GROUP BY org, token_id, date"),
            "{second}"
        );
        assert_eq!(asked(sql, "c"), None, "it gives no token");
        assert_eq!(asked(sql, "d"), None);
        let late = "WITH a AS (SELECT org, token_id FROM activity) SELECT org FROM a";
        assert_eq!(asked(late, "a"), None, "the table itself would be read");
    }
}
