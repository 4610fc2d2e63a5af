//! Query rows as a Markdown table.

use super::Grid;
use crate::output::words::value_words;
use crate::output::{Format, Result, Style, markdown};
use std::io;

/// `--format markdown`.
#[derive(Debug)]
pub struct Markdown;

impl Format<Grid> for Markdown {
    fn name(&self) -> &'static str {
        "markdown"
    }

    fn extension(&self) -> &'static str {
        "md"
    }

    fn write(&self, grid: &Grid, _: Style, to: &mut dyn io::Write) -> Result {
        let head: Vec<&str> = grid.columns.iter().map(String::as_str).collect();
        let rows: Vec<Vec<String>> =
            grid.rows.iter().map(|row| row.iter().map(value_words).collect()).collect();
        write!(to, "{}", markdown::table(&head, &rows))?;
        Ok(())
    }
}
