//! Audit records inside other records: a record of an unknown kind in, the text of every audit record in it out.
//!
//! Forwarders, search engines and scripts wrap a record: filebeat writes it as text into `message`, Splunk's search into
//! `result._raw`, others as an object under a name of their own. The record is found by its own keys, wherever it is.

use super::event::{is_event, marks};
use super::fields::{Fields, Key, key_of, key_of_spelling};
use super::parse;
use super::spelling::{prefix_of, without_prefix};
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;

/// Objects, arrays and texts in each other; a page of a search engine has an audit record at the fifth.
pub(super) const DEPTH: usize = 8;

/// Finds the audit records in a text that is JSON; in the order of the text.
pub(super) fn records_in(text: &str) -> Vec<String> {
    search(text).0
}

/// The same, and whether the search ended at its depth before it had seen everything.
pub(super) fn search(text: &str) -> (Vec<String>, bool) {
    let mut found = Found::default();
    value(text, DEPTH, &mut found);
    (found.records, found.deeper)
}

/// What a search found.
#[derive(Debug, Default)]
struct Found {
    records: Vec<String>,
    /// Whether there were objects, arrays or texts below the depth of the search.
    deeper: bool,
}

/// Returns true if a text may be JSON with an audit record in it.
pub(super) fn may_contain(text: &str) -> bool {
    text.trim_start().starts_with(['{', '[', '"']) && text.len() > 2
}

/// Rewrites an object whose keys have a common prefix as one without it; nothing where that makes no audit record.
fn without_common_prefix(members: &[(String, &RawValue)]) -> Option<String> {
    let is_action = |name: &str| {
        matches!(key_of(name).or_else(|| key_of_spelling(name)), Some(Key::ActionId | Key::OperationName))
    };
    let prefix = prefix_of(members.iter().map(|(name, _)| name.as_str()), is_action)?;
    let mut text = String::from("{");
    for (name, value) in members {
        let Some(name) = without_prefix(name, prefix) else { continue };
        if text.len() > 1 {
            text.push(',');
        }
        text.push_str(&serde_json::Value::from(name).to_string());
        text.push(':');
        text.push_str(value.get());
    }
    text.push('}');
    Some(text)
}

fn value(text: &str, depth: usize, found: &mut Found) {
    let text = text.trim();
    let Some(depth) = depth.checked_sub(1) else {
        found.deeper |= may_contain(text.trim_start_matches('"')) && text.contains(':');
        return;
    };
    match text.as_bytes().first() {
        Some(b'{') => object(text, depth, found),
        Some(b'[') => {
            let values: Vec<&RawValue> = serde_json::from_str(text).unwrap_or_default();
            values.into_iter().for_each(|inner| value(inner.get(), depth, found));
        }
        Some(b'"') => {
            let Ok(inner) = serde_json::from_str::<String>(text) else { return };
            if may_contain(&inner) {
                value(&inner, depth, found);
            }
        }
        _ => {}
    }
}

fn object(text: &str, depth: usize, found: &mut Found) {
    let mut fields = Fields::default();
    let sound = parse(&mut fields, text, None).is_ok();
    let is_record = sound && is_audit_record(&fields);
    // A search engine lists a record's fields next to the record itself, which says more.
    if is_record && fields.has(Key::Data) {
        found.records.push(text.to_owned());
        return;
    }
    let Some(members) = members(text) else { return };
    let before = found.records.len();
    members.iter().for_each(|(_, inner)| value(inner.get(), depth, found));
    if found.records.len() > before {
        return;
    }
    if is_record {
        found.records.push(text.to_owned());
    } else if let Some(text) = without_common_prefix(&members) {
        let mut fields = Fields::default();
        if parse(&mut fields, &text, None).is_ok() && is_audit_record(&fields) {
            found.records.push(text);
        }
    }
}

/// Returns true if the fields are those of an audit record and not of anything with an action: three of its keys.
fn is_audit_record(fields: &Fields<'_>) -> bool {
    is_event(fields) && (fields.has(Key::ActionId) || fields.has(Key::OperationName)) && marks(fields) > 1
}

/// The members of an object, their values as they are written.
fn members(text: &str) -> Option<Vec<(String, &RawValue)>> {
    struct Members;
    impl<'de> Visitor<'de> for Members {
        type Value = Vec<(String, &'de RawValue)>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut members = Vec::new();
            while let Some(member) = map.next_entry()? {
                members.push(member);
            }
            Ok(members)
        }
    }
    serde_json::Deserializer::from_str(text).deserialize_map(Members).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const RECORD: &str =
        r#"{"Id":"a","ActionId":"Git.X","Timestamp":"2026-01-01T00:00:00Z","Data":{"B":1,"A":2.50}}"#;

    #[test]
    fn a_record_is_found_wherever_it_is() {
        for text in [
            format!(r#"{{"a":{{"b":[7,{RECORD}]}}}}"#),
            format!(r#"[[{RECORD}]]"#),
            format!(r#"{{"message":{}}}"#, Value::from(RECORD)),
            format!(r#"{{"m":{}}}"#, Value::from(Value::from(RECORD).to_string())),
            format!(
                r#"{{"result":{{"Id":"a","ActionId":"Git.X","Timestamp":"t","_raw":{}}}}}"#,
                Value::from(RECORD)
            ),
        ] {
            assert_eq!(records_in(&text), [RECORD], "{text}");
        }
        let flat = r#"{"r":{"ado.Id":"a","ado.ActionId":"Git.X","ado.Timestamp":"t","host":"h"}}"#;
        assert_eq!(records_in(flat), [r#"{"Id":"a","ActionId":"Git.X","Timestamp":"t"}"#]);
    }

    #[test]
    fn what_is_no_audit_record_is_left_alone() {
        for text in [
            r#"{"operationName":"x","id":"a"}"#,
            r#"{"a":{"id":"1","details":"x","timestamp":"t"}}"#,
            r#"{"a":"{broken"}"#,
            "[1,",
            "7",
            "",
        ] {
            assert_eq!(records_in(text), [""; 0], "{text}");
        }
        let deep = (0..DEPTH).fold(RECORD.to_owned(), |inner, _| format!(r#"{{"a":{inner}}}"#));
        assert_eq!(search(&deep), (Vec::new(), true));
        assert!(!search(r#"{"a":{"b":1}}"#).1);
        let near = (1..DEPTH).fold(RECORD.to_owned(), |inner, _| format!(r#"{{"a":{inner}}}"#));
        assert_eq!(records_in(&near), [RECORD]);
        let bottomless = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(records_in(&json!({ "a": bottomless }).to_string()), [""; 0]);
    }
}
