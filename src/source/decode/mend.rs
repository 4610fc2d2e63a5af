//! Mends a record that is not sound JSON in the ways that audit exports are known to go wrong.
//!
//! Source: facts, section 1: the API now and then writes a backslash that escapes nothing, as in
//! `[Project]\Group`. Raw control characters and half surrogate pairs are the same kind of slip.

/// Returns the record with every escape made sound.
///
/// With `closing`, a backslash before a quote that plainly ends a string is taken for one that escapes
/// nothing. That is a guess, so it is tried last.
pub(super) fn mend(text: &str, closing: bool) -> String {
    let bytes = text.as_bytes();
    let mut out = String::with_capacity(text.len() + 16);
    let mut inside = false;
    let mut copied = 0;
    let mut at = 0;
    while at < bytes.len() {
        let (step, instead): (usize, Option<String>) = match bytes[at] {
            b'"' => {
                inside = !inside;
                (1, None)
            }
            b'\\' if inside => match bytes.get(at + 1) {
                Some(b'"') if closing && closes(&bytes[at + 2..]) => (1, Some("\\\\".to_owned())),
                Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => (2, None),
                Some(b'u') => unicode(&bytes[at..]),
                _ => (1, Some("\\\\".to_owned())),
            },
            c if inside && c < 0x20 => (1, Some(format!("\\u{c:04x}"))),
            _ => (1, None),
        };
        if let Some(instead) = instead {
            // Both ends lie at ASCII characters, so the slice is whole.
            out.push_str(text.get(copied..at).unwrap_or_default());
            out.push_str(&instead);
            copied = at + step;
        }
        at += step;
    }
    out.push_str(text.get(copied..).unwrap_or_default());
    out
}

/// Judges `\uXXXX` at the start of `bytes`: how long it is, and what should stand there instead.
fn unicode(bytes: &[u8]) -> (usize, Option<String>) {
    match (code(bytes), bytes.get(6..).and_then(code)) {
        (None, _) => (1, Some("\\\\".to_owned())),
        (Some(0xD800..0xDC00), Some(0xDC00..0xE000)) => (12, None),
        (Some(0xD800..0xE000), _) => (6, Some("\\ufffd".to_owned())),
        (Some(_), _) => (6, None),
    }
}

fn code(bytes: &[u8]) -> Option<u32> {
    let digits = bytes.get(2..6).filter(|_| bytes.starts_with(b"\\u"))?;
    digits.iter().try_fold(0, |code, digit| Some(code * 16 + char::from(*digit).to_digit(16)?))
}

/// Tells whether what follows a quote is what follows the end of a string, and then the start of another.
pub(in crate::source) fn closes(rest: &[u8]) -> bool {
    let rest = rest.trim_ascii_start();
    match rest.first() {
        Some(b',') => rest[1..].trim_ascii_start().first() == Some(&b'"'),
        Some(b'}' | b']') => matches!(rest[1..].trim_ascii_start().first(), None | Some(b',' | b'}' | b']')),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn mended(text: &str, closing: bool) -> Option<String> {
        let value: Value = serde_json::from_str(&mend(text, closing)).ok()?;
        value["a"].as_str().map(str::to_owned)
    }

    #[test]
    fn escapes_become_sound() {
        for (text, expected) in [
            (r#"{"a":"[P]\Group"}"#, r"[P]\Group"),
            (r#"{"a":"C:\users"}"#, r"C:\users"),
            (r#"{"a":"fine \u00e9 \"q\" \\ \n"}"#, "fine é \"q\" \\ \n"),
            ("{\"a\":\"tab\tand\nline\"}", "tab\tand\nline"),
            (r#"{"a":"half \ud83d pair"}"#, "half \u{fffd} pair"),
            (r#"{"a":"pair \ud83d\ude00"}"#, "pair 😀"),
        ] {
            assert_eq!(mended(text, false).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn a_backslash_before_a_closing_quote() {
        assert_eq!(mended(r#"{"a":"[P]\","b":"x"}"#, true).as_deref(), Some(r"[P]\"));
        assert_eq!(mended(r#"{"b":"x","a":"[P]\"}"#, true).as_deref(), Some(r"[P]\"));
        assert_eq!(
            mended(r#"{"a":"say \"x\", \"y\" [P]\"}"#, true).as_deref(),
            Some("say \"x\", \"y\" [P]\\")
        );
    }
}
