//! The table `seen`: every value that a PAT credential showed in a dimension.
//!
//! In: the folds of the lake's months, or `activity` and `token_day` where a table in memory stands in for them,
//! up to `as_of` and before the window is cut: what a token did earlier must not look new. Out: a lazy frame. In
//! Rust because hours come out of a bit set, which SQL cannot say in the subset that the pack keeps to.

use super::days::Part;
use super::schema::{self, Kind};
use super::tables::dtype;
use super::{Engine, EngineError};
use crate::model::event_id::Stamp;
use crate::model::names::Names;
use hashbrown::HashMap;
use hashbrown::hash_map::Entry;
use pl::{IntoLazy as _, NamedFrom as _};
use polars::prelude as pl;

/// Folds both tables into `seen`.
pub(super) fn seen(activity: pl::LazyFrame, token_day: pl::LazyFrame) -> pl::LazyFrame {
    let activity = activity.filter(pl::col("kind").eq(pl::lit("pat")));
    let mut parts: Vec<pl::LazyFrame> = ["action", "network", "client", "project"]
        .into_iter()
        .map(|dimension| by_value(&activity, dimension))
        .collect();
    parts.extend((0..24).map(|hour| by_hour(&token_day, hour)));
    let args = pl::UnionArgs::default();
    pl::concat(parts, args).unwrap_or_else(|_| {
        schema::table("seen").map_or_else(|| pl::DataFrame::empty().lazy(), super::tables::empty)
    })
}

/// A value of one credential, over all months; texts are numbers.
struct Value {
    key: [u32; 4],
    n: i64,
    origins: i64,
    days: i64,
    first: Stamp,
    last: Stamp,
}

impl Engine {
    /// Joins the folds of the months into one row a credential and value.
    pub(super) fn seen_of_months(&self) -> Result<pl::LazyFrame, EngineError> {
        let columns = [
            "org",
            "credential",
            "dimension",
            "value",
            "n",
            "origins",
            "active_days",
            "first_time",
            "last_time",
            "first_event",
            "last_event",
        ];
        let mut names = Names::default();
        let mut values: Vec<Value> = Vec::new();
        let mut index: HashMap<[u32; 4], usize> = HashMap::new();
        let take = |(texts, of_month): ([Vec<String>; 4], Vec<Value>)| {
            let numbers = texts.map(|texts| names.numbers(&texts));
            for mut value in of_month {
                for (code, numbers) in value.key.iter_mut().zip(&numbers) {
                    *code = numbers[*code as usize];
                }
                match index.entry(value.key) {
                    Entry::Occupied(held) => values[*held.get()].join(value),
                    Entry::Vacant(free) => {
                        free.insert(values.len());
                        values.push(value);
                    }
                }
            }
        };
        self.each_day("seen", &columns, of_month, take)?;
        self.frame_of(&names, &values)
    }

    fn frame_of(&self, names: &Names, values: &[Value]) -> Result<pl::LazyFrame, EngineError> {
        let texts = pl::Series::new("texts".into(), names.texts());
        let text = |name: &str, place: usize| -> Result<pl::Column, EngineError> {
            let rows = pl::IdxCa::from_vec("rows".into(), values.iter().map(|v| v.key[place]).collect());
            Ok(texts.take(&rows)?.with_name(name.into()).into())
        };
        let number = |name: &str, kind, get: fn(&Value) -> i64| -> Result<pl::Column, EngineError> {
            let column = pl::Series::new(name.into(), values.iter().map(get).collect::<Vec<i64>>());
            Ok(column.cast(&dtype(kind))?.into())
        };
        let event = |name: &str, get: fn(&Value) -> &Stamp| -> pl::Column {
            let ids = values.iter().map(|v| Some(get(v).1.to_string()).filter(|id| !id.is_empty()));
            pl::Series::new(name.into(), ids.collect::<Vec<Option<String>>>()).into()
        };
        let tokens = self.tokens_by_credential()?;
        let mut known: HashMap<(u32, u32), Option<u32>> = HashMap::new();
        let owners = values.iter().map(|v| {
            let find = || tokens.find(names.text(v.key[0]), names.text(v.key[1]));
            *known.entry((v.key[0], v.key[1])).or_insert_with(find)
        });
        let columns = vec![
            text("org", 0)?,
            text("credential", 1)?,
            tokens.take(owners)?,
            text("dimension", 2)?,
            text("value", 3)?,
            number("n", Kind::Int, |v| v.n)?,
            number("origins", Kind::Int, |v| v.origins)?,
            number("active_days", Kind::Int, |v| v.days)?,
            number("first_time", Kind::Time, |v| v.first.0)?,
            number("last_time", Kind::Time, |v| v.last.0)?,
            event("first_event", |v| &v.first),
            event("last_event", |v| &v.last),
        ];
        Ok(pl::DataFrame::new(values.len(), columns)?.lazy().select(self::columns()))
    }
}

