//! What is written into the page itself and must be read first: what to do, totals, coverage, method, inputs.
//!
//! In: a report. Out: the values that the template names, as JSON.

use super::{cycle, first};
use crate::model::catalogue::catalogue;
use crate::model::finding::Severity;
use crate::model::time::{day_of, day_text, format_time};
use crate::model::verdict::{ScopeState, UseState};
use crate::output::{VERSION, not_run, words};
use crate::report::{Report, response};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Returns the values of the template.
pub(super) fn front(report: &Report) -> Value {
    let least = report.settings.least_severity.unwrap_or(Severity::Info);
    let severities: Vec<Value> = Severity::ALL
        .iter()
        .rev()
        .filter(|s| **s >= least)
        .map(|s| json!({ "name": s, "open": words::open_findings(report, *s) }))
        .collect();
    let verdicts: Vec<Value> = UseState::ALL
        .iter()
        .map(|state| {
            let n = report.tokens.iter().filter(|t| t.verdicts.usage.verdict == *state).count();
            json!({ "name": state, "words": words::use_words(*state), "meaning": words::use_meaning(*state), "n": n })
        })
        .collect();
    let scope_states: Vec<Value> =
        ScopeState::ALL.iter().map(|s| json!({ "name": s, "meaning": words::scope_meaning(*s) })).collect();
    let orgs: Vec<&str> = report.coverage.iter().map(|c| c.org.as_str()).collect();
    let mut values = json!({
        "version": VERSION,
        "as_of": format_time(report.as_of),
        "as_of_words": words::minute(report.as_of),
        "as_of_day": day_text(day_of(report.as_of)),
        "window_from": day_text(report.window.first_day()),
        "window_days": report.window.days,
        "orgs": orgs,
        "n_tokens": words::grouped(report.tokens.len() as u64),
        "n_findings": words::grouped(report.findings.len() as u64),
        "n_hidden": report.findings.iter().filter(|f| f.suppressed.is_some()).count(),
        "n_events": words::grouped(report.events),
        "severities": severities,
        "verdicts": verdicts,
        "scope_states": scope_states,
        "coverage": report.coverage.iter().map(|c| coverage(report, c)).collect::<Vec<_>>(),
        "invisible": words::INVISIBLE,
        "microsoft": words::MICROSOFT,
        "unseen_scopes": unseen_scopes(report),
        "unattributed": report.unattributed.iter().map(|u| json!({
            "org": u.org, "credential": u.credential, "candidates": u.candidates, "events": u.events,
        })).collect::<Vec<_>>(),
        "failed_heading": not_run::heading(report),
        "failed": not_run::failed(report).into_iter()
            .map(|(name, reason)| json!({ "name": name, "reason": reason })).collect::<Vec<_>>(),
        "settings": report.settings.sentences(),
        "not_run": report.not_run.iter().map(|n| json!({
            "detection": n.detection, "reason": n.reason, "failed": n.failed,
            "off": report.settings.off.contains(&n.detection),
        })).collect::<Vec<_>>(),
        "blind": report.blind.iter().map(|b| json!({
            "detection": b.detection, "org": b.org, "fields": b.fields, "events": words::grouped(b.events),
        })).collect::<Vec<_>>(),
        "thresholds": words::policy_rows(&report.policy).into_iter()
            .map(|(name, value, meaning)| json!({ "name": name, "value": value, "meaning": meaning }))
            .collect::<Vec<_>>(),
        "detections": report.detections.iter().map(|d| detection(report, d)).collect::<Vec<_>>(),
        "population": report.population.iter().map(|p| json!({
            "org": p.org, "taken": p.inventory_taken, "complete": p.complete, "listed": p.users_listed,
            "failed": p.users_failed, "tokens": p.tokens, "not_pats": p.not_pats,
        })).collect::<Vec<_>>(),
        "inputs": report.inputs.iter().map(|i| json!({
            "name": i.name, "kind": i.kind, "sha256": i.sha256, "read": words::grouped(i.read),
            "kept": words::grouped(i.kept), "duplicate": words::grouped(i.duplicate),
            "rejected": words::grouped(i.rejected),
            "reasons": i.reasons.iter().map(|(r, n)| format!("{r} ({n})")).collect::<Vec<_>>().join(", "),
            "masked": i.masked.words(),
        })).collect::<Vec<_>>(),
        "masked": words::masked_words(report),
        "decisions": cycle::decisions(report),
        "not_done": cycle::not_done(report),
        "approved": cycle::approved(report),
        "changes": cycle::changes(report),
        "frameworks": cycle::frameworks(report),
        "pack": report.pack_sha256,
        "config": report.config_sha256,
        "glossary": words::GLOSSARY.iter()
            .map(|(word, meaning)| json!({ "word": word, "meaning": meaning })).collect::<Vec<_>>(),
    });
    values["first"] = first::first(report);
    values["people"] = json!(words::population(report));
    values["response"] = json!(response::sentences(report));
    values["completeness"] = json!(report.series.review_sentence);
    values
}

