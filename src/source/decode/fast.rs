//! One record in, its fields out, the quick way: for records as services and exporters write them.
//!
//! It takes nothing that `serde_json` would refuse and gives what `serde_json` would give. What it has no eye for
//! (escaped names, fractions, pairs of surrogates, deep nesting) and whatever is wrong in any way it leaves alone; the
//! record is then read from its start by `serde_json`, which knows what to say.

use super::fields::{Fields, Form, Key};
use super::walk::{blanks, escaped, plain_end, value, word};

/// Fills `fields` from the one object that `text` is; false where that is left to `serde_json`.
pub(super) fn object<'a>(fields: &mut Fields<'a>, text: &'a str) -> bool {
    let start = blanks(text.as_bytes(), 0);
    members(fields, text, start).is_some_and(|(end, _)| blanks(text.as_bytes(), end) == text.len())
}

/// Fills `fields` from the object that is the line at `start`. Returns where it ends, and where the next line starts;
/// nothing where the line is to be looked at on its own.
pub(super) fn line<'a>(fields: &mut Fields<'a>, text: &'a str, start: usize) -> Option<(usize, usize)> {
    let bytes = text.as_bytes();
    let (end, tight) = members(fields, text, start)?;
    if !tight && memchr::memchr(b'\n', bytes.get(start..end)?).is_some() {
        return None;
    }
    if bytes.get(end) == Some(&b'\n') {
        return Some((end, end + 1));
    }
    let past = |at: usize, these: &[u8]| {
        let rest = bytes.get(at..).unwrap_or_default();
        at + rest.iter().take_while(|b| these.contains(b)).count()
    };
    let next = past(past(end, b","), b" \t\r");
    match bytes.get(next) {
        None => Some((end, next)),
        Some(b'\n') => Some((end, next + 1)),
        Some(_) => None,
    }
}

/// Fills `fields` from the object at `start`; returns where it ends, and whether it is free of blanks between its parts.
fn members<'a>(fields: &mut Fields<'a>, text: &'a str, start: usize) -> Option<(usize, bool)> {
    fields.clear();
    let bytes = text.as_bytes();
    let (mut tight, mut all_free) = (true, true);
    // Goes to the next byte that is no blank: mostly it is the next byte.
    let mut gap = |at: usize| match bytes.get(at) {
        Some(b) if *b > b' ' => at,
        _ => {
            tight = false;
            blanks(bytes, at)
        }
    };
    let mut at = gap(word(bytes, start, b"{")?);
    if bytes.get(at) == Some(&b'}') {
        return Some((at + 1, tight));
    }
    loop {
        let (name, end) = fields.order.quoted(text, at)?;
        at = gap(end);
        at = gap(word(bytes, at, b":")?);
        let (end, free) = match name.key {
            Some(key) if !(name.respelled && fields.has(key)) => {
                fields.note_case(key, name.upper);
                member(fields, key, text, at)?
            }
            _ => value(bytes, at)?,
        };
        all_free &= free;
        at = gap(end);
        match bytes.get(at)? {
            b',' => at = gap(at + 1),
            b'}' => return Some((at + 1, tight && all_free)),
            _ => return None,
        }
    }
}

/// Sets a field from the value at `at`; returns where it ends, and whether it is free of blanks between its parts.
#[inline]
fn member<'a>(fields: &mut Fields<'a>, key: Key, text: &'a str, at: usize) -> Option<(usize, bool)> {
    let bytes = text.as_bytes();
    let form = key.form();
    let first = *bytes.get(at)?;
    if form == Form::Text && first == b'"' {
        let end = plain_end(bytes, at + 1);
        if *bytes.get(end)? == b'"' {
            fields.set_text(key, text.get(at + 1..end)?);
            return Some((end + 1, true));
        }
        let close = escaped(bytes, end)?;
        unescape(text.get(at + 1..close - 1)?, fields.own_text(key))?;
        return Some((close, true));
    }
    let (end, tight) = value(bytes, at)?;
    let raw = text.get(at..end)?;
    if raw == "null" {
        return Some((end, tight));
    }
    match form {
        Form::Text => match first {
            b'{' | b'[' => {}
            b't' | b'f' => fields.set_text(key, raw),
            // Whole numbers without a sign stand as they are read; others may be read as something else.
            _ if raw.len() < 19 && raw.bytes().all(|b| b.is_ascii_digit()) => fields.set_text(key, raw),
            _ => return None,
        },
        Form::Json => fields.set_nested(key, raw, tight),
        Form::Mark => fields.mark(key),
    }
    Some((end, tight))
}

