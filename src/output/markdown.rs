//! Markdown that pastes into a pull request or a wiki: whatever a name holds, it stays text.
//!
//! In: text and tables. Out: Markdown. Mentions, issue numbers and links are resolved by the forges after
//! rendering, where a backslash is gone; a zero-width space breaks those.

use std::fmt::Write as _;

/// Returns `text` as Markdown that shows exactly that text, on one line.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '@' => out.push_str("\\@&#8203;"),
            '#' => out.push_str("\\#&#8203;"),
            ':' if chars.peek() == Some(&'/') => out.push_str("\\:&#8203;"),
            // Two of them before a word are a command to GitHub Actions, which reads along.
            ':' if chars.peek() == Some(&':') => out.push_str("\\:"),
            '.' if ends_with_www(&out) => out.push_str("\\.&#8203;"),
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '(' | ')' | '+' | '!' | '|' | '~' | '$'
            | '=' | '^' => {
                out.push('\\');
                out.push(c);
            }
            // A dash, and digits before a dot, mean something at the start of a line only.
            '-' if out.is_empty() => out.push_str("\\-"),
            '.' if !out.is_empty() && out.bytes().all(|b| b.is_ascii_digit()) => out.push_str("\\."),
            '\n' | '\r' | '\t' => out.push(' '),
            c if super::terminal::is_deceptive(c) => {
                // The braces of the written-out form are punctuation as well.
                let _ = write!(out, "\\\\u\\{{{:x}\\}}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    let trimmed = out.trim();
    if trimmed.len() == out.len() { out } else { trimmed.to_owned() }
}

fn ends_with_www(text: &str) -> bool {
    let tail = text.len().saturating_sub(3);
    text.get(tail..).is_some_and(|t| t.eq_ignore_ascii_case("www"))
}

/// Returns a table; cells are escaped here, so they come as plain text.
#[must_use]
pub fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let line = |cells: &mut dyn Iterator<Item = String>| {
        let cells: Vec<String> = cells.collect();
        format!("| {} |\n", cells.join(" | "))
    };
    let mut out = line(&mut head.iter().map(|h| escape(h)));
    out.push_str(&line(&mut head.iter().map(|_| "---".to_owned())));
    for row in rows {
        out.push_str(&line(&mut row.iter().map(|c| escape(c))));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn hostile_names_stay_text() {
        assert_eq!(escape("a|b\n# c"), "a\\|b \\#&#8203; c");
        assert_eq!(escape("<img src=x>"), "&lt;img src\\=x&gt;");
        assert_eq!(escape("[x](http://y)"), "\\[x\\]\\(http\\:&#8203;//y\\)");
        assert_eq!(escape("@admin `rm`"), "\\@&#8203;admin \\`rm\\`");
        assert_eq!(escape("AB#12 www.x"), "AB\\#&#8203;12 www\\.&#8203;x");
        assert_eq!(escape("- 1. x"), "\\- 1. x");
        assert_eq!(escape("::error::x"), "\\::error\\::x");
        assert!(!escape("##vso[x]##[y]").contains("##"));
        assert_eq!(escape("1. x"), "1\\. x");
    }

    proptest! {
        #[test]
        fn no_markup_survives(text in "[ -~\\n\\r\\t\u{202e}\u{0}é]{0,60}") {
            let out = escape(&text);
            let bare = out.contains(['\n', '\r', '<', '>', '\0', '\u{202e}']);
            prop_assert!(!bare);
            let mut escaped = false;
            for (i, c) in out.char_indices() {
                if escaped { escaped = false; continue; }
                match c {
                    '\\' => escaped = true,
                    '`' | '*' | '_' | '[' | ']' | '|' | '~' | '@' => prop_assert!(false, "{c} bare in {out}"),
                    // The zero-width space's own reference is the one place with a bare hash.
                    '#' => prop_assert!(out[..i].ends_with('&')),
                    _ => {}
                }
            }
            prop_assert!(!out.contains("://"));
        }
    }
}
