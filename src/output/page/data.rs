//! What the page's script builds its tables and dossiers from.
//!
//! In: a report. Out: JSON with the rows of `findings.json` and `tokens.json`, event ids cut, life and activity beside.
//! What a detection says of all its findings stands once, so that a page of thousands of findings stays light.

use crate::model::event_id::EventId;
use crate::model::finding::{Finding, Subject};
use crate::model::time::{Micros, day_text, format_time};
use crate::model::verdict::ScopeState;
use crate::output::{dossier, json, words};
use crate::report::{Report, TokenReport, rank};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashMap};

/// Event ids that the page carries a finding or verdict; the JSON files hold the rest.
const EVENT_IDS: usize = 10;

/// Everything that the script reads.
#[derive(Serialize)]
pub(super) struct Data<'a> {
    as_of: String,
    window_from: String,
    window_days: i32,
    detections: BTreeMap<&'a str, Detection<'a>>,
    coverage: BTreeMap<&'a str, String>,
    invisible: &'static str,
    scope_states: BTreeMap<&'static str, &'static str>,
    findings: Rows<'a, Finding, Row<'a>>,
    tokens: Rows<'a, TokenReport, Value>,
}

/// Rows that are made while they are written: all of them at once would fill many times their bytes.
struct Rows<'a, T, U> {
    of: Vec<&'a T>,
    make: Box<dyn Fn(&'a T) -> U + 'a>,
}

impl<T, U: Serialize> Serialize for Rows<'_, T, U> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.of.iter().copied().map(&self.make))
    }
}

/// What is the same for every finding of a detection.
#[derive(Debug, Serialize)]
struct Detection<'a> {
    slug: &'a str,
    title: &'a str,
    family: &'static str,
    fix: &'a str,
    controls: &'a [String],
    attack: &'a [String],
}

/// A finding without what its detection says.
#[derive(Debug, Serialize)]
struct Row<'a> {
    fingerprint: &'a str,
    detection: &'a str,
    severity: &'static str,
    confidence: &'static str,
    org: &'a str,
    subject: &'a Subject,
    owner: Option<&'a str>,
    first_time: Option<String>,
    last_time: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    stands: bool,
    count: u64,
    message: &'a str,
    evidence: &'a Map<String, Value>,
    event_ids: &'a [EventId],
    #[serde(skip_serializing_if = "Option::is_none")]
    suppressed: Option<json::SuppressedV1<'a>>,
}

/// Returns the rows of both tables and what they share.
pub(super) fn data(report: &Report) -> Data<'_> {
    let ranked: Vec<&Finding> = rank::findings(report).into_iter().map(|i| &report.findings[i]).collect();
    let position: HashMap<&str, usize> =
        ranked.iter().enumerate().map(|(i, f)| (f.fingerprint.as_str(), i)).collect();
    let mut ranks = vec![0; report.tokens.len()];
    rank::tokens(report).into_iter().enumerate().for_each(|(rank, at)| ranks[at] = rank);
    let ranks: HashMap<(&str, &str), usize> = report
        .tokens
        .iter()
        .zip(ranks)
        .map(|(t, rank)| ((t.token.org.as_str(), t.token.token_id.as_str()), rank))
        .collect();
    Data {
        as_of: format_time(report.as_of),
        window_from: day_text(report.window.first_day()),
        window_days: report.window.days,
        detections: detections(report),
        coverage: report
            .coverage
            .iter()
            .map(|c| (c.org.as_str(), words::coverage_words(c, report.window)))
            .collect(),
        invisible: words::INVISIBLE,
        scope_states: ScopeState::ALL.iter().map(|s| (s.as_str(), words::scope_meaning(*s))).collect(),
        findings: Rows { of: ranked, make: Box::new(|f| row(f, report.as_of)) },
        tokens: Rows {
            of: report.tokens.iter().collect(),
            make: Box::new(move |t| token(t, &position, &ranks)),
        },
    }
}

/// The detections that found something.
fn detections(report: &Report) -> BTreeMap<&str, Detection<'_>> {
    let titles: HashMap<&str, &str> =
        report.detections.iter().map(|d| (d.id.as_str(), d.title.as_str())).collect();
    let mut detections = BTreeMap::new();
    for f in &report.findings {
        detections.entry(f.detection.as_str()).or_insert_with(|| Detection {
            slug: &f.slug,
            title: titles.get(f.detection.as_str()).copied().unwrap_or(&f.slug),
            family: f.family.as_str(),
            fix: &f.fix,
            controls: &f.controls,
            attack: &f.attack,
        });
    }
    detections
}

fn row(f: &Finding, as_of: Micros) -> Row<'_> {
    Row {
        fingerprint: &f.fingerprint,
        detection: &f.detection,
        severity: f.severity.as_str(),
        confidence: f.confidence.as_str(),
        org: &f.org,
        subject: &f.subject,
        owner: f.owner.as_deref(),
        first_time: f.first_time.map(format_time),
        last_time: f.last_time.map(format_time),
        stands: words::stands(f, as_of),
        count: f.count,
        message: &f.message,
        evidence: &f.evidence,
        event_ids: f.event_ids.get(..EVENT_IDS).unwrap_or(&f.event_ids),
        suppressed: json::suppressed(f),
    }
}

fn token(t: &TokenReport, position: &HashMap<&str, usize>, ranks: &HashMap<(&str, &str), usize>) -> Value {
    let cut = |value: &mut Value| {
        if let Some(ids) = value.get_mut("event_ids").and_then(Value::as_array_mut) {
            ids.truncate(EVENT_IDS);
        }
    };
    // It has no map but by text and no number that JSON lacks, so there is always a value; null would show.
    let mut token = serde_json::to_value(json::token(t)).unwrap_or_default();
    cut(&mut token["use"]);
    if let Some(rows) = token["scope"].as_array_mut() {
        rows.iter_mut().for_each(cut);
    }
    token["use"]["words"] = words::use_words(t.verdicts.usage.verdict).into();
    token["use"]["last_change"] = words::last_change(t).into();
    // Places in the findings table are shorter than fingerprints and need no second index.
    token["findings"] =
        t.findings.iter().filter_map(|f| position.get(f.as_str())).copied().collect::<Vec<_>>().into();
    token["rank"] = ranks.get(&(t.token.org.as_str(), t.token.token_id.as_str())).copied().into();
    token["life"] = dossier::json::life(t).into();
    token["activity"] = dossier::json::activity(t);
    token
}
