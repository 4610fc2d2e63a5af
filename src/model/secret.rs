//! What looks like a credential: text from anywhere in, the same text without credentials out.
//!
//! It works by shape, so it also catches secrets that patwatch was never given: a PAT that somebody pasted into a record,
//! a column or a file name.

use std::borrow::Cow;

/// What stands in the place of a credential.
pub const MARK: &str = "[redacted]";

/// Returns `text` without anything that looks like a PAT or a bearer token.
#[must_use]
pub fn covered(text: &str) -> Cow<'_, str> {
    let words = text.split(|c| !is_token_char(c));
    if words.clone().all(|word| cover(word) == word) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    for word in words {
        out.push_str(cover(word));
        rest = &rest[word.len()..];
        if let Some(between) = rest.chars().next() {
            out.push(between);
            rest = &rest[between.len_utf8()..];
        }
    }
    Cow::Owned(out)
}

/// Returns the first characters of a text that may be long, to be shown. Half a PAT no longer looks like one, so it is
/// covered before it is cut.
#[must_use]
pub fn start(text: &str, chars: usize) -> String {
    const LONGEST_WORD: usize = 256;
    let near: String = text.chars().take(chars + LONGEST_WORD).collect();
    covered(&near).chars().take(chars).collect()
}

/// Characters of which credentials are made: base64 in both alphabets and the dots of a JWT.
#[must_use]
pub const fn is_token_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '+' | '/' | '=' | '~')
}

/// Returns a word of such characters, or [`MARK`] for one that holds a credential.
#[must_use]
pub fn cover(word: &str) -> &str {
    if is_jwt(word) || word.split(|c: char| !c.is_ascii_alphanumeric()).any(is_pat) { MARK } else { word }
}

/// Source: facts, section 7: 84 characters with `AZDO` at offset 76 since July 2024; before, 52 of a-z2-7.
///
/// Longer runs are covered too, since a PAT glued to other text is still a PAT.
fn is_pat(run: &str) -> bool {
    let new = run.len() >= 84 && run.get(76..).is_some_and(|tail| tail.contains("AZDO"));
    let mut base32 = 0;
    let old = run.bytes().any(|c| {
        base32 = if matches!(c, b'a'..=b'z' | b'2'..=b'7') { base32 + 1 } else { 0 };
        base32 >= 52
    });
    new || old
}

fn is_jwt(word: &str) -> bool {
    word.find("eyJ").is_some_and(|at| {
        let tail = &word[at..];
        tail.len() >= 20 && tail.contains('.')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pat_is_covered_wherever_it_stands() {
        let new = format!("{}AZDO{}", "a1B2".repeat(19), "Wx9z");
        let old = "abcd".repeat(13);
        for secret in [new.as_str(), &old] {
            for text in [secret.to_owned(), format!("é: \"{secret}\", b"), format!("x={secret}\ny")] {
                let shown = covered(&text);
                assert!(!shown.contains(secret) && shown.contains(MARK), "{shown}");
                assert_eq!(shown.replace(MARK, secret), text.replace("x=", ""), "the rest stays");
            }
            assert_eq!(start(&format!("x {secret} y"), 40), format!("x {MARK} y"));
            assert!(!start(&format!("{} {secret}", "x".repeat(34)), 40).contains("abcd"));
        }
        let plain = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 é";
        assert_eq!(covered(plain), plain);
        assert_eq!(start("é".repeat(900).as_str(), 3), "ééé");
    }
}
