//! Detections that did not run, for people: those that failed come first and loudly, those that lack an optional input
//! quietly where the report says what could not be seen.
//!
//! In: a [`Report`]. Out: a heading, and a line for each.

use super::words;
use crate::model::finding::NotRun;
use crate::report::Report;

/// Returns the heading over the detections that failed; nothing where none did.
#[must_use]
pub fn heading(report: &Report) -> Option<String> {
    let n = report.not_run.iter().filter(|n| n.failed).count() as u64;
    let what = if n == 1 { "What it looks for is" } else { "What they look for is" };
    (n > 0).then(|| format!("{n} detection{} failed. {what} missing from this report.", words::s(n)))
}

/// Returns the detections that failed: id and title, and why.
#[must_use]
pub fn failed(report: &Report) -> Vec<(String, &str)> {
    lines(report, |n| n.failed)
}

/// Returns the detections that lacked an optional input: id and title, and which.
#[must_use]
pub fn lacking(report: &Report) -> Vec<(String, &str)> {
    lines(report, |n| !n.failed)
}

fn lines(report: &Report, which: impl Fn(&NotRun) -> bool) -> Vec<(String, &str)> {
    let title = |n: &NotRun| report.detections.iter().find(|d| d.id == n.detection).map(|d| d.title.as_str());
    let name =
        |n: &NotRun| title(n).map_or_else(|| n.detection.clone(), |title| format!("{} {title}", n.detection));
    report.not_run.iter().filter(|n| which(n)).map(|n| (name(n), n.reason.as_str())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::sample;

    #[test]
    fn failures_and_missing_inputs_are_told_apart() {
        let mut report = sample::report();
        assert_eq!(failed(&report), [("PAT-X001".to_owned(), "column <nope> is unknown")]);
        let quiet = lacking(&report);
        assert_eq!(quiet.len(), 1);
        assert!(quiet[0].0.starts_with("PAT-U004"), "{quiet:?}");
        assert_eq!(
            heading(&report).as_deref(),
            Some("1 detection failed. What it looks for is missing from this report.")
        );
        report.not_run.retain(|n| !n.failed);
        assert_eq!(heading(&report), None);
    }
}
