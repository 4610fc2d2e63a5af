//! What makes a run over findings end with 1 or 2: `--fail-on`, `--fail-on-new`, `--max-age`, and what could not be done.
//!
//! In: the report and the options. Out: how the run ended, and one line on stderr that names what failed it. Nothing here
//! changes a result.

use super::args::FailOn;
use super::error::{CliError, Outcome, message};
use super::instants::{Bare, instant};
use super::session::Session;
use super::ui::Ui;
use crate::model::finding::{Finding, Severity};
use crate::model::time::{DAY, HOUR, Micros, format_time};
use crate::report::Report;
use crate::report::compare::{Class, Kind};
use std::collections::HashSet;

/// The options of the gate, read before the run begins.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Gate {
    fail_on: Option<Severity>,
    fail_on_new: Option<Severity>,
    /// Longest age of the coverage, and the instant that it is measured at.
    max_age: Option<(Micros, Micros)>,
    strict: bool,
}

impl Gate {
    /// Reads the options.
    pub(super) fn new(fail: &FailOn, strict: bool) -> Result<Self, CliError> {
        let now = fail.now.as_deref().map(|text| instant("--now", text, Bare::Last)).transpose()?;
        let age = fail.max_age.as_deref().map(age).transpose()?;
        let max_age = age.map(|age| (age, now.unwrap_or_else(super::now)));
        Ok(Self { fail_on: fail.fail_on, fail_on_new: fail.fail_on_new, max_age, strict })
    }

    /// A gate that findings do not close.
    pub(super) fn open(strict: bool) -> Self {
        Self { strict, ..Self::default() }
    }

    /// How a run over findings ended: 2 beats 1, and findings that a decision covers never fail a run.
    pub(super) fn outcome(self, report: &Report, session: &Session, ui: &Ui) -> Outcome {
        let failing = self.failing(report);
        self.outcome_after(failing, report, session, ui)
    }

    /// The same where what fails the run was found out before findings were taken out of the report.
    pub(super) fn outcome_after(
        self,
        failing: Option<String>,
        report: &Report,
        session: &Session,
        ui: &Ui,
    ) -> Outcome {
        let mut outcome = super::check::not_run(&report.not_run, ui);
        outcome = outcome.max(session.outcome(self.strict));
        if let Some((age, now)) = self.max_age
            && let Some(text) = too_old(report, &session.orgs, age, now)
        {
            ui.err(&message(&text));
            outcome = Outcome::Incomplete;
        }
        if let Some(text) = failing {
            ui.err(&message(&text));
            outcome = outcome.max(Outcome::Findings);
        }
        outcome
    }

    /// The line on the findings that fail the run, the worst of them named.
    pub(super) fn failing(self, report: &Report) -> Option<String> {
        let new = is_new(report);
        let open = || report.findings.iter().filter(|f| f.suppressed.is_none());
        let any =
            self.fail_on.map(|least| ("--fail-on", least, open().filter(|f| f.severity >= least).collect()));
        let fresh = self.fail_on_new.map(|least| {
            let fits = |f: &&Finding| f.severity >= least && new(f);
            ("--fail-on-new", least, open().filter(fits).collect::<Vec<_>>())
        });
        let (option, least, findings) = any.into_iter().chain(fresh).find(|(_, _, f)| !f.is_empty())?;
        let worst = findings.iter().max_by_key(|f| (f.severity, f.confidence))?;
        let first =
            findings.iter().find(|f| (f.severity, f.confidence) == (worst.severity, worst.confidence))?;
        let more = match findings.len() - 1 {
            0 => String::new(),
            1 => ", and 1 finding more".to_owned(),
            n => format!(", and {n} findings more"),
        };
        Some(format!(
            "failed by {option} {least}: {} {} ({}) on {} of {}{more}",
            first.detection,
            first.slug,
            first.severity,
            first.subject.name.as_ref().unwrap_or(&first.subject.id),
            first.org
        ))
    }
}

