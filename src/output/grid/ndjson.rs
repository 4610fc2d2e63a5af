//! Query rows as one JSON object a line.

use super::Grid;
use crate::output::{Format, Result, Style, exact};
use std::io;

/// `--format ndjson`.
#[derive(Debug)]
pub struct Ndjson;

impl Format<Grid> for Ndjson {
    fn name(&self) -> &'static str {
        "ndjson"
    }

    fn extension(&self) -> &'static str {
        "ndjson"
    }

    fn write(&self, grid: &Grid, _: Style, to: &mut dyn io::Write) -> Result {
        for row in grid.objects() {
            exact::write_line(&row, to)?;
            writeln!(to)?;
        }
        Ok(())
    }
}
