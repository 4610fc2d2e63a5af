//! JSON that nothing obeys on its way: the values are exact, their signs are not always the plain ones.
//!
//! In: anything that serialises. Out: JSON whose texts hold characters as `\\u` escapes that a terminal or an eye would
//! take for something else, and `##` with an escape inside, which agents of pipelines look for in what a step prints. Whoever
//! reads the JSON gets the very text.

use super::terminal::is_deceptive;
use serde::Serialize;
use serde_json::ser::{Formatter, PrettyFormatter};
use std::io;

/// Writes JSON on one line.
///
/// # Errors
/// Those of the writer, or that the value has no JSON form.
pub fn write_line(
    value: &(impl Serialize + ?Sized),
    to: &mut (impl io::Write + ?Sized),
) -> serde_json::Result<()> {
    value.serialize(&mut serde_json::Serializer::with_formatter(to, Line))
}

/// Writes JSON laid out for reading.
///
/// # Errors
/// Those of the writer, or that the value has no JSON form.
pub fn write_pretty(
    value: &(impl Serialize + ?Sized),
    to: &mut (impl io::Write + ?Sized),
) -> serde_json::Result<()> {
    value.serialize(&mut serde_json::Serializer::with_formatter(to, Pretty(PrettyFormatter::new())))
}

struct Line;

impl Formatter for Line {
    fn write_string_fragment<W: ?Sized + io::Write>(&mut self, to: &mut W, text: &str) -> io::Result<()> {
        fragment(to, text)
    }
}

struct Pretty(PrettyFormatter<'static>);

impl Formatter for Pretty {
    fn write_string_fragment<W: ?Sized + io::Write>(&mut self, to: &mut W, text: &str) -> io::Result<()> {
        fragment(to, text)
    }

    fn begin_array<W: ?Sized + io::Write>(&mut self, to: &mut W) -> io::Result<()> {
        self.0.begin_array(to)
    }

    fn end_array<W: ?Sized + io::Write>(&mut self, to: &mut W) -> io::Result<()> {
        self.0.end_array(to)
    }

    fn begin_array_value<W: ?Sized + io::Write>(&mut self, to: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_array_value(to, first)
    }

    fn end_array_value<W: ?Sized + io::Write>(&mut self, to: &mut W) -> io::Result<()> {
        self.0.end_array_value(to)
    }

    fn begin_object<W: ?Sized + io::Write>(&mut self, to: &mut W) -> io::Result<()> {
        self.0.begin_object(to)
    }

    fn end_object<W: ?Sized + io::Write>(&mut self, to: &mut W) -> io::Result<()> {
        self.0.end_object(to)
    }

    fn begin_object_key<W: ?Sized + io::Write>(&mut self, to: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_object_key(to, first)
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, to: &mut W) -> io::Result<()> {
        self.0.begin_object_value(to)
    }

    fn end_object_value<W: ?Sized + io::Write>(&mut self, to: &mut W) -> io::Result<()> {
        self.0.end_object_value(to)
    }
}

/// Writes a piece of a text that JSON itself has nothing to escape in.
fn fragment<W: ?Sized + io::Write>(to: &mut W, text: &str) -> io::Result<()> {
    // Most texts are plain, and to see that takes no look at each character.
    if text.is_ascii() && !text.contains("##") && !text.contains('\u{7f}') {
        return to.write_all(text.as_bytes());
    }
    let (mut done, mut before) = (0, ' ');
    for (at, c) in text.char_indices() {
        if is_deceptive(c) || c == '#' && before == '#' {
            to.write_all(&text.as_bytes()[done..at])?;
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(to, "\\u{unit:04x}")?;
            }
            done = at + c.len_utf8();
        }
        before = c;
    }
    to.write_all(&text.as_bytes()[done..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn line(value: &(impl Serialize + ?Sized)) -> Vec<u8> {
        let mut out = Vec::new();
        write_line(value, &mut out).expect("JSON");
        out
    }

    fn pretty(value: &Value) -> Vec<u8> {
        let mut out = Vec::new();
        write_pretty(value, &mut out).expect("JSON");
        out
    }

    #[test]
    fn what_acts_is_an_escape() {
        let line = |text: &str| String::from_utf8(line(text)).expect("UTF-8");
        assert_eq!(line("##vso[x]"), "\"#\\u0023vso[x]\"");
        assert_eq!(line("a\u{9b}b\u{202e}c\u{e0041}d\u{7f}"), "\"a\\u009bb\\u202ec\\udb40\\udc41d\\u007f\"");
        assert_eq!(line("plain é #1"), "\"plain é #1\"");
    }

    proptest! {
        #[test]
        fn the_value_is_exact(text in any::<String>(), key in "[#a\u{200b}\"]{0,6}") {
            let value = json!({ key: [text, 1, null, {}, []] });
            for bytes in [line(&value), pretty(&value)] {
                prop_assert_eq!(serde_json::from_slice::<Value>(&bytes).expect("JSON"), value.clone());
                let text = String::from_utf8(bytes).expect("UTF-8");
                prop_assert!(!text.contains("##"));
                prop_assert!(!text.contains(|c| c != '\n' && is_deceptive(c)));
            }
        }

        #[test]
        fn the_layout_is_the_usual_one(texts in prop::collection::vec("[ -\"$-~]{0,9}", 0..4)) {
            let value = json!({ "a": texts, "b": {"c": 1.5} });
            prop_assert_eq!(pretty(&value), serde_json::to_vec_pretty(&value).expect("JSON"));
            prop_assert_eq!(line(&value), serde_json::to_vec(&value).expect("JSON"));
        }
    }
}