impl Value {
    /// Adds another month.
    fn join(&mut self, other: Self) {
        self.n += other.n;
        self.origins += other.origins;
        self.days += other.days;
        if other.first.0 < self.first.0 {
            self.first = other.first;
        }
        if other.last.0 > self.last.0 {
            self.last = other.last;
        }
    }
}

fn of_month(part: &Part) -> ([Vec<String>; 4], Vec<Value>) {
    let texts = ["org", "credential", "dimension", "value"].map(|name| part.texts(name));
    let [n, origins, days, first, last] =
        ["n", "origins", "active_days", "first_time", "last_time"].map(|name| part.ints(name));
    let (oldest, newest) = (part.cells("first_event"), part.cells("last_event"));
    let value = |row: usize| Value {
        key: texts.each_ref().map(|t| t.codes[row]),
        n: n[row],
        origins: origins[row],
        days: days[row],
        first: (first[row], oldest[row].into()),
        last: (last[row], newest[row].into()),
    };
    let values = (0..part.height()).map(value).collect();
    (texts.map(|t| t.texts), values)
}

fn by_value(activity: &pl::LazyFrame, dimension: &str) -> pl::LazyFrame {
    let ordered = pl::SortMultipleOptions::default();
    activity
        .clone()
        .filter(pl::col(dimension).is_not_null())
        .group_by([pl::col("org"), pl::col("credential"), pl::col(dimension).alias("value")])
        .agg([
            pl::col("token_id").first(),
            pl::col("n").sum(),
            pl::col("origins").sum(),
            pl::col("date").n_unique().alias("active_days"),
            pl::col("first_time").min(),
            pl::col("last_time").max(),
            pl::col("first_event").sort_by([pl::col("first_time")], ordered.clone()).first(),
            pl::col("last_event").sort_by([pl::col("last_time")], ordered).last(),
        ])
        .with_column(pl::lit(dimension.to_owned()).alias("dimension"))
        .select(columns())
}

fn by_hour(token_day: &pl::LazyFrame, hour: i64) -> pl::LazyFrame {
    let none = pl::lit(pl::NULL).cast(pl::DataType::String);
    let at = |name: &str| {
        (pl::col(name).cast(dtype(Kind::Time))
            + pl::lit(hour * 3_600_000_000).cast(pl::DataType::Duration(pl::TimeUnit::Microseconds)))
        .alias(name)
    };
    token_day
        .clone()
        .filter((pl::col("hour_bits").floor_div(pl::lit(1_i64 << hour)) % pl::lit(2_i64)).eq(pl::lit(1_i64)))
        .group_by([pl::col("org"), pl::col("credential")])
        .agg([
            pl::col("token_id").first(),
            pl::len().cast(pl::DataType::Int64).alias("n"),
            pl::lit(0_i64).alias("origins"),
            pl::len().cast(pl::DataType::Int64).alias("active_days"),
            pl::col("date").min().alias("first_time"),
            pl::col("date").max().alias("last_time"),
        ])
        .with_columns([
            at("first_time"),
            at("last_time"),
            pl::lit("hour").alias("dimension"),
            pl::lit(format!("{hour:02}")).alias("value"),
            none.clone().alias("first_event"),
            none.alias("last_event"),
        ])
        .select(columns())
}

/// The schema's columns, in order and typed: the parts of a union must agree.
fn columns() -> Vec<pl::Expr> {
    schema::table("seen")
        .map(|def| def.columns.iter().map(|c| pl::col(c.name).cast(dtype(c.kind))).collect())
        .unwrap_or_default()
}
