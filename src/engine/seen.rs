//! The table `seen`: every value that a PAT credential showed in a dimension.
//!
//! In: the folds of the lake's months, or `activity` and `token_day` where a table in memory stands in for them,
//! up to `as_of` and before the window is cut: what a token did earlier must not look new. Out: a lazy frame. In
//! Rust because hours come out of a bit set, which SQL cannot say in the subset that the pack keeps to.

use super::schema::{self, Kind};
use super::tables::dtype;
use pl::IntoLazy as _;
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

/// Joins the folds of several months into one row a credential and value.
pub(super) fn merge(folds: pl::LazyFrame) -> pl::LazyFrame {
    let ordered = pl::SortMultipleOptions::default();
    let keys = ["org", "credential", "dimension", "value"].map(pl::col);
    folds
        .group_by(keys)
        .agg([
            pl::col("token_id").first(),
            pl::col("n").sum(),
            pl::col("origins").sum(),
            pl::col("active_days").sum(),
            pl::col("first_time").min(),
            pl::col("last_time").max(),
            pl::col("first_event").sort_by([pl::col("first_time")], ordered.clone()).first(),
            pl::col("last_event").sort_by([pl::col("last_time")], ordered).last(),
        ])
        .select(columns())
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
