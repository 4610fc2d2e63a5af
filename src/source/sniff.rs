//! Tells from the first bytes of a text how it is cut into records.

use super::KindHint;
use super::table::NoHeader;
use super::{nested, table};

/// How a text is cut into records.
#[derive(Debug)]
pub(super) enum Framing {
    /// One record a line.
    Lines,
    /// Pages, arrays, records end to end.
    Nested,
    /// CSV with this header.
    Table(table::Header),
    /// A known kind that cannot be read like this; says why, and what to do.
    Refused(String),
    /// None that is known; says what was found.
    Unknown(String),
}

/// Looks at the first bytes of a text; `whole` tells that there are no more.
pub(super) fn sniff(head: &[u8], whole: bool, hint: KindHint) -> Framing {
    let start = head.trim_ascii_start();
    match start.first() {
        None if whole => Framing::Unknown("it is empty".to_owned()),
        None => Framing::Unknown("it starts with nothing but blanks".to_owned()),
        Some(b'{' | b'[' | b'<') if is_python(start) => Framing::Refused(PYTHON.to_owned()),
        Some(b'[') => Framing::Nested,
        Some(b'{') if is_lines(start, whole) => Framing::Lines,
        Some(b'{' | 0x1e) => Framing::Nested,
        Some(_) if later_records(start) => Framing::Lines,
        Some(_) => match table::header(head, hint) {
            Ok(header) => Framing::Table(header),
            Err(NoHeader::Tokens(missing)) => Framing::Refused(format!(
                "it is a list of tokens that cannot be read in full: {missing}. Name its columns as the API does: \
                 authorizationId, displayName, scope, validFrom, validTo, targetAccounts, principalName"
            )),
            Err(NoHeader::Unknown(_)) if is_python(start) => Framing::Refused(PYTHON.to_owned()),
            Err(NoHeader::Unknown(names)) => Framing::Unknown(describe(start, &names)),
        },
    }
}

/// What a user can do about objects of Python that were printed.
const PYTHON: &str = "it is not JSON but Python objects as `print` writes them. Write every entry as JSON instead: \
    `json.dumps(entry.as_dict(), default=str)` for objects of the SDK, `json.dumps(entry, default=str)` for dictionaries";

/// Returns true if a text starts with a dictionary or an object of Python, perhaps in a list or behind a word.
fn is_python(text: &[u8]) -> bool {
    let start = &text[..text.len().min(512)];
    let opens = memchr::memmem::find(start, b"{'");
    let dictionary = opens.is_some_and(|at| {
        let key = &start[at + 2..];
        let end = key.iter().position(|b| !b.is_ascii_alphanumeric() && *b != b'_').unwrap_or(key.len());
        end > 0 && key[end..].starts_with(b"':") && !start[..at].contains(&b'"')
    });
    dictionary || memchr::memmem::find(start, b" object at 0x").is_some()
}

/// Tells whether whole objects stand on the first lines.
fn is_lines(text: &[u8], whole: bool) -> bool {
    let mut lines = text.split(|b| *b == b'\n').map(<[u8]>::trim_ascii);
    let first = lines.next().unwrap_or_default();
    if !first.ends_with(b"}") {
        return false;
    }
    match lines.find(|line| !line.is_empty()) {
        // More than one object on a line, or a page, is for the other framing.
        None => whole && is_one_record(first),
        Some(second) if second.starts_with(b"{") => !is_page(first),
        Some(_) => is_one_record(first),
    }
}

fn is_page(line: &[u8]) -> bool {
    let mut input = line;
    nested::scan(&mut input, 1, &mut |_, _| true).is_ok_and(|pages| pages.holder.is_some())
}

fn is_one_record(line: &[u8]) -> bool {
    let mut records = 0;
    let mut input = line;
    let pages = nested::scan(&mut input, 1, &mut |bytes, _| {
        records += 1;
        bytes.len() == line.len()
    });
    records == 1 && pages.is_ok_and(|pages| pages.holder.is_none())
}

/// Tells whether a text whose first line is half a record goes on with whole ones.
fn later_records(text: &[u8]) -> bool {
    let mut later = text.split(|b| *b == b'\n').skip(1).map(<[u8]>::trim_ascii).take(4);
    later.any(|line| line.starts_with(b"{\"") && line.ends_with(b"}"))
}

fn describe(start: &[u8], names: &str) -> String {
    let lower: Vec<u8> = start.iter().take(200).map(u8::to_ascii_lowercase).collect();
    if lower.starts_with(b"<") {
        return "it is an HTML or XML page, perhaps the answer to a refused sign-in".to_owned();
    }
    let magic = match start {
        [b'P', b'K', 3, 4, ..] => Some("a zip archive or a workbook; unpack it first"),
        [b'P', b'A', b'R', b'1', ..] => Some("a Parquet file"),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Some("compressed with zstd; unpack it first"),
        [b'B', b'Z', b'h', ..] | [0xfd, b'7', b'z', ..] => Some("compressed; unpack it first"),
        [b'%', b'P', b'D', b'F', ..] => Some("a PDF"),
        _ => None,
    };
    if let Some(magic) = magic {
        return format!("it is {magic}");
    }
    if lower.contains(&0) {
        return "it is binary".to_owned();
    }
    format!(
        "read as CSV its header is {names:?}; needed are at least Id, Timestamp (or TimeGenerated) and ActionId \
         (or OperationName) for events, or the columns of another accepted kind"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> String {
        match sniff(text.as_bytes(), true, KindHint::Auto) {
            Framing::Table(header) => format!("table {}", char::from(header.delimiter)),
            Framing::Unknown(found) | Framing::Refused(found) => found,
            other => format!("{other:?}").to_lowercase(),
        }
    }

    #[test]
    fn framing_is_told_by_content() {
        assert_eq!(of("{\"a\":1}\n{\"b\":2}\n"), "lines");
        assert_eq!(of("{\"a\":1}\r\n\r\n{\"b\":2}"), "lines");
        assert_eq!(of("{\"a\":1}"), "lines");
        assert_eq!(of("{\"a\":1}{\"b\":2}"), "nested");
        assert_eq!(of("{\n \"a\":1\n}\n{\n}"), "nested");
        assert_eq!(of("{\"value\":[]}\n{\"value\":[]}"), "nested");
        assert_eq!(of(" [ ]"), "nested");
        assert_eq!(of("lf a record\"}\n{\"a\":1}\n"), "lines");
        assert_eq!(of("Id;Timestamp;ActionId\n"), "table ;");
        assert_eq!(of(" \n"), "it is empty");
        assert!(of("<html>").contains("HTML"));
        assert!(of("a,b\n1,2\n").contains("a, b"));
        assert!(of("displayName,scope,validTo\n").contains("no column authorizationId"));
    }

    #[test]
    fn printed_python_objects_are_named() {
        for text in [
            "{'id': 'x', 'data': {}}",
            "[{'id': 'x'}]",
            "INFO {'action_id': None}\n",
            "<azure.devops.v7_0.audit.models.DecoratedAuditLogEntry object at 0x7f1c2d3e>",
        ] {
            assert!(of(text).contains("json.dumps(entry.as_dict()"), "{text}");
        }
        assert_eq!(of("{\"a\":\"{'id': 1}\"}"), "lines");
    }
}
