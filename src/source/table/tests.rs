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

fn rows(text: &[u8], step: usize) -> (Rows, Option<String>) {
    let mut rows = Rows::new();
    let mut lasts = Vec::new();
    let found =
        cut(&mut Slow(text, step), Columns::default(), b',', &mut || Some(Vec::new()), &mut |block| {
            let Layout::Rows(table, found) = &block.layout else { panic!("rows") };
            assert_eq!(block.line, found.first().map_or(block.line, |row| row.line));
            for row in found {
                let text = std::str::from_utf8(&block.bytes[..block.len][row.start..row.end]).expect("text");
                rows.push((row.line, cells_of(text, table.delimiter)));
            }
            lasts.push(block.last);
            true
        });
    assert!(lasts.iter().rev().skip(1).all(|last| !last) && lasts.last() == Some(&true));
    match found {
        Ok(sentence) => (rows, sentence),
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
    let known = |line: &str| header(line.as_bytes(), KindHint::Auto).map(|(_, delimiter)| delimiter);
    assert_eq!(known("Id,CorrelationId,Timestamp,ActionId,Data\r\n"), Ok(b','));
    assert_eq!(known("\u{feff}id;TIMESTAMP;actionid\n"), Ok(b';'));
    assert_eq!(known("\"TimeGenerated [UTC]\",OperationName,Id\n"), Ok(b','));
    assert_eq!(known("user,startTime,command,count\n"), Ok(b','));
    assert_eq!(known("name,colour,size\n"), Err("name, colour, size".to_owned()));
    assert!(known("just text").is_err());
}

#[test]
fn regular_rows_are_found_without_help() {
    let mut finder = Finder::new(b';');
    let text = b"h;h\n\"a\"\"\nb\";\"\"\r\n\r\n;\nx;y";
    finder.finish(text);
    let found: Vec<(&[u8], u64)> = finder.rows.iter().map(|r| (&text[r.start..r.end], r.line)).collect();
    assert_eq!(found, [(&b"\"a\"\"\nb\";\"\""[..], 2), (b";", 5), (b"x;y", 6)]);
    assert!(!finder.irregular && finder.taken == text.len());
    for text in ["h\na\"b\n", "h\n\"a\" ,b\n", "h\ra\n", "h\n\"a", "h\na,\"b\"\"\n"] {
        let mut finder = Finder::new(b',');
        finder.finish(text.as_bytes());
        assert!(finder.irregular, "{text:?}");
    }
}

#[test]
fn long_tables_are_cut_into_blocks() {
    let row = format!("a,\"{}\",c\r\n", "\"\"x\n".repeat(3000));
    let text = format!("h\n{}", row.repeat(300));
    let (found, sentence) = rows(text.as_bytes(), 100_000);
    assert!(found == rows_of_csv(text.as_bytes()) && sentence.is_none());
    let late = format!("{text}stray\"quote,b\n{}", row.repeat(100));
    assert!(rows(late.as_bytes(), usize::MAX).0 == rows_of_csv(late.as_bytes()));
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
        prop_assert_eq!(rows(text.as_bytes(), step).0, rows_of_csv(text.as_bytes()), "{:?}", text);
    }
}
