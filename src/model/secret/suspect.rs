//! A quick look at a text: whether a credential may be in it.
//!
//! In: a text. Out: true where a closer look is due. Nearly all texts of a log end here, so each mark of a credential is
//! looked for by its rarest byte, three bytes in one pass, and old PATs by a look at every 52nd byte.

use memchr::{memchr, memchr3_iter};
use std::sync::LazyLock;

/// Marks without a rare byte.
static COMMON: LazyLock<[memchr::memmem::Finder<'static>; 7]> = LazyLock::new(|| {
    ["ecret", "ECRET", "phrase", "glpat-", "-u", "hvs.", "ensitive\""].map(memchr::memmem::Finder::new)
});

/// Returns true if `text` may have a credential in it.
#[must_use]
pub fn is_suspect(text: &str) -> bool {
    let bytes = text.as_bytes();
    // The shortest that is masked is a name, a sign and a character, such as `pwd=x`.
    bytes.len() >= 5
        && (memchr(b'=', bytes).is_some()
            || has_run(bytes)
            || memchr3_iter(b'Z', b'z', b'Q', bytes).any(|at| is_token(bytes, at))
            || memchr3_iter(b'J', b'j', b'_', bytes).any(|at| is_token(bytes, at))
            || memchr3_iter(b'x', b'~', b'I', bytes).any(|at| is_token(bytes, at))
            || memchr3_iter(b'w', b'W', b'V', bytes).any(|at| is_name(bytes, at))
            || memchr3_iter(b'K', b'k', b'%', bytes).any(|at| is_name(bytes, at))
            || memchr3_iter(b'B', b'b', b'@', bytes).any(|at| is_scheme(bytes, at))
            || COMMON.iter().any(|mark| mark.find(bytes).is_some()))
}

/// Returns true if the piece around `at` that begins `before` bytes earlier is `mark`.
fn around(bytes: &[u8], at: usize, before: usize, mark: &[u8]) -> bool {
    at.checked_sub(before).and_then(|from| bytes.get(from..)).is_some_and(|piece| piece.starts_with(mark))
}

/// Marks inside of tokens.
fn is_token(bytes: &[u8], at: usize) -> bool {
    let is = |before, mark: &[u8]| around(bytes, at, before, mark);
    match bytes[at] {
        b'Z' => is(1, b"AZDO"),
        b'z' => is(1, b"azdo") || is(2, b"AIza"),
        b'Q' => is(1, b"JQQJ99"),
        b'J' | b'j' => is(2, b"eyJ") || is(2, b"eyj"),
        b'_' => {
            is(3, b"gh") || is(3, b"npm_") || is(3, b"hub_pat_")
                // Names of variables, in front of a colon.
                || is(0, b"_PAT") || is(0, b"_pat") || is(0, b"_TOK") || is(0, b"_tok")
                || is(2, b"kr_pat_") || is(2, b"kr_oat_") || is(2, b"sk_live_") || is(2, b"rk_live_")
                || is(3, b"sqp_") || is(3, b"sqa_") || is(3, b"squ_")
        }
        b'x' => is(0, b"xox"),
        b'~' => is(1, b"Q~"),
        _ => is(2, b"AKIA") || is(2, b"ASIA"),
    }
}

/// Names of secrets. Those before `=` need no mark of their own.
fn is_name(bytes: &[u8], at: usize) -> bool {
    let is = |before, mark: &[u8]| around(bytes, at, before, mark);
    // A name ends at a quote, at the sign, or at the backslash of a quote inside of JSON.
    let ends = |from: usize| matches!(bytes.get(from), Some(b'"' | b'\'' | b'\\' | b':' | b' '));
    match bytes[at] {
        b'w' => is(1, b"sw") || is(1, b"pwd") || is(1, b"Pwd"),
        b'W' => is(1, b"SW") || is(1, b"PWD"),
        b'V' => is(0, b"Variables") || is(3, b"PRIVATE KEY"),
        b'%' => [b"%40".as_slice(), b"%2540", b"%3D", b"%3d", b"%253"].iter().any(|sign| is(0, sign)),
        b'k' => {
            is(0, b"key") && ends(at + 3)
                || (is(2, b"token") || is(2, b"Token")) && ends(at + 3)
                || is(1, b"sk-")
                || is(4, b"slack.com")
                || is(6, b"webhook")
                || is(6, b"Webhook")
        }
        _ => (is(0, b"Key") || is(0, b"KEY")) && ends(at + 3) || is(2, b"TOKEN") && ends(at + 3),
    }
}

/// What stands in front of a credential: the name of a scheme, or the user of an address.
fn is_scheme(bytes: &[u8], at: usize) -> bool {
    let rest = &bytes[at + 1..];
    let named = |name: &[u8]| rest.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
    match bytes[at] {
        b'@' => memchr::memmem::rfind(&bytes[..at], b"://").is_some(),
        _ => named(b"earer ") || named(b"asic "),
    }
}

/// Returns true for 52 or more characters of a-z2-7, in small letters or capitals, in a row. Such a run covers one of the bytes looked at.
fn has_run(bytes: &[u8]) -> bool {
    const LENGTH: usize = 52;
    let of = |b: &&u8| matches!(**b, b'a'..=b'z' | b'A'..=b'Z' | b'2'..=b'7');
    let mut at = LENGTH - 1;
    while let Some(b) = bytes.get(at) {
        if of(&b) {
            let before = bytes[..at].iter().rev().take_while(of).count();
            // Where the run starts too late to be long enough by the next look, that look finds it.
            let after = bytes[at..].iter().take(LENGTH).take_while(of).count();
            if before + after >= LENGTH {
                return true;
            }
        }
        at += LENGTH;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_found_wherever_it_starts() {
        for before in 0..130 {
            for after in [0, 1, 60] {
                let text = |n: usize| {
                    format!(
                        "{}{}{}",
                        "1".repeat(before),
                        "abcz".repeat(13)[..n].to_owned(),
                        "8".repeat(after)
                    )
                };
                assert!(has_run(text(52).as_bytes()), "{before} {after}");
                assert!(!has_run(text(51).as_bytes()), "{before} {after}");
            }
        }
    }

    #[test]
    fn ordinary_text_is_not_suspect() {
        for text in [
            "Ann Contoso deleted repository Payments in project Web",
            r#"{"ProjectName":"Web","RepoId":"a718550e-4777-4058-8298-bff88d0cb524"}"#,
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36",
        ] {
            assert!(!is_suspect(text), "{text}");
        }
        assert!(is_suspect("pwd=x"));
    }
}
