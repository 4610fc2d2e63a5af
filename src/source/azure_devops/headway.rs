//! Whether a walk from page to page still gets anywhere.
//!
//! In: the body of each page. Out: nothing, or the reason why the walk has to end. A service that always says that more
//! follows would otherwise keep a pull busy for ever, each time with another page token.

use super::envelope::mend_escapes;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::hash::{BuildHasher as _, RandomState};

/// Pages in a row that may bring no new row. The services cut pages first and filter them afterwards, so a few empty
/// pages in a row are normal. Fifty are not.
pub(super) const IDLE_PAGES: u32 = 50;

/// Pages of one walk, such as a day of the audit log: 20 million events where a page has only 200, far more than the
/// largest organisations make in a day.
pub(super) const MAX_PAGES: u32 = 100_000;

/// What the pages of a walk have brought so far.
#[derive(Debug, Default)]
pub(super) struct Headway {
    /// Hashes of the rows seen.
    seen: HashSet<u64>,
    hasher: RandomState,
    pages: u32,
    idle: u32,
}

impl Headway {
    /// Counts a page after which more are said to follow.
    ///
    /// # Errors
    /// The reason why no further page is worth asking for.
    pub fn page(&mut self, body: &[u8]) -> Result<(), String> {
        self.pages += 1;
        let before = self.seen.len();
        let hasher = &self.hasher;
        let seen = &mut self.seen;
        each_row(body, &mut |row| {
            seen.insert(hasher.hash_one(row));
        });
        self.idle = if self.seen.len() > before { 0 } else { self.idle + 1 };
        if self.idle >= IDLE_PAGES {
            return Err(format!(
                "each of the last {IDLE_PAGES} of {} pages brought no new row, and the service still says that more follow",
                self.pages
            ));
        }
        if self.pages >= MAX_PAGES {
            return Err(format!("after {MAX_PAGES} pages the service still says that more follow"));
        }
        Ok(())
    }
}

/// Calls `each` with the text of every row of a page: the elements of its arrays, also one object further inside, as the
/// official example of the audit log has them. A page that cannot be read counts as one row.
fn each_row(body: &[u8], each: &mut dyn FnMut(&str)) {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let body = match serde_json::from_slice::<&RawValue>(body) {
        Ok(_) => Cow::Borrowed(body),
        Err(_) => mend_escapes(body),
    };
    match serde_json::from_slice::<&RawValue>(&body) {
        Ok(value) => rows_of(value, 2, each),
        Err(_) => each(&String::from_utf8_lossy(&body)),
    }
}

fn rows_of(value: &RawValue, levels: usize, each: &mut dyn FnMut(&str)) {
    if let Ok(rows) = serde_json::from_str::<Vec<&RawValue>>(value.get()) {
        rows.into_iter().for_each(|row| each(row.get()));
    } else if levels > 0
        && let Ok(members) = serde_json::from_str::<BTreeMap<Cow<'_, str>, &RawValue>>(value.get())
    {
        members.into_values().for_each(|member| rows_of(member, levels - 1, each));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(body: &str) -> Vec<String> {
        let mut rows = Vec::new();
        each_row(body.as_bytes(), &mut |row| rows.push(row.to_owned()));
        rows
    }

    #[test]
    fn rows_are_found_in_every_envelope() {
        for body in [
            r#"{"decoratedAuditLogEntries":[{"id":"a"},{"id":[1]}],"continuationToken":"t","hasMore":true}"#,
            r#"{"value":{"decoratedAuditLogEntries":[{"id":"a"},{"id":[1]}],"hasMore":true}}"#,
            "\u{feff}{\"count\":2,\"value\":[{\"id\":\"a\"},{\"id\":[1]}]}",
            r#"[{"id":"a"},{"id":[1]}]"#,
        ] {
            assert_eq!(rows(body), [r#"{"id":"a"}"#, r#"{"id":[1]}"#], "{body}");
        }
        assert_eq!(rows(r#"{"value":[{"details":"[P]\Group"}]}"#).len(), 1, "a stray backslash is mended");
        assert_eq!(rows(r#"{"value":[],"continuationToken":"new"}"#), [""; 0]);
    }

    #[test]
    fn a_walk_ends_after_pages_without_a_new_row() {
        let mut headway = Headway::default();
        for n in 0..200 {
            assert_eq!(headway.page(format!(r#"{{"value":[{{"id":{n}}}]}}"#).as_bytes()), Ok(()));
        }
        let again = |n: u32| format!(r#"{{"value":[{{"id":7}}],"continuationToken":"{n}"}}"#);
        for n in 1..IDLE_PAGES {
            assert_eq!(headway.page(again(n).as_bytes()), Ok(()), "{n}");
        }
        let why = headway.page(again(IDLE_PAGES).as_bytes()).expect_err("no headway");
        assert!(why.contains("last 50 of 250 pages"), "{why}");
    }

    #[test]
    fn a_walk_of_new_rows_without_end_ends_too() {
        let mut headway = Headway { pages: MAX_PAGES - 2, ..Headway::default() };
        assert_eq!(headway.page(br#"{"value":[{"id":1}]}"#), Ok(()));
        let why = headway.page(br#"{"value":[{"id":2}]}"#).expect_err("too many");
        assert!(why.contains("100000 pages"), "{why}");
    }
}
