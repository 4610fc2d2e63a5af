//! What the user took out of a run, or changed in it: no output may pass for a complete look without saying so.
//!
//! In: the configuration's `[detections]` and `--severity`. Out: [`Settings`], which every output lists, and a report that
//! shows only the findings asked for.

use super::Report;
use crate::model::finding::Severity;
use crate::model::noun::counted;
use std::collections::{BTreeMap, HashSet};

/// What was not looked at, not shown, or changed.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Settings {
    /// Ids of detections that the configuration switches off.
    pub off: Vec<String>,
    /// Severities that the configuration sets.
    pub severity: Vec<SetSeverity>,
    /// Least severity of the findings that are shown.
    pub least_severity: Option<Severity>,
    /// Findings below it, by detection; they are in no list of this report.
    pub below: BTreeMap<String, u64>,
}

/// A severity that the configuration gives all findings of a detection.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct SetSeverity {
    /// Detection id.
    pub detection: String,
    /// What its head says.
    pub before: Severity,
    /// What the configuration says.
    pub after: Severity,
}

impl Settings {
    /// Returns how many findings are not shown since they are less severe than what was asked for.
    #[must_use]
    pub fn not_shown(&self) -> u64 {
        self.below.values().sum()
    }

    /// Returns what was left out or changed, one sentence each; none where everything is as patwatch has it.
    #[must_use]
    pub fn sentences(&self) -> Vec<String> {
        let mut out = Vec::new();
        if !self.off.is_empty() {
            out.push(format!("Not looked at: the configuration switches off {}.", self.off.join(", ")));
        }
        if let Some(least) = self.least_severity {
            let findings = counted(self.not_shown(), "finding");
            out.push(format!("Not shown: {findings} below severity {least} (--severity)."));
        }
        if !self.severity.is_empty() {
            let set: Vec<String> = self
                .severity
                .iter()
                .map(|s| format!("{} {} (in the pack {})", s.detection, s.after, s.before))
                .collect();
            out.push(format!("Severity set by the configuration: {}.", set.join(", ")));
        }
        out
    }
}

impl Report {
    /// Takes findings below a severity out of everything that is shown, and counts them. What was concluded from them,
    /// such as risk and advice, stays.
    pub fn show_from(&mut self, least: Severity) {
        self.settings.least_severity = Some(least);
        for finding in self.findings.iter().filter(|f| f.severity < least) {
            *self.settings.below.entry(finding.detection.clone()).or_default() += 1;
        }
        self.findings.retain(|f| f.severity >= least);
        let shown: HashSet<&str> = self.findings.iter().map(|f| f.fingerprint.as_str()).collect();
        for token in &mut self.tokens {
            token.findings.retain(|print| shown.contains(print.as_str()));
        }
        if let Some(comparison) = &mut self.comparison {
            comparison.findings.retain(|f| f.severity.parse::<Severity>().is_ok_and(|s| s >= least));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_below_the_severity_are_counted_and_nowhere_shown() {
        let whole = crate::output::sample::report();
        let mut report = whole.clone();
        report.show_from(Severity::High);
        assert!(report.findings.iter().all(|f| f.severity >= Severity::High) && !report.findings.is_empty());
        let hidden = (whole.findings.len() - report.findings.len()) as u64;
        assert_eq!(report.settings.not_shown(), hidden);
        let said = report.settings.sentences().join(" ");
        assert!(
            said.contains(&format!("{hidden} finding")) && said.contains("below severity high"),
            "{said}"
        );
        let prints: HashSet<&str> = report.findings.iter().map(|f| f.fingerprint.as_str()).collect();
        assert!(report.tokens.iter().flat_map(|t| &t.findings).all(|print| prints.contains(print.as_str())));
        assert_eq!(whole.tokens[0].verdicts.risk.to_bits(), report.tokens[0].verdicts.risk.to_bits());
        assert!(whole.settings.sentences().is_empty());
    }
}
