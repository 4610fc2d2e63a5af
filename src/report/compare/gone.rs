//! Why a finding of the earlier bundle is not in this run.
//!
//! In: the finding as the bundle tells it, the report of now. Out: whether it is resolved, or not looked at, and a sentence.
//! What this run cannot judge any more is not resolved: a log that has gone silent mends nothing.

use super::{Kind, orgs, text};
use crate::model::finding::Family;
use crate::model::time::{day_of, day_text, parse_time};
use crate::model::token::KnownFrom;
use crate::model::verdict::{ScopeState, UseState};
use crate::report::{Report, TokenReport};
use serde_json::Value;

/// Tells what became of a finding that this run lacks.
pub(super) fn gone(old: &Value, now: &Report) -> (Kind, String) {
    let (org, detection) = (text(old, "org").unwrap_or_default(), text(old, "detection").unwrap_or_default());
    if !orgs(now).contains(org) {
        return (Kind::NotCompared, "This run does not look at the organisation.".to_owned());
    }
    if let Some(n) = now.not_run.iter().find(|n| n.detection == detection) {
        return (Kind::NotCompared, format!("The detection did not run this time: {}", n.reason));
    }
    let Some(meta) = now.detections.iter().find(|d| d.id == detection) else {
        return (Kind::NotCompared, "The detection is no longer in the pack.".to_owned());
    };
    let subject = &old["subject"];
    if text(subject, "kind") == Some("token") {
        let id = text(subject, "id").unwrap_or_default();
        match now.tokens.iter().find(|t| t.token.org == org && t.token.token_id == id) {
            None if lists_tokens(now, org) => {
                return (Kind::Resolved, "The token is no longer listed or seen.".to_owned());
            }
            None => {
                let why = "This run has no list of the organisation's tokens, and the log does not show it.";
                return (Kind::NotCompared, why.to_owned());
            }
            Some(t) if t.token.is_over() => {
                let when = t.token.revoked_at.map(|at| format!(" since {}", day_text(day_of(at))));
                return (
                    Kind::Resolved,
                    format!("The token is {}{}.", t.token.state, when.unwrap_or_default()),
                );
            }
            Some(t) if matches!(meta.family, Family::Use | Family::Scope) => {
                if let Some(why) = unjudged(old, t) {
                    return (Kind::NotCompared, why);
                }
            }
            Some(_) => {}
        }
    }
    let last = text(old, "last_time").and_then(parse_time);
    if let Some(last) = last.filter(|t| *t < now.window.from) {
        let day = day_text(day_of(last));
        return (Kind::NotCompared, format!("Its last event, of {day}, lies before the window of this run."));
    }
    (Kind::Resolved, "It is no longer found.".to_owned())
}

/// Whether the run has a list of an organisation's tokens: without one, who shows nothing is not known to be gone.
pub(super) fn lists_tokens(now: &Report, org: &str) -> bool {
    now.tokens.iter().any(|t| t.token.org == org && t.token.known_from.contains(&KnownFrom::Inventory))
}

/// Why silence that was found before cannot be judged now, where it cannot.
fn unjudged(old: &Value, now: &TokenReport) -> Option<String> {
    let usage = &now.verdicts.usage;
    if usage.verdict == UseState::NotJudged {
        return Some(format!("The token's use is not judged this time. {}", usage.reason));
    }
    let scope = text(&old["evidence"], "scope")?;
    let granted = now.token.scopes.as_ref().is_none_or(|scopes| scopes.iter().any(|s| s == scope));
    let row = now.verdicts.scope.iter().find(|row| row.scope == scope);
    let unseen = row.is_none_or(|row| row.state == ScopeState::CannotBeSeen);
    (granted && unseen).then(|| format!("The use of {scope} could not be judged this time."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::sample;

    fn silence(report: &Report) -> (Value, usize) {
        let found = report.findings.iter().find(|f| f.detection == "PAT-S001").expect("one");
        let is_it = |t: &TokenReport| t.token.org == found.org && t.token.token_id == found.subject.id;
        let at = report.tokens.iter().position(is_it).expect("its token");
        let scope = report.tokens[at].verdicts.scope[2].scope.clone();
        let mut value = serde_json::to_value(crate::output::json::finding(found)).expect("JSON");
        value["evidence"]["scope"] = scope.into();
        (value, at)
    }

    #[test]
    fn what_cannot_be_judged_any_more_is_not_resolved() {
        let mut now = sample::report();
        let (old, at) = silence(&now);
        now.tokens[at].verdicts.usage.verdict = UseState::Observed;
        now.tokens[at].verdicts.scope[2].state = ScopeState::Used;
        assert_eq!(gone(&old, &now).0, Kind::Resolved);
        now.tokens[at].verdicts.scope[2].state = ScopeState::CannotBeSeen;
        assert_eq!(gone(&old, &now).0, Kind::NotCompared);
        now.tokens[at].token.scopes = Some(vec!["vso.code".into()]);
        assert_eq!(gone(&old, &now).0, Kind::Resolved, "it no longer holds the scope");
        now.tokens[at].verdicts.usage.verdict = UseState::NotJudged;
        let (kind, why) = gone(&old, &now);
        assert_eq!(kind, Kind::NotCompared);
        assert!(why.contains("not judged"), "{why}");
    }

    #[test]
    fn what_lies_before_the_window_is_not_resolved() {
        let now = sample::report();
        let found = now.findings.iter().find(|f| f.subject.kind != crate::model::finding::SubjectKind::Token);
        let mut old = serde_json::to_value(crate::output::json::finding(found.expect("one"))).expect("JSON");
        old["last_time"] = "2020-01-01T00:00:00Z".into();
        let (kind, why) = gone(&old, &now);
        assert_eq!(kind, Kind::NotCompared);
        assert!(why.contains("2020-01-01"), "{why}");
    }

    #[test]
    fn a_token_that_no_list_could_name_is_not_resolved() {
        let mut now = sample::report();
        let (old, at) = silence(&now);
        let org = now.tokens[at].token.org.clone();
        now.tokens.remove(at);
        assert_eq!(gone(&old, &now).0, Kind::Resolved);
        for token in now.tokens.iter_mut().filter(|t| t.token.org == org) {
            token.token.known_from = vec![KnownFrom::Events];
        }
        assert_eq!(gone(&old, &now).0, Kind::NotCompared);
    }
}
