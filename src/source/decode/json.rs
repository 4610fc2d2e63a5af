//! Small dealings with JSON text: unquoting it, and one form for the same value.

use std::borrow::Cow;

/// Returns the text inside a JSON string; the string itself where it is none.
pub(super) fn unquote(raw: &str) -> String {
    serde_json::from_str(raw).unwrap_or_else(|_| raw.to_owned())
}

/// Returns JSON without blanks between its parts, so that one event is the same text from every exporter.
pub(super) fn compact(raw: &str) -> Cow<'_, str> {
    let bytes = raw.as_bytes();
    // Exporters are regular: one that adds blanks adds a line end, or a blank behind a colon or a comma.
    let after = |at: usize| at.checked_sub(1).is_some_and(|i| matches!(bytes[i], b':' | b',' | b'{' | b'['));
    let spread =
        memchr::memchr3(b'\n', b'\r', b'\t', bytes).is_some() || memchr::memchr_iter(b' ', bytes).any(after);
    if !spread {
        return Cow::Borrowed(raw);
    }
    let mut out = String::with_capacity(raw.len());
    let (mut inside, mut copied, mut at) = (false, 0, 0);
    while at < bytes.len() {
        match bytes[at] {
            b'"' => inside = !inside,
            b'\\' if inside => at += 1,
            b' ' | b'\n' | b'\r' | b'\t' if !inside => {
                out.push_str(raw.get(copied..at).unwrap_or_default());
                copied = at + 1;
            }
            _ => {}
        }
        at += 1;
    }
    out.push_str(raw.get(copied..).unwrap_or_default());
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_go_and_strings_stay() {
        assert_eq!(compact("{ \"a\" : [ 1 , \"x , \\\" y\" ] }"), r#"{"a":[1,"x , \" y"]}"#);
        assert!(matches!(compact(r#"{"a":1}"#), Cow::Borrowed(_)));
        assert_eq!(unquote(r#""a\"b""#), "a\"b");
    }
}
