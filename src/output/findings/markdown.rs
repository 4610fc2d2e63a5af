//! Findings as a Markdown table that pastes into a pull request.

use super::{subject, title};
use crate::model::finding::Finding;
use crate::model::time::{day_of, day_text};
use crate::output::markdown::{escape, table};
use crate::output::{Format, Result, Style, not_run, words};
use crate::report::{Report, rank};
use std::io;

/// `--format markdown`.
#[derive(Debug)]
pub struct Markdown;

impl Format<Report> for Markdown {
    fn name(&self) -> &'static str {
        "markdown"
    }

    fn extension(&self) -> &'static str {
        "md"
    }

    fn write(&self, report: &Report, _: Style, to: &mut dyn io::Write) -> Result {
        if let Some(heading) = not_run::heading(report) {
            writeln!(to, "**{heading}**\n")?;
            for (name, reason) in not_run::failed(report) {
                writeln!(to, "- **{}**: {}", escape(&name), escape(reason))?;
            }
            writeln!(to)?;
        }
        let n = report.findings.len();
        writeln!(to, "**{n} finding{}** as of {}\n", words::s(n as u64), day_text(day_of(report.as_of)))?;
        if n > 0 {
            let ranked: Vec<&Finding> =
                rank::findings(report).into_iter().map(|i| &report.findings[i]).collect();
            writeln!(to, "{}", rows(report, &ranked))?;
        }
        for sentence in report.settings.sentences() {
            writeln!(to, "{}\n", escape(&sentence))?;
        }
        let lacking = not_run::lacking(report);
        for (name, reason) in &lacking {
            writeln!(to, "- {} did not run: {}", escape(name), escape(reason))?;
        }
        for b in &report.blind {
            writeln!(to, "- {}", escape(&words::blind(b)))?;
        }
        if !lacking.is_empty() || !report.blind.is_empty() {
            writeln!(to)?;
        }
        writeln!(to, "{}", words::INVISIBLE)?;
        Ok(())
    }
}

/// Returns findings as a table, in their order.
#[must_use]
pub fn rows(report: &Report, findings: &[&Finding]) -> String {
    let rows: Vec<Vec<String>> = findings
        .iter()
        .map(|f| {
            let mut message = f.message.clone();
            if let Some(s) = &f.suppressed {
                message.push_str(&format!(" (decision: {} by {})", s.decision, s.who()));
            }
            vec![
                f.severity.to_string(),
                f.confidence.to_string(),
                format!("{} {}", f.detection, title(report, f)),
                f.org.clone(),
                subject(f).to_owned(),
                f.owner.clone().unwrap_or_default(),
                message,
            ]
        })
        .collect();
    table(&["severity", "confidence", "detection", "organisation", "subject", "owner", "what"], &rows)
}
