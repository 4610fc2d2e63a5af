//! Findings for people at a terminal: detections that failed, one table, then what it all rests on and what lacked an input.

use super::subject;
use crate::model::finding::{Finding, Severity};
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
        write(report, &rank::findings(report), style, to)
    }
}

/// The worst findings alone, for a person at a terminal: the totals stay those of all.
#[derive(Debug)]
pub struct Worst;

/// Findings that a person reads at once.
const MAX_WORST: usize = 50;

impl Format<Report> for Worst {
    fn name(&self) -> &'static str {
        "table"
    }

    fn extension(&self) -> &'static str {
        "txt"
    }

    fn write(&self, report: &Report, style: Style, to: &mut dyn io::Write) -> Result {
        let is_worst = |f: &Finding| f.severity >= Severity::Medium && f.suppressed.is_none();
        let mut shown = rank::findings(report);
        shown.retain(|i| is_worst(&report.findings[*i]));
        shown.truncate(MAX_WORST);
        write(report, &shown, style, to)
    }
}

fn write(report: &Report, shown: &[usize], style: Style, to: &mut dyn io::Write) -> Result {
    terminal::failures(report, style, to)?;
    if !shown.is_empty() {
        writeln!(to, "{}", table(report, shown, style))?;
        writeln!(to)?;
    }
    let left_out = report.findings.len() - shown.len();
    if left_out > 0 {
        let text = format!(
            "{left_out} finding{} not listed: below medium, decided, or after the {MAX_WORST} worst; `--all` lists every finding",
            words::s(left_out as u64)
        );
        terminal::paragraph(&text, style, to)?;
    }
    let counts: Vec<String> = Severity::ALL
        .iter()
        .rev()
        .map(|s| (words::open_findings(report, *s), s))
        .filter(|(n, _)| *n > 0)
        .map(|(n, s)| format!("{n} {s}"))
        .collect();
    let hidden = report.findings.iter().filter(|f| f.suppressed.is_some()).count();
    let mut total = format!("{} finding{}", report.findings.len(), words::s(report.findings.len() as u64));
    if !counts.is_empty() {
        total.push_str(&format!(": {}", counts.join(", ")));
    }
    if hidden > 0 {
        total.push_str(&format!(", {hidden} covered by a decision"));
    }
    terminal::heading(&total, style, to)?;
    for c in &report.coverage {
        terminal::paragraph(&format!("{}: {}", c.org, words::coverage_words(c, report.window)), style, to)?;
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

/// Columns that a message needs to be read in a table.
const MESSAGE_ROOM: usize = 60;

fn table(report: &Report, shown: &[usize], style: Style) -> String {
    let rows: Vec<Vec<Item>> = shown
        .iter()
        .map(|i| {
            let f = &report.findings[*i];
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
    terminal::roomy_table(&head, &rows, style, MESSAGE_ROOM)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::sample;

    fn shown(format: &dyn Format<Report>, report: &Report, width: Option<u16>) -> String {
        let mut bytes = Vec::new();
        format.write(report, Style { color: false, width, lf: true }, &mut bytes).expect("memory");
        String::from_utf8(bytes).expect("UTF-8")
    }

    #[test]
    fn a_terminal_shows_the_worst_and_says_what_it_leaves_out() {
        let mut report = sample::report();
        let mut finding = report.findings.remove(0);
        finding.suppressed = None;
        finding.evidence.clear();
        report.findings = (0..70)
            .map(|i| {
                let mut f = finding.clone();
                f.severity = if i < 60 { Severity::Medium } else { Severity::High };
                f.message = format!("message-{i} from 2001:db8:1234:5678:9abc:def0:1234:5678");
                f
            })
            .collect();
        report.findings[0].severity = Severity::Low;
        for width in [Some(40), Some(80), Some(300)] {
            let text = shown(&Worst, &report, width);
            assert_eq!(text.matches("message-").count(), 50, "{text}");
            assert!((60..70).all(|i| text.contains(&format!("message-{i} "))), "the high ones first: {text}");
            assert!(text.contains("20 findings not") && text.contains("70 findings"), "{text}");
            let whole = text.matches("2001:db8:1234:5678:9abc:def0:1234:5678").count();
            assert_eq!(whole, if width == Some(40) { whole } else { 50 }, "no address is broken: {text}");
        }
        let all = shown(&Table, &report, None);
        assert!(all.matches("message-").count() == 70 && !all.contains("not listed"), "{all}");
    }
}
