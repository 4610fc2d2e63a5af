//! Takes secrets out of any text of a service that may be shown.
//!
//! In: text from servers, from the identity library, from the network layer. Out: the same text with
//! everything that looks like a credential replaced, cut to a length that fits a terminal, without
//! control characters. It works by shape, so it also catches secrets that patwatch was never given.

use crate::model::secret::{MARK, covered, is_token_char};

const LONGEST: usize = 400;

/// Returns `text` without anything that looks like a PAT, a bearer token or a Basic credential.
#[must_use]
pub fn redact(text: &str) -> String {
    let text = covered(text);
    let mut out = String::with_capacity(text.len().min(LONGEST));
    let mut after_scheme = false;
    let mut rest = text.as_ref();
    while let Some(first) = rest.chars().next() {
        let end = rest.find(|c: char| !is_token_char(c)).unwrap_or(rest.len());
        if end == 0 {
            out.push(if first.is_control() { ' ' } else { first });
            rest = &rest[first.len_utf8()..];
            continue;
        }
        let word = &rest[..end];
        out.push_str(if after_scheme && is_opaque(word) { MARK } else { word });
        after_scheme = ["bearer", "basic"].iter().any(|scheme| word.eq_ignore_ascii_case(scheme));
        rest = &rest[end..];
    }
    shorten(out)
}

/// Returns `text` redacted, and with each of `secrets` replaced wherever it stands.
#[must_use]
pub fn redact_known(text: &str, secrets: &[&str]) -> String {
    let mut text = text.to_owned();
    for secret in secrets.iter().filter(|s| s.len() >= 4) {
        text = text.replace(secret, MARK);
    }
    redact(&text)
}

/// Tells a credential after `Basic` or `Bearer` from prose such as "Basic authentication".
fn is_opaque(word: &str) -> bool {
    word.len() >= 24 || word.len() >= 8 && (word.contains('=') || word.bytes().any(|c| c.is_ascii_digit()))
}

fn shorten(mut text: String) -> String {
    if text.len() > LONGEST {
        let cut = (0..=LONGEST).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.truncate(cut);
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new_pat() -> String {
        format!("{}AZDO{}", "a1B2".repeat(19), "Wx9z")
    }

    #[test]
    fn covers_every_form_of_credential() {
        let old = "abcd".repeat(13);
        let jwt = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJtZSJ9.c2ln";
        for secret in [new_pat().as_str(), &old, jwt] {
            for text in [
                format!("it was {secret}."),
                format!("https://u:{secret}@host/x?token={secret}&y"),
                format!("\"{secret}\""),
                format!("key_{secret}"),
            ] {
                let shown = redact(&text);
                assert!(!shown.contains(secret), "{shown}");
                assert!(shown.contains(MARK), "{shown}");
            }
        }
        assert_eq!(redact("Authorization: Bearer shorttoken1"), format!("Authorization: Bearer {MARK}"));
        assert_eq!(redact("basic OnNlY3JldA=="), format!("basic {MARK}"));
    }

    #[test]
    fn leaves_ordinary_text_alone() {
        let text = "TF400813: user 'a718550e-4777-4058-8298-bff88d0cb524' is not authorized, sha256 \
                    9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
        assert_eq!(redact(text), text);
        assert_eq!(redact("Basic authentication is off"), "Basic authentication is off");
        assert_eq!(redact("a\u{1b}[31mb\nc"), "a [31mb c");
        assert!(redact(&"é ".repeat(900)).len() < 410);
    }

    #[test]
    fn covers_known_secrets_of_any_shape() {
        assert_eq!(
            redact_known("password hunter22 refused", &["hunter22"]),
            format!("password {MARK} refused")
        );
    }
}
