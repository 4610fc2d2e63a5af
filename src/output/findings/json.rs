//! `findings.json`: see [`crate::output::json`].

use crate::output::{Format, Result, Style};
use crate::report::Report;
use std::io::{self, Write as _};

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
        // The serializer writes a few bytes at a time.
        let mut to = io::BufWriter::with_capacity(1 << 16, to);
        serde_json::to_writer_pretty(&mut to, &crate::output::json::findings(report))?;
        writeln!(to)?;
        to.flush()?;
        Ok(())
    }
}
