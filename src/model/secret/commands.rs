//! Credentials in command lines: `curl -u user:password`, `--user user:password`, `--password ...`.
//!
//! In: a text. Out: where they are. A value after `=` is found by [`super::pairs`].

use super::pairs::{Name, is_placeholder, is_secret, name};
use super::tokens::end_of;
use super::{MARK, SecretKind};
use std::ops::Range;

pub(super) fn find(text: &str) -> Vec<(Range<usize>, SecretKind)> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    for at in memchr::memchr_iter(b'-', bytes) {
        // An option begins a word; inside of JSON it may follow a quote.
        if at > 0 && !matches!(bytes[at - 1], b' ' | b'\t' | b'\n' | b'\r' | b'"' | b'\'') {
            continue;
        }
        let long = bytes.get(at + 1) == Some(&b'-');
        let start = at + 1 + usize::from(long);
        let end = end_of(bytes, start, |b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
        let option = &text[start..end];
        let value = match option {
            // The name of a user follows -u at once or behind a blank.
            _ if !long && option.starts_with('u') => start + 1,
            "user" | "proxy-user" if long => end,
            _ if long && name(option).is_some() => end,
            _ => continue,
        };
        if let Some(range) = secret_at(text, value, !long || name(option).is_none(), name(option)) {
            found.push((range, SecretKind::Key));
        }
    }
    found
}

/// Returns the secret of the value that starts at `from`: a pair of user and password, or what `name` says.
fn secret_at(text: &str, from: usize, pair: bool, name: Option<Name>) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    // Options in a list of arguments stand in quotes of their own.
    let gap = end_of(bytes, from, |b| matches!(b, b' ' | b'\t' | b'=' | b'"' | b'\'' | b',' | b'\\'));
    if gap == from && !pair {
        return None;
    }
    let quote =
        gap.checked_sub(1).and_then(|at| bytes.get(at)).filter(|b| matches!(b, b'"' | b'\'')).copied();
    let ends = |c: char| match quote {
        Some(quote) => c == char::from(quote) || c == '\\',
        None => c.is_whitespace() || matches!(c, '"' | '\'' | '|' | ';' | '<' | '>'),
    };
    let rest = text.get(gap..)?;
    let value = &rest[..rest.find(ends).unwrap_or(rest.len())];
    if value.starts_with(['-', '$']) || value.starts_with(MARK) {
        return None;
    }
    if !pair {
        return is_secret(name?, value).then_some(gap..gap + value.len());
    }
    let colon = value.find(':')?;
    let (user, password) = (&value[..colon], &value[colon + 1..]);
    // An address or a drive is no pair of user and password, and neither is one without a password.
    let number = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if number(user) && number(password) {
        // The ids of a user and a group, as containers take them.
        return None;
    }
    let plain = !password.is_empty() && !password.starts_with(['/', '\\']) && !user.contains(['/', '{', '[']);
    (plain && !is_placeholder(password)).then_some(gap + colon + 1..gap + value.len())
}

#[cfg(test)]
mod tests {
    use crate::model::secret::covered;

    #[test]
    fn passwords_of_command_lines_are_masked() {
        for (text, shown) in [
            ("curl -u ann:pw1 https://h/x", "curl -u ann:[redacted] https://h/x"),
            ("curl -sS -u :abc https://h", "curl -sS -u :[redacted] https://h"),
            ("curl -uann:pw https://h", "curl -uann:[redacted] https://h"),
            ("curl --user 'ann:p w' h", "curl --user 'ann:[redacted]' h"),
            ("curl --user=ann:pw h", "curl --user=ann:[redacted] h"),
            ("curl --proxy-user \"a:b\"", "curl --proxy-user \"a:[redacted]\""),
            ("az login --password hunter2 -t x", "az login --password [redacted] -t x"),
            ("x --api-key 'k1'", "x --api-key '[redacted]'"),
            (r#"["-u","ann:pw"]"#, r#"["-u","ann:[redacted]"]"#),
        ] {
            assert_eq!(covered(text), shown);
            assert_eq!(covered(shown), shown);
        }
        for text in [
            "git push -u origin main",
            "docker run -u 1000 x",
            "docker run -u 1000:1000 x",
            "-u C:\\x",
            "--user ann",
            "curl -u $USER:$PASSWORD h",
            "curl -u ann: h",
            "tool --password --verbose",
            "az devops login --token a718550e-4777-4058-8298-bff88d0cb524",
        ] {
            assert_eq!(covered(text), text);
        }
    }
}
