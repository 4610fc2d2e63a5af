//! Spans that the command line declares as held whole.
//!
//! In: `--covers` and `--usage-covers`, the organisations of an import, and what its files lost. Out: covers in the index,
//! less the lost days, and a sentence on each of those.

use super::error::CliError;
use super::instants::{self, Bare};
use super::ui::Ui;
use crate::lake::Lake;
use crate::model::coverage::Basis;
use crate::model::noun::counted;
use crate::model::time::{DAY, Micros, Span, day_of, day_text, format_time};
use std::collections::BTreeSet;

/// What an input lost of the audit log.
#[derive(Debug)]
pub(super) struct LostDays {
    /// Name of the input.
    pub input: String,
    /// Organisations that it is about; empty where it does not say.
    pub orgs: BTreeSet<String>,
    /// Records that could not be read.
    pub rejected: u64,
    /// Whether it ends early.
    pub cut: bool,
    /// The days.
    pub days: Vec<Span>,
}

/// Reads `FROM..TO`; a bare day as TO means its end.
pub(super) fn parse(option: &str, text: &str) -> Result<Span, CliError> {
    let wrong = || {
        CliError::new(format!("{option} \"{text}\" is no span"))
            .hint("write FROM..TO, such as 2026-01-01..2026-03-31 (both days whole)")
    };
    let (from, to) = text.split_once("..").ok_or_else(wrong)?;
    let from = instants::parse(from, Bare::Start).ok_or_else(wrong)?;
    let to = instants::parse(to, Bare::After).ok_or_else(wrong)?;
    if from < to { Ok(Span { from, to }) } else { Err(wrong()) }
}

/// What speaks against a declared span: nobody knows the future, and there was no audit log before 2018.
pub(super) fn beyond(span: Span, now: Micros) -> Option<String> {
    const LOGS_BEGIN: Micros = 17_532 * DAY;
    let text = format!("{}..{}", format_time(span.from), format_time(span.to));
    if span.to > now.saturating_add(DAY) {
        return Some(format!(
            "{text} is declared as covered, but ends in the future: days that nobody can know yet count as days without events"
        ));
    }
    (span.from < LOGS_BEGIN).then(|| {
        format!("{text} is declared as covered, but begins before Azure DevOps kept audit logs: such days count as days without events")
    })
}

/// Declares `span` as held for each organisation, less the days that the files lost.
pub(super) fn declare(lake: &mut Lake, orgs: &BTreeSet<String>, span: Span, lost: &[LostDays], ui: &Ui) {
    for input in lost {
        let parts = span.without(&span.without(&input.days));
        if !parts.is_empty() {
            ui.warn(&sentence(input, &parts));
        }
    }
    for org in orgs {
        let about = |l: &&LostDays| l.orgs.is_empty() || l.orgs.contains(org);
        let days: Vec<Span> = lost.iter().filter(about).flat_map(|l| l.days.iter().copied()).collect();
        lake.index.hold(org, span, Basis::Declared, &days);
    }
}

/// Says which days of the declared span a file does not hold, and why.
fn sentence(lost: &LostDays, parts: &[Span]) -> String {
    let records = match lost.rejected {
        0 => None,
        n => Some(format!("{} could not be read", counted(n, "record"))),
    };
    let cut = lost.cut.then(|| "it ends early".to_owned());
    let why: Vec<String> = records.into_iter().chain(cut).collect();
    let days = |part: &Span| {
        let (first, last) = (day_text(day_of(part.from)), day_text(day_of(part.to - 1)));
        if first == last { first } else { format!("{first} to {last}") }
    };
    let shown: Vec<String> = parts.iter().take(5).map(days).collect();
    let more = if parts.len() > 5 { ", ..." } else { "" };
    format!(
        "{}: {}, so these days of --covers count as gaps: {}{more}; repair the file and import it again with --covers",
        lost.input,
        why.join(" and "),
        shown.join(", "),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::parse_iso_time;

    #[test]
    fn spans_that_nobody_can_vouch_for_are_told() {
        let now = parse_iso_time("2026-04-01T00:00:00Z").expect("a time");
        let doubt = |text: &str| beyond(parse("--covers", text).expect("a span"), now);
        assert!(doubt("0001-01-01..9999-12-31").expect("a doubt").contains("in the future"));
        assert!(doubt("2017-12-31..2026-01-01").expect("a doubt").contains("audit logs"));
        assert_eq!(doubt("2018-01-01..2026-04-01"), None);
        let span = parse("--covers", "2026-01-01 05:00..2026-01-02").expect("a span");
        assert_eq!(format_time(span.from), "2026-01-01T05:00:00Z");
        assert_eq!(span.to, parse_iso_time("2026-01-03").expect("a time"));
    }
}
