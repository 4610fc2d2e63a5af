//! The fields of one record in, one audit event out, in whatever shape it was written.

use super::dates::{Either, Evidence, Meaning, meaning};
use super::fields::{Fields, Key, Nested};
use super::groups::Groups;
use super::json::{compact, unquote};
use super::mend::mend;
use super::undecided::Waiting;
use super::walk::value;
use crate::model::event::{EventRow, Shape};
use crate::model::identity::{ZERO_GUID, guid, is_plain_guid};
use crate::model::secret;
use crate::model::time::{DAY, Micros, parse_iso_time};
use serde::de::IgnoredAny;
use std::borrow::Cow;

/// 2000-01-01: Azure DevOps did not exist before. An earlier time is the default value of a program, such as year 1 in .NET
/// or 1970, and counts as no time.
const EARLIEST: Micros = 946_684_800_000_000;

/// Why a record was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    /// In few words that many records share.
    pub reason: &'static str,
    /// What is special about this one.
    pub detail: String,
    /// Its time, where that could be read.
    pub time: Option<Micros>,
}

impl Refusal {
    pub(super) fn new(reason: &'static str, detail: &str) -> Self {
        Self { reason, detail: secret::start(detail, 120), time: None }
    }

    fn at(self, time: Option<Micros>) -> Self {
        Self { time, ..self }
    }
}

/// Where events go.
pub(super) struct Taker<'t> {
    /// Those whose time is known.
    pub groups: &'t mut Groups,
    /// Those whose date has two readings.
    pub waiting: &'t mut Waiting,
    /// Line of the record.
    pub line: u64,
    /// Number of the record.
    pub record: u64,
}

/// Adds the event that the fields describe. `time` is the envelope's, where the event itself has none.
pub(super) fn event(
    fields: &Fields<'_>,
    shape: Shape,
    time: Option<Micros>,
    taker: Taker<'_>,
) -> Result<(), Refusal> {
    let id = fields.text(Key::Id);
    let bare = memchr::memrchr(b';', id.as_bytes()).and_then(|i| id.get(i + 1..)).unwrap_or(id);
    let written = written_time(fields);
    let mut either = None;
    let no_id = |time| Refusal::new("no event id", id).at(time);
    // Nearly all are in the form that the services write.
    let time = match parse_iso_time(written) {
        Some(time) if time >= EARLIEST => time,
        _ => match instant(written, id, &mut taker.waiting.evidence) {
            Ok(known) => match known.or(time.filter(|time| *time >= EARLIEST)) {
                Some(time) => time,
                None if guid(bare).is_none() => return Err(no_id(None)),
                None => return Err(Refusal::new("no time", written)),
            },
            Err(two) => {
                either = Some(two);
                0
            }
        },
    };
    let known = either.is_none().then_some(time);
    let Some(event_id) = guid(bare) else { return Err(no_id(known)) };
    let action = action(fields);
    if action.is_empty() {
        return Err(Refusal::new("no action", &event_id).at(known));
    }
    let data = data_text(fields.json(Key::Data));
    let folded = if action.eq_ignore_ascii_case("AuditLog.AccessLog") { folded(&data) } else { 1 };
    let category = category(fields.text(Key::Category));
    let scope_type = scope_type(fields.text(Key::ScopeType));
    let lower = |key| lower_guid(fields.text(key));
    let (actor_id, actor_cuid) = (lower(Key::ActorUserId), lower(Key::ActorCuid));
    let actor_client_id = lower(Key::ActorClientId);
    let (correlation_id, activity_id) = (lower(Key::CorrelationId), lower(Key::ActivityId));
    let (project_id, scope_id) = (lower(Key::ProjectId), lower(Key::ScopeId));
    let row = EventRow {
        event_id: &event_id,
        time,
        action,
        area: fields.text(Key::Area),
        category: &category,
        mechanism: fields.text(Key::AuthenticationMechanism),
        actor_upn: fields.text(Key::ActorUpn),
        actor_name: fields.text(Key::ActorDisplayName),
        actor_id: &actor_id,
        actor_cuid: &actor_cuid,
        actor_client_id: &actor_client_id,
        correlation_id: &correlation_id,
        activity_id: &activity_id,
        address: fields.text(Key::IpAddress),
        user_agent: fields.text(Key::UserAgent),
        project_id: &project_id,
        project: fields.text(Key::ProjectName),
        scope_type: &scope_type,
        scope_id: &scope_id,
        scope_name: fields.text(Key::ScopeDisplayName),
        details: fields.text(Key::Details),
        data: &data,
        shape,
        folded,
    };
    match either {
        None => taker.groups.push(&row),
        Some(either) => taker.waiting.event(&row, either, taker.line, taker.record),
    }
    Ok(())
}

