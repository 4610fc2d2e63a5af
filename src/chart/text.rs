//! Text that fits: hostile labels in, short safe lines with a known width out.

use super::canvas::Face;
use super::metrics;
use crate::model::invisible::is_invisible;

/// More characters of one label than any chart has room for.
const MOST_CHARS: usize = 300;

/// Returns a text that cannot break a picture or fool its reader: control characters become a blank, invisible ones are
/// written out as in every other output, characters that XML 1.0 forbids and piled-up combining marks are removed. Runs
/// of blanks become one.
#[must_use]
pub fn clean(text: &str) -> String {
    let mut out = String::new();
    let mut marks = 0;
    for c in text.chars().take(8 * MOST_CHARS) {
        let c = if c.is_whitespace() || c.is_control() { ' ' } else { c };
        if is_invisible(c) {
            marks = 0;
            out.extend(c.escape_unicode());
            continue;
        }
        if is_nothing(c) || (c == ' ' && (out.is_empty() || out.ends_with(' '))) {
            continue;
        }
        marks = if is_mark(c) { marks + 1 } else { 0 };
        if marks <= 2 {
            out.push(c);
        }
    }
    out.truncate(out.trim_end().len());
    if out.chars().count() > MOST_CHARS {
        out = out.chars().take(MOST_CHARS).chain(['…']).collect();
    }
    out
}

/// Returns true for noncharacters, which XML does not allow.
const fn is_nothing(c: char) -> bool {
    matches!(c, '\u{fdd0}'..='\u{fdef}') || (c as u32) & 0xfffe == 0xfffe
}

const fn is_mark(c: char) -> bool {
    matches!(c, '\u{0300}'..='\u{036f}' | '\u{0483}'..='\u{0489}' | '\u{1ab0}'..='\u{1aff}'
        | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' | '\u{fe00}'..='\u{fe2f}')
}

/// Measures one line in pixels.
///
/// A browser without DejaVu Sans takes another font; all common ones but Verdana (equal) run narrower,
/// so what fits by this measure fits there.
#[must_use]
pub fn width(text: &str, face: Face) -> i32 {
    metrics::of(face)
        .map_or_else(|| text.chars().count() as i32 * face.em * 2 / 3, |font| font.width(text, face.em))
}

/// Cleans a label and cuts it with an ellipsis to `room` pixels.
#[must_use]
pub fn fit(text: &str, face: Face, room: i32) -> String {
    let text = clean(text);
    if width(&text, face) <= room {
        return text;
    }
    let chars: Vec<char> = text.chars().collect();
    let cut = |n: usize| -> String {
        let head: String = chars[..n].iter().collect();
        format!("{}…", head.trim_end())
    };
    let (mut low, mut high) = (0, chars.len());
    while low < high {
        let middle = (low + high).div_ceil(2);
        if width(&cut(middle), face) <= room {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    if low == 0 { String::new() } else { cut(low) }
}

/// What to call a thing: its cleaned name, or words that say it has none to show.
#[must_use]
pub fn name(text: &str) -> String {
    let text = clean(text);
    if text.is_empty() { "(no name)".to_owned() } else { text }
}

/// Cleans a name and cuts it to `most` characters, for use inside a sentence.
#[must_use]
pub fn brief(text: &str, most: usize) -> String {
    let text = name(text);
    if text.chars().count() <= most {
        return text;
    }
    let head: String = text.chars().take(most.saturating_sub(1)).collect();
    format!("{}…", head.trim_end())
}

/// Breaks a sentence at blanks into at most `most` lines of `room` pixels; the last is cut if it must be.
#[must_use]
pub fn wrap(text: &str, face: Face, room: i32, most: usize) -> Vec<String> {
    let text = clean(text);
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    for word in text.split(' ') {
        let longer = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
        // On the last line everything is kept: the cut below then shows that there was more.
        if line.is_empty() || lines.len() + 1 >= most || width(&longer, face) <= room {
            line = longer;
        } else {
            lines.push(std::mem::replace(&mut line, word.to_owned()));
        }
    }
    lines.push(line);
    lines.iter().map(|line| fit(line, face, room)).filter(|line| !line.is_empty()).collect()
}

/// Like [`wrap`], with the break where the lines come out about equally long.
#[must_use]
pub fn balance(text: &str, face: Face, room: i32, most: usize) -> Vec<String> {
    let widest = wrap(text, face, room, most);
    let whole = clean(text);
    let mut best = widest.clone();
    for room in (room / 2..room).rev().step_by(20) {
        let lines = wrap(text, face, room, most);
        if widest.len() < 2 || lines.len() != widest.len() || lines.join(" ") != whole {
            break;
        }
        best = lines;
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    const FACE: Face = Face { em: 33, bold: false };

    #[test]
    fn cleans_what_reverses_hides_or_breaks() {
        assert_eq!(clean("a\u{202e}b\u{0}\n\t c\u{feff}\u{fffe}d  "), "a\\u{202e}b c\\u{feff}d");
        assert_eq!(clean("e\u{301}\u{301}\u{301}\u{301}x"), "e\u{301}\u{301}x");
        assert_eq!(clean("<b>&\"'"), "<b>&\"'");
        assert_eq!(clean(&"x".repeat(100_000)).chars().count(), MOST_CHARS + 1);
        assert_eq!(clean("\u{202e}"), "\\u{202e}");
        assert_eq!(clean(&clean("a\u{3164}b")), "a\\u{3164}b");
    }

    #[test]
    fn cuts_to_the_room() {
        let cut = fit(&"wide label ".repeat(30), FACE, 400);
        assert!(cut.ends_with('…') && width(&cut, FACE) <= 400, "{cut}");
        assert_eq!(fit("short", FACE, 400), "short");
        assert_eq!(fit("short", FACE, 1), "");
    }

    #[test]
    fn wraps_and_shows_that_there_was_more() {
        let lines = wrap(&"some words that go on ".repeat(20), FACE, 800, 2);
        assert_eq!(lines.len(), 2);
        assert!(lines[1].ends_with('…'));
        assert!(lines.iter().all(|l| width(l, FACE) <= 800));
        assert_eq!(wrap("one", FACE, 800, 2), ["one"]);
    }
}
