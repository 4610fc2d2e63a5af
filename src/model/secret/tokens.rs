//! Credentials that show what they are: PATs, JWTs, what follows `Bearer` or `Basic`, tokens of other services.
//!
//! In: a text. Out: where they are.

use super::{MARK, SecretKind, is_opaque, is_token_char};
use base64::Engine as _;
use std::ops::Range;

type Found = Vec<(Range<usize>, SecretKind)>;

/// A prefix of tokens, the characters that follow, and how many there are at least.
type Prefix = (&'static str, fn(u8) -> bool, usize);

const PREFIXED: &[Prefix] = &[
    ("ghp_", alphanumeric, 36),
    ("gho_", alphanumeric, 36),
    ("ghu_", alphanumeric, 36),
    ("ghs_", alphanumeric, 36),
    ("ghr_", alphanumeric, 36),
    ("github_pat_", word, 22),
    ("glpat-", slug, 20),
    ("dckr_pat_", slug, 20),
    ("dckr_oat_", slug, 20),
    ("sk-proj-", slug, 16),
    ("sk-svcacct-", slug, 16),
    ("sk-ant-", slug, 16),
    ("hvs.", slug, 20),
    ("hvb.", slug, 20),
    ("sk_live_", alphanumeric, 16),
    ("rk_live_", alphanumeric, 16),
    ("sqp_", alphanumeric, 40),
    ("sqa_", alphanumeric, 40),
    ("squ_", alphanumeric, 40),
    ("npm_", alphanumeric, 36),
    ("AIza", slug, 35),
    ("AKIA", upper, 16),
    ("ASIA", upper, 16),
    ("xoxb-", slug, 10),
    ("xoxp-", slug, 10),
    ("xoxa-", slug, 10),
    ("xoxs-", slug, 10),
    ("xoxe-", slug, 10),
    ("xoxr-", slug, 10),
    ("xoxc-", slug, 10),
    ("xoxd-", slug, 10),
    ("xoxo-", slug, 10),
];

pub(super) fn find(text: &str) -> Found {
    let mut found = Vec::new();
    pats(text, &mut found);
    jwts(text, &mut found);
    after_scheme(text, &mut found);
    prefixed(text, &mut found);
    client_secrets(text, &mut found);
    private_keys(text, &mut found);
    found
}

/// Runs of letters and digits, with their start.
fn runs(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    text.split(|c: char| !c.is_ascii_alphanumeric()).filter_map(move |run| {
        let start = at;
        at += run.len() + text[start + run.len()..].chars().next().map_or(0, char::len_utf8);
        (run.len() >= 52).then_some((start, run))
    })
}

/// Source: facts, section 7: 84 characters with `AZDO` at offset 76 since July 2024; before, 52 of a-z2-7, which some tools
/// write in capitals.
///
/// Longer runs are masked too, since a PAT glued to other text is still a PAT. Case does not matter in the new format:
/// some readers write ids in lower case. Digests in hexadecimal digits are not PATs.
fn pats(text: &str, found: &mut Found) {
    for (start, run) in runs(text) {
        let marked = |from: usize, mark: &str| {
            run.as_bytes().get(from..).is_some_and(|tail| {
                tail.windows(mark.len()).any(|part| part.eq_ignore_ascii_case(mark.as_bytes()))
            })
        };
        let new = run.len() >= 84 && (marked(76, "AZDO") || marked(52, "JQQJ99"));
        if new || base32(run) && is_random(run) && !is_digest(run) {
            found.push((start..start + run.len(), SecretKind::Pat));
        }
    }
}

/// Returns true for 52 or more characters of a-z2-7 or of A-Z2-7 in a row.
fn base32(run: &str) -> bool {
    let (mut small, mut capital) = (0, 0);
    run.bytes().any(|c| {
        small = if matches!(c, b'a'..=b'z' | b'2'..=b'7') { small + 1 } else { 0 };
        capital = if matches!(c, b'A'..=b'Z' | b'2'..=b'7') { capital + 1 } else { 0 };
        small.max(capital) >= 52
    })
}

/// Returns true unless one or two characters make up the run, as in padding and rulers.
fn is_random(run: &str) -> bool {
    run.bytes().collect::<std::collections::BTreeSet<u8>>().len() >= 3
}

/// Returns true for SHA-2 digests, by their lengths. By chance a digest has no character that base32 lacks.
fn is_digest(run: &str) -> bool {
    matches!(run.len(), 56 | 64 | 96 | 128) && run.bytes().all(|b| b.is_ascii_hexdigit())
}

fn jwts(text: &str, found: &mut Found) {
    let bytes = text.as_bytes();
    for at in memchr::memchr2_iter(b'e', b'E', bytes) {
        if !bytes.get(at..at + 3).is_some_and(|head| head.eq_ignore_ascii_case(b"eyJ")) {
            continue;
        }
        let piece = |from: usize| end_of(bytes, from, slug);
        let first = piece(at);
        let second = if bytes.get(first) == Some(&b'.') { piece(first + 1) } else { continue };
        let bounded = at == 0 || !bytes[at - 1].is_ascii_alphanumeric();
        let two = first - at >= 10 && second - first > 10;
        let exact = bytes[at..at + 3] == *b"eyJ";
        if two && (bounded || exact) || bounded && exact && second - at >= 20 {
            let end = if bytes.get(second) == Some(&b'.') { piece(second + 1) } else { second };
            found.push((at..end, SecretKind::Bearer));
        }
    }
}

/// What follows the name of a scheme, unless it is prose such as "Basic authentication".
fn after_scheme(text: &str, found: &mut Found) {
    let bytes = text.as_bytes();
    for at in memchr::memchr2_iter(b'b', b'B', bytes) {
        let named = |scheme: &str| {
            bytes.get(at..at + scheme.len()).is_some_and(|head| head.eq_ignore_ascii_case(scheme.as_bytes()))
        };
        if at > 0 && bytes[at - 1].is_ascii_alphanumeric() {
            continue;
        }
        let basic = named("basic ");
        if !basic && !named("bearer ") {
            continue;
        }
        let start = end_of(bytes, at + if basic { 6 } else { 7 }, |b| b == b' ');
        let end = end_of(bytes, start, |b| is_token_char(char::from(b)));
        let Some(word) = text.get(start..end).map(|word| word.trim_end_matches('.')) else { continue };
        if if basic { is_basic(word) } else { is_opaque(word, 20) } {
            found.push((start..start + word.len(), SecretKind::Bearer));
        }
    }
}

/// Returns true for base64 of a user name and a password.
fn is_basic(word: &str) -> bool {
    let engine = base64::engine::general_purpose::STANDARD_NO_PAD;
    word.len() >= 8
        && engine
            .decode(word.trim_end_matches('='))
            .is_ok_and(|pair| pair.contains(&b':') && pair.iter().all(|b| b.is_ascii_graphic() || *b == b' '))
}

fn prefixed(text: &str, found: &mut Found) {
    let bytes = text.as_bytes();
    for (prefix, of, least) in PREFIXED {
        for at in memchr::memmem::find_iter(bytes, prefix) {
            if at > 0 && bytes[at - 1].is_ascii_alphanumeric() {
                continue;
            }
            let end = end_of(bytes, at + prefix.len(), of);
            if end - at - prefix.len() >= *least {
                found.push((at..end, SecretKind::Other));
            }
        }
    }
}

/// Secrets of Entra applications: three characters, a digit, `Q~`, and 31 to 34 more.
fn client_secrets(text: &str, found: &mut Found) {
    let bytes = text.as_bytes();
    let of = |b: u8| slug(b) || matches!(b, b'.' | b'~');
    for at in memchr::memmem::find_iter(bytes, "Q~") {
        let end = end_of(bytes, at + 2, of);
        if at >= 4 && bytes[at - 4..at].iter().all(|b| of(*b)) && end - at - 2 >= 31 {
            found.push((at - 4..end, SecretKind::Other));
        }
    }
}

/// Private keys in PEM, to their end or to that of the text.
fn private_keys(text: &str, found: &mut Found) {
    let mut from = 0;
    while let Some(at) = text[from..].find("-----BEGIN ").map(|at| from + at) {
        let head = text[at..].find("PRIVATE KEY").filter(|n| *n < 40);
        let Some(body) = head.map(|n| at + n + "PRIVATE KEY".len()) else {
            from = at + 1;
            continue;
        };
        if text[body..].trim_start_matches('-').starts_with(MARK) {
            return;
        }
        let end = text[body..].find("PRIVATE KEY").map_or(text.len(), |n| {
            let tail = body + n + "PRIVATE KEY".len();
            end_of(text.as_bytes(), tail, |b| b == b'-')
        });
        found.push((at..end, SecretKind::Other));
        from = end;
    }
}

/// Returns where a run of such bytes ends.
pub(super) fn end_of(bytes: &[u8], from: usize, of: impl Fn(u8) -> bool) -> usize {
    from + bytes.get(from..).unwrap_or_default().iter().take_while(|b| of(**b)).count()
}

fn alphanumeric(b: u8) -> bool {
    b.is_ascii_alphanumeric()
}

fn word(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'_'
}

fn slug(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-')
}

fn upper(b: u8) -> bool {
    b.is_ascii_uppercase() || b.is_ascii_digit()
}
