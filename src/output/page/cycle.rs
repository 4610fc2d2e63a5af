//! The review cycle on the page: decisions and what became of them, changes since the last run, controls.
//!
//! In: a report. Out: the values that the template names, as JSON.

use crate::model::time::day_text;
use crate::output::words;
use crate::report::compare::{Kind, News};
use crate::report::controls::{controls, frameworks as names};
use crate::report::review::{Standing, Status};
use crate::report::{Report, TokenReport};
use serde_json::{Value, json};

/// Rows of a table of changes; `changes.json` holds all.
const MOST: usize = 200;
/// Those that show at once; the others open.
const FIRST: usize = 25;

/// Decisions on tokens, those not carried out first.
pub(super) fn decisions(report: &Report) -> Vec<Value> {
    let mut rows: Vec<(usize, &TokenReport, &Standing)> =
        report.tokens.iter().enumerate().filter_map(|(i, t)| Some((i, t, t.decision.as_ref()?))).collect();
    let order = |s: Status| match s {
        Status::Refused => 0,
        Status::NotDone => 1,
        Status::Ended => 2,
        Status::Holds => 3,
        Status::Done => 4,
    };
    rows.sort_by_key(|(i, _, s)| (order(s.status), *i));
    let mut out: Vec<Value> = rows
        .iter()
        .map(|(i, t, s)| {
            json!({
                "index": i, "label": words::token_label(t), "org": t.token.org, "decision": s.decision.choice,
                "reviewer": s.who(), "on": day_text(s.decision.decided_on), "reason": s.decision.reason,
                "until": s.until.map(day_text).unwrap_or_default(), "status": s.status, "note": s.note,
            })
        })
        .collect();
    out.extend(report.decisions_elsewhere.iter().map(|d| {
        json!({
            "index": null, "label": d.token_id, "org": d.org, "decision": d.choice, "reviewer": d.reviewer,
            "on": day_text(d.decided_on), "reason": d.reason,
            "until": d.end_date.map(day_text).unwrap_or_default(), "status": "not seen",
            "note": "This run neither lists nor sees the token.",
        })
    }));
    out
}

/// How many decisions were not carried out.
pub(super) fn not_done(report: &Report) -> usize {
    let standings = report.tokens.iter().filter_map(|t| t.decision.as_ref());
    standings.filter(|s| s.status == Status::NotDone).count()
}

/// Exceptions of the configuration.
pub(super) fn approved(report: &Report) -> Vec<Value> {
    report
        .approved
        .iter()
        .map(|a| {
            let state = match (a.holds, a.covers, a.passes) {
                (false, ..) => "expired: its findings are back".to_owned(),
                (true, 0, 0) => "holds, and covers nothing in this run".to_owned(),
                (true, n, 0) => format!("covers {n} finding{}", words::s(n)),
                (true, n, m) => {
                    format!("covers {n} finding{}; {m} more came after it", words::s(n))
                }
            };
            json!({
                "detection": a.approval.detection, "subject": a.approval.subject, "org": a.approval.org,
                "owner": a.approval.owner, "reason": a.approval.reason,
                "on": a.approval.approved_on.map(day_text), "until": day_text(a.approval.end_date), "state": state,
            })
        })
        .collect()
}

/// What changed since the earlier bundle; nothing where none was given.
pub(super) fn changes(report: &Report) -> Value {
    let Some(c) = &report.comparison else { return Value::Null };
    let titles: std::collections::HashMap<&str, &str> =
        report.detections.iter().map(|d| (d.id.as_str(), d.title.as_str())).collect();
    let findings: Vec<Value> = c
        .findings
        .iter()
        .take(MOST)
        .map(|f| {
            let mut why: Vec<String> = f
                .differences
                .iter()
                .map(|d| format!("{}: {} \u{2192} {}", d.field, d.before, d.after))
                .collect();
            if !f.why.is_empty() {
                why.push(f.why.clone());
            }
            json!({
                "kind": f.kind, "severity": f.severity, "detection": f.detection,
                "title": titles.get(f.detection.as_str()), "message": f.message, "org": f.org,
                "subject": f.subject.2.as_ref().unwrap_or(&f.subject.1), "why": why.join("; "),
            })
        })
        .collect();
    let tokens: Vec<Value> = c
        .tokens
        .iter()
        .take(MOST)
        .map(|t| {
            let mut what: Vec<String> = t
                .differences
                .iter()
                .map(|d| format!("{}: {} \u{2192} {}", d.field, d.before, d.after))
                .collect();
            if !t.why.is_empty() {
                what.push(t.why.clone());
            }
            let kind = match t.kind {
                _ if t.needs.is_some() => "needs something new",
                Kind::Resolved => "gone",
                kind => kind.as_str(),
            };
            json!({
                "kind": kind, "label": t.name.as_deref().unwrap_or(&t.token_id), "owner": t.owner, "org": t.org,
                "what": what.join("; "),
            })
        })
        .collect();
    json!({
        "earlier": c.earlier_as_of.get(..10).unwrap_or_default(),
        "sentence": News::of(c).sentence,
        "notes": c.notes,
        "new": c.findings_of(Kind::New), "changed": c.findings_of(Kind::Changed),
        "resolved": c.findings_of(Kind::Resolved), "not_compared": c.findings_of(Kind::NotCompared),
        "same": c.findings_same,
        "t_new": c.tokens_of(Kind::New), "t_changed": c.tokens_of(Kind::Changed),
        "t_gone": c.tokens_of(Kind::Resolved), "t_same": c.tokens_same,
        "findings": findings.iter().take(FIRST).collect::<Vec<_>>(),
        "more_findings": findings.iter().skip(FIRST).collect::<Vec<_>>(), "f_rest": c.findings.len().saturating_sub(MOST),
        "tokens": tokens.iter().take(FIRST).collect::<Vec<_>>(),
        "more_tokens": tokens.iter().skip(FIRST).collect::<Vec<_>>(), "t_rest": c.tokens.len().saturating_sub(MOST),
    })
}

/// Frameworks with their controls, and the findings that bear on each.
pub(super) fn frameworks(report: &Report) -> Vec<Value> {
    names()
        .into_iter()
        .map(|framework| {
            let rows: Vec<Value> = controls()
                .iter()
                .filter(|c| c.framework == framework)
                .map(|c| {
                    let bear = || {
                        report
                            .findings
                            .iter()
                            .filter(|f| f.suppressed.is_none() && f.controls.contains(&c.control))
                    };
                    let ran = report.detections.iter().filter(|d| c.concerns(d.family, &d.slug)).count();
                    json!({
                        "control": c.control, "title": c.title, "gives": c.gives, "missing": c.missing,
                        "findings": bear().count(), "detections": ran,
                    })
                })
                .collect();
            json!({ "name": framework, "controls": rows })
        })
        .collect()
}
