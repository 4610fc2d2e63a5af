//! Characters that act on a terminal or a reader without being seen, such as direction marks and zero-width characters.
//!
//! In: a character. Out: whether every output writes it out as an escape. One predicate serves all formats, so that a
//! name cannot pose as another in one of them. The script of the page has a copy, and a test compares the two.

/// Returns true for control characters and for characters that are invisible or change how their neighbours are shown.
///
/// Source: Unicode 16, the property `Default_Ignorable_Code_Point` with the direction marks and the interlinear
/// annotation marks. The Hangul fillers are letters by category, but are drawn as nothing or as a blank.
#[must_use]
pub fn is_deceptive(c: char) -> bool {
    c.is_control() || is_invisible(c)
}

/// Returns true for the characters of [`is_deceptive`] that are not control characters.
#[must_use]
pub const fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invisible_characters_are_deceptive_and_letters_are_not() {
        let fillers = ['\u{34f}', '\u{115f}', '\u{1160}', '\u{3164}', '\u{ffa0}'];
        let ranges = ['\u{fe00}'..='\u{fe0f}', '\u{180b}'..='\u{180d}', '\u{1d173}'..='\u{1d17a}'];
        for c in
            fillers.into_iter().chain(ranges.into_iter().flatten()).chain(['\u{0}', '\u{202e}', '\u{e0100}'])
        {
            assert!(is_deceptive(c), "{c:?}");
        }
        for c in "aé한ㄱ字 😀\u{a0}\u{301}".chars() {
            assert!(!is_deceptive(c), "{c:?}");
        }
    }
}
