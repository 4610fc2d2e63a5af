//! What is new for the reader, in one sentence.
//!
//! In: a comparison. Out: [`News`]: how many tokens need something new, how many findings of high and critical severity
//! are new, how many are resolved, and how many could not be compared.

use super::{Comparison, FindingChange, Kind};
use crate::model::finding::Severity;
use crate::model::noun::counted;
use crate::model::verdict::Action;
use std::collections::BTreeSet;

/// The counts of the sentence.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct News {
    /// Tokens that need something new.
    pub tokens: usize,
    /// Of them, to be revoked.
    pub revoke: usize,
    /// To be reduced.
    pub reduce: usize,
    /// To ask the owner about.
    pub ask: usize,
    /// To look at: a new high or critical finding, and no other advice.
    pub look: usize,
    /// Tokens that needed something before and need nothing now.
    pub eased: usize,
    /// New findings of high and critical severity.
    pub high: usize,
    /// Findings that are resolved.
    pub resolved: usize,
    /// Findings of new or changed detections.
    pub of_changed_detections: usize,
    /// Those detections.
    pub changed_detections: usize,
    /// Findings that could not be compared, those of changed detections left out.
    pub findings_not_compared: usize,
    /// Tokens that could not be compared.
    pub tokens_not_compared: usize,
    /// The sentence.
    pub sentence: String,
}

/// Returns true if a finding is new or became worse, is high or critical, and is not of a changed detection.
pub(super) fn is_new_and_grave(f: &FindingChange) -> bool {
    let grave = |text: &str| text.parse::<Severity>().is_ok_and(|s| s >= Severity::High);
    let risen = || f.differences.iter().any(|d| d.field == "severity" && !grave(&d.before));
    // A finding that a decision covered and covers no longer is open again.
    let reopened = || f.differences.iter().any(|d| d.field == "decision" && d.after == "none");
    let is_news = f.kind == Kind::New || f.kind == Kind::Changed && (risen() || reopened());
    is_news && f.open && !f.of_changed_detection && grave(&f.severity)
}

impl News {
    /// Counts what is new.
    #[must_use]
    pub fn of(c: &Comparison) -> Self {
        let needs =
            |action: Action| c.tokens.iter().filter(|t| t.needs.as_deref() == Some(action.as_str())).count();
        let apart =
            || c.findings.iter().filter(|f| f.of_changed_detection && f.kind == Kind::NotCompared && f.open);
        let mut news = Self {
            tokens: c.tokens.iter().filter(|t| t.needs.is_some()).count(),
            revoke: needs(Action::Revoke),
            reduce: needs(Action::Reduce),
            ask: needs(Action::AskOwner),
            look: needs(Action::Watch) + needs(Action::None),
            eased: c.tokens.iter().filter(|t| t.eased).count(),
            high: c.findings.iter().filter(|f| is_new_and_grave(f)).count(),
            resolved: c.findings_of(Kind::Resolved),
            of_changed_detections: apart().count(),
            changed_detections: apart().map(|f| &f.detection).collect::<BTreeSet<_>>().len(),
            findings_not_compared: c.findings_of(Kind::NotCompared) - apart().count(),
            tokens_not_compared: c.tokens_of(Kind::NotCompared),
            sentence: String::new(),
        };
        news.sentence = news.sentence(c.earlier_as_of.get(..10).unwrap_or_default());
        news
    }

    fn sentence(&self, since: &str) -> String {
        let parts =
            [(self.revoke, "revoke"), (self.reduce, "reduce"), (self.ask, "ask"), (self.look, "look at")];
        let parts: Vec<String> =
            parts.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}")).collect();
        let tokens = match self.tokens {
            0 => "no token needs anything new".to_owned(),
            1 => format!("1 token needs something new ({})", parts.join(", ")),
            n => format!("{n} tokens need something new ({})", parts.join(", ")),
        };
        let high = match self.high {
            0 => "no new high or critical finding".to_owned(),
            1 => "1 new high or critical finding".to_owned(),
            n => format!("{n} new high or critical findings"),
        };
        let mut text = format!("Since {since}: {tokens}, {high}, {} resolved.", self.resolved);
        match self.eased {
            0 => {}
            1 => text.push_str(" 1 token needs nothing any more."),
            n => text.push_str(&format!(" {n} tokens need nothing any more.")),
        }
        if self.of_changed_detections > 0 {
            text.push_str(&format!(
                " Not counted as new: {} from {}.",
                counted(self.of_changed_detections, "finding"),
                counted(self.changed_detections, "changed detection")
            ));
        }
        let open = [(self.findings_not_compared, "finding"), (self.tokens_not_compared, "token")];
        let open: Vec<String> =
            open.iter().filter(|(n, _)| *n > 0).map(|(n, noun)| counted(*n, noun)).collect();
        if !open.is_empty() {
            text.push_str(&format!(" Not compared: {}.", open.join(" and ")));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sentence_counts_with_the_right_nouns() {
        let news = News { tokens: 18, revoke: 1, ask: 17, high: 18, resolved: 41, ..News::default() };
        assert_eq!(
            news.sentence("2026-10-24"),
            "Since 2026-10-24: 18 tokens need something new (1 revoke, 17 ask), 18 new high or critical findings, 41 resolved."
        );
        let one = News {
            tokens: 1,
            look: 1,
            high: 1,
            of_changed_detections: 212,
            changed_detections: 3,
            findings_not_compared: 1,
            tokens_not_compared: 2,
            eased: 1,
            ..News::default()
        };
        assert_eq!(
            one.sentence("2026-10-24"),
            "Since 2026-10-24: 1 token needs something new (1 look at), 1 new high or critical finding, 0 resolved. \
1 token needs nothing any more. Not counted as new: 212 findings from 3 changed detections. \
Not compared: 1 finding and 2 tokens."
        );
        assert!(News::default().sentence("x").contains("no token needs anything new, no new high"));
    }
}