/// Returns which findings are new: all of them where nothing was compared, and all of an organisation that the earlier
/// run did not look at.
fn is_new(report: &Report) -> impl Fn(&Finding) -> bool + use<> {
    let known: Option<HashSet<String>> = report.comparison.as_ref().map(|c| {
        let of_new_org = |m: &crate::report::compare::Missing| m.class == Class::Organisation;
        let new = c.findings.iter().filter(|f| {
            f.kind == Kind::New || f.kind == Kind::NotCompared && f.missing.as_ref().is_some_and(of_new_org)
        });
        new.map(|f| f.fingerprint.clone()).collect()
    });
    move |finding| known.as_ref().is_none_or(|new| new.contains(&finding.fingerprint))
}

/// The sentence on organisations whose coverage ends too long ago, if any.
fn too_old(report: &Report, orgs: &[String], age: Micros, now: Micros) -> Option<String> {
    let old: Vec<String> = orgs
        .iter()
        .filter_map(|org| {
            let end = report.coverage.iter().filter(|c| c.org == *org).map(|c| c.span.to).max();
            match end {
                None => Some(format!("{org} (no coverage)")),
                Some(end) if now - end > age => Some(format!("{org} (ends {})", format_time(end))),
                Some(_) => None,
            }
        })
        .collect();
    let verb = if old.len() == 1 { "organisation is" } else { "organisations are" };
    (!old.is_empty()).then(|| {
        format!(
            "the log of {} {verb} older than --max-age allows at {}: {}; pull or import newer data",
            old.len(),
            format_time(now),
            old.join(", ")
        )
    })
}

/// Reads an age: a number of hours, days or weeks.
fn age(text: &str) -> Result<Micros, CliError> {
    let lower = text.trim().to_lowercase();
    let units = [("d", DAY), ("h", HOUR), ("w", 7 * DAY)];
    let read = units.iter().find_map(|(unit, length)| {
        let n = lower.strip_suffix(unit)?.parse::<i64>().ok().filter(|n| (0..=36_500).contains(n))?;
        Some(n * length)
    });
    read.ok_or_else(|| {
        CliError::new(format!(
            "invalid value \"{text}\" for --max-age: expected an age such as 3d, 36h or 2w"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::sample;

    #[test]
    fn ages_are_read_and_refused() {
        assert_eq!(age("3d").ok(), Some(3 * DAY));
        assert_eq!((age("36H").ok(), age("2w").ok()), (Some(36 * HOUR), Some(14 * DAY)));
        for bad in ["", "3", "d", "-1d", "3 days", "99999999d"] {
            assert!(age(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn coverage_that_ends_too_early_is_named_with_its_organisation() {
        let report = sample::report();
        let orgs: Vec<String> = ["contoso", "fabrikam", "northwind"].map(str::to_owned).into();
        let end = report.coverage[0].span.to;
        let said = |now| too_old(&report, &orgs, 3 * DAY, now);
        let one = said(end + 3 * DAY).expect("one without coverage");
        assert!(one.contains("1 organisation is") && one.contains("northwind (no coverage)"), "{one}");
        assert!(!one.contains("contoso"), "{one}");
        let all = said(end + 3 * DAY + 1).expect("all");
        assert!(all.contains("3 organisations are") && all.contains("contoso (ends "), "{all}");
    }

    #[test]
    fn only_new_findings_close_the_new_gate() {
        let mut report = sample::report();
        let gate = Gate { fail_on_new: Some(Severity::High), ..Gate::default() };
        report.comparison = None;
        let said = gate.failing(&report).expect("without a comparison every finding is new");
        assert!(
            said.starts_with("failed by --fail-on-new high: PAT-A009 used-after-revoke (critical)"),
            "{said}"
        );
        assert!(said.ends_with("findings more"), "{said}");
        report.comparison = Some(crate::report::compare::Comparison::default());
        assert_eq!(gate.failing(&report), None);
        let gate = Gate { fail_on: Some(Severity::Critical), ..Gate::default() };
        assert!(gate.failing(&report).is_some_and(|text| text.contains("--fail-on critical")));
        report.findings.retain(|f| f.severity < Severity::Critical);
        assert_eq!(gate.failing(&report), None);
    }
}
