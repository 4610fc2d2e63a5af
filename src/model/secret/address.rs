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
    found
}

/// Returns the length of the user information, where there is a secret in it.
fn user_information(url: &str) -> Option<usize> {
    let authority = &url[..url.find(['/', '?', '#']).unwrap_or(url.len())];
    if let Some(at) = authority.rfind('@') {
        let (user, password) = authority[..at].split_once(':').unwrap_or((&authority[..at], ""));
        let secret = if authority[..at].contains(':') {
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
