//! The envelope of a page: the key that holds its records, and what stands beside it.

use serde_json::{Map, Value};

/// Keys under which pages hold their records, lower case.
const HOLDERS: [&str; 12] = [
    "decoratedauditlogentries",
    "auditlogentries",
    "value",
    "members",
    "items",
    "pattokens",
    "tables",
    "rows",
    "records",
    "results",
    "events",
    "entries",
];

/// What was learnt of the pages.
#[derive(Debug, Clone, Default)]
pub(in crate::source) struct Pages {
    /// Key under which the first page holds its records, as written.
    pub holder: Option<String>,
    /// Whether there was an array outside any page.
    pub array: bool,
    /// Continuation token of the last page, where more follows it.
    pub continuation: Option<String>,
    /// A sentence, where the text ends early.
    pub truncated: Option<String>,
}

/// Tells whether a key holds the records of a page.
pub(super) fn is_holder(key: &str) -> bool {
    HOLDERS.iter().any(|holder| holder.eq_ignore_ascii_case(key))
}

/// Reads the members of a page that lie before its records; keys in lower case.
pub(super) fn members(prefix: &[u8]) -> Map<String, Value> {
    let mut json = prefix.trim_ascii_end().to_vec();
    if json.last() == Some(&b',') {
        json.pop();
    }
    json.push(b'}');
    let map: Map<String, Value> = serde_json::from_slice(&json).unwrap_or_default();
    map.into_iter().map(|(key, value)| (key.to_ascii_lowercase(), value)).collect()
}

pub(super) fn mentions_columns(prefix: &[u8]) -> bool {
    members(prefix).get("columns").is_some_and(Value::is_array)
}

pub(super) fn text(envelope: &Map<String, Value>, keys: &[&str]) -> Option<String> {
    let value = keys.iter().find_map(|key| envelope.get(*key))?;
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
