//! User information in URLs: `https://user:password@host`.
//!
//! In: a text. Out: where it is. A user name alone stays, since clone addresses of Azure DevOps name the organisation
//! there; one that was drawn by chance is a token.

use super::pairs::is_placeholder;
use super::{MARK, SecretKind, is_opaque};
use std::ops::Range;

pub(super) fn find(text: &str) -> Vec<(Range<usize>, SecretKind)> {
    let mut found = Vec::new();
    for at in memchr::memmem::find_iter(text.as_bytes(), "://") {
        let start = at + 3;
        let ends =
            |c: char| c.is_whitespace() || c.is_control() || matches!(c, '"' | '\'' | '<' | '>' | '`' | '\\');
        let rest = &text[start..];
        let url = &rest[..rest.find(ends).unwrap_or(rest.len())];
        // A second address in the same word begins with its own scheme.
        let url = &url[..url.find("://").unwrap_or(url.len())];
        if let Some(length) = user_information(url) {
            found.push((start..start + length, SecretKind::Address));
        }
    }
    encoded(text, &mut found);
    found
}

/// Addresses that are the value of a parameter of another, encoded once or twice: `https%3A%2F%2Fuser%3Apw%40host`.
fn encoded(text: &str, found: &mut Vec<(Range<usize>, SecretKind)>) {
    for (scheme, colon, at, slash) in
        [("%3a%2f%2f", "%3a", "%40", "%2f"), ("%253a%252f%252f", "%253a", "%2540", "%252f")]
    {
        let low = text.to_ascii_lowercase();
        for scheme_at in memchr::memmem::find_iter(low.as_bytes(), scheme) {
            let start = scheme_at + scheme.len();
            let ends = |c: char| {
                c.is_whitespace()
                    || c.is_control()
                    || matches!(c, '"' | '\'' | '<' | '>' | '`' | '\\' | '&' | '/' | '?')
            };
            let rest = &low[start..];
            let authority = &rest[..rest.find(ends).unwrap_or(rest.len())];
            let authority = &authority[..authority.find(slash).unwrap_or(authority.len())];
            let Some(length) = authority.rfind(at) else { continue };
            let user = &authority[..length];
            let password =
                user.find(colon).map(|n| n + colon.len()).or_else(|| user.find(':').map(|n| n + 1));
            let secret = match password {
                Some(from) => from < length && !is_placeholder(&text[start + from..start + length]),
                None => is_opaque(user, 20) && user.bytes().all(|b| b.is_ascii_alphanumeric()),
            };
            if secret && !user.contains(MARK) {
                found.push((start..start + length, SecretKind::Address));
            }
        }
    }
}

/// Returns the length of the user information, where there is a secret in it.
fn user_information(url: &str) -> Option<usize> {
    let authority = &url[..url.find(['/', '?', '#']).unwrap_or(url.len())];
    // Each of the two signs may be encoded.
    if let Some(at) =
        authority.rfind('@').or_else(|| authority.rfind("%40").filter(|_| authority.contains(':')))
    {
        let parted = authority[..at].split_once(':').or_else(|| {
            let colon = authority[..at].to_ascii_lowercase().find("%3a")?;
            Some((&authority[..colon], &authority[colon + 3..at]))
        });
        let (user, password) = parted.unwrap_or((&authority[..at], ""));
        let secret = if parted.is_some() {
            !is_placeholder(if password.is_empty() { user } else { password })
        } else {
            is_opaque(user, 20) && user.bytes().all(|b| b.is_ascii_alphanumeric())
        };
        return (secret && !authority[..at].contains(MARK)).then_some(at);
    }
    // A password may have a slash that nobody escaped; a port has not.
    let (user, after) = authority.split_once(':')?;
    let port = !after.is_empty() && after.bytes().all(|b| b.is_ascii_digit());
    if user.starts_with('[') || port || after.is_empty() {
        return None;
    }
    url.rfind('@').filter(|at| *at > authority.len() && !url[..*at].contains(MARK))
}
