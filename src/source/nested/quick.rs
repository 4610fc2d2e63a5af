//! Where an object ends, the quick way: sixty-four bytes at a time, for objects whose strings are sound.
//!
//! In: text from the bracket that opens an object. Out: its end, exactly where the scanner byte by byte would find it, or
//! no answer where that scanner has more to say: keys that make a page, strings that derail, great length.

use super::page::ends_like_holder;
use crate::source::quotes::within;
use wide::u8x16;

/// What a quick look found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quick {
    /// The object ends in front of this byte.
    Ends(usize),
    /// The text at hand ends first.
    More,
    /// It is for the scanner to say.
    Unsure,
}

/// How far is looked.
const FAR: usize = 1 << 20;
/// Bytes that are looked at together.
const WIDE: usize = 64;

/// Which of some bytes are what, a bit a byte, the first in the lowest.
#[derive(Clone, Copy, Default)]
struct Masks {
    quotes: u64,
    slashes: u64,
    opens: u64,
    closes: u64,
    /// What may follow a string besides a closing bracket.
    follows: u64,
}

/// Finds the end of the object that `text` starts with.
pub(super) fn object_end(text: &[u8], may_be_page: bool) -> Quick {
    let mut depth = 0_usize;
    // What one step hands to the next: whether its first byte is escaped, is inside a string, follows one.
    let (mut escape, mut inside, mut ended) = (0, 0, 0);
    let mut start = 0;
    while start < text.len().min(FAR) {
        let (m, whole) = match text.get(start..).and_then(<[u8]>::first_chunk) {
            Some(bytes) => (masks(bytes), true),
            None => {
                let mut bytes = [b' '; WIDE];
                bytes[..text.len() - start].copy_from_slice(&text[start..]);
                (masks(&bytes), false)
            }
        };
        let quotes = m.quotes & !escaped(m.slashes, &mut escape);
        let strings = within(quotes) ^ inside;
        inside = 0_u64.wrapping_sub(strings >> 63);
        let ends = quotes & !strings;
        let behind = ends << 1 | ended;
        ended = ends >> 63;
        let mut amiss = (behind & !(m.follows | m.closes)) | (m.slashes & !strings);
        let mut brackets = (m.opens | m.closes) & !strings;
        while brackets != 0 {
            let bit = brackets & brackets.wrapping_neg();
            brackets ^= bit;
            let at = start + bit.trailing_zeros() as usize;
            if m.opens & bit != 0 {
                depth += 1;
                if depth == 2 && may_be_page && ends_like_holder(&text[..at]) {
                    return Quick::Unsure;
                }
            } else {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    // What lies behind is another's.
                    amiss &= bit | (bit - 1);
                    return if is_sound(text, start, amiss, &m) {
                        Quick::Ends(at + 1)
                    } else {
                        Quick::Unsure
                    };
                }
            }
        }
        if !whole {
            return Quick::More;
        }
        if amiss != 0 && !is_sound(text, start, amiss, &m) {
            return Quick::Unsure;
        }
        start += WIDE;
    }
    if text.len() > FAR { Quick::Unsure } else { Quick::More }
}

/// Tells whether what looks amiss is no more than blanks behind strings.
fn is_sound(text: &[u8], start: usize, mut amiss: u64, m: &Masks) -> bool {
    while amiss != 0 {
        let bit = amiss & amiss.wrapping_neg();
        amiss ^= bit;
        let rest = text.get(start + bit.trailing_zeros() as usize..).unwrap_or_default();
        let next = rest.iter().take(WIDE).find(|b| !b.is_ascii_whitespace());
        if m.slashes & bit != 0 || !next.is_some_and(|b| b":,}]".contains(b)) {
            return false;
        }
    }
    true
}

/// Which bytes a backslash escapes, where `carry` tells whether the first one is, and then of the next step's.
#[inline]
const fn escaped(slashes: u64, carry: &mut u64) -> u64 {
    if slashes == 0 {
        let first = *carry;
        *carry = 0;
        return first;
    }
    // As simdjson does it: runs of backslashes that start on odd bits are added to, so that the carry of the sum
    // marks those of even length.
    const EVEN: u64 = u64::MAX / 3;
    let slashes = slashes & !*carry;
    let follow = slashes << 1 | *carry;
    let (sum, over) = (slashes & !EVEN & !follow).overflowing_add(slashes);
    *carry = over as u64;
    (EVEN ^ sum << 1) & follow
}

#[inline]
fn masks(bytes: &[u8; WIDE]) -> Masks {
    let mut m = Masks::default();
    for (i, part) in bytes.as_chunks().0.iter().enumerate() {
        let part = u8x16::new(*part);
        // Brackets of both kinds differ in one bit.
        let folded = part | u8x16::splat(0x20);
        let is = |part: u8x16, byte: u8| part.simd_eq(u8x16::splat(byte));
        let bits = |found: u8x16| u64::from(found.to_bitmask()) << (16 * i);
        m.quotes |= bits(is(part, b'"'));
        m.slashes |= bits(is(part, b'\\'));
        m.opens |= bits(is(folded, b'{'));
        m.closes |= bits(is(folded, b'}'));
        m.follows |= bits(is(part, b':') | is(part, b','));
    }
    m
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_found_wherever_they_lie() {
        for length in 0..150 {
            for inside in
                ["x".repeat(length), "\\\\".repeat(length), "\\\"".repeat(length), "}{][".repeat(length)]
            {
                let object = format!(r#"{{"k":"{inside}","n":{{"a":[1,"{inside}"]}}}}"#);
                let end = Quick::Ends(object.len());
                assert_eq!(object_end(object.as_bytes(), true), end, "{object}");
                assert_eq!(object_end(format!("{object},{{\"a").as_bytes(), true), end, "{object}");
                let half = object.as_bytes().split_last().map_or(&[][..], |(_, half)| half);
                assert_eq!(object_end(half, true), Quick::More, "{object}");
                let spread = object.replace("\",", "\" \n, ");
                assert_eq!(object_end(spread.as_bytes(), true), Quick::Ends(spread.len()), "{spread}");
            }
        }
    }

    #[test]
    fn what_is_amiss_is_left_alone() {
        for pad in 0..140 {
            let pad = "p".repeat(pad);
            for text in [
                r#"{"p":1,"value":[{"a":1}]}"#,
                r#"{"p":1,"Items" : [{"a":1}]}"#,
                r#"{"p":1,"value":{"a":1}}"#,
                r#"{"p":"a"b""}"#,
                r#"{"p":\"a"}"#,
                r#"{"p":"a"  x}"#,
            ] {
                let text = text.replace('p', &pad);
                assert!(!matches!(object_end(text.as_bytes(), true), Quick::Ends(_)), "{text}");
            }
        }
        assert_eq!(object_end(br#"{"value":{"a":1}}"#, false), Quick::Ends(17));
        let long = format!(r#"{{"a":"{}"}}"#, "x".repeat(FAR));
        assert_eq!(object_end(long.as_bytes(), true), Quick::Unsure);
    }
}
