//! Query rows as one JSON array of objects.

use super::Grid;
use crate::output::{Format, Result, Style, exact};
use std::io;

/// `--format json`.
#[derive(Debug)]
pub struct Json;

impl Format<Grid> for Json {
    fn name(&self) -> &'static str {
        "json"
    }

    fn extension(&self) -> &'static str {
        "json"
    }

    fn write(&self, grid: &Grid, _: Style, to: &mut dyn io::Write) -> Result {
        write!(to, "[")?;
        for (i, row) in grid.objects().enumerate() {
            writeln!(to, "{}", if i == 0 { "" } else { "," })?;
            exact::write_line(&row, to)?;
        }
        writeln!(to, "{}]", if grid.rows.is_empty() { "" } else { "\n" })?;
        Ok(())
    }
}