fn coverage(report: &Report, c: &crate::model::coverage::Coverage) -> Value {
    let window = report.window;
    // One mark a day of the window: the strip that shows coverage at a glance.
    let strip: Vec<Value> = (window.first_day()..=window.last_day())
        .enumerate()
        .map(|(i, day)| {
            let start = crate::model::time::day_start(day);
            let span = crate::model::time::Span { from: start, to: start + crate::model::time::DAY };
            let state = if c.covered.binary_search(&day).is_ok() {
                "held"
            } else if c.gaps.iter().any(|g| g.span.overlaps(&span)) {
                "gap"
            } else if c.span.overlaps(&span) {
                "part"
            } else {
                "none"
            };
            json!({ "x": i, "state": state, "day": day_text(day) })
        })
        .collect();
    json!({
        "org": c.org,
        "words": words::coverage_words(c, window),
        "covered": c.covered.len(),
        "events": words::grouped(c.events),
        "basis_words": format!("Known by: {}.", words::basis_words(c.basis)),
        "width": window.days,
        "strip": strip,
        "gaps": c.gaps.iter().map(|g| json!({
            "span": words::gap_words(g.span.from, g.span.to), "reason": g.reason,
        })).collect::<Vec<_>>(),
    })
}

/// Scopes that some token holds and whose use the log does not show in full, with how many hold them.
fn unseen_scopes(report: &Report) -> Vec<Value> {
    let mut held: BTreeMap<&str, (usize, &crate::model::verdict::ScopeVerdict)> = BTreeMap::new();
    for scope in report.tokens.iter().flat_map(|t| &t.verdicts.scope) {
        if scope.state == ScopeState::CannotBeSeen {
            held.entry(&scope.scope).or_insert((0, scope)).0 += 1;
        }
    }
    let mut rows: Vec<_> = held.into_iter().collect();
    rows.sort_by(|a, b| b.1.0.cmp(&a.1.0).then(a.0.cmp(b.0)));
    rows.into_iter()
        .map(|(scope, (n, v))| {
            let title = catalogue().scopes.get(scope).map_or("", |s| s.title.as_str());
            json!({
                "scope": scope, "title": title, "tokens": n, "visibility": v.visibility,
                "operations": v.unseen_operations.join("; "),
            })
        })
        .collect()
}

fn detection(report: &Report, d: &crate::model::finding::DetectionMeta) -> Value {
    json!({
        "id": d.id, "title": d.title, "family": d.family, "severity": d.severity, "confidence": d.confidence,
        "rationale": d.rationale, "hits": report.findings.iter().filter(|f| f.detection == d.id).count() as u64
            + report.settings.below.get(&d.id).copied().unwrap_or_default(),
        "ran": !report.not_run.iter().any(|n| n.detection == d.id),
        "controls": d.controls.join(", "),
    })
}