/// Reads a time that is not in the form of the services, with the help of the instant that the id holds. An error is a date
/// with two readings.
fn instant(written: &str, id: &str, evidence: &mut Evidence) -> Result<Option<Micros>, Either> {
    let of_id = time_of_id(id).filter(|time| *time >= EARLIEST);
    match meaning(written) {
        Meaning::None => Ok(of_id),
        Meaning::At(time) | Meaning::Shows(_, time) if time < EARLIEST => Ok(of_id),
        Meaning::Either(either) if either.day_first.min(either.month_first) < EARLIEST => Ok(of_id),
        Meaning::At(time) => Ok(Some(exact(time, of_id))),
        Meaning::Shows(order, time) => {
            evidence.shows(order);
            Ok(Some(exact(time, of_id)))
        }
        Meaning::Either(either) => {
            let Some((order, time)) = of_id.and_then(|time| Some((either.order_by(time)?, time))) else {
                return Err(either);
            };
            evidence.shows(order);
            Ok(Some(time))
        }
    }
}

/// A date that a program wrote for people has no zone and few digits: the instant of the id is the same one, in full.
fn exact(written: Micros, of_id: Option<Micros>) -> Micros {
    of_id.filter(|time| (time - written).abs() < DAY).unwrap_or(written)
}

/// Tells the shape of an event that stands in no envelope.
pub(super) fn bare_shape(fields: &Fields<'_>) -> Shape {
    let table = fields.text(Key::Type);
    if table.eq_ignore_ascii_case("ADOAuditLogs_CL") {
        Shape::Poller
    } else if fields.has(Key::OperationName) || table.eq_ignore_ascii_case("AzureDevOpsAuditing") {
        Shape::LogAnalytics
    } else if fields.has(Key::TimeGenerated) {
        Shape::Poller
    } else if fields.pascal {
        Shape::Export
    } else {
        Shape::Api
    }
}

/// Returns true if a record is an audit event, perhaps one that lacks something.
pub(super) fn is_event(fields: &Fields<'_>) -> bool {
    let action = fields.has(Key::ActionId) || fields.has(Key::OperationName);
    // A user or a token has an id too, and perhaps a time; three marks make an event without an action.
    marks(fields) >= if action { 1 } else { 3 }
}

/// Counts the keys that audit events have besides their action.
pub(super) fn marks(fields: &Fields<'_>) -> usize {
    const MARKS: [Key; 12] = [
        Key::CorrelationId,
        Key::ActivityId,
        Key::ActorCuid,
        Key::ActorUserId,
        Key::ActorUpn,
        Key::ActorDisplayName,
        Key::ScopeId,
        Key::ScopeDisplayName,
        Key::Timestamp,
        Key::TimeGenerated,
        Key::Details,
        Key::Id,
    ];
    fields.count(&MARKS)
}

fn action<'f>(fields: &'f Fields<'_>) -> &'f str {
    let action = fields.text(Key::ActionId).trim();
    if action.is_empty() { fields.text(Key::OperationName).trim() } else { action }
}

fn written_time<'f>(fields: &'f Fields<'_>) -> &'f str {
    let keys = [Key::Timestamp, Key::TimeGenerated, Key::EventTime, Key::Time];
    keys.iter().map(|key| fields.text(*key)).find(|text| !text.is_empty()).unwrap_or_default()
}

/// Reads an instant that is in a form with one order of day and month.
pub(super) fn parse_instant(text: &str) -> Option<Micros> {
    match meaning(text) {
        Meaning::At(time) => Some(time),
        _ => None,
    }
}

