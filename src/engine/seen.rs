//! The table `seen`: every value that a PAT credential showed in a dimension.
//!
//! In: the folds of the lake's months, or `activity` and `token_day` where a table in memory stands in for them,
//! up to `as_of` and before the window is cut: what a token did earlier must not look new. Out: a lazy frame. In
//! Rust because hours come out of a bit set, which SQL cannot say in the subset that the pack keeps to.

use super::schema::{self, Kind};
use super::tables::{dtype, ids, texts};
use super::{Engine, EngineError};
use crate::lake::table::Table;
use crate::model::event_id::Stamp;
use crate::model::names::Names;
use hashbrown::HashMap;
use hashbrown::hash_map::Entry;
use pl::{IntoLazy as _, NamedFrom as _};
use polars::prelude as pl;
use rayon::prelude::*;
use std::sync::Arc;

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

/// A value of one credential; texts are numbers.
#[derive(Clone)]
struct Value {
    /// Dimension and value.
    key: [u32; 2],
    n: i64,
    origins: i64,
    days: i64,
    first: Stamp,
    last: Stamp,
}

/// What one credential showed over all months.
#[derive(Default)]
struct Shown {
    org: u32,
    credential: u32,
    values: Vec<Value>,
    index: HashMap<[u32; 2], usize>,
}

/// What the file of a month holds, texts as its own numbers: the values, credential by credential.
struct Month {
    texts: [Names; 4],
    values: Vec<Value>,
    /// Organisation, credential and the end of its values.
    ends: Vec<(u32, u32, usize)>,
}

/// The folds of all months, joined: a row a credential and value. A tenth of their rows is left in a long log, so that this
/// is kept, whatever becomes of the table.
#[derive(Default)]
pub(super) struct Joined {
    names: Names,
    all: Vec<Shown>,
}

impl Joined {
    /// Counts rows.
    pub(super) fn height(&self) -> usize {
        self.all.iter().map(|one| one.values.len()).sum()
    }
}

impl Engine {
    /// The table `seen`, from the folds of the months.
    pub(super) fn seen_of_months(&self) -> Result<pl::LazyFrame, EngineError> {
        let joined = self.joined()?;
        self.frame_of(&joined.names, &joined.all)
    }

    /// Joins the folds of the months, once.
    pub(super) fn joined(&self) -> Result<Arc<Joined>, EngineError> {
        self.once("the folds of months", |ready| &mut ready.joined, || self.join_months().map(Arc::new))
    }

    fn join_months(&self) -> Result<Joined, EngineError> {
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
        let mut all: Vec<Shown> = Vec::new();
        let mut index: HashMap<(u32, u32), usize> = HashMap::new();
        let take = |month: Month| {
            let [orgs, credentials, dimensions, shown] =
                month.texts.each_ref().map(|texts| names.numbers(texts));
            let mut parts: Vec<Vec<&[Value]>> = vec![Vec::new(); all.len()];
            let mut from = 0;
            for (org, credential, to) in month.ends {
                let key = (orgs[org as usize], credentials[credential as usize]);
                let place = *index.entry(key).or_insert_with(|| {
                    all.push(Shown { org: key.0, credential: key.1, ..Shown::default() });
                    parts.push(Vec::new());
                    all.len() - 1
                });
                parts[place].push(&month.values[from..to]);
                from = to;
            }
            all.par_iter_mut().zip(parts).for_each(|(one, parts)| {
                for value in parts.into_iter().flatten() {
                    let [dimension, value_of] = value.key;
                    let key = [dimensions[dimension as usize], shown[value_of as usize]];
                    one.add(Value { key, ..value.clone() });
                }
            });
        };
        self.each_day("seen", &columns, of_month, take)?;
        Ok(Joined { names, all })
    }

    fn frame_of(&self, names: &Names, all: &[Shown]) -> Result<pl::LazyFrame, EngineError> {
        let texts = texts(names);
        let rows: Vec<(&Shown, &Value)> =
            all.iter().flat_map(|one| one.values.iter().map(move |value| (one, value))).collect();
        let text = |name: &str, get: fn(&(&Shown, &Value)) -> u32| -> Result<pl::Column, EngineError> {
            let rows = pl::IdxCa::from_vec("rows".into(), rows.iter().map(get).collect());
            Ok(texts.take(&rows)?.with_name(name.into()).into())
        };
        let number = |name: &str, kind, get: fn(&Value) -> i64| -> Result<pl::Column, EngineError> {
            let column = pl::Series::new(name.into(), rows.iter().map(|(_, v)| get(v)).collect::<Vec<i64>>());
            Ok(column.cast(&dtype(kind))?.into())
        };
        let event = |name: &str, get: fn(&Value) -> &Stamp| ids(name, rows.iter().map(|(_, v)| &get(v).1));
        let tokens = self.tokens_by_credential()?;
        let owners = all.iter().flat_map(|one| {
            let token = tokens.find(names.text(one.org), names.text(one.credential));
            std::iter::repeat_n(token, one.values.len())
        });
        let columns = vec![
            text("org", |(one, _)| one.org)?,
            text("credential", |(one, _)| one.credential)?,
            tokens.take(owners)?,
            text("dimension", |(_, value)| value.key[0])?,
            text("value", |(_, value)| value.key[1])?,
            number("n", Kind::Int, |v| v.n)?,
            number("origins", Kind::Int, |v| v.origins)?,
            number("active_days", Kind::Int, |v| v.days)?,
            number("first_time", Kind::Time, |v| v.first.0)?,
            number("last_time", Kind::Time, |v| v.last.0)?,
            event("first_event", |v| &v.first),
            event("last_event", |v| &v.last),
        ];
        Ok(pl::DataFrame::new(rows.len(), columns)?.lazy().select(self::columns()))
    }
}

impl Shown {
    /// Adds what a month showed of a value.
    fn add(&mut self, value: Value) {
        match self.index.entry(value.key) {
            Entry::Occupied(held) => self.values[*held.get()].join(value),
            Entry::Vacant(free) => {
                free.insert(self.values.len());
                self.values.push(value);
            }
        }
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

fn of_month(part: &Table) -> Month {
    let [orgs, credentials, dimensions, shown] =
        ["org", "credential", "dimension", "value"].map(|name| part.texts(name));
    let [n, origins, days, first, last] =
        ["n", "origins", "active_days", "first_time", "last_time"].map(|name| part.ints(name));
    let (oldest, newest) = (part.cells("first_event"), part.cells("last_event"));
    let value = |row: usize| Value {
        key: [dimensions.codes[row], shown.codes[row]],
        n: n[row],
        origins: origins[row],
        days: days[row],
        first: (first[row], oldest[row].into()),
        last: (last[row], newest[row].into()),
    };
    let values = (0..part.height()).map(value).collect();
    let owner = |row: usize| (orgs.codes[row], credentials.codes[row]);
    let is_end = |row: &usize| *row + 1 == part.height() || owner(*row) != owner(*row + 1);
    let ends = (0..part.height()).filter(is_end).map(|row| (owner(row).0, owner(row).1, row + 1)).collect();
    Month { texts: [orgs, credentials, dimensions, shown].map(|texts| texts.texts), values, ends }
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
