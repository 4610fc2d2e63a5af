//! Query rows for a terminal.

use super::Grid;
use crate::output::terminal::{self, Item};
use crate::output::words::value_words;
use crate::output::{Format, Result, Style};
use serde_json::Value;
use std::io;

/// `--format table`.
#[derive(Debug)]
pub struct Table;

impl Format<Grid> for Table {
    fn name(&self) -> &'static str {
        "table"
    }

    fn extension(&self) -> &'static str {
        "txt"
    }

    fn write(&self, grid: &Grid, style: Style, to: &mut dyn io::Write) -> Result {
        let head: Vec<&str> = grid.columns.iter().map(String::as_str).collect();
        let rows: Vec<Vec<Item>> = grid
            .rows
            .iter()
            .map(|row| {
                row.iter()
                    .map(|v| match v {
                        Value::Number(n) => Item::number(n),
                        other => Item::plain(value_words(other)),
                    })
                    .collect()
            })
            .collect();
        writeln!(to, "{}", terminal::table(&head, &rows, style))?;
        let n = rows.len() as u64;
        writeln!(to, "{n} row{}", crate::output::words::s(n))?;
        Ok(())
    }
}