/// Appends what the inside of a JSON string stands for; nothing where half a pair of surrogates may be in it.
fn unescape(inside: &str, into: &mut String) -> Option<()> {
    let mut rest = inside;
    while let Some(at) = memchr::memchr(b'\\', rest.as_bytes()) {
        into.push_str(rest.get(..at)?);
        let (c, length) = match rest.as_bytes().get(at + 1)? {
            b'b' => ('\u{8}', 2),
            b'f' => ('\u{c}', 2),
            b'n' => ('\n', 2),
            b'r' => ('\r', 2),
            b't' => ('\t', 2),
            b'u' => (char::from_u32(u32::from_str_radix(rest.get(at + 2..at + 6)?, 16).ok()?)?, 6),
            plain => (char::from(*plain), 2),
        };
        into.push(c);
        rest = rest.get(at + length..)?;
    }
    into.push_str(rest);
    Some(())
}

#[cfg(test)]
mod tests {
    use super::super::fields::Nested;
    use super::super::seeds::Object;
    use super::*;
    use proptest::prelude::*;
    use serde::de::DeserializeSeed as _;

    /// All that is known of a record; nothing where it was refused.
    fn told(fields: &Fields<'_>) -> String {
        let key = |key: &Key| {
            let json = match fields.json(*key) {
                Nested::Tight(raw) | Nested::Json(raw) => *raw,
                _ => "",
            };
            format!("{key:?} {} {:?} {json:?}\n", fields.has(*key), fields.text(*key))
        };
        format!("{}{}", Key::ALL.iter().map(key).collect::<String>(), fields.pascal)
    }

    fn slow(text: &str) -> Option<String> {
        let mut fields = Fields::default();
        let mut json = serde_json::Deserializer::from_str(text);
        Object(&mut fields).deserialize(&mut json).ok()?;
        json.end().ok()?;
        Some(told(&fields))
    }

    /// What the quick way says, after it has read `before` with the same fields.
    fn quick(before: &str, text: &str) -> Option<String> {
        let mut fields = Fields::default();
        object(&mut fields, before);
        object(&mut fields, text).then(|| told(&fields))
    }

    const RECORD: &str = r#"{"id":"2518;86fbe369","correlationId":null,"ActionId":"Git.X","scopeType":4,"details":"a \"b\" \\ \u00e9 \/ \n","data":{"A":[1,-2.5e3,true,{}],"B":"x"},"category":true,"unknown":[{"k":"v"}],"value":[],"count":1,"area":"é𝄞","userAgent":"long enough for more than one word"}"#;

    #[test]
    fn ordinary_records_go_the_quick_way() {
        let spread = RECORD.replace(':', " : ").replace(',', "\r\n,\t").replace('}', " }");
        for text in
            [RECORD, &spread, "{}", " { } ", r#"{"event":"{\"a\":1}","event":null}"#, r#"{"id":"a","ID":{}}"#]
        {
            let told = slow(text);
            assert!(told.is_some(), "{text}");
            assert_eq!(quick("", text), told, "{text}");
            assert_eq!(quick(RECORD, text), told, "{text}");
        }
    }

    #[test]
    fn what_is_unusual_or_wrong_is_left_alone() {
        for text in [
            r#"{"id":1.5}"#,
            r#"{"id":-1}"#,
            r#"{"id":"\ud83d\ude00"}"#,
            r#"{"i\u0064":"a"}"#,
            r#"{"id":"a"}x"#,
            r#"{"id":"a",}"#,
            r#"{"id":01}"#,
            r#"{"id":"\x"}"#,
            "{\"id\":\"\t\"}",
            r#"["id"]"#,
            "",
            r#"{"id":"a""#,
            r#"{"id" "a"}"#,
            r#"{"id":"\u+123"}"#,
        ] {
            assert_eq!(quick(RECORD, text), None, "{text}");
        }
    }

    /// Something to put into a record.
    fn piece() -> impl Strategy<Value = String> {
        let pieces = [
            "\"",
            "\\",
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            " ",
            "\n",
            "\t",
            "\u{1}",
            "\u{7f}",
            "é",
            "𝄞",
            "\\u0041",
            "\\ud800",
            "\\\"",
            "\\x",
            "0",
            "1",
            "-",
            ".",
            "e",
            "null",
            "true",
            "nul",
            "\"id\":\"b\",",
            "\"data\":1,",
            "\"Id\":null,",
            ",\"details\":7",
            "{}",
            "[]",
        ];
        prop_oneof![
            prop::sample::select(pieces.to_vec()).prop_map(str::to_owned),
            any::<char>().prop_map(String::from)
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]

        #[test]
        fn what_is_taken_is_what_serde_json_gives(
            changes in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..3, piece()), 0..4),
        ) {
            let mut text: Vec<char> = RECORD.chars().collect();
            for (at, gone, piece) in changes {
                let at = at.index(text.len() + 1);
                let end = text.len().min(at + gone);
                text.splice(at..end, piece.chars());
            }
            let text: String = text.into_iter().collect();
            if let Some(told) = quick(RECORD, &text) {
                prop_assert_eq!(Some(told), slow(&text), "{}", text);
            }
        }

        #[test]
        fn any_text_does_no_harm(text in ".{0,80}") {
            prop_assert!(quick(RECORD, &text).is_none() || slow(&text).is_some());
        }
    }
}
