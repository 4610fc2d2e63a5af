//! Walks over JSON text and builds nothing: where a string or a value ends, and whether it is sound so far.
//!
//! As strict as `serde_json` where it skips: no bare control characters, no escapes of its own making, numbers and
//! words in full. Whatever is not certain is `None`, and then it is for `serde_json` to say what is wrong with it.

use wide::u8x16;

/// Values in values: deeper ones are left to `serde_json`, which counts differently.
const DEPTH: usize = 64;

/// Where from `at` on the first quote, backslash or control character stands; the end of the text if none does.
#[inline]
pub(super) fn plain_end(text: &[u8], at: usize) -> usize {
    let mut rest = text.get(at..).unwrap_or_default();
    while let Some((part, more)) = rest.split_first_chunk() {
        let part = u8x16::new(*part);
        let is = |byte: u8| part.simd_eq(u8x16::splat(byte));
        // Control characters are those that a blank less one is not less than.
        let found = is(b'"') | is(b'\\') | part.min(u8x16::splat(0x1F)).simd_eq(part);
        let found = found.to_bitmask();
        if found != 0 {
            return text.len() - rest.len() + found.trailing_zeros() as usize;
        }
        rest = more;
    }
    let short = rest.iter().position(|b| matches!(b, b'"' | b'\\' | 0..0x20)).unwrap_or(rest.len());
    text.len() - rest.len() + short
}

/// Where from `at` on the first `byte` stands; the end of the text if it does not. For bytes that are mostly near.
#[inline]
pub(super) fn next(text: &[u8], at: usize, byte: u8) -> usize {
    let mut rest = text.get(at..).unwrap_or_default();
    while let Some((part, more)) = rest.split_first_chunk() {
        let found = u8x16::new(*part).simd_eq(u8x16::splat(byte)).to_bitmask();
        if found != 0 {
            return text.len() - rest.len() + found.trailing_zeros() as usize;
        }
        rest = more;
    }
    let short = rest.iter().position(|b| *b == byte).unwrap_or(rest.len());
    text.len() - rest.len() + short
}

/// Goes past blanks.
#[inline]
pub(super) fn blanks(text: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\n' | b'\r' | b'\t') = text.get(at) {
        at += 1;
    }
    at
}

/// Goes behind the closing quote of a string that starts behind the quote before `at`.
#[inline]
pub(super) fn string(text: &[u8], at: usize) -> Option<usize> {
    let end = plain_end(text, at);
    if text.get(end) == Some(&b'"') { Some(end + 1) } else { escaped(text, end) }
}

/// The same from an escape on.
pub(super) fn escaped(text: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match text.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => match text.get(at + 1)? {
                b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => at += 2,
                b'u' if text.get(at + 2..at + 6)?.iter().all(u8::is_ascii_hexdigit) => at += 6,
                _ => return None,
            },
            _ => return None,
        }
        at = plain_end(text, at);
    }
}

/// Goes behind a number.
pub(super) fn number(text: &[u8], mut at: usize) -> Option<usize> {
    let digits = |from: usize| {
        let n = text.get(from..)?.iter().take_while(|b| b.is_ascii_digit()).count();
        (n > 0).then_some(from + n)
    };
    if text.get(at) == Some(&b'-') {
        at += 1;
    }
    at = if text.get(at) == Some(&b'0') { at + 1 } else { digits(at)? };
    if text.get(at) == Some(&b'.') {
        at = digits(at + 1)?;
    }
    if let Some(b'e' | b'E') = text.get(at) {
        let signed = matches!(text.get(at + 1), Some(b'+' | b'-'));
        at = digits(at + 1 + usize::from(signed))?;
    }
    // What follows a sound number is neither a digit, as behind a leading zero, nor anything but an end.
    Some(at)
}

/// Goes behind `word`, if it stands here.
#[inline]
pub(super) fn word(text: &[u8], at: usize, word: &[u8]) -> Option<usize> {
    text.get(at..)?.starts_with(word).then_some(at + word.len())
}

/// Goes behind a value of any kind; tells too whether it is free of blanks between its parts.
#[inline]
pub(super) fn value(text: &[u8], at: usize) -> Option<(usize, bool)> {
    match text.get(at)? {
        b'"' => Some((string(text, at + 1)?, true)),
        b'{' | b'[' => nested(text, at),
        _ => Some((scalar(text, at)?, true)),
    }
}

fn scalar(text: &[u8], at: usize) -> Option<usize> {
    match text.get(at)? {
        b't' => word(text, at, b"true"),
        b'f' => word(text, at, b"false"),
        b'n' => word(text, at, b"null"),
        _ => number(text, at),
    }
}

