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
    let mut wrong = (text[8] ^ b'-') | (text[13] ^ b'-') | (text[18] ^ b'-') | (text[23] ^ b'-');
    let mut bytes = [0; 16];
    // Every digit is looked up and judged at the end: a check reads ids by the million.
    for (byte, at) in bytes.iter_mut().zip(PLACES) {
        let (high, low) = (DIGITS[usize::from(text[at])], DIGITS[usize::from(text[at + 1])]);
        wrong |= (high | low) & 0xf0;
        *byte = high << 4 | low & 15;
    }
    (wrong == 0).then_some(bytes)
}

/// Where the digits of each byte stand.
const PLACES: [usize; 16] = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];

/// The value of each digit as a GUID in small letters writes it; no other sign has a value below 16.
const DIGITS: [u8; 256] = {
    let mut digits = [0xff; 256];
    let mut value = 0;
    while value < 16 {
        digits[b"0123456789abcdef"[value as usize] as usize] = value;
        value += 1;
    }
    digits
};

impl EventId {
    /// The id as text, in the given room where it is a GUID.
    #[must_use]
    pub fn text<'a>(&'a self, room: &'a mut [u8; 36]) -> &'a str {
        let bytes = match &self.0 {
            Form::Guid(bytes) => bytes,
            Form::Text(text) => return text,
        };
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        *room = [b'-'; 36];
        for (byte, at) in bytes.iter().zip(PLACES) {
            room[at] = DIGITS[usize::from(byte >> 4)];
            room[at + 1] = DIGITS[usize::from(byte & 15)];
        }
        std::str::from_utf8(room).unwrap_or_default()
    }

    /// A number that tells most ids apart.
    #[must_use]
    pub fn sign(&self) -> u32 {
        match &self.0 {
            Form::Guid(bytes) => u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]),
            Form::Text(text) => text.bytes().fold(0, |sign, c| sign.rotate_left(5) ^ u32::from(c)),
        }
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text(&mut [0; 36]))
    }
}

impl serde::Serialize for EventId {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.text(&mut [0; 36]))
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
