//! Variables of a variable group that look like secrets and are not marked as such.
//!
//! In: the text of `Variables` of a Library.VariableGroup* event: an object of name to `{isSecret, value}`, or a
//! list of objects that carry the name. Out: the names, never the values. The flag of one variable says nothing of
//! its neighbour, so they are told apart here: SQL would have to search the text as a whole.

use serde_json::Value;

/// Words that make a name look like a secret's.
const WORDS: &[&str] = &[
    "secret",
    "password",
    "passwd",
    "passphrase",
    "pwd",
    "pw",
    "cred",
    "creds",
    "credential",
    "credentials",
    "apikey",
    "token",
    "pat",
    "sas",
    "privatekey",
    "accesskey",
    "accountkey",
    "connectionstring",
    "certificate",
];
/// Pairs of neighbouring words that do, where each alone does not.
const PAIRS: &[(&str, &str)] = &[
    ("api", "key"),
    ("private", "key"),
    ("access", "key"),
    ("account", "key"),
    ("storage", "key"),
    ("shared", "key"),
    ("signing", "key"),
    ("encryption", "key"),
    ("ssh", "key"),
    ("connection", "string"),
];
/// Words before `key` that make it a key of another kind.
const PLAIN_KEYS: &[&str] = &[
    "cache",
    "partition",
    "sort",
    "primary",
    "foreign",
    "row",
    "registry",
    "public",
    "lookup",
    "license",
    "project",
    "map",
];
/// Last words that turn a name into that of something harmless: where a secret is, or how it is handled.
const HARMLESS: &[&str] = &[
    "name", "url", "uri", "path", "id", "file", "length", "enabled", "count", "expiry", "ttl", "type",
    "policy", "endpoint",
];

/// Returns the names, blank separated, in the order of the text.
pub(super) fn clear_secrets(variables: &str) -> String {
    let Ok(value) = serde_json::from_str::<Value>(variables) else { return String::new() };
    let mut names: Vec<String> = Vec::new();
    match &value {
        Value::Object(object) => {
            for (name, variable) in object {
                if looks_secret(name) && is_clear(variable) {
                    names.push(name.split_whitespace().collect::<Vec<_>>().join("_"));
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                let name = ["name", "key"].iter().find_map(|key| field(item, key)?.as_str());
                if let Some(name) = name
                    && looks_secret(name)
                    && is_clear(item)
                {
                    names.push(name.split_whitespace().collect::<Vec<_>>().join("_"));
                }
            }
        }
        _ => {}
    }
    names.join(" ")
}

fn field<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    value.as_object()?.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, v)| v)
}

/// Neither marked as a secret nor a reference that is filled in elsewhere, such as `$(other)`.
fn is_clear(variable: &Value) -> bool {
    let marked = match field(variable, "isSecret") {
        Some(Value::Bool(secret)) => *secret,
        Some(Value::String(text)) => text.eq_ignore_ascii_case("true"),
        _ => false,
    };
    let reference = field(variable, "value").and_then(Value::as_str).is_some_and(|v| v.starts_with("$("));
    !marked && !reference
}

fn looks_secret(name: &str) -> bool {
    let words = words(name);
    let last = words.last().map_or("", String::as_str);
    if HARMLESS.contains(&last) {
        return false;
    }
    let telling = |w: &String| {
        WORDS.contains(&w.as_str())
            || w.ends_with("password")
            || w.ends_with("secret")
            || w.ends_with("apikey")
    };
    let before_last = words.len().checked_sub(2).and_then(|i| words.get(i)).map_or("", String::as_str);
    words.iter().any(telling)
        || last == "key" && !PLAIN_KEYS.contains(&before_last)
        || words.windows(2).any(|pair| PAIRS.iter().any(|(a, b)| pair[0] == *a && pair[1] == *b))
}

/// Words of a name, lower case: split at signs, digits and where a capital follows a small letter.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut small = false;
    for c in name.chars() {
        if !c.is_alphabetic() || (small && c.is_uppercase()) {
            words.push(String::new());
        }
        if c.is_alphabetic()
            && let Some(word) = words.last_mut()
        {
            word.extend(c.to_lowercase());
        }
        small = c.is_lowercase();
    }
    words.retain(|w| !w.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_variable_is_judged_alone() {
        let mixed = r#"{"DB_PASSWORD":{"isSecret":"false","value":"x"},"ApiKey":{"isSecret":true},"Region":{"isSecret":"false"}}"#;
        assert_eq!(clear_secrets(mixed), "DB_PASSWORD");
        assert_eq!(
            clear_secrets(r#"{"BUILD_FLAVOUR":{"isSecret":"false","value":"x"}}"#),
            "",
            "the flag's own name is no secret"
        );
        assert_eq!(
            clear_secrets(r#"[{"name":"npmToken","isSecret":false},{"name":"api-key","isSecret":"True"}]"#),
            "npmToken"
        );
        assert_eq!(
            clear_secrets(
                r#"{"KeyVaultName":{"isSecret":false},"monkey":{"isSecret":false},"Token Url":{}}"#
            ),
            ""
        );
        assert_eq!(
            clear_secrets(r#"{"nugetPat":{"value":"$(shared.pat)"},"STORAGE_ACCOUNT_KEY":{"value":"a"}}"#),
            "STORAGE_ACCOUNT_KEY"
        );
        assert_eq!(clear_secrets("not json"), "");
    }
}