/// Goes behind an object or an array.
fn nested(text: &[u8], start: usize) -> Option<(usize, bool)> {
    // A bit a level, the innermost last: set for an object.
    let mut objects = 0_u64;
    let mut depth = 0;
    let mut at = start;
    let mut tight = true;
    // Goes to the next byte that is no blank.
    let mut gap = |at: usize| {
        if text.get(at).is_some_and(|b| *b > b' ') {
            return at;
        }
        let end = blanks(text, at);
        tight &= end == at;
        end
    };
    loop {
        // A value starts here.
        let opens = *text.get(at)?;
        let mut closed = match opens {
            b'"' => {
                at = string(text, at + 1)?;
                true
            }
            b'{' | b'[' => {
                if depth == DEPTH {
                    return None;
                }
                depth += 1;
                objects = (objects << 1) | u64::from(opens == b'{');
                at = gap(at + 1);
                // Closed at once, or its first value comes next.
                let closes = text.get(at) == Some(&(opens + 2));
                if closes {
                    depth -= 1;
                    objects >>= 1;
                    at += 1;
                }
                closes
            }
            _ => {
                at = scalar(text, at)?;
                true
            }
        };
        while closed {
            if depth == 0 {
                return Some((at, tight));
            }
            at = gap(at);
            match *text.get(at)? {
                b',' => {
                    at = gap(at + 1);
                    closed = false;
                }
                b'}' | b']' if (text[at] == b'}') == (objects & 1 == 1) => {
                    depth -= 1;
                    objects >>= 1;
                    at += 1;
                }
                _ => return None,
            }
        }
        if objects & 1 == 1 {
            at = gap(string(text, word(text, at, b"\"")?)?);
            at = gap(word(text, at, b":")?);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::de::IgnoredAny;

    #[test]
    fn agrees_with_serde_json() {
        for text in [
            "{}",
            "[]",
            "{ }",
            "[ ]",
            "[1]",
            "[1,]",
            "[,1]",
            "{\"a\":1,}",
            "{\"a\"}",
            "{\"a\":}",
            "{a:1}",
            "[1 2]",
            "[}",
            "{]",
            "{\"a\":[{\"b\":[]}]}",
            "[[],[[]],{}]",
            "{\"a\": 1 , \"b\":\t2}",
            "1",
            "-1",
            "01",
            "-",
            "1.",
            ".5",
            "1.5e",
            "1.5e+3",
            "1E9",
            "-0",
            "--1",
            "true",
            "tru",
            "truex",
            "null",
            "nul",
            "\"a\"",
            "\"a",
            "\"\\x\"",
            "\"\\u12\"",
            "\"\\u12aF\"",
            "\"\\ud800\"",
            "\"\t\"",
            "\"\u{7f}é\"",
            "\"12345678\\\"90\"",
            "\"1234567\u{1}\"",
            "",
            "{",
            "[[",
        ] {
            let walked = value(text.as_bytes(), 0).is_some_and(|(end, _)| end == text.len());
            assert_eq!(walked, serde_json::from_str::<IgnoredAny>(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn tells_blanks_between_parts_from_those_inside() {
        let tight = |text: &str| value(text.as_bytes(), 0).map(|(_, tight)| tight);
        assert_eq!(tight("{\"a b\":[\"x, y\",{}]}"), Some(true));
        for text in ["{ }", "{\"a\" :1}", "{\"a\": 1}", "[1 ]", "[1, 2]", "[1\n,2]"] {
            assert_eq!(tight(text), Some(false), "{text}");
        }
    }

    #[test]
    fn deep_values_are_left_to_others() {
        let deep = |n: usize| "[".repeat(n) + &"]".repeat(n);
        assert_eq!(value(deep(DEPTH).as_bytes(), 0), Some((2 * DEPTH, true)));
        assert_eq!(value(deep(DEPTH + 1).as_bytes(), 0), None);
    }

    #[test]
    fn every_byte_that_ends_a_plain_run_is_found_everywhere() {
        for byte in 0..=255_u8 {
            for at in 0..20 {
                let mut text = [b'x'; 20];
                text[at] = byte;
                let ends = matches!(byte, b'"' | b'\\' | 0..0x20);
                assert_eq!(plain_end(&text, 0), if ends { at } else { 20 }, "{byte} at {at}");
                assert_eq!(next(&text, 0, byte), if byte == b'x' { 0 } else { at }, "{byte} at {at}");
                assert_eq!(
                    next(&text, 1, b'!'),
                    if byte == b'!' && at > 0 { at } else { 20 },
                    "{byte} at {at}"
                );
            }
        }
    }
}
