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
    /// The value is a secret where it was drawn by chance.
    Signature,
    /// The same, and it must be of letters and digits alone.
    Ambiguous,
}

/// Ends of names, in lower case without `_`, `-` and blanks.
const SECRET: [&str; 23] = [
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
    "accesstoken",
    "refreshtoken",
    "authtoken",
    "idtoken",
    "bearertoken",
    "privatekey",
    "sastoken",
    "personalaccesstoken",
];
/// Whole names of signatures.
const SIGNATURE: [&str; 3] = ["sig", "signature", "xfunctionskey"];
/// Whole names that also mean other things, such as the path that Azure DevOps calls the token of a permission.
const AMBIGUOUS: [&str; 3] = ["token", "pat", "secret"];

pub(super) fn find(text: &str) -> Vec<(Range<usize>, SecretKind)> {
    let bytes = text.as_bytes();
    let mut found: Vec<(Range<usize>, SecretKind)> = Vec::new();
    for at in memchr::memchr2_iter(b'=', b':', bytes) {
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
    if SIGNATURE.contains(&plain.as_str()) {
        return Some(Name::Signature);
    }
    AMBIGUOUS.contains(&plain.as_str()).then_some(Name::Ambiguous)
}

/// Returns true if a variable with such a name has a secret as its value.
pub(super) fn is_variable(written: &str) -> bool {
    let low = written.to_ascii_lowercase();
    let plain = low.replace(['_', '-', '.', ' '], "");
    name(written).is_some()
        || ["secret", "token", "credential", "credentials", "connectionstring"]
            .iter()
            .any(|end| plain.ends_with(end))
}

/// Returns true if a value with such a name is a secret.
pub(super) fn is_secret(name: Name, value: &str) -> bool {
    !value.is_empty()
        && !is_placeholder(value)
        && match name {
            Name::Secret => true,
            Name::Signature => is_opaque(value, 16),
            Name::Ambiguous => {
                is_opaque(value, 20) && value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
            }
        }
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

/// Returns the name that ends before the sign at `at`, and where it starts.
fn name_before(text: &str, at: usize) -> Option<(Name, usize)> {
    let before = text[..at].trim_end_matches([' ', '"', '\'', '\\']);
    let word = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
    let length = before.bytes().rev().take_while(word).count();
    let start = before.len() - length;
    Some((name(&before[start..])?, start))
}

/// Returns where the secret after the sign at `at` is.
fn value_after(text: &str, at: usize, start: usize, name: Name) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
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
    let prose =
        colon && (!value.bytes().any(|b| b.is_ascii_digit()) || value.len() < 6 || value.starts_with("//"));
    // A blank after `=` ends the pair in all but hand-written text.
    let gap = blanks > at + 1 && !colon && value.len() < 6;
    (!prose && !gap && is_secret(name, value)).then_some(blanks..blanks + value.len())
}
