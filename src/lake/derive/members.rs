//! The members of a JSON object as they stand in its text: `data` in, keys and values as slices of it out.
//!
//! Sources let only sound JSON into a day, so this finds where members begin and end and proves nothing else: a third
//! of the time of a parser, on a hot path of every import.

/// Calls `each` with every member: the key between its quotes, escapes and all, and the value as written. False where the
/// text is no object or breaks off.
pub(super) fn members<'a>(text: &'a str, mut each: impl FnMut(&'a str, &'a str)) -> bool {
    walk(text, &mut each).is_some()
}

fn walk<'a>(text: &'a str, each: &mut impl FnMut(&'a str, &'a str)) -> Option<()> {
    let bytes = text.as_bytes();
    let mut at = blanks(bytes, 0);
    (bytes.get(at) == Some(&b'{')).then_some(())?;
    at = blanks(bytes, at + 1);
    if bytes.get(at) == Some(&b'}') {
        return (blanks(bytes, at + 1) == bytes.len()).then_some(());
    }
    loop {
        (bytes.get(at) == Some(&b'"')).then_some(())?;
        let key_end = string_end(bytes, at + 1)?;
        let key = text.get(at + 1..key_end)?;
        at = blanks(bytes, key_end + 1);
        (bytes.get(at) == Some(&b':')).then_some(())?;
        let start = blanks(bytes, at + 1);
        let end = value_end(bytes, start)?;
        each(key, text.get(start..end)?);
        at = blanks(bytes, end);
        match bytes.get(at)? {
            b',' => at = blanks(bytes, at + 1),
            b'}' => return (blanks(bytes, at + 1) == bytes.len()).then_some(()),
            _ => return None,
        }
    }
}

fn blanks(bytes: &[u8], mut at: usize) -> usize {
    while bytes.get(at).is_some_and(|b| matches!(b, b' ' | b'\n' | b'\r' | b'\t')) {
        at += 1;
    }
    at
}

/// The closing quote of a string whose first byte is at `from`.
fn string_end(bytes: &[u8], mut from: usize) -> Option<usize> {
    loop {
        let at = from + memchr::memchr2(b'"', b'\\', bytes.get(from..)?)?;
        if bytes[at] == b'"' {
            return Some(at);
        }
        from = at + 2;
    }
}

/// The end of the value at `start`.
fn value_end(bytes: &[u8], start: usize) -> Option<usize> {
    match bytes.get(start)? {
        b'"' => Some(string_end(bytes, start + 1)? + 1),
        b'{' | b'[' => {
            let (mut at, mut depth) = (start, 0_usize);
            loop {
                match bytes.get(at)? {
                    b'"' => at = string_end(bytes, at + 1)?,
                    b'{' | b'[' => depth += 1,
                    b'}' | b']' => depth -= 1,
                    _ => {}
                }
                at += 1;
                if depth == 0 {
                    return Some(at);
                }
            }
        }
        _ => {
            let ends = |b: &u8| matches!(b, b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t');
            let length = bytes[start..].iter().position(ends)?;
            (length > 0).then_some(start + length)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Map, Value};

    fn found(text: &str) -> Option<Vec<(String, String)>> {
        let mut found = Vec::new();
        members(text, |key, value| found.push((key.to_owned(), value.to_owned()))).then_some(found)
    }

    #[test]
    fn members_as_they_stand() {
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(
            found(" { \"a\" : [1, {\"b\":\"]}\"}] , \"c\\\"\":\"x\\\\\", \"n\":null,\"e\":-1.5e3}\n"),
            Some(vec![
                pair("a", "[1, {\"b\":\"]}\"}]"),
                pair("c\\\"", "\"x\\\\\""),
                pair("n", "null"),
                pair("e", "-1.5e3"),
            ])
        );
        assert_eq!(found("{}"), Some(Vec::new()));
        for broken in [
            "",
            "[]",
            "{",
            "{\"a\"",
            "{\"a\":",
            "{\"a\":}",
            "{\"a\":\"x",
            "{\"a\":[1",
            "{\"a\":1",
            "{\"a\":1} x",
            "{\"a\":1,}",
        ] {
            assert_eq!(found(broken), None, "{broken}");
        }
    }

    proptest! {
        #[test]
        fn what_a_parser_reads_is_what_stands_there(
            members in proptest::collection::vec(("\\PC{0,8}", "\\PC{0,12}", 0..4_usize), 0..6),
        ) {
            let value = |text: &String, kind| match kind {
                0 => Value::from(text.as_str()),
                1 => serde_json::json!([text, { text.as_str(): [1.5, null] }]),
                2 => serde_json::json!({ "x": text, "y": {} }),
                _ => Value::from(text.len()),
            };
            let object: Map<String, Value> =
                members.iter().map(|(key, text, kind)| (key.clone(), value(text, *kind))).collect();
            for text in [serde_json::to_string(&object), serde_json::to_string_pretty(&object)] {
                let text = text.expect("JSON");
                let read: Map<String, Value> = found(&text)
                    .expect("an object")
                    .iter()
                    .map(|(key, value)| {
                        let key: String = serde_json::from_str(&format!("\"{key}\"")).expect("a key");
                        (key, serde_json::from_str(value).expect("a value"))
                    })
                    .collect();
                prop_assert_eq!(&read, &object);
            }
        }

        #[test]
        fn nothing_makes_it_panic(text in "[\\[\\]{}\",:\\\\a1 ]{0,40}") {
            let _ = found(&text);
        }
    }
}