/// Reads seconds since 1970 as Splunk envelopes hold them.
pub(super) fn parse_epoch(text: &str) -> Option<Micros> {
    let seconds: f64 = text.trim().parse().ok()?;
    // Beyond the year 9999 it is no time in seconds; within, the cast is exact enough for a fallback.
    (0.0..253_402_300_800.0).contains(&seconds).then_some((seconds * 1e6) as Micros)
}

/// The time that the ids of the query API start with, as reversed .NET ticks.
///
/// Source: facts, section 1: `3155378975999999999 - ticks`, checked on the official example.
fn time_of_id(id: &str) -> Option<Micros> {
    const LAST_TICK: i64 = 3_155_378_975_999_999_999;
    const TICKS_OF_1970: i64 = 621_355_968_000_000_000;
    let (reversed, _) = id.split_once(';')?;
    let ticks = LAST_TICK.checked_sub(reversed.trim().parse::<i64>().ok()?)?;
    (TICKS_OF_1970..=LAST_TICK).contains(&ticks).then(|| (ticks - TICKS_OF_1970) / 10)
}

/// A GUID in lower case, empty for the zero GUID; other text stays, in lower case.
fn lower_guid(text: &str) -> Cow<'_, str> {
    // Nearly all are in their normal form, which one look at the bytes can tell.
    if is_plain_guid(text) {
        return Cow::Borrowed(if text == ZERO_GUID { "" } else { text });
    }
    let plain = |b: u8| b.is_ascii_lowercase() | b.is_ascii_digit() | (b == b'-');
    if text.bytes().fold(true, |all, b| all & plain(b)) {
        return Cow::Borrowed(if text == ZERO_GUID { "" } else { text });
    }
    if let Some(guid) = guid(text) {
        return guid;
    }
    let text = text.trim();
    if text.trim_matches(['{', '}']) == ZERO_GUID {
        return Cow::Borrowed("");
    }
    lower_text(text)
}

fn lower_text(text: &str) -> Cow<'_, str> {
    if text.chars().any(char::is_uppercase) { Cow::Owned(text.to_lowercase()) } else { Cow::Borrowed(text) }
}

/// One of `known` in lower case, without allocating for what is common.
fn one_of<'t>(text: &'t str, known: &[&'static str]) -> Cow<'t, str> {
    match known.iter().find(|k| k.eq_ignore_ascii_case(text)) {
        Some(k) => Cow::Borrowed(k),
        None => lower_text(text),
    }
}

/// Tells whether a text is a word in lower case: then it is what it stands for, known or not.
fn is_lower_word(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_lowercase())
}

/// Source: facts, section 1: the order of the enumeration; 1 and 5 were seen.
fn category(text: &str) -> Cow<'_, str> {
    if is_lower_word(text) {
        return Cow::Borrowed(text);
    }
    const NAMES: [&str; 6] = ["unknown", "modify", "remove", "create", "access", "execute"];
    let text = text.trim();
    match text.parse::<usize>().ok().and_then(|i| NAMES.get(i)) {
        Some(name) => Cow::Borrowed(name),
        None => one_of(text, &NAMES),
    }
}

/// Source: facts, section 1: 4 is the organisation; the others follow from the order of the enumeration,
/// read as flags or as a count.
fn scope_type(text: &str) -> Cow<'_, str> {
    if is_lower_word(text) {
        return Cow::Borrowed(text);
    }
    let text = text.trim();
    Cow::Borrowed(match text {
        "0" => "unknown",
        "1" => "deployment",
        "2" => "enterprise",
        "4" => "organization",
        "5" | "8" => "project",
        _ => return one_of(text, &["organization", "enterprise", "project", "deployment", "unknown"]),
    })
}

