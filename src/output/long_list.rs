//! A JSON document around one long list, whose rows several threads write.
//!
//! In: the document with its list left empty, and the rows. Out: the same bytes as if the whole were written at once, a
//! few rows in memory at a time.

use super::Result;
use rayon::prelude::*;
use serde::Serialize;
use std::io;

/// Rows that a thread writes before it hands them on.
const ROWS: usize = 256;

/// The nesting that a list stands in, so that its rows are indented as in the document.
#[derive(Serialize)]
struct Around<T> {
    list: T,
}

/// Writes `document` with `rows` in the place of its empty list `name`, which is a field of the document itself.
pub(super) fn write<'a, T: Sync, U: Serialize>(
    document: &impl Serialize,
    name: &str,
    rows: &'a [T],
    make: impl Fn(&'a T) -> U + Sync,
    to: &mut dyn io::Write,
) -> Result {
    let text = serde_json::to_string_pretty(document)?;
    // A quote inside of a text is written with a backslash, so that only the field itself looks like this.
    let field = format!("\n  \"{name}\": []");
    let (before, after) = match text.split_once(&field) {
        Some(parts) if !rows.is_empty() => parts,
        _ => {
            writeln!(to, "{text}")?;
            return Ok(());
        }
    };
    write!(to, "{before}\n  \"{name}\": [\n")?;
    let mut comma = "";
    let parts: Vec<&[T]> = rows.chunks(ROWS).collect();
    for some in parts.chunks(rayon::current_num_threads() * 4) {
        let written: Vec<Result<String>> = some.par_iter().map(|part| indented(part, &make)).collect();
        for part in written {
            to.write_all(comma.as_bytes())?;
            to.write_all(part?.as_bytes())?;
            comma = ",\n";
        }
    }
    writeln!(to, "\n  ]{after}")?;
    Ok(())
}

/// Rows as they stand in the list, without its brackets.
fn indented<'a, T, U: Serialize>(rows: &'a [T], make: impl Fn(&'a T) -> U) -> Result<String> {
    let list: Vec<U> = rows.iter().map(make).collect();
    let mut text = serde_json::to_string_pretty(&Around { list })?;
    text.truncate(text.len() - "\n  ]\n}".len());
    text.drain(.."{\n  \"list\": [\n".len());
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[derive(Serialize)]
    struct Document {
        say: &'static str,
        list: Vec<serde_json::Value>,
        end: Option<u8>,
    }

    #[test]
    fn the_bytes_are_those_of_the_whole() {
        let say = "\"list\": [] and\n  \"list\": []";
        for n in [0, 1, 2, ROWS, ROWS * 9 + 3] {
            let rows: Vec<usize> = (0..n).collect();
            let row = |n: &usize| json!({ "n": n, "ids": vec!["x"; n % 3], "none": {} });
            let whole = Document { say, list: rows.iter().map(row).collect(), end: None };
            let empty = Document { say, list: Vec::new(), end: None };
            let mut written = Vec::new();
            write(&empty, "list", &rows, row, &mut written).expect("writes");
            let whole = serde_json::to_string_pretty(&whole).expect("JSON") + "\n";
            assert_eq!(String::from_utf8(written).expect("text"), whole);
        }
    }
}
