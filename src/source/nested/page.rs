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

/// How many pages state that nothing follows them, and how many that more does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PageEnds {
    /// Pages that carry a continuation token.
    pub open: u64,
    /// Pages that state that they are the last.
    pub closed: u64,
    /// Pages that do not state it, pages of the caller's own tokens, whose filter is not known, and records outside any
    /// page.
    pub unstated: u64,
}

impl PageEnds {
    /// Counts one page, by the key that holds its records and whether it states that more follows.
    pub(super) fn add(&mut self, holder: &str, more: Option<bool>) {
        let own_tokens = holder.eq_ignore_ascii_case("pattokens");
        match more.filter(|_| !own_tokens) {
            Some(true) => self.open += 1,
            Some(false) => self.closed += 1,
            None => self.unstated += 1,
        }
    }
}

impl std::ops::AddAssign for PageEnds {
    fn add_assign(&mut self, other: Self) {
        self.open += other.open;
        self.closed += other.closed;
        self.unstated += other.unstated;
    }
}

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
    /// Whether the pages say that they are the last.
    pub ends: PageEnds,
}

/// Tells whether a key holds the records of a page.
pub(super) fn is_holder(key: &str) -> bool {
    HOLDERS.iter().any(|holder| holder.eq_ignore_ascii_case(key))
}

/// Tells whether text that a bracket follows may end with a key that holds records. Says yes rather too often.
pub(super) fn ends_like_holder(text: &[u8]) -> bool {
    let blank = |b: &u8| b.is_ascii_whitespace() || *b == b':';
    let Some(quote) = text.iter().rposition(|b| !blank(b)) else { return false };
    let Some(key) = text.get(..quote).filter(|_| text[quote] == b'"') else { return false };
    // All of them end with one of two letters.
    matches!(key.last(), Some(b's' | b'S' | b'e' | b'E'))
        && HOLDERS.iter().any(|holder| {
            let start = key.len().checked_sub(holder.len());
            start.is_some_and(|start| key[start..].eq_ignore_ascii_case(holder.as_bytes()))
        })
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
