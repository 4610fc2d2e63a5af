//! Values that are a secret by the name in front of them: `Password=...`, `"client_secret": "..."`, `sig=...`.
//!
//! In: a text. Out: where the values are. A name counts by its end, so that `DB_PASSWORD` and `SharedAccessKey` do.
//! Placeholders such as `$(Password)` stay.

use super::tokens::end_of;
use super::{MARK, SecretKind, is_opaque};
use std::ops::Range;

/// What a name says of its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Name {
    /// The value is a secret.
    Secret,
    /// The value is a token, unless it is the id of one.
    Token,
    /// The same, and it must be more than a word.
    Variable,
    /// The value is a secret where it was drawn by chance.
    Signature,
    /// The same, and it must be of letters and digits alone.
    Ambiguous,
}

/// Ends of names, in lower case without `_`, `-` and blanks.
const SECRET: [&str; 16] = [
    "password",
    "passwd",
    "pwd",
    "passphrase",
    "accountkey",
    "accesskey",
    "apikey",
    "secretkey",
    "masterkey",
    "subscriptionkey",
    "functionkey",
    "hostkey",
    "clientsecret",
    "appsecret",
    "accesssignature",
    "privatekey",
];
/// The same for tokens, whose ids are written after the same names.
const TOKEN: [&str; 7] =
    ["accesstoken", "refreshtoken", "authtoken", "idtoken", "bearertoken", "sastoken", "personalaccesstoken"];
/// Ends of names of environment variables.
const VARIABLE: [&str; 3] = ["token", "pat", "secret"];
/// Tokens that say where an answer goes on.
const PLACE: [&str; 8] = ["continuation", "page", "next", "sync", "skip", "delta", "resume", "cancellation"];
/// Whole names of signatures.
const SIGNATURE: [&str; 3] = ["sig", "signature", "xfunctionskey"];
/// Whole names that also mean other things, such as the path that Azure DevOps calls the token of a permission.
const AMBIGUOUS: [&str; 3] = ["token", "pat", "secret"];

pub(super) fn find(text: &str) -> Vec<(Range<usize>, SecretKind)> {
    let bytes = text.as_bytes();
    let mut found: Vec<(Range<usize>, SecretKind)> = Vec::new();
    for at in memchr::memchr3_iter(b'=', b':', b'%', bytes) {
        // A sign inside of an encoded address: %3D, or %253D where it was encoded twice.
        let encoded = bytes[at] == b'%';
        if encoded && encoded_sign(bytes, at).is_none() {
            continue;
        }
        if found.last().is_some_and(|(range, _)| at < range.end) {
            continue;
        }
        let Some((name, start)) = name_before(text, at) else { continue };
        if let Some(value) = value_after(text, at, start, name) {
            found.push((value, SecretKind::Key));
        }
    }
    found
}

/// Returns what a name says of its value; nothing for most names.
pub(super) fn name(written: &str) -> Option<Name> {
    // Longer names than these are no names.
    let tail = written.get(written.len().saturating_sub(40)..).unwrap_or(written);
    let plain: String =
        tail.chars().filter(|c| c.is_ascii_alphanumeric()).collect::<String>().to_ascii_lowercase();
    if SECRET.iter().any(|end| plain.ends_with(end)) {
        return Some(Name::Secret);
    }
    if TOKEN.iter().any(|end| plain.ends_with(end)) {
        return Some(Name::Token);
    }
    if SIGNATURE.contains(&plain.as_str()) {
        return Some(Name::Signature);
    }
    if AMBIGUOUS.contains(&plain.as_str()) {
        return Some(Name::Ambiguous);
    }
    let stem = VARIABLE.iter().find_map(|end| plain.strip_suffix(end))?;
    if PLACE.iter().any(|place| stem.ends_with(place)) {
        return None;
    }
    // Only where the name ends with the word itself, and not with signs behind it.
    let (before, end) = tail.split_at_checked(tail.len().checked_sub(plain.len() - stem.len())?)?;
    let before = before.chars().next_back()?;
    match before {
        // An environment variable, such as NPM_TOKEN, is written in capitals.
        '_' if !tail.bytes().any(|b| b.is_ascii_lowercase()) => Some(Name::Token),
        '_' | '-' | '.' => Some(Name::Variable),
        // The end is a word of its own in `apiToken`, not in `compat`.
        _ => (end.starts_with(|c: char| c.is_ascii_uppercase()) && before.is_ascii_lowercase())
            .then_some(Name::Ambiguous),
    }
}

/// Returns what the name of a variable says of its value.
pub(super) fn variable(written: &str) -> Option<Name> {
    let low = written.to_ascii_lowercase();
    let plain = low.replace(['_', '-', '.', ' '], "");
    let named = name(written);
    if named == Some(Name::Secret) {
        return named;
    }
    let ends = ["secret", "token", "credential", "credentials", "connectionstring"];
    // The id of a token may be the value of a variable, too.
    (named.is_some() || ends.iter().any(|end| plain.ends_with(end))).then_some(Name::Token)
}

