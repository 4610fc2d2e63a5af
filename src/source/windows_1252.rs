//! Windows-1252, in which spreadsheets and older shells of Western systems write text: bytes in, UTF-8 out.

/// Characters of the bytes 0x80 to 0x9F, as the WHATWG encoding standard has them; five bytes stand for nothing.
const HIGH: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}',
    '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// Appends the text that `bytes` are.
pub(super) fn decode(bytes: &[u8], into: &mut Vec<u8>) {
    let mut utf8 = [0; 4];
    for b in bytes {
        match b {
            0..0x80 => into.push(*b),
            0x80..=0x9F => {
                into.extend_from_slice(HIGH[usize::from(*b - 0x80)].encode_utf8(&mut utf8).as_bytes())
            }
            _ => into.extend_from_slice(char::from(*b).encode_utf8(&mut utf8).as_bytes()),
        }
    }
}

/// Returns true if a piece of text that is not UTF-8 can be Windows-1252: no control character, no byte that stands for
/// nothing, and not mostly UTF-8 with a broken character in it.
pub(super) fn is_likely(piece: &[u8]) -> bool {
    let never = |b: &u8| matches!(b, 0..=8 | 0x0b | 0x0c | 0x0e..=0x1d | 0x1f | 0x7f | 0x81 | 0x8d | 0x8f | 0x90 | 0x9d);
    if piece.iter().any(never) {
        return false;
    }
    let (mut sound, mut broken) = (0_usize, 0_usize);
    for chunk in piece.utf8_chunks() {
        sound += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        broken += chunk.invalid().len();
    }
    broken >= sound
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_one_character() {
        let bytes: Vec<u8> = (0..=255).collect();
        let mut out = Vec::new();
        decode(&bytes, &mut out);
        let text = String::from_utf8(out).expect("UTF-8");
        assert_eq!(text.chars().count(), 256);
        assert!(text.ends_with("üýþÿ") && text.contains("€") && text.contains("Œ"));
    }

    #[test]
    fn what_cannot_be_text_is_not_taken_for_it() {
        assert!(is_likely(b"\xe9 caf\xe9"));
        assert!(!is_likely(b"\xb5\x2f\xfd\x00"));
        assert!(!is_likely(b"\x81"));
        assert!(!is_likely(b"\xff \xc3\xa9 \xc3\xa9"));
    }
}
