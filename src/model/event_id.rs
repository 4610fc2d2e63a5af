//! The id of an event, kept small: a check holds millions of them.
//!
//! In: a bare GUID, or whatever else a source calls an id. Out: sixteen bytes, or the text as it came; ordered as
//! the texts are.

use crate::model::time::Micros;
use std::fmt;

/// The id of an event.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct EventId(Form);

#[derive(Clone, PartialEq, Eq, Hash)]
enum Form {
    /// A GUID in small letters.
    Guid([u8; 16]),
    /// Anything else.
    Text(Box<str>),
}

/// An event: when, and its id.
pub type Stamp = (Micros, EventId);

impl From<&str> for EventId {
    fn from(text: &str) -> Self {
        Self(guid(text.as_bytes()).map_or_else(|| Form::Text(text.into()), Form::Guid))
    }
}

/// The bytes of a GUID that reads the same when it is written again.
fn guid(text: &[u8]) -> Option<[u8; 16]> {
    if text.len() != 36 {
        return None;
    }
    let (mut bytes, mut at) = ([0; 16], 0);
    let mut digits = 0;
    for (place, &c) in text.iter().enumerate() {
        if matches!(place, 8 | 13 | 18 | 23) {
            if c != b'-' {
                return None;
            }
            continue;
        }
        let digit = match c {
            b'0'..=b'9' => c - b'0',
            b'a'..=b'f' => c - b'a' + 10,
            _ => return None,
        };
        bytes[at] = bytes[at] << 4 | digit;
        digits += 1;
        at += usize::from(digits % 2 == 0);
    }
    Some(bytes)
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Form::Guid(bytes) => {
                const DIGITS: &[u8; 16] = b"0123456789abcdef";
                let mut text = [b'-'; 36];
                let mut at = 0;
                for byte in bytes {
                    at += usize::from(matches!(at, 8 | 13 | 18 | 23));
                    text[at] = DIGITS[usize::from(byte >> 4)];
                    text[at + 1] = DIGITS[usize::from(byte & 15)];
                    at += 2;
                }
                f.write_str(std::str::from_utf8(&text).unwrap_or_default())
            }
            Form::Text(text) => f.write_str(text),
        }
    }
}

impl serde::Serialize for EventId {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl fmt::Debug for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Ord for EventId {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        match (&self.0, &other.0) {
            (Form::Guid(a), Form::Guid(b)) => a.cmp(b),
            (Form::Text(a), Form::Text(b)) => a.cmp(b),
            _ => self.to_string().cmp(&other.to_string()),
        }
    }
}

impl PartialOrd for EventId {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_back_and_keep_their_order() {
        let texts = [
            "",
            "0",
            "00000000-0000-0000-0000-00000000000a",
            "00000000-0000-0000-0000-00000000000A",
            "0000000000000000-0000-0000-00000000a",
            "7f0e1c52-2d5b-49a5-8d0e-6c2f4f6f2f11",
            "7f0e1c52-2d5b-49a5-8d0e-6c2f4f6f2f1g",
            "7f0e1c52-2d5b-49a5-8d0e-6c2f4f6f2f1",
            "e1",
            "ffffffff-ffff-ffff-ffff-ffffffffffff",
            "é",
        ];
        for a in texts {
            assert_eq!(EventId::from(a).to_string(), a);
            for b in texts {
                assert_eq!(EventId::from(a).cmp(&EventId::from(b)), a.cmp(b), "{a} {b}");
            }
        }
        assert!(size_of::<Stamp>() <= 32);
    }
}
