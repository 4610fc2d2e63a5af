//! The outside of an answer: how many rows, is there more, where.
//!
//! In: a page's bytes. Out: counts and page tokens; the rows themselves are skipped, not built. A byte-order
//! mark is taken off, and a stray backslash (the audit log sends some inside group names) is mended.

use super::client::ReadError;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny, SeqAccess, Visitor};
use std::borrow::Cow;

/// The outside of an audit page.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AuditEnvelope {
    /// Entries on the page.
    pub entries: u64,
    /// Where the next page is; comes even at the end.
    pub continuation_token: Option<String>,
    /// Whether there is a next page; nothing where the service does not say.
    pub has_more: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawAudit {
    decorated_audit_log_entries: Option<Count>,
    continuation_token: Option<String>,
    has_more: Option<bool>,
    // The official example wraps the answer, every known client finds it bare.
    value: Option<Box<Self>>,
}

/// Reads the outside of an audit page, bare or inside `value`.
pub(super) fn audit(bytes: &[u8]) -> Result<AuditEnvelope, ReadError> {
    let raw: RawAudit = read(bytes)?;
    let raw = match raw {
        RawAudit { decorated_audit_log_entries: None, value: Some(inner), .. } => *inner,
        raw => raw,
    };
    if raw.decorated_audit_log_entries.is_none() && raw.has_more.is_none() {
        return Err(ReadError::Wrong("neither decoratedAuditLogEntries nor hasMore is there".to_owned()));
    }
    Ok(AuditEnvelope {
        entries: raw.decorated_audit_log_entries.map_or(0, |count| count.0),
        continuation_token: raw.continuation_token.filter(|token| !token.is_empty()),
        has_more: raw.has_more,
    })
}

/// Reads any answer, mending it where it would not parse otherwise.
pub(super) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ReadError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let error = match serde_json::from_slice(bytes) {
        Ok(value) => return Ok(value),
        Err(error) => error,
    };
    let error = match mend_escapes(bytes) {
        Cow::Owned(mended) => match serde_json::from_slice(&mended) {
            Ok(value) => return Ok(value),
            Err(error) => error,
        },
        Cow::Borrowed(_) => error,
    };
    Err(if error.is_eof() { ReadError::Cut } else { ReadError::Wrong(error.to_string()) })
}

/// Doubles every backslash that begins no JSON escape; everything else stays as it is.
#[must_use]
pub fn mend_escapes(bytes: &[u8]) -> Cow<'_, [u8]> {
    let mut mended: Option<Vec<u8>> = None;
    let mut kept = 0;
    let mut at = 0;
    while let Some(found) = memchr::memchr(b'\\', &bytes[at..]) {
        let slash = at + found;
        let good = match bytes.get(slash + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => true,
            Some(b'u') => {
                bytes.get(slash + 2..slash + 6).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit))
            }
            _ => false,
        };
        if !good {
            let out = mended.get_or_insert_with(|| Vec::with_capacity(bytes.len() + 16));
            out.extend_from_slice(&bytes[kept..=slash]);
            out.push(b'\\');
            kept = slash + 1;
        }
        at = if good { slash + 2 } else { slash + 1 };
    }
    match mended {
        Some(mut out) => {
            out.extend_from_slice(&bytes[kept..]);
            Cow::Owned(out)
        }
        None => Cow::Borrowed(bytes),
    }
}

/// Counts the elements of an array and builds none.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Count(pub u64);

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Counter;
        impl<'de> Visitor<'de> for Counter {
            type Value = Count;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an array")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Count, A::Error> {
                let mut count = 0;
                while seq.next_element::<IgnoredAny>()?.is_some() {
                    count += 1;
                }
                Ok(Count(count))
            }
        }
        deserializer.deserialize_seq(Counter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_envelopes_read_alike() {
        let bare = br#"{"decoratedAuditLogEntries":[{"data":{"hasMore":true,"continuationToken":"no"}},{}],"continuationToken":"t","hasMore":false}"#;
        let expected =
            AuditEnvelope { entries: 2, continuation_token: Some("t".to_owned()), has_more: Some(false) };
        assert_eq!(audit(bare), Ok(expected.clone()));
        let wrapped = [br#"{"value":"#.as_slice(), bare, b"}"].concat();
        assert_eq!(audit(&wrapped), Ok(expected.clone()));
        assert_eq!(audit(&[b"\xef\xbb\xbf".as_slice(), &wrapped].concat()), Ok(expected));
        assert_eq!(audit(br#"{"hasMore":true}"#).map(|e| e.has_more), Ok(Some(true)));
    }

    #[test]
    fn a_cut_page_is_told_from_a_wrong_one() {
        let page = br#"{"decoratedAuditLogEntries":[{"details":"[P]\Group"}],"hasMore":false}"#;
        assert_eq!(audit(page).map(|e| e.entries), Ok(1));
        for end in 1..page.len() {
            assert_eq!(audit(&page[..end]), Err(ReadError::Cut), "{end}");
        }
        assert_eq!(audit(b""), Err(ReadError::Cut));
        assert!(matches!(audit(br#"{"count":0}"#), Err(ReadError::Wrong(_))));
        assert!(matches!(audit(b"{]"), Err(ReadError::Wrong(_))));
    }

    #[test]
    fn mending_changes_only_what_is_broken() {
        let good = br#"a\\b\"c\u00e9\/\n"#;
        assert!(matches!(mend_escapes(good), Cow::Borrowed(_)));
        assert_eq!(mend_escapes(br"[P]\Group\\x\u12G4\").as_ref(), br"[P]\\Group\\x\\u12G4\\");
    }
}
