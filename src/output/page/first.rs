//! The first screen: what to contain, then one ranked list of what can wait.
//!
//! In: a report. Out: the values that the template names, as JSON. A token stands in it once; the table of tokens holds the rest.

use crate::model::finding::{Finding, Severity, SubjectKind};
use crate::model::time::day_text;
use crate::model::verdict::Action;
use crate::output::words;
use crate::report::contain::contain;
use crate::report::{Report, TokenReport, rank};
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};

/// Things to contain that are written out.
const CONTAIN: usize = 25;
/// Hours that are told of each.
const STORIES: usize = 3;
/// Tokens to revoke that are written out: all that one week can hold.
const REVOKE: usize = 50;
/// Other tokens that are written out.
const OTHERS: usize = 12;
/// Findings under a token that is to be revoked.
const EVIDENCE: usize = 2;
/// Detections whose fact the reason of the advice says already.
const SAID: [&str; 6] =
    ["leaked", "used-after-leak", "used-after-its-end", "used-after-owner-left", "owner-gone", "ruled-out"];

/// Returns both lists and the totals.
pub(super) fn first(report: &Report) -> Value {
    let news = words::news(report);
    let is_news = |org: &str, id: &str| news.contains(&(org, id));
    let mut urgent = contain(report);
    // What is new comes first in each class; the order is stable.
    urgent.sort_by_key(|c| {
        (std::cmp::Reverse(c.severity), c.token.is_none() || !is_news(&c.org, &c.subject.id))
    });
    let contained: HashSet<usize> = urgent.iter().filter_map(|c| c.token).collect();
    let rows: Vec<Value> = urgent
        .iter()
        .take(CONTAIN)
        .map(|c| {
            let token = c.token.map(|at| &report.tokens[at]);
            let who = match c.subject.kind {
                SubjectKind::Token => c.owner.as_deref().unwrap_or("owner unknown"),
                kind => kind.as_str(),
            };
            json!({
                "index": c.token, "label": c.label(), "org": c.org, "owner": who, "severity": c.severity,
                "action": token.map_or_else(String::new, |t| words::advice_words(&t.verdicts.advice)),
                "class": token.map_or_else(String::new, class),
                "news": token.is_some() && is_news(&c.org, &c.subject.id),
                "stories": c.stories.iter().take(STORIES).map(words::story).collect::<Vec<_>>(),
                "more": c.stories.len().saturating_sub(STORIES), "step": c.first_step,
            })
        })
        .collect();

    let place = |t: &TokenReport| {
        let advice = words::ADVICE.iter().position(|(action, ..)| *action == t.verdicts.advice.action);
        advice.map(|at| (!is_news(&t.token.org, &t.token.token_id), at))
    };
    let mut rest: Vec<(usize, &TokenReport)> = rank::tokens(report)
        .into_iter()
        .map(|i| (i, &report.tokens[i]))
        .filter(|(i, t)| !contained.contains(i) && place(t).is_some())
        .collect();
    // Within an advice the one order of all outputs stays.
    rest.sort_by_key(|(_, t)| place(t));
    let findings: HashMap<&str, &Finding> =
        report.findings.iter().map(|f| (f.fingerprint.as_str(), f)).collect();
    let (mut revoke, mut others) = (0, 0);
    let shown = rest.iter().filter(|(_, t)| match t.verdicts.advice.action {
        Action::Revoke => {
            revoke += 1;
            revoke <= REVOKE
        }
        _ => {
            others += 1;
            others <= OTHERS
        }
    });
    let list: Vec<Value> = shown
        .map(|(i, t)| {
            json!({
                "index": i, "label": words::token_label(t), "org": t.token.org,
                "owner": t.token.owner.as_deref().unwrap_or("owner unknown"),
                "reason": t.verdicts.advice.reason, "action": words::advice_words(&t.verdicts.advice),
                "class": class(t), "news": is_news(&t.token.org, &t.token.token_id),
                "risk": t.verdicts.risk.round(),
                "evidence": if t.verdicts.advice.action == Action::Revoke { evidence(t, &findings) } else { Vec::new() },
            })
        })
        .collect();
    let totals: Vec<Value> = words::ADVICE
        .iter()
        .map(|(action, title, meaning)| {
            let total = report.tokens.iter().filter(|t| t.verdicts.advice.action == *action).count();
            json!({ "action": action, "title": title, "meaning": meaning, "total": total })
        })
        .collect();
    json!({
        "urgent": rows, "n_urgent": urgent.len(), "more_urgent": urgent.len().saturating_sub(CONTAIN),
        "list": list, "totals": totals, "rest": rest.len() - list.len(),
    })
}

fn class(t: &TokenReport) -> String {
    t.verdicts.advice.action.as_str().replace(' ', "-")
}

/// What else speaks against a token that is to be revoked: its worst findings, then its last event.
fn evidence(t: &TokenReport, findings: &HashMap<&str, &Finding>) -> Vec<String> {
    let own = t.findings.iter().filter_map(|print| findings.get(print.as_str()));
    let worst = own.filter(|f| {
        f.suppressed.is_none() && f.severity >= Severity::Medium && !SAID.contains(&f.slug.as_str())
    });
    let tell = |f: &&Finding| {
        let when = f.first_time.map(|time| format!("{}: ", day_text(crate::model::time::day_of(time))));
        format!("{}{}", when.unwrap_or_default(), f.fact())
    };
    worst.take(EVIDENCE).map(tell).chain([words::last_change(t)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::sample;

    #[test]
    fn a_token_stands_on_the_first_screen_once_and_the_worst_come_first() {
        let value = first(&sample::report());
        let index = |list: &str| -> Vec<u64> {
            value[list].as_array().into_iter().flatten().filter_map(|row| row["index"].as_u64()).collect()
        };
        let (urgent, list) = (index("urgent"), index("list"));
        assert!(!urgent.is_empty() && !list.is_empty(), "{value}");
        let all: HashSet<u64> = urgent.iter().chain(&list).copied().collect();
        assert_eq!(all.len(), urgent.len() + list.len(), "no token twice");
        let severities: Vec<&str> =
            value["urgent"].as_array().into_iter().flatten().filter_map(|r| r["severity"].as_str()).collect();
        let mut sorted = severities.clone();
        sorted.sort_by_key(|s| std::cmp::Reverse(s.parse::<Severity>().ok()));
        assert_eq!(severities, sorted);
        for row in value["urgent"].as_array().into_iter().flatten() {
            assert!(row["step"].as_str().is_some_and(|step| !step.is_empty()), "{row}");
        }
    }
}
