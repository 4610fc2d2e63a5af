//! `index.html`: the whole report in one file, with no outside request, under a strict content security policy.
//!
//! In: a report, charts as SVG text, the run's facts. Out: HTML. What must be read first is written into the
//! page; the long tables come as JSON in a script block of type `application/json`, and the page's own script
//! builds them with `textContent` alone. Text from the log reaches the page by these two ways only.

use super::bundle::ChartFile;
use super::manifest::RunFacts;
use super::{Result, VERSION, dossier, json, words};
use crate::model::catalogue::catalogue;
use crate::model::finding::Severity;
use crate::model::time::{day_of, day_text, format_time};
use crate::model::verdict::{ScopeState, UseState};
use crate::report::{Report, TokenReport};
use base64::Engine as _;
use minijinja::{Environment, UndefinedBehavior, Value as Page};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;

const HTML: &str = include_str!("templates/page.html");
const STYLE: &str = include_str!("templates/page.css");
const SCRIPT: &str = include_str!("templates/page.js");

/// Tokens named under each heading of the first screen; the table holds the rest.
const FIRST: usize = 8;

/// Event ids that the page carries a finding or verdict; the JSON files hold the rest.
const EVENT_IDS: usize = 10;

/// Returns the page.
///
/// # Errors
/// Those of the template.
pub fn render(report: &Report, charts: &[ChartFile], facts: &RunFacts) -> Result<String> {
    let mut env = Environment::new();
    env.set_undefined_behavior(UndefinedBehavior::Strict);
    env.add_template("page.html", HTML)?;
    let mut context = front(report);
    context["command"] = facts.command_line.join(" ").into();
    cleaned(&mut context);
    let more = json!({
        "policy_header": policy_header(),
        "style": STYLE,
        "script": SCRIPT,
        "data": embed(&data(report))?,
        "charts": charts.iter().map(chart).collect::<Vec<_>>(),
    });
    if let (Value::Object(context), Value::Object(more)) = (&mut context, more) {
        context.extend(more);
    }
    let mut page = env.get_template("page.html")?.render(to_page(&context))?;
    if !page.ends_with('\n') {
        page.push('\n');
    }
    Ok(page)
}

/// Returns the content security policy: nothing but this page's own style and script, by their hashes.
fn policy_header() -> String {
    let hash = |text: &str| {
        let digest = Sha256::digest(text.as_bytes());
        format!("'sha256-{}'", base64::engine::general_purpose::STANDARD.encode(digest))
    };
    format!(
        "default-src 'none'; script-src {}; style-src {}; img-src data:; base-uri 'none'; form-action 'none'",
        hash(SCRIPT),
        hash(STYLE)
    )
}

/// Returns JSON that can stand inside a script element: no character of it ends the element or starts markup.
///
/// # Errors
/// Those of JSON.
pub fn embed(value: &Value) -> Result<String> {
    let text = serde_json::to_string(value)?;
    let mut out = String::with_capacity(text.len() + text.len() / 16);
    for c in text.chars() {
        match c {
            '<' => out.push_str("\\u003c"),
            '>' => out.push_str("\\u003e"),
            '&' => out.push_str("\\u0026"),
            '\u{2028}' => out.push_str("\\u2028"),
            '\u{2029}' => out.push_str("\\u2029"),
            c => out.push(c),
        }
    }
    Ok(out)
}

/// Returns a value for the template; minijinja escapes every text of it.
fn to_page(value: &Value) -> Page {
    match value {
        Value::Null => Page::from(()),
        Value::Bool(b) => Page::from(*b),
        Value::Number(n) => {
            n.as_i64().map(Page::from).or_else(|| n.as_f64().map(Page::from)).unwrap_or_default()
        }
        Value::String(text) => Page::from(text.as_str()),
        Value::Array(items) => Page::from(items.iter().map(to_page).collect::<Vec<_>>()),
        Value::Object(fields) => {
            Page::from(fields.iter().map(|(k, v)| (k.clone(), to_page(v))).collect::<BTreeMap<_, _>>())
        }
    }
}

