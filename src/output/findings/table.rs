//! Findings for people at a terminal: detections that failed, one table, then what it all rests on and what lacked an input.

use super::subject;
use crate::model::finding::Severity;
use crate::output::terminal::{self, Item, Paint};
use crate::output::{Format, Result, Style, not_run, words};
use crate::report::{Report, rank};
use std::io;

/// `--format table`.
#[derive(Debug)]
pub struct Table;

impl Format<Report> for Table {
    fn name(&self) -> &'static str {
        "table"
    }

    fn extension(&self) -> &'static str {
        "txt"
    }

    fn write(&self, report: &Report, style: Style, to: &mut dyn io::Write) -> Result {
        terminal::failures(report, style, to)?;
        if !report.findings.is_empty() {
            writeln!(to, "{}", table(report, style))?;
            writeln!(to)?;
        }
        let counts: Vec<String> = Severity::ALL
            .iter()
            .rev()
            .map(|s| (words::open_findings(report, *s), s))
            .filter(|(n, _)| *n > 0)
            .map(|(n, s)| format!("{n} {s}"))
            .collect();
        let hidden = report.findings.iter().filter(|f| f.suppressed.is_some()).count();
        let mut total =
            format!("{} finding{}", report.findings.len(), words::s(report.findings.len() as u64));
        if !counts.is_empty() {
            total.push_str(&format!(": {}", counts.join(", ")));
        }
        if hidden > 0 {
            total.push_str(&format!(", {hidden} covered by a decision"));
        }
        terminal::heading(&total, style, to)?;
        for c in &report.coverage {
            terminal::paragraph(
                &format!("{}: {}", c.org, words::coverage_words(c, report.window)),
                style,
                to,
            )?;
        }
        for sentence in report.settings.sentences() {
            terminal::paragraph(&sentence, style, to)?;
        }
        for (name, reason) in not_run::lacking(report) {
            terminal::paragraph(&format!("{name} did not run: {reason}"), style, to)?;
        }
        for b in &report.blind {
            terminal::paragraph(&words::blind(b), style, to)?;
        }
        Ok(())
    }
}

fn table(report: &Report, style: Style) -> String {
    let rows: Vec<Vec<Item>> = rank::findings(report)
        .into_iter()
        .map(|i| {
            let f = &report.findings[i];
            let mut message = f.message.clone();
            if let Some(s) = &f.suppressed {
                message.push_str(&format!(" [{} by {}]", s.decision, s.who()));
            }
            vec![
                Item::painted(f.severity.as_str(), terminal::severity_paint(f.severity)),
                Item::plain(f.confidence.as_str()),
                Item::plain(f.detection.clone()),
                Item::plain(f.org.clone()),
                Item::plain(subject(f)),
                Item::plain(f.owner.clone().unwrap_or_default()),
                Item::plain(words::last_event(f, report.as_of)),
                Item::painted(message, if f.suppressed.is_some() { Paint::Dim } else { Paint::Plain }),
            ]
        })
        .collect();
    let head = ["severity", "confidence", "detection", "org", "subject", "owner", "last event", "message"];
    terminal::table(&head, &rows, style)
}
