//! What the page's script builds its tables and dossiers from.
//!
//! In: a report. Out: the rows of `findings.json` and `tokens.json`, event ids cut, life and activity beside.

use crate::model::time::{day_text, format_time};
use crate::model::verdict::ScopeState;
use crate::output::{dossier, json, words};
use crate::report::Report;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Event ids that the page carries a finding or verdict; the JSON files hold the rest.
const EVENT_IDS: usize = 10;

/// Returns the rows of both tables.
pub(super) fn data(report: &Report) -> Value {
    let cut = |value: &mut Value| {
        if let Some(ids) = value.get_mut("event_ids").and_then(Value::as_array_mut) {
            ids.truncate(EVENT_IDS);
        }
    };
    let findings: Vec<Value> = report
        .findings
        .iter()
        .filter_map(|f| serde_json::to_value(json::finding(f)).ok())
        .map(|mut f| {
            cut(&mut f);
            f
        })
        .collect();
    let position: std::collections::HashMap<&str, usize> =
        report.findings.iter().enumerate().map(|(i, f)| (f.fingerprint.as_str(), i)).collect();
    let tokens: Vec<Value> = report
        .tokens
        .iter()
        .filter_map(|t| {
            let mut token = serde_json::to_value(json::token(t)).ok()?;
            cut(&mut token["use"]);
            if let Some(rows) = token["scope"].as_array_mut() {
                rows.iter_mut().for_each(cut);
            }
            token["use"]["words"] = words::use_words(t.verdicts.usage.verdict).into();
            token["use"]["last_change"] = words::last_change(t).into();
            // Places in the findings table are shorter than fingerprints and need no second index.
            token["findings"] = t
                .findings
                .iter()
                .filter_map(|f| position.get(f.as_str()))
                .copied()
                .collect::<Vec<_>>()
                .into();
            token["life"] = dossier::json::life(t).into();
            token["activity"] = dossier::json::activity(t);
            Some(token)
        })
        .collect();
    let titles: BTreeMap<&str, &str> =
        report.detections.iter().map(|d| (d.id.as_str(), d.title.as_str())).collect();
    let coverage: BTreeMap<&str, String> =
        report.coverage.iter().map(|c| (c.org.as_str(), words::coverage_words(c, report.window))).collect();
    json!({
        "as_of": format_time(report.as_of),
        "window_from": day_text(report.window.first_day()),
        "window_days": report.window.days,
        "titles": titles,
        "coverage": coverage,
        "invisible": words::INVISIBLE,
        "scope_states": ScopeState::ALL.iter()
            .map(|s| (s.as_str(), words::scope_meaning(*s))).collect::<BTreeMap<_, _>>(),
        "findings": findings,
        "tokens": tokens,
    })
}
