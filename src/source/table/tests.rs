//! Headers and rows, regular and otherwise.

use super::*;
use crate::source::decode::cells_of;
use proptest::prelude::*;

type Rows = Vec<(u64, Vec<String>)>;

/// Gives a few bytes at a time.
struct Slow<'a>(&'a [u8], usize);

impl Read for Slow<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let n = self.1.min(into.len()).min(self.0.len());
        let (now, later) = self.0.split_at(n);
        into[..n].copy_from_slice(now);
        self.0 = later;
        Ok(n)
    }
}

/// The rows of a text, and the lines of quotes that are never closed.
fn rows(text: &[u8], step: usize) -> (Rows, Vec<u64>) {
    let mut rows = Rows::new();
    let mut unclosed = Vec::new();
    let mut lasts = Vec::new();
    let header = Header { columns: Columns::default(), delimiter: b',', preamble: Preamble::default() };
    let found = cut(&mut Slow(text, step), header, &mut || Some(Vec::new()), &mut |block| {
        let Layout::Rows(table, found) = &block.layout else { panic!("rows") };
        assert_eq!(block.line, found.first().map_or(block.line, |row| row.line));
        for row in found {
            if row.fault == Some(RowFault::Unclosed) {
                unclosed.push(row.line);
                continue;
            }
            let text = std::str::from_utf8(&block.bytes[..block.len][row.start..row.end]).expect("text");
            rows.push((row.line, cells_of(text, table.delimiter)));
        }
        lasts.push(block.last);
        true
    });
    assert!(lasts.iter().rev().skip(1).all(|last| !last) && lasts.last() == Some(&true));
    match found {
        Ok(()) => (rows, unclosed),
        Err(_) => panic!("a text in memory cannot fail"),
    }
}

fn rows_of_csv(text: &[u8]) -> Rows {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text);
    let rows = reader.records().map(|row| {
        let row = row.expect("text");
        // The crate counts line ends in front of a row to it; where its first cell stands is the line to show.
        let found = row.position().map_or(0, |position| position.byte() as usize);
        let start = found + text[found..].iter().take_while(|byte| b"\r\n".contains(byte)).count();
        let line = 1 + text[..start].iter().filter(|byte| **byte == b'\n').count() as u64;
        (line, row.iter().map(str::to_owned).collect())
    });
    rows.collect()
}

#[test]
fn headers_are_told_by_their_names() {
    let known = |line: &str| header(line.as_bytes(), KindHint::Auto).map(|header| header.delimiter);
    assert_eq!(known("Id,CorrelationId,Timestamp,ActionId,Data\r\n"), Ok(b','));
    assert_eq!(known("\u{feff}id;TIMESTAMP;actionid\n"), Ok(b';'));
    assert_eq!(known("\"TimeGenerated [UTC]\",OperationName,Id\n"), Ok(b','));
    assert_eq!(known("user,startTime,command,count\n"), Ok(b','));
    assert_eq!(known("name,colour,size\n"), Err(NoHeader::Unknown("name, colour, size".to_owned())));
    assert!(known("just text").is_err());
}

#[test]
fn regular_rows_are_found_without_help() {
    let mut finder = Finder::new(b';', 1);
    let text = b"h;h\n\"a\"\"\nb\";\"\"\r\n\r\n;\nx;y";
    finder.finish(text);
    let found: Vec<(&[u8], u64)> = finder.rows.iter().map(|r| (&text[r.start..r.end], r.line)).collect();
    assert_eq!(found, [(&b"\"a\"\"\nb\";\"\""[..], 2), (b";", 5), (b"x;y", 6)]);
    assert!(!finder.irregular && finder.taken == text.len());
    for text in ["h\na\"b\n", "h\n\"a\" ,b\n", "h\ra\n", "h\n\"a", "h\na,\"b\"\"\n"] {
        let mut finder = Finder::new(b',', 1);
        finder.finish(text.as_bytes());
        assert!(finder.irregular, "{text:?}");
    }
}

#[test]
fn long_tables_are_cut_into_blocks() {
    let row = format!("a,\"{}\",c\r\n", "\"\"x\n".repeat(3000));
    let text = format!("h\n{}", row.repeat(300));
    let (found, unclosed) = rows(text.as_bytes(), 100_000);
    assert!(found == rows_of_csv(text.as_bytes()) && unclosed.is_empty());
    let late = format!("{text}stray\"quote,b\n{}", row.repeat(100));
    assert!(rows(late.as_bytes(), usize::MAX).0 == rows_of_csv(late.as_bytes()));
}

#[test]
fn a_quote_that_is_never_closed_costs_its_own_line() {
    for later in ["c,d,e\n", "c,\"d\",\"\"\n", "\"c\",\"d, \"\"x\"\"\",e\n", "c,\"two\nlines\",e\n"] {
        let text = format!("h,h,h\n1,\"a\nb\",2\nx,y,\"open\n{}", later.repeat(3));
        let (found, unclosed) = rows(text.as_bytes(), 7);
        assert_eq!(unclosed, [4], "{text}");
        assert_eq!(found.len(), 4, "{text}: {found:?}");
        let expected = rows_of_csv(format!("h,h,h\n{later}").as_bytes());
        assert!(found[1..].iter().all(|(_, cells)| *cells == expected[0].1), "{text}: {found:?}");
    }
}

#[test]
fn the_search_for_a_closing_quote_is_bounded() {
    let row = "a,b,c\n";
    let open = "x,y,\"open\n";
    let text = format!("h,h,h\n{open}{}", row.repeat(1 << 19));
    let (found, unclosed) = rows(text.as_bytes(), usize::MAX);
    assert_eq!((found.len(), unclosed), (1 << 19, vec![2]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn rows_are_those_of_the_csv_crate(
        pieces in prop::collection::vec(prop::sample::select(vec![
            "\n", "\r\n", "\r", ",", "\"", "\"\"", "a", " ", "é", "\"a\"", "\"b, \"\"c\"\"\"", "\"two\nlines\"", "\u{feff}",
            "x,y,z\n", "\"q\",\"\",r\r\n", "a long cell without anything in it that could end it, and one more\n",
        ]), 0..30),
        step in 1_usize..200,
    ) {
        let text = pieces.concat();
        let (found, unclosed) = rows(text.as_bytes(), step);
        let mut expected = rows_of_csv(text.as_bytes());
        let mut found = found;
        if let Some(line) = unclosed.first() {
            // From a quote that is never closed on the crate takes rows for a part of its cell.
            found.retain(|(at, _)| at < line);
            expected.truncate(found.len());
        }
        prop_assert_eq!(found, expected, "{:?}", text);
    }
}
