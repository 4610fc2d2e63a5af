//! A JSON document around one long list: the document laid out for reading, the list a row a line.
//!
//! In: the document with its list left empty, and the rows. Out: bytes, written by several threads and a few rows in
//! memory at a time. A row a line is what `grep` and `diff` work with, and half the bytes of rows spread over lines.

use super::{Error, Result, exact};
use rayon::prelude::*;
use serde::Serialize;
use std::io;

/// Rows that a thread writes before it hands them on.
const ROWS: usize = 256;

/// Writes `document` with `rows` in the place of its empty list `name`, a field of the object that lies `depth` brackets
/// deep; the document itself lies one deep.
pub(super) fn write<'a, T: Sync, U: Serialize>(
    document: &impl Serialize,
    (name, depth): (&str, usize),
    rows: &'a [T],
    make: impl Fn(&'a T) -> U + Sync,
    to: &mut dyn io::Write,
) -> Result {
    let mut text = Vec::new();
    exact::write_pretty(document, &mut text)?;
    let text = String::from_utf8_lossy(&text);
    let indent = "  ".repeat(depth);
    // A line that begins inside of a text is written with a backslash, so that only the field itself looks like this.
    let field = format!("\n{indent}\"{name}\": []");
    if rows.is_empty() {
        writeln!(to, "{text}")?;
        return Ok(());
    }
    let Some((before, after)) = text.split_once(&field) else {
        let why = format!("the document has no empty list \"{name}\" {depth} brackets deep");
        return Err(Error::Json(serde::ser::Error::custom(why)));
    };
    write!(to, "{before}\n{indent}\"{name}\": [")?;
    let parts: Vec<&[T]> = rows.chunks(ROWS).collect();
    let mut begin = "";
    for some in parts.chunks(rayon::current_num_threads() * 4) {
        let written: Vec<Result<Vec<u8>>> = some.par_iter().map(|part| lines(part, &make, &indent)).collect();
        for part in written {
            to.write_all(begin.as_bytes())?;
            to.write_all(&part?)?;
            begin = ",";
        }
    }
    writeln!(to, "\n{indent}]{after}")?;
    Ok(())
}

/// Rows, each on a line of its own.
fn lines<'a, T, U: Serialize>(rows: &'a [T], make: impl Fn(&'a T) -> U, indent: &str) -> Result<Vec<u8>> {
    let mut text = Vec::new();
    for (at, row) in rows.iter().enumerate() {
        text.extend_from_slice(if at == 0 { b"\n" } else { b",\n" });
        text.extend_from_slice(indent.as_bytes());
        text.extend_from_slice(b"  ");
        exact::write_line(&make(row), &mut text)?;
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[derive(Serialize)]
    struct Document {
        say: &'static str,
        inner: Inner,
    }

    #[derive(Serialize)]
    struct Inner {
        list: Vec<Value>,
        end: Option<u8>,
    }

    #[test]
    fn rows_without_a_place_are_told_of() {
        let document = Document { say: "", inner: Inner { list: Vec::new(), end: None } };
        for place in [("list", 1), ("lists", 2)] {
            let error = write(&document, place, &[1], |n| *n, &mut Vec::new()).expect_err("no place");
            assert!(error.to_string().contains("has no empty list"), "{error}");
        }
    }

    #[test]
    fn every_row_has_its_line_in_the_list_that_is_meant() {
        let say = "\"list\": [] and\n    \"list\": []";
        for n in [0, 1, 2, ROWS, ROWS * 9 + 3] {
            let rows: Vec<usize> = (0..n).collect();
            let row = |n: &usize| json!({ "n": n, "ids": vec!["x\ny"; n % 3], "none": {} });
            let empty = Document { say, inner: Inner { list: Vec::new(), end: None } };
            let mut written = Vec::new();
            write(&empty, ("list", 2), &rows, row, &mut written).expect("writes");
            let text = String::from_utf8(written).expect("text");
            let whole = Document { say, inner: Inner { list: rows.iter().map(row).collect(), end: None } };
            let read: Value = serde_json::from_str(&text).expect("JSON");
            assert_eq!(read, serde_json::to_value(whole).expect("JSON"));
            assert_eq!(text.lines().filter(|line| line.starts_with("      {\"n\":")).count(), n);
            assert_eq!(text.lines().count(), if n == 0 { 7 } else { 8 + n }, "{text}");
        }
    }
}
