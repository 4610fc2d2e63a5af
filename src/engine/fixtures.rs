//! Runs every detection against its fixtures in `tests/detections/<ID>/`.
//!
//! A fixture is `{"tables": {"token_day": [{...}]}, "policy": {...}, "expect": ["subject"]}`. `hit.json`
//! must expect something, `near-miss.json` nothing, `benign.json` nothing at medium severity or above;
//! `mended-*.json` are cases that a published original misses or drowns in, `context-*.json` cases whose rows of the table
//! `places` say what own networks and a database of places told. `base` names another
//! fixture of the folder whose tables it takes over, `more` holds rows to add to them. `severity`, `count`, `listed` (event ids) and `says` (a part of the message) hold for every finding. Times are RFC 3339. The run stands at 2026-03-31 noon with a window of 90 days.

use super::run::run_pack;
use super::schema::{self, Kind};
use super::{Engine, Pack, TableBuilder};
use crate::model::finding::{Family, Finding, Severity, SubjectKind};
use crate::model::policy::Policy;
use crate::model::time::{Window, parse_day, parse_time};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Builds an engine from a fixture; tables that it leaves out are empty.
pub(super) fn engine_of(fixture: &Value) -> Engine {
    let as_of = fixture["as_of"].as_str().unwrap_or("2026-03-31T12:00:00Z");
    let window = Window::ending(parse_time(as_of).expect("as_of"), 90);
    let mut policy = serde_json::to_value(Policy::default()).expect("policy");
    for (name, value) in fixture["policy"].as_object().into_iter().flatten() {
        assert!(policy.get(name).is_some(), "no threshold {name}");
        policy[name] = value.clone();
    }
    let policy: Policy = serde_json::from_value(policy).expect("policy");
    let mut engine = Engine::new(&policy, window);
    for (name, rows) in fixture["tables"].as_object().expect("tables") {
        let rows: Vec<Map<String, Value>> =
            rows.as_array().expect("rows").iter().map(|r| r.as_object().expect("row").clone()).collect();
        engine.register(table(name, &rows));
    }
    engine.register_missing();
    engine
}

fn table(name: &str, rows: &[Map<String, Value>]) -> super::Table {
    let def = schema::table(name).unwrap_or_else(|| panic!("no table {name}"));
    for key in rows.iter().flat_map(Map::keys) {
        assert!(def.column(key).is_some(), "table {name} has no column {key}");
    }
    let mut builder = TableBuilder::new(name);
    for c in &def.columns {
        let values: Vec<Option<&Value>> =
            rows.iter().map(|r| r.get(c.name).filter(|v| !v.is_null())).collect();
        if values.iter().all(Option::is_none) {
            continue;
        }
        let texts =
            || values.iter().map(|v| v.and_then(Value::as_str).map(str::to_owned)).collect::<Vec<_>>();
        builder = match c.kind {
            Kind::Bool => builder.bool(c.name, values.iter().map(|v| v.and_then(Value::as_bool)).collect()),
            Kind::Int => builder.int(c.name, values.iter().map(|v| v.and_then(Value::as_i64)).collect()),
            Kind::Float => builder.float(c.name, values.iter().map(|v| v.and_then(Value::as_f64)).collect()),
            Kind::Text => builder.text(c.name, texts()),
            Kind::Time => builder
                .time(c.name, texts().iter().map(|t| t.as_ref().map(|t| parse_time(t).expect(t))).collect()),
            Kind::Date => builder
                .date(c.name, texts().iter().map(|t| t.as_ref().map(|t| parse_day(t).expect(t))).collect()),
        };
    }
    builder.build().expect("fits the schema")
}

fn read(path: &Path) -> Option<Value> {
    let text = std::fs::read_to_string(path).ok()?;
    let mut fixture: Value =
        serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    if let Some(base) = fixture["base"].as_str() {
        let base = read(&path.with_file_name(base)).unwrap_or_else(|| panic!("{base} is missing"));
        for (name, rows) in base["tables"].as_object().expect("tables") {
            if fixture["tables"][name].is_null() {
                fixture["tables"][name] = rows.clone();
            }
            if let (Some(rows), Some(more)) =
                (fixture["tables"][name].as_array().cloned(), fixture["more"][name].as_array())
            {
                fixture["tables"][name] = Value::Array([&rows[..], more].concat());
            }
        }
    }
    Some(fixture)
}

/// Names of the fixtures `mended-*.json` and `context-*.json` of a folder, in order.
fn more_of(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .map(|e| e.file_name().to_string_lossy().into_owned())
        .filter(|name| name.starts_with("mended-") || name.starts_with("context-"))
        .collect();
    names.sort_unstable();
    names
}

