//! `findings.json`: see [`crate::output::json`].

use crate::output::{Format, Result, Style};
use crate::report::Report;
use std::io;

/// `--format json`.
#[derive(Debug)]
pub struct Json;

impl Format<Report> for Json {
    fn name(&self) -> &'static str {
        "json"
    }

    fn extension(&self) -> &'static str {
        "json"
    }

    fn write(&self, report: &Report, _: Style, to: &mut dyn io::Write) -> Result {
        serde_json::to_writer_pretty(&mut *to, &crate::output::json::findings(report))?;
        writeln!(to)?;
        Ok(())
    }
}