/// The event's data as JSON text; what is a string of JSON becomes the JSON, what is no JSON is wrapped.
fn data_text<'f>(data: &'f Nested<'_>) -> Cow<'f, str> {
    let text: Cow<'f, str> = match data {
        Nested::None => return Cow::Borrowed(""),
        Nested::Tight(raw) => return Cow::Borrowed(raw),
        Nested::Json(raw) if raw.starts_with(['{', '[']) => return compact(raw),
        Nested::Json(raw) if raw.starts_with('"') => Cow::Owned(unquote(raw)),
        Nested::Json(_) => return Cow::Borrowed(""),
        Nested::Text(text) => Cow::Borrowed(text),
    };
    let trimmed = text.trim();
    if trimmed.is_empty() || trimmed == "null" {
        return Cow::Borrowed("");
    }
    let sound = |text: &str| serde_json::from_str::<IgnoredAny>(text).is_ok();
    if trimmed.starts_with('"') && sound(trimmed) {
        // Some exporters encode twice.
        let inner = unquote(trimmed);
        if inner.starts_with('{') && sound(&inner) {
            return Cow::Owned(compact(&inner).into_owned());
        }
    }
    if trimmed.starts_with(['{', '[']) {
        if value(trimmed.as_bytes(), 0) == Some((trimmed.len(), true))
            && let Nested::Text(text) = data
        {
            return Cow::Borrowed(text.trim());
        }
        if sound(trimmed) {
            return Cow::Owned(compact(trimmed).into_owned());
        }
        let mended = mend(trimmed, false);
        if sound(&mended) {
            return Cow::Owned(compact(&mended).into_owned());
        }
    }
    Cow::Owned(serde_json::json!({ "Unreadable": trimmed }).to_string())
}

/// How many reads of the log an entry stands for.
fn folded(data: &str) -> u32 {
    #[derive(serde::Deserialize)]
    struct Folded {
        #[serde(rename = "EventSummary", alias = "eventSummary", default)]
        summary: Option<Vec<IgnoredAny>>,
    }
    // Not there, not even in disguise.
    let bytes = data.as_bytes();
    if memchr::memchr(b'\\', bytes).is_none() && memchr::memmem::find(bytes, b"ventSummary").is_none() {
        return 1;
    }
    let entries = serde_json::from_str::<Folded>(data).ok().and_then(|f| f.summary).map_or(1, |s| s.len());
    u32::try_from(entries).unwrap_or(u32::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::format_time;

    #[test]
    fn ids_of_the_query_api_hold_the_time() {
        let id =
            "2518505060978539161;00000064-0000-8888-8000-000000000000;86fbe369-3f5d-4f52-9ab0-3be7db271948";
        assert_eq!(time_of_id(id).map(format_time).as_deref(), Some("2019-03-05T14:05:02.146083Z"));
        assert_eq!(time_of_id("86fbe369-3f5d-4f52-9ab0-3be7db271948"), None);
        assert_eq!(time_of_id("-9223372036854775808;x"), None);
    }

    #[test]
    fn enumerations_as_text_and_as_numbers() {
        assert_eq!(category("5"), "execute");
        assert_eq!(category("Modify"), "modify");
        assert_eq!(category("Novel"), "novel");
        assert_eq!(scope_type("4"), "organization");
        assert_eq!(scope_type("Enterprise"), "enterprise");
    }

    #[test]
    fn data_in_every_dress() {
        for (data, expected) in [
            (Nested::None, ""),
            (Nested::Json("{\"A\": \"x\",\n \"B\": 1}"), r#"{"A":"x","B":1}"#),
            (Nested::Json(r#""{\"A\":1}""#), r#"{"A":1}"#),
            (Nested::Json(r#""null""#), ""),
            (Nested::Json("7"), ""),
            (Nested::Text(Cow::Borrowed(r#"{"A":"[P]\G"}"#)), r#"{"A":"[P]\\G"}"#),
            (Nested::Text(Cow::Borrowed("A=1")), r#"{"Unreadable":"A=1"}"#),
        ] {
            assert_eq!(data_text(&data), expected, "{data:?}");
        }
    }

    #[test]
    fn folded_reads_are_counted() {
        assert_eq!(folded(r#"{"EventSummary":["a","b","c"]}"#), 3);
        assert_eq!(folded(r#"{"EventSummary":[]}"#), 1);
        assert_eq!(folded(""), 1);
    }

    #[test]
    fn times_of_serialisers() {
        assert_eq!(parse_instant("/Date(1655685815737)/"), Some(1_655_685_815_737_000));
        assert_eq!(parse_epoch("1655685815.5"), Some(1_655_685_815_500_000));
        assert_eq!(parse_epoch("NaN"), None);
    }
}
