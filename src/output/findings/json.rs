//! `findings.json`: see [`crate::output::json`].

use crate::output::{Format, Result, Style, json, long_list};
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
        long_list::write(&json::findings(report), ("findings", 1), &report.findings, json::finding, to)
    }
}
