//! Rows of JSON as tables of the engine and of the lake.
//!
//! In: rows by column, times and days as text. Out: a table in memory, or the content of a Parquet file.

use patwatch::engine::schema::{self, Kind, TableDef};
use patwatch::engine::{Table, TableBuilder};
use patwatch::lake::frame::Frame;
use patwatch::model::time::{parse_day, parse_time};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// One row by column.
pub type Row = Map<String, Value>;

fn texts<'a>(rows: &'a [&Row], column: &'a str) -> impl Iterator<Item = Option<&'a str>> {
    rows.iter().map(move |row| row.get(column).and_then(Value::as_str))
}

/// The rows as a file of the lake holds them: a lake stores no token.
pub fn file_frame(def: &TableDef, rows: &[&Row]) -> Frame {
    // Most columns of most files are empty: nothing is looked up for them.
    let given: BTreeSet<&str> = rows.iter().flat_map(|row| row.keys()).map(String::as_str).collect();
    let nothing = Row::new();
    let empty = vec![&nothing; rows.len()];
    def.columns.iter().filter(|c| c.name != "token_id").fold(Frame::new(rows.len()), |frame, c| {
        let rows: &[&Row] = if given.contains(c.name) { rows } else { &empty };
        let cells = |column: &'static str| rows.iter().map(move |row| row.get(column));
        let time = |text: Option<&str>| text.map(|text| parse_time(text).expect("a time"));
        let day = |text: Option<&str>| text.map(|text| parse_day(text).expect("a day"));
        match c.kind {
            Kind::Text => frame.text(c.name, texts(rows, c.name).map(Option::unwrap_or_default)),
            Kind::Int => frame.int(c.name, cells(c.name).map(|cell| cell?.as_i64())),
            Kind::Bool => frame.flag(c.name, cells(c.name).map(|cell| cell?.as_bool())),
            Kind::Time => frame.time(c.name, texts(rows, c.name).map(time)),
            Kind::Date => frame.date(c.name, texts(rows, c.name).map(day)),
            Kind::Float => panic!("a lake stores no float: {}", c.name),
        }
    })
}

/// The rows as a table that the analysis made.
pub fn in_memory(name: &str, rows: &[Row]) -> Table {
    let def = schema::table(name).unwrap_or_else(|| panic!("no table {name}"));
    let rows: Vec<&Row> = rows.iter().collect();
    let given =
        |c: &&schema::ColumnDef| rows.iter().any(|row| row.get(c.name).is_some_and(|cell| !cell.is_null()));
    let builder = def.columns.iter().filter(given).fold(TableBuilder::new(name), |builder, c| {
        let cells = || rows.iter().map(|row| row.get(c.name));
        let time = |text: Option<&str>| text.map(|text| parse_time(text).expect("a time"));
        let day = |text: Option<&str>| text.map(|text| parse_day(text).expect("a day"));
        match c.kind {
            Kind::Text => {
                builder.text(c.name, texts(&rows, c.name).map(|text| text.map(str::to_owned)).collect())
            }
            Kind::Int => builder.int(c.name, cells().map(|cell| cell?.as_i64()).collect()),
            Kind::Bool => builder.bool(c.name, cells().map(|cell| cell?.as_bool()).collect()),
            Kind::Float => builder.float(c.name, cells().map(|cell| cell?.as_f64()).collect()),
            Kind::Time => builder.time(c.name, texts(&rows, c.name).map(time).collect()),
            Kind::Date => builder.date(c.name, texts(&rows, c.name).map(day).collect()),
        }
    });
    builder.build().expect("fits the schema")
}
