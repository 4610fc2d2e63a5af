//! CSV as RFC 4180 has it: UTF-8, CRLF (LF alone on stdout, for pipes), quotes where needed; no cell is a formula to a spreadsheet.
//!
//! In: a head and rows of cells. Out: bytes. Text that a spreadsheet would take for a formula gets a leading
//! `'`; numbers stay numbers; what a terminal would obey or an eye would miss is written out as `\u{..}`.
//! [`original`] takes the mark away again, for tables that come back.

use super::terminal::{is_deceptive, written_out};
use super::{Result, Style};
use std::borrow::Cow;
use std::io;

/// What begins a formula in one of the known spreadsheets, full-width forms included.
const FORMULA: &[char] = &['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠', '|', '%'];

/// One cell.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// Text from anywhere.
    Text(String),
    /// Several texts, joined by `; `.
    List(Vec<String>),
    /// A whole number.
    Whole(i128),
    /// A number with a fraction.
    Number(f64),
    /// Nothing known.
    Empty,
}

impl Cell {
    /// Returns text, or the empty cell.
    #[must_use]
    pub fn maybe(text: Option<&str>) -> Self {
        text.map_or(Self::Empty, |t| Self::Text(t.to_owned()))
    }

    /// Returns an instant, or the empty cell.
    #[must_use]
    pub fn time(time: Option<crate::model::time::Micros>) -> Self {
        time.map_or(Self::Empty, |t| Self::Text(crate::model::time::format_time(t)))
    }

    /// Returns a list, or the empty cell.
    #[must_use]
    pub fn maybe_list(list: Option<&Vec<String>>) -> Self {
        list.map_or(Self::Empty, |l| Self::List(l.clone()))
    }

    fn written(&self) -> Cow<'_, str> {
        match self {
            Self::Text(text) => safe(text),
            // Each item too: where `;` separates columns, an item in the middle begins a cell.
            Self::List(items) => items.iter().map(|i| safe(i)).collect::<Vec<_>>().join("; ").into(),
            Self::Whole(n) => n.to_string().into(),
            Self::Number(n) if n.is_finite() => n.to_string().into(),
            Self::Number(_) | Self::Empty => Cow::Borrowed(""),
        }
    }
}

/// Returns `text` as a cell may hold it.
fn safe(text: &str) -> Cow<'_, str> {
    match visible(text) {
        Cow::Borrowed(text) => neutral(text),
        Cow::Owned(text) => Cow::Owned(neutral(&text).into_owned()),
    }
}

/// Returns `text` with the characters written out that act without being seen; the ends of lines and the tab stay,
/// which quotes keep inside their cell.
#[must_use]
pub fn visible(text: &str) -> Cow<'_, str> {
    written_out(text, |c| is_deceptive(c) && !matches!(c, '\n' | '\r' | '\t'))
}

/// Returns `text` with a leading `'` where a spreadsheet would run it, or where one would be taken away.
#[must_use]
pub fn neutral(text: &str) -> Cow<'_, str> {
    // Also text that starts with `'` before a formula, or reading it back would lose that sign.
    let bare = text.trim_start_matches([' ', '\'', '\u{a0}', '\u{feff}', '\0']);
    if bare.starts_with(FORMULA) { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) }
}

/// Returns a cell's text as it was before [`neutral`].
#[must_use]
pub fn original(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(rest)
            if rest.trim_start_matches([' ', '\'', '\u{a0}', '\u{feff}', '\0']).starts_with(FORMULA) =>
        {
            rest
        }
        _ => cell,
    }
}

/// Writes a head and rows as a file has them.
///
/// # Errors
/// Those of the writer.
pub fn write<'a>(
    head: impl IntoIterator<Item = &'a str>,
    rows: impl IntoIterator<Item = Vec<Cell>>,
    to: &mut dyn io::Write,
) -> Result {
    write_styled(head, rows, Style::default(), to)
}

/// Writes a head and rows as a file or a pipe has them.
///
/// # Errors
/// Those of the writer.
pub fn write_styled<'a>(
    head: impl IntoIterator<Item = &'a str>,
    rows: impl IntoIterator<Item = Vec<Cell>>,
    style: Style,
    to: &mut dyn io::Write,
) -> Result {
    let end = if style.lf { ::csv::Terminator::Any(b'\n') } else { ::csv::Terminator::CRLF };
    let mut writer = ::csv::WriterBuilder::new().terminator(end).from_writer(to);
    writer.write_record(head.into_iter().map(|h| neutral(h).into_owned()))?;
    for row in rows {
        for cell in &row {
            writer.write_field(cell.written().as_bytes())?;
        }
        writer.write_record(None::<&[u8]>)?;
    }
    writer.flush()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read_back(bytes: &[u8]) -> Vec<Vec<String>> {
        let mut reader = ::csv::Reader::from_reader(bytes);
        reader.records().map(|r| r.expect("a record").iter().map(str::to_owned).collect()).collect()
    }

    #[test]
    fn formulas_become_text_and_numbers_stay() {
        let row = vec![
            Cell::Text("=HYPERLINK(\"http://x\")".into()),
            Cell::Text(" +1".into()),
            Cell::Whole(-5),
            Cell::Number(-0.5),
            Cell::List(vec!["a".into(), "@b".into()]),
            Cell::Text("'=1".into()),
        ];
        let mut out = Vec::new();
        write(["a", "b", "c", "d", "e", "f"], [row], &mut out).expect("memory");
        assert_eq!(
            String::from_utf8(out).expect("UTF-8"),
            "a,b,c,d,e,f\r\n\"'=HYPERLINK(\"\"http://x\"\")\",' +1,-5,-0.5,a; '@b,''=1\r\n"
        );
    }

    #[test]
    fn lines_end_with_lf_in_a_pipe_and_cells_stay() {
        let row = vec![Cell::Text("a\r\nb".into()), Cell::Text("c\rd".into())];
        let mut out = Vec::new();
        let style = Style { lf: true, ..Style::default() };
        write_styled(["x", "y"], [row], style, &mut out).expect("memory");
        assert_eq!(String::from_utf8(out).expect("UTF-8"), "x,y\n\"a\r\nb\",\"c\rd\"\n");
    }

    #[test]
    fn nothing_acts_on_a_terminal() {
        let mut out = Vec::new();
        write(["a"], [vec![Cell::Text("\u{1b}[31mred\u{202e}gnp".into())]], &mut out).expect("memory");
        assert_eq!(String::from_utf8(out).expect("UTF-8"), "a\r\n\\u{1b}[31mred\\u{202e}gnp\r\n");
    }

    proptest! {
        #[test]
        fn every_text_comes_back_and_none_is_a_formula(texts in prop::collection::vec(any::<String>(), 1..6)) {
            let head: Vec<String> = (0..texts.len()).map(|i| format!("c{i}")).collect();
            let mut out = Vec::new();
            let row = texts.iter().map(|t| Cell::Text(t.clone())).collect();
            write(head.iter().map(String::as_str), [row], &mut out).expect("memory");
            let back = read_back(&out);
            prop_assert_eq!(back.len(), 1);
            for (cell, text) in back[0].iter().zip(&texts) {
                prop_assert_eq!(original(cell), visible(text));
                prop_assert!(!cell.contains(|c| is_deceptive(c) && !matches!(c, '\n' | '\r' | '\t')));
                prop_assert!(!cell.trim_start().starts_with(FORMULA));
            }
        }
    }
}
