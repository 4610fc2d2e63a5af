//! CSV: text in, blocks of rows out. The header decides what the rows are.

use super::KindHint;
use super::block::{Block, Layout, MAX_RECORD, Sizes};
use super::decode::Columns;
use super::nested::Stop;
use std::cell::Cell;
use std::io::Read;

/// Reads the header in the first bytes of a text: columns and delimiter, where the rows can be decoded.
///
/// # Errors
/// The names of the columns, where they are of no known kind.
pub(super) fn header(head: &[u8], hint: KindHint) -> Result<(Columns, u8), String> {
    let line = head.split(|b| *b == b'\n' || *b == b'\r').next().unwrap_or_default();
    let count = |delimiter: u8| line.iter().filter(|b| **b == delimiter).count();
    let delimiter = [b',', b';', b'\t'].into_iter().max_by_key(|d| (count(*d), *d == b',')).unwrap_or(b',');
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).has_headers(false).from_reader(line);
    let mut names = csv::ByteRecord::new();
    let read = reader.read_byte_record(&mut names).unwrap_or(false);
    let names = csv::StringRecord::from_byte_record_lossy(names);
    let columns = Columns::of_names(names.iter());
    if read && columns.len() > 1 && columns.are_known(hint) {
        Ok((columns, delimiter))
    } else {
        Err(columns.names())
    }
}

/// Makes an end where a quote is never closed: else one row would swallow the rest of the input.
struct Guard<'a> {
    input: &'a mut dyn Read,
    /// Bytes taken in since the last whole row.
    since: &'a Cell<usize>,
}

impl Read for Guard<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        if self.since.get() > MAX_RECORD {
            return Ok(0);
        }
        let n = self.input.read(into)?;
        self.since.set(self.since.get() + n);
        Ok(n)
    }
}

/// Cuts `input`, header included, into blocks of rows. Returns a sentence where it had to end early.
pub(super) fn cut(
    input: &mut dyn Read,
    columns: Columns,
    delimiter: u8,
    buffer: &mut dyn FnMut() -> Option<Vec<u8>>,
    emit: &mut dyn FnMut(Block) -> bool,
) -> Result<Option<String>, Stop> {
    let since = Cell::new(0);
    let input = Guard { input, since: &since };
    let columns = std::sync::Arc::new(columns);
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(true)
        .flexible(true)
        .buffer_capacity(1 << 18)
        .from_reader(input);
    let mut broken: Option<u64> = None;
    let mut sizes = Sizes::new();
    loop {
        let bytes = buffer().ok_or(Stop::Asked)?;
        let mut rows = Vec::new();
        let mut held = 0;
        let mut ended = false;
        let mut first = 0;
        let size = sizes.next();
        while held < size {
            let mut row = csv::ByteRecord::new();
            match reader.read_byte_record(&mut row) {
                Ok(true) => {
                    let endless = since.replace(0) > MAX_RECORD;
                    let line = row.position().map_or(0, csv::Position::line);
                    if rows.is_empty() {
                        first = line;
                    }
                    held += row.as_slice().len() + row.len() * 8 + 64;
                    if endless {
                        // What it swallowed is no row; what comes behind may be one again.
                        broken = broken.or(Some(line));
                        row.clear();
                    }
                    rows.push((line, row));
                }
                Ok(false) => {
                    ended = true;
                    break;
                }
                Err(error) => match error.into_kind() {
                    csv::ErrorKind::Io(error) => return Err(error.into()),
                    // Flexible rows of bytes know no other error.
                    _ => {
                        ended = true;
                        break;
                    }
                },
            }
        }
        let layout = Layout::Cells(std::sync::Arc::clone(&columns), rows);
        if !emit(Block { bytes, len: 0, line: first, layout, last: ended }) {
            return Err(Stop::Asked);
        }
        if ended {
            let sentence = |line| {
                format!("a quote in line {line} is never closed; the 16 MB behind it were not read as rows")
            };
            return Ok(broken.map(sentence));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
