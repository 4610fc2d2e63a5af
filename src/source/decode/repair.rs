//! Takes apart text that is not one sound record, and names the ways to mend a piece.

use super::super::nested::signature;
use super::mend::mend;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// A way to read a piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Attempt {
    /// As it is.
    AsIs,
    /// With sound escapes.
    Mended,
    /// With sound escapes, and backslashes before closing quotes doubled: a guess.
    Closed,
}

impl Attempt {
    /// Returns the piece as this attempt reads it.
    pub(super) fn apply(self, piece: &str) -> Cow<'_, str> {
        match self {
            Self::AsIs => Cow::Borrowed(piece),
            Self::Mended => Cow::Owned(mend(piece, false)),
            Self::Closed => Cow::Owned(mend(piece, true)),
        }
    }
}

/// Splits text into its records: those end to end, then what is left, split where a record seems to start.
pub(super) fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut stream = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
    while let Some(Ok(value)) = stream.next() {
        pieces.push(value.get());
    }
    let mut rest = text.get(stream.byte_offset()..).unwrap_or_default();
    rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == ',' || c == '\u{1e}').trim_end();
    if rest.is_empty() {
        return pieces;
    }
    for piece in starts(rest) {
        let piece = piece.trim_end().trim_end_matches(',').trim_end();
        if !piece.is_empty() {
            pieces.push(piece);
        }
    }
    pieces
}

/// Splits where text starts like its own beginning, right behind the end of an object.
fn starts(text: &str) -> Vec<&str> {
    let signature = signature(text.as_bytes());
    let mut pieces = Vec::new();
    let mut start = 0;
    if signature.len() > 3 {
        for at in memchr::memmem::find_iter(text.as_bytes(), signature) {
            let before = text[..at].trim_end();
            let before = before.strip_suffix(',').unwrap_or(before).trim_end();
            if at > start && before.ends_with('}') {
                pieces.push(&text[start..at]);
                start = at;
            }
        }
    }
    pieces.push(&text[start..]);
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_end_to_end_and_what_is_left() {
        assert_eq!(pieces(r#"{"a":1}{"b":2} {"c""#), [r#"{"a":1}"#, r#"{"b":2}"#, r#"{"c""#]);
        assert_eq!(pieces(r#"{"a":1},"#), [r#"{"a":1}"#]);
    }

    #[test]
    fn a_derailed_run_is_split_where_records_start() {
        let text = r#"{"id":"1","x":"[P]\"},{"id":"2"},{"id":"3"#;
        assert_eq!(pieces(text), [r#"{"id":"1","x":"[P]\"}"#, r#"{"id":"2"}"#, r#"{"id":"3"#]);
    }
}