/// Writes out what acts without being seen, in every text of `value`.
fn cleaned(value: &mut Value) {
    match value {
        Value::String(text) => *text = super::terminal::clean(text),
        Value::Array(items) => items.iter_mut().for_each(cleaned),
        Value::Object(fields) => fields.values_mut().for_each(cleaned),
        _ => {}
    }
}

/// What is written into the page itself: what to do, totals, coverage, method, inputs.
fn front(report: &Report) -> Value {
    let advice: Vec<Value> = words::ADVICE
        .iter()
        .map(|(action, title, meaning)| {
            let of: Vec<(usize, &TokenReport)> = report
                .tokens
                .iter()
                .enumerate()
                .filter(|(_, t)| t.verdicts.advice.action == *action)
                .collect();
            let mut first = of.clone();
            first.sort_by(|(_, a), (_, b)| b.verdicts.risk.total_cmp(&a.verdicts.risk));
            let items: Vec<Value> = first
                .iter()
                .take(FIRST)
                .map(|(i, t)| {
                    json!({
                        "index": i, "label": words::token_label(t), "org": t.token.org,
                        "owner": t.token.owner.as_deref().unwrap_or("owner unknown"),
                        "reason": t.verdicts.advice.reason,
                    })
                })
                .collect();
            json!({
                "action": action, "class": action.as_str().replace(' ', "-"), "title": title, "meaning": meaning,
                "total": of.len(), "items": items, "rest": of.len().saturating_sub(FIRST),
            })
        })
        .collect();
    let severities: Vec<Value> = Severity::ALL
        .iter()
        .rev()
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
    json!({
        "version": VERSION,
        "as_of": format_time(report.as_of),
        "as_of_day": day_text(day_of(report.as_of)),
        "window_from": day_text(report.window.first_day()),
        "window_days": report.window.days,
        "orgs": orgs,
        "n_tokens": words::grouped(report.tokens.len() as u64),
        "n_findings": words::grouped(report.findings.len() as u64),
        "n_hidden": report.findings.iter().filter(|f| f.suppressed.is_some()).count(),
        "n_events": words::grouped(report.events),
        "advice": advice,
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
        "not_run": report.not_run.iter().map(|n| json!({
            "detection": n.detection, "reason": n.reason, "failed": n.failed,
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
        })).collect::<Vec<_>>(),
        "pack": report.pack_sha256,
        "config": report.config_sha256,
        "glossary": words::GLOSSARY.iter()
            .map(|(word, meaning)| json!({ "word": word, "meaning": meaning })).collect::<Vec<_>>(),
    })
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
        "basis": c.basis,
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
        "rationale": d.rationale, "hits": report.findings.iter().filter(|f| f.detection == d.id).count(),
        "ran": !report.not_run.iter().any(|n| n.detection == d.id),
        "controls": d.controls.join(", "),
    })
}

fn chart(chart: &ChartFile) -> Value {
    let inline = inline_svg(&chart.svg);
    let source = if inline.is_some() {
        String::new()
    } else {
        let bytes = base64::engine::general_purpose::STANDARD.encode(chart.svg.as_bytes());
        format!("data:image/svg+xml;base64,{bytes}")
    };
    json!({ "name": chart.name, "caption": chart.caption, "inline": inline, "source": source })
}