/// Returns true if a value with such a name is a secret.
pub(super) fn is_secret(name: Name, value: &str) -> bool {
    !value.is_empty()
        && !is_placeholder(value)
        && match name {
            Name::Secret => true,
            Name::Token => !is_id(value),
            Name::Variable => {
                value.len() >= 8 && !value.contains(['/', ' ']) && !is_prose(value) && !is_id(value)
            }
            Name::Signature => is_opaque(value, 16),
            Name::Ambiguous => {
                is_opaque(value, 20) && value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
            }
        }
}

/// Returns true for a GUID or the start of one, as the ids of tokens are: they are what the reports are about.
fn is_id(value: &str) -> bool {
    let value = value.trim_matches(['{', '}', '(', ')', '"']);
    const HYPHENS: [usize; 4] = [8, 13, 18, 23];
    (13..=36).contains(&value.len())
        && value.bytes().enumerate().all(|(i, b)| match HYPHENS.contains(&i) {
            true => b == b'-',
            false => b.is_ascii_hexdigit(),
        })
}

/// Returns true for words and paths, which people write behind a name with a colon: no digit, no special character, and
/// no capital inside of a word.
fn is_prose(value: &str) -> bool {
    let value = value.trim_end_matches(['.', '!', '?', ',']);
    let inner_capital = |pair: &[u8]| pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase();
    let special = |b: u8| {
        b.is_ascii_digit() || matches!(b, b'~' | b'!' | b'#' | b'%' | b'^' | b'*' | b'+' | b'=' | b'@' | b'$')
    };
    !value.bytes().any(special)
        && (value.contains(['/', '\\']) || !value.as_bytes().windows(2).any(inner_capital))
}

/// Returns true for what stands for a secret without being one.
pub(super) fn is_placeholder(value: &str) -> bool {
    let words = ["true", "false", "null", "none", "undefined", "password", "secret", "pat", "token"];
    value.starts_with(MARK)
        || ["$(", "${", "{{", "<", "$env:"].iter().any(|open| value.starts_with(open))
        || value.starts_with('%') && value.len() > 2 && value.ends_with('%')
        || value.starts_with('$') && value[1..].bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        || value.bytes().all(|b| matches!(b, b'*' | b'.' | b'x' | b'X' | b'-'))
        || words.iter().any(|word| value.eq_ignore_ascii_case(word))
}

/// Returns where an encoded `=` that starts at `at` ends.
fn encoded_sign(bytes: &[u8], at: usize) -> Option<usize> {
    let sign = |sign: &[u8]| {
        bytes
            .get(at..at + sign.len())
            .is_some_and(|b| b.eq_ignore_ascii_case(sign))
            .then_some(at + sign.len())
    };
    sign(b"%3D").or_else(|| sign(b"%253D"))
}

/// Returns the name that ends before the sign at `at`, and where it starts.
fn name_before(text: &str, at: usize) -> Option<(Name, usize)> {
    let before = text[..at].trim_end_matches([' ', '"', '\'', '\\']);
    let word = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
    let length = before.bytes().rev().take_while(word).count();
    let mut start = before.len() - length;
    // What is left of an encoded sign is no part of the name: `%26sig`.
    if before[..start].ends_with('%') && length > 2 {
        start += if before[start..].starts_with("25") && length > 4 { 4 } else { 2 };
    }
    Some((name(&before[start..])?, start))
}

/// Returns where the secret after the sign at `at` is.
fn value_after(text: &str, at: usize, start: usize, name: Name) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    if let Some(from) = encoded_sign(bytes, at) {
        let rest = text.get(from..).filter(|rest| !rest.starts_with(MARK))?;
        let and = ["%26", "%2526"].iter().filter_map(|and| rest.find(and)).min().unwrap_or(rest.len());
        let ends = |c: char| {
            c.is_whitespace() || c.is_control() || matches!(c, '&' | ';' | '"' | '\'' | '<' | '>' | '\\')
        };
        let value = &rest[..rest.find(ends).unwrap_or(rest.len()).min(and)];
        return is_secret(name, value).then_some(from..from + value.len());
    }
    let blanks = end_of(bytes, at + 1, |b| b == b' ');
    let quote = end_of(bytes, blanks, |b| b == b'\\');
    if let Some(sign @ (b'"' | b'\'')) = bytes.get(quote) {
        let from = quote + 1;
        let to = from + memchr::memchr(*sign, bytes.get(from..)?)?;
        let value = text.get(from..to)?.trim_end_matches('\\');
        return is_secret(name, value).then_some(from..from + value.len());
    }
    let colon = bytes[at] == b':';
    let query = start > 0 && matches!(bytes[start - 1], b'?' | b'&');
    let ends = |c: char| {
        c.is_whitespace() || c.is_control() || matches!(c, ';' | '"' | '\'' | '<' | '>') || query && c == '&'
    };
    let rest = text.get(blanks..).filter(|rest| !rest.starts_with(MARK))?;
    let value = rest[..rest.find(ends).unwrap_or(rest.len())].trim_end_matches(['\\', ')', ']', '}', ',']);
    // "password: changed" is prose, and a colon before a slash begins an address.
    let prose = colon && (is_prose(value) || value.len() < 6 || value.starts_with("//"));
    // A blank after `=` ends the pair in all but hand-written text.
    let gap = blanks > at + 1 && !colon && value.len() < 6;
    (!prose && !gap && is_secret(name, value)).then_some(blanks..blanks + value.len())
}
