//! Query rows as CSV; lists and objects as JSON text in their cell.

use super::Grid;
use crate::output::csv::{self, Cell};
use crate::output::{Format, Result, Style};
use serde_json::Value;
use std::io;

/// `--format csv`.
#[derive(Debug)]
pub struct Csv;

impl Format<Grid> for Csv {
    fn name(&self) -> &'static str {
        "csv"
    }

    fn extension(&self) -> &'static str {
        "csv"
    }

    fn write(&self, grid: &Grid, style: Style, to: &mut dyn io::Write) -> Result {
        let rows = grid.rows.iter().map(|row| row.iter().map(cell).collect());
        csv::write_styled(grid.columns.iter().map(String::as_str), rows, style, to)
    }
}

fn cell(value: &Value) -> Cell {
    match value {
        Value::Null => Cell::Empty,
        Value::String(text) => Cell::Text(text.clone()),
        Value::Number(n) => {
            let whole = n.as_i64().map(i128::from).or_else(|| n.as_u64().map(i128::from));
            whole.map_or_else(|| n.as_f64().map_or(Cell::Empty, Cell::Number), Cell::Whole)
        }
        other => Cell::Text(other.to_string()),
    }
}
