//! Values of objects that say of themselves that they are secret: `{"isSecret": true, "value": "..."}`.
//!
//! In: a text, with an object anywhere in it, as JSON or as JSON text inside of JSON. Out: where the values are.
//! [`super::json`] does the same for JSON that can be parsed; this is for prose with JSON in it and for JSON that breaks off.

use super::pairs::{Name, is_secret};
use super::{MARK, SecretKind};
use serde_json::Value;
use std::collections::BTreeSet;
use std::ops::Range;

/// Returns true if a member with such a name and value says that its object is secret.
pub(super) fn says_secret(name: &str, value: &Value) -> bool {
    let on = match value {
        Value::Bool(on) => *on,
        Value::String(text) => text.eq_ignore_ascii_case("true"),
        Value::Number(number) => number.as_u64() == Some(1),
        _ => false,
    };
    on && is_flag(name)
}

/// Returns true if the member has the value of its object: `value`, `newValue`, `default_value`.
pub(super) fn is_value(name: &str) -> bool {
    plain(name).ends_with("value")
}

fn is_flag(name: &str) -> bool {
    matches!(plain(name).as_str(), "issecret" | "secret" | "issensitive" | "sensitive")
}

fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase()
}

pub(super) fn find(text: &str) -> Vec<(Range<usize>, SecretKind)> {
    let flagged = |mark: &str| memchr::memmem::find(text.as_bytes(), mark.as_bytes()).is_some();
    if !["ecret", "ECRET", "ensitive", "ENSITIVE"].into_iter().any(flagged) {
        return Vec::new();
    }
    let members = members(text);
    let secret: BTreeSet<usize> = members
        .iter()
        .filter(|m| is_flag(m.name) && m.value.eq_ignore_ascii_case("true"))
        .map(|m| m.object)
        .collect();
    members
        .iter()
        .filter(|m| secret.contains(&m.object) && is_value(m.name) && is_secret(Name::Secret, m.value))
        .map(|m| (m.start..m.start + m.value.len(), SecretKind::Key))
        .collect()
}

/// Returns the members of all objects. A brace inside of a text counts too; it only makes an object smaller.
fn members(text: &str) -> Vec<Member<'_>> {
    let mut members = Vec::new();
    let mut open: Vec<usize> = vec![0];
    for at in memchr::memchr3_iter(b'{', b'}', b':', text.as_bytes()) {
        match text.as_bytes()[at] {
            b'{' => open.push(at + 1),
            b'}' if open.len() > 1 => drop(open.pop()),
            b'}' => {}
            _ => members.extend(Member::around(text, at, open.last().copied().unwrap_or_default())),
        }
    }
    members
}

/// A name in quotes, a colon and a value.
struct Member<'t> {
    /// Where its object starts.
    object: usize,
    name: &'t str,
    value: &'t str,
    /// Where the value starts, without its quote.
    start: usize,
}

impl<'t> Member<'t> {
    fn around(text: &'t str, at: usize, object: usize) -> Option<Self> {
        let before = text[..at].trim_end();
        let name = before.strip_suffix(['"', '\''])?.trim_end_matches('\\');
        let name = &name[name.rfind(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-')))? + 1..];
        let after = text[at + 1..].trim_start();
        let unescaped = after.trim_start_matches('\\');
        let (value, whole) = match unescaped.strip_prefix('"') {
            // A quote inside of the value has one backslash more than the one that ends it.
            Some(inner) => {
                let escape = &after[..after.len() - unescaped.len()];
                (&inner[..end_of_string(inner, escape.len())], inner)
            }
            None => (&after[..after.find([',', '}', ']', '\n', '\r', ' ']).unwrap_or(after.len())], after),
        };
        let value = if whole.starts_with(MARK) { MARK } else { value };
        Some(Self { object, name, value, start: text.len() - whole.len() })
    }
}

/// Returns where the text of a string ends whose own quotes have so many backslashes.
fn end_of_string(text: &str, escape: usize) -> usize {
    // What is longer is not looked at to its end once for each of its members.
    const LONGEST: usize = 1 << 16;
    for quote in memchr::memchr_iter(b'"', &text.as_bytes()[..text.len().min(LONGEST)]) {
        let backslashes = text.as_bytes()[..quote].iter().rev().take_while(|b| **b == b'\\').count();
        if backslashes <= escape {
            return quote - backslashes;
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use crate::model::secret::covered;

    #[test]
    fn the_value_of_a_secret_object_is_masked_in_any_text() {
        for (text, shown) in [
            (
                r#"var {"isSecret":true,"value":"x1"} set"#,
                r#"var {"isSecret":true,"value":"[redacted]"} set"#,
            ),
            (r#"{"value": "a b, c" , "IsSecret" : true}"#, r#"{"value": "[redacted]" , "IsSecret" : true}"#),
            (
                r#"{\"Value\":\"s\\\"t\",\"IsSecret\":true},{\"Value\":\"u\"}"#,
                r#"{\"Value\":\"[redacted]\",\"IsSecret\":true},{\"Value\":\"u\"}"#,
            ),
            (
                r#"{"a":{"isSecret":"true","oldValue":12,"newValue":"n"},"value":"stays"}"#,
                r#"{"a":{"isSecret":"true","oldValue":[redacted],"newValue":"[redacted]"},"value":"stays"}"#,
            ),
            (r#"{"isSecret":true,"value":"breaks o"#, r#"{"isSecret":true,"value":"[redacted]"#),
        ] {
            assert_eq!(covered(text), shown);
            assert_eq!(covered(shown), shown);
        }
        for text in [
            r#"{"isSecret":false,"value":"v"}"#,
            r#"{"isSecret":true,"value":null}"#,
            r#"{"isSecret":true,"value":"$(Other)"}"#,
            "isSecret: true, value: x",
        ] {
            assert_eq!(covered(text), text);
        }
    }
}