#[test]
fn every_detection_meets_its_fixtures() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/detections");
    // From the folder, not as compiled in: writing a detection then needs no build. `pack.rs` tests that
    // the compiled pack is clean.
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("queries/detections");
    let lines = |p: Vec<super::Problem>| p.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    let pack = Pack::folder(&folder).unwrap_or_else(|p| panic!("\n{}", lines(p)));
    let problems = pack.lint();
    assert!(problems.is_empty(), "\n{}", lines(problems));
    let only = std::env::var("ONLY").ok();
    let mut faults = Vec::new();
    for detection in &pack.detections {
        let id = &detection.meta.id;
        if only.as_ref().is_some_and(|o| o != id) {
            continue;
        }
        // What concerns PATs, and what nobody else ships (P1 to P17), also needs a look-alike that is benign.
        let m = &detection.meta;
        let own = m.equivalents.iter().any(|e| e.strip_prefix('P').is_some_and(|n| n.parse::<u8>().is_ok()));
        let token = own || m.subject == SubjectKind::Token && m.family == Family::Anomaly;
        let more = more_of(&root.join(id));
        let fixed = [
            ("hit.json", true, Some(true)),
            ("near-miss.json", true, Some(false)),
            ("benign.json", token, Some(false)),
        ];
        // Cases that a published original misses or drowns in, and such with context: the fixture itself says which.
        let more = more.iter().map(|name| (name.as_str(), true, None));
        for (name, needed, hits) in fixed.into_iter().chain(more) {
            let Some(fixture) = read(&root.join(id).join(name)) else {
                if needed {
                    faults.push(format!("{id}: tests/detections/{id}/{name} is missing"));
                }
                continue;
            };
            let engine = engine_of(&fixture);
            let (findings, not_run) = run_pack(&engine, &pack, std::slice::from_ref(id));
            for n in &not_run {
                faults.push(format!("{id}/{name}: did not run: {}", n.reason));
            }
            // A benign look-alike may leave evidence of low severity; it must not cost an analyst's time.
            let shown = |f: &&Finding| name != "benign.json" || f.severity >= Severity::Medium;
            let mut found: Vec<&str> = findings.iter().filter(shown).map(|f| f.subject.id.as_str()).collect();
            found.sort_unstable();
            let mut expected: Vec<&str> =
                fixture["expect"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            expected.sort_unstable();
            if found != expected || hits.is_some_and(|hits| hits == expected.is_empty()) {
                faults.push(format!("{id}/{name}: found {found:?}, expected {expected:?}"));
            }
            if let Some(severity) = fixture["severity"].as_str()
                && findings.iter().any(|f| f.severity.as_str() != severity)
            {
                faults.push(format!("{id}/{name}: severity {} is not {severity}", findings[0].severity));
            }
            if let Some(count) = fixture["count"].as_u64()
                && let Some(f) = findings.iter().find(|f| f.count != count)
            {
                faults.push(format!("{id}/{name}: {} events, not {count}", f.count));
            }
            if let Some(listed) = fixture["listed"].as_u64()
                && let Some(f) = findings.iter().find(|f| f.event_ids.len() as u64 != listed)
            {
                faults.push(format!("{id}/{name}: {} event ids, not {listed}", f.event_ids.len()));
            }
            if let Some(says) = fixture["says"].as_str()
                && let Some(f) = findings.iter().find(|f| !f.message.contains(says))
            {
                faults.push(format!("{id}/{name}: \"{says}\" is not in: {}", f.message));
            }
            for f in &findings {
                let raw = fixture["tables"]["events"].is_array();
                if raw && detection.confirm.is_some() && f.event_ids.is_empty() && f.count > 0 {
                    faults.push(format!("{id}/{name}: no event was confirmed"));
                }
                if f.message.contains("unknown") && fixture["unknown"].is_null() || !f.message.ends_with('.')
                {
                    faults.push(format!("{id}/{name}: message: {}", f.message));
                }
                if f.message.contains("unused") && f.slug != "ruled-out" {
                    faults.push(format!("{id}/{name}: says unused: {}", f.message));
                }
            }
        }
    }
    for folder in std::fs::read_dir(&root).into_iter().flatten().flatten() {
        let name = folder.file_name().to_string_lossy().into_owned();
        if pack.get(&name).is_none() {
            faults.push(format!("tests/detections/{name} belongs to no detection"));
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

/// Columns of events that a finding shows as evidence under the same name.
const OF_AN_EVENT: [&str; 6] = ["action", "kind", "network", "client", "token_id", "user_agent"];

/// Rows of a fixture's tables of events, by id.
fn events_of(fixture: &Value) -> BTreeMap<String, Value> {
    let rows = ["events", "notable"].iter().filter_map(|table| fixture["tables"][*table].as_array());
    rows.flatten().filter_map(|row| Some((row["event_id"].as_str()?.to_owned(), row.clone()))).collect()
}

/// Returns true for a kind of sign-in, as events name it.
fn is_sign_in(kind: &str) -> bool {
    [LEAST, GREATEST].contains(&kind) || kind.parse::<crate::model::mechanism::MechanismKind>().is_ok()
}

/// Says why no listed event shows all that the evidence does; nothing where one does, or where the fixture has none of
/// them. What an event lacks, such as a client, a detection may name in words.
fn contradiction(finding: &Finding, events: &BTreeMap<String, Value>) -> Option<String> {
    let listed: Vec<&Value> = finding.event_ids.iter().filter_map(|id| events.get(&id.to_string())).collect();
    let shown: Vec<(&str, &Value)> = OF_AN_EVENT
        .iter()
        .filter_map(|name| Some((*name, finding.evidence.get(*name)?)))
        .filter(|(_, value)| value.is_string())
        // Some detections have a kind of their own, such as a kind of silence.
        .filter(|(name, value)| *name != "kind" || value.as_str().is_some_and(is_sign_in))
        .collect();
    // An event without a token is never evidence of one.
    let fits_cell = |event: &Value, name: &str, value: &Value| {
        event[name] == *value || event[name].is_null() && name != "token_id"
    };
    let fits = |event: &&Value| shown.iter().all(|(name, value)| fits_cell(event, name, value));
    (!listed.is_empty() && !listed.iter().any(fits)).then(|| format!("{shown:?} is of no one event"))
}

/// The event three times more, a minute apart: with the greatest kind of sign-in and the least network, with the least kind
/// and the greatest network and client, and as it was. So neither the greatest nor the least values of all of them are
/// those of one event, and the first and the last have none of them.
fn again(event: &Value) -> [Value; 3] {
    let copy = |minutes: i64, values: &[(&str, Value)]| {
        let mut copy = event.clone();
        let id = event["event_id"].as_str().unwrap_or_default();
        copy["event_id"] = format!("{id}-again-{minutes}").into();
        if let Some(time) = event["time"].as_str().and_then(parse_time) {
            copy["time"] = crate::model::time::format_time(time + minutes * 60_000_000).into();
        }
        for (name, value) in values {
            copy[*name] = value.clone();
        }
        copy
    };
    let none = || ("token_id", Value::Null);
    [
        copy(1, &[("kind", GREATEST.into()), ("network", "0.0.0.0/24".into()), none()]),
        copy(2, &[("kind", LEAST.into()), ("network", GREATEST.into()), ("client", GREATEST.into()), none()]),
        copy(3, &[]),
    ]
}

/// Texts before and after all that fixtures have.
const LEAST: &str = "!";
const GREATEST: &str = "zz";

#[test]
fn evidence_is_that_of_one_listed_event() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/detections");
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("queries/detections");
    let pack = Pack::folder(&folder).expect("the pack");
    let only = std::env::var("ONLY").ok();
    let (mut faults, mut looked_at) = (Vec::new(), 0);
    for detection in &pack.detections {
        let id = &detection.meta.id;
        let reads_events = detection.tables.iter().any(|t| t == "notable" || t == "events");
        if !reads_events || only.as_ref().is_some_and(|o| o != id) {
            continue;
        }
        let Some(mut fixture) = read(&root.join(id).join("hit.json")) else { continue };
        let select = std::slice::from_ref(id);
        let (found, _) = run_pack(&engine_of(&fixture), &pack, select);
        let events = events_of(&fixture);
        let listed: BTreeSet<String> =
            found.iter().flat_map(|f| &f.event_ids).map(ToString::to_string).collect();
        if !listed.iter().any(|id| events.contains_key(id)) {
            continue;
        }
        for table in ["notable", "events"] {
            let Some(rows) = fixture["tables"].get_mut(table).and_then(Value::as_array_mut) else { continue };
            let is_listed = |row: &&Value| row["event_id"].as_str().is_some_and(|id| listed.contains(id));
            let again: Vec<Value> = rows.iter().filter(is_listed).flat_map(again).collect();
            rows.extend(again);
        }
        let (twice, not_run) = run_pack(&engine_of(&fixture), &pack, select);
        assert!(not_run.is_empty(), "{id}: {}", not_run[0].reason);
        let events = events_of(&fixture);
        looked_at += 1;
        for finding in found.iter().chain(&twice) {
            if let Some(why) = contradiction(finding, &events) {
                faults.push(format!("{id}: {why}"));
            }
        }
    }
    assert!(only.is_some() || looked_at >= 30, "only {looked_at} detections list events of their fixtures");
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}
