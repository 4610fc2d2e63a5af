//! Credentials in JSON text, as the data of an event is.
//!
//! In: JSON. Out: JSON with every credential masked in names and values. JSON may write any character as an escape, so a
//! text with escapes is looked at as what it stands for.

use super::marked::{is_value, says_secret};
use super::pairs::{Name, is_secret, name, variable};
use super::{MARK, Masked, SecretKind, is_suspect, masked};
use serde_json::{Map, Value};

/// Returns `text`, which is JSON, with every credential masked, and counts them; nothing where there is none.
#[must_use]
pub fn masked_json(text: &str, count: &mut Masked) -> Option<String> {
    if !is_suspect(text) && !hides(text) {
        return None;
    }
    let Ok(mut value) = serde_json::from_str::<Value>(text) else { return masked(text, count) };
    let mut found = Masked::default();
    mask_value(&mut value, &mut found);
    if found.is_empty() {
        return None;
    }
    count.merge(&found, 1);
    Some(value.to_string())
}

/// Returns true if a credential may be in what the escapes of a JSON text stand for.
fn hides(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(found) = memchr::memchr(b'\\', bytes.get(at..).unwrap_or_default()) {
        match bytes.get(at + found + 1) {
            // Escapes of printable ASCII, of which marks are made; others only part what they stand between.
            Some(b'u') if bytes.get(at + found + 2..at + found + 4) == Some(b"00") => return true,
            Some(b'/') => return true,
            _ => at += found + 2,
        }
    }
    false
}

/// Masks every credential in the texts of a JSON value.
pub fn mask_value(value: &mut Value, count: &mut Masked) {
    match value {
        Value::String(text) if text.trim_start().starts_with(['{', '[']) => {
            if let Some(masked) = masked_json(text, count) {
                *text = masked;
            }
        }
        Value::String(text) => super::mask(text, count),
        Value::Array(items) => items.iter_mut().for_each(|item| mask_value(item, count)),
        Value::Object(fields) => {
            if fields.keys().any(|key| is_suspect(key)) {
                *fields = std::mem::take(fields)
                    .into_iter()
                    .map(|(key, v)| (covered_key(key, count), v))
                    .collect::<Map<_, _>>();
            }
            // A list of variables has the name in one member and the value in another.
            let named = ["name", "key"]
                .iter()
                .find_map(|n| member(fields, n).and_then(|v| v.as_str()).and_then(variable));
            if let Some(name) = named
                && let Some(value) = member(fields, "value")
            {
                mask_named(value, name, count);
            }
            if fields.iter().any(|(key, value)| says_secret(key, value)) {
                let values = fields.iter_mut().filter(|(key, _)| is_value(key));
                values.for_each(|(_, value)| mask_all(value, count));
            }
            for (key, value) in fields.iter_mut() {
                if let Some(name) = name(key) {
                    mask_named(value, name, count);
                }
                if let Some(name) = variable(key)
                    && let Value::Object(variable) = value
                    && let Some(value) = member(variable, "value")
                {
                    mask_named(value, name, count);
                }
                mask_value(value, count);
            }
        }
        _ => {}
    }
}

/// Masks the value of something that is called so.
fn mask_named(value: &mut Value, name: Name, count: &mut Masked) {
    let secret = match value {
        Value::String(text) => is_secret(name, text),
        Value::Number(number) => is_secret(name, &number.to_string()),
        _ => false,
    };
    if secret {
        count.add(SecretKind::Key);
        *value = MARK.into();
    }
}

/// Masks every text and number of a value that is secret as a whole.
fn mask_all(value: &mut Value, count: &mut Masked) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| mask_all(item, count)),
        Value::Object(fields) => fields.values_mut().for_each(|value| mask_all(value, count)),
        _ => mask_named(value, Name::Secret, count),
    }
}

/// Returns the member that is called so, in any case.
fn member<'v>(fields: &'v mut Map<String, Value>, name: &str) -> Option<&'v mut Value> {
    fields.iter_mut().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

fn covered_key(key: String, count: &mut Masked) -> String {
    masked(&key, count).unwrap_or(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Option<String> {
        masked_json(text, &mut Masked::default())
    }

    #[test]
    fn values_names_and_escapes_are_masked() {
        let old = "abcd".repeat(13);
        for (text, expected) in [
            (format!(r#"{{"A":"x {old}","B":1}}"#), r#"{"A":"x [redacted]","B":1}"#),
            (format!(r#"{{"{old}":[true,null]}}"#), r#"{"[redacted]":[true,null]}"#),
            (r#"{"Url":"https:\/\/u:p@h\/x"}"#.to_owned(), r#"{"Url":"https://[redacted]@h/x"}"#),
            (r#"{"C":"Server=s;Password=p;"}"#.to_owned(), r#"{"C":"Server=s;Password=[redacted];"}"#),
            (r#"{"a":{"client_secret":"y","pwd":12345}}"#.to_owned(), r#"{"a":{"client_secret":"[redacted]","pwd":"[redacted]"}}"#),
            (
                r#"{"Variables":{"dbPassword":{"value":"v1"},"region":{"value":"y"},"ref":{"value":"$(Password)"}}}"#.to_owned(),
                r#"{"Variables":{"dbPassword":{"value":"[redacted]"},"region":{"value":"y"},"ref":{"value":"$(Password)"}}}"#,
            ),
            (
                r#"{"Variables":"[{\"Name\":\"ApiToken\",\"Value\":\"v2\"}]"}"#.to_owned(),
                r#"{"Variables":"[{\"Name\":\"ApiToken\",\"Value\":\"[redacted]\"}]"}"#,
            ),
            (
                r#"{"Variables":{"patToken":{"value":"a718550e-4777-4058-8298-bff88d0cb524"},"pwd":{"value":"y1"}}}"#.to_owned(),
                r#"{"Variables":{"patToken":{"value":"a718550e-4777-4058-8298-bff88d0cb524"},"pwd":{"value":"[redacted]"}}}"#,
            ),
            (
                r#"{"v":{"isSecret":true,"value":"v3"},"w":{"value":4,"IsSecret":"True"},"x":{"isSecret":false,"value":"y"}}"#.to_owned(),
                r#"{"v":{"isSecret":true,"value":"[redacted]"},"w":{"value":"[redacted]","IsSecret":"True"},"x":{"isSecret":false,"value":"y"}}"#,
            ),
            (
                r#"{"s":" {\"a\":[{\"value\":{\"b\":\"p\"},\"isSecret\":true}]}"}"#.to_owned(),
                r#"{"s":"{\"a\":[{\"value\":{\"b\":\"[redacted]\"},\"isSecret\":true}]}"}"#,
            ),
            (r#"{"s":"{\"password\":\"p\"}"}"#.to_owned(), r#"{"s":"{\"password\":\"[redacted]\"}"}"#),
        ] {
            assert_eq!(shown(&text).as_deref(), Some(expected));
        }
        for text in [r#"{"A":"[P]\\G","B":"\u00e9\n"}"#, r#"{"IsSecret":true,"Password":null}"#, "{}", ""] {
            assert_eq!(shown(text), None, "{text}");
        }
    }
}