/// Returns an SVG that can stand in the page as it is: shapes and text only. Any other goes into an image
/// element, where nothing in it can act.
fn inline_svg(svg: &str) -> Option<&str> {
    const ELEMENTS: &[&str] = &[
        "svg", "g", "rect", "line", "polyline", "polygon", "path", "circle", "ellipse", "text", "tspan",
        "title", "desc", "defs", "clipPath",
    ];
    let start = svg.find("<svg")?;
    let body = svg[start..].trim_end();
    if !body.ends_with("</svg>") {
        return None;
    }
    for (at, _) in body.match_indices('<') {
        let tag = &body[at + 1..];
        let end = tag.find('>')?;
        let tag = tag[..end].trim_start_matches('/');
        let name_end = tag.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(tag.len());
        let (name, attributes) = tag.split_at(name_end);
        let lower = attributes.to_ascii_lowercase();
        let acts = ["href", "style", "url(", "javascript"].iter().any(|word| lower.contains(word))
            || lower
                .split(|c: char| c.is_whitespace() || c == '/' || c == '"' || c == '\'')
                .any(|a| a.starts_with("on") && a.contains('='));
        if !ELEMENTS.contains(&name) || acts {
            return None;
        }
    }
    Some(body)
}

/// What the page's script builds its tables and dossiers from.
fn data(report: &Report) -> Value {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::sample;
    use proptest::prelude::*;

    fn page() -> String {
        render(&sample::report(), &sample::charts(), &RunFacts::default()).expect("renders")
    }

    #[test]
    fn asks_nothing_from_outside_and_runs_nothing_but_its_own() {
        let page = page();
        assert_eq!(page.matches("<script").count(), 2, "the data and the script");
        assert_eq!(page.matches("<style>").count(), 1);
        for outside in ["src=\"http", "href=\"http", "@import", "<link", "<iframe", " style=\"", "onclick="] {
            assert!(!page.contains(outside), "{outside}");
        }
        assert!(page.contains("default-src &#x27;none&#x27;") || page.contains("default-src 'none'"));
        assert!(!page.contains("<img src=x") && !page.contains("<b>mallory"));
    }

    #[test]
    fn the_hashes_are_those_of_what_stands_in_the_page() {
        let page = page();
        let between = |open: &str, close: &str| {
            let start = page.find(open).expect("open") + open.len();
            &page[start..start + page[start..].find(close).expect("close")]
        };
        for text in [between("<style>", "</style>"), between("<script>", "</script>")] {
            let digest = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(text));
            let escaped = digest.replace('/', "&#x2f;");
            assert!(page.contains(&digest) || page.contains(&escaped), "{digest}");
        }
    }

    #[test]
    fn charts_that_could_act_become_images() {
        let charts = sample::charts();
        assert!(inline_svg(&charts[0].svg).is_some());
        assert!(inline_svg(&charts[1].svg).is_none());
        for bad in
            ["<svg onload=\"x()\"></svg>", "<svg><a href=\"x\"></a></svg>", "<svg><rect/onclick=x()></svg>"]
        {
            assert!(inline_svg(bad).is_none(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn embedded_json_is_inert_and_reads_back(text in any::<String>()) {
            let value = json!({ "k": text });
            let out = embed(&value).expect("JSON");
            let acts = out.contains(['<', '>', '&', '\u{2028}', '\u{2029}']);
            prop_assert!(!acts);
            prop_assert_eq!(serde_json::from_str::<Value>(&out).expect("JSON"), value);
        }

        #[test]
        fn any_name_leaves_the_page_with_the_same_elements(name in any::<String>()) {
            let mut report = sample::report();
            report.tokens.truncate(1);
            report.tokens[0].token.name = Some(format!("x{name}"));
            report.coverage[0].org = name.clone();
            report.not_run[0].reason = name.clone();
            let page = render(&report, &[], &RunFacts::default()).expect("renders");
            prop_assert_eq!(page.matches("<script").count(), 2);
            prop_assert_eq!(page.matches("</script").count(), 2);
            let mut plain = report.clone();
            plain.tokens[0].token.name = Some("x".into());
            plain.coverage[0].org = "x".into();
            plain.not_run[0].reason = "x".into();
            let plain = render(&plain, &[], &RunFacts::default()).expect("renders");
            prop_assert_eq!(page.matches('<').count(), plain.matches('<').count());
        }
    }
}
