//! The fake's audit log: rows as text, found by time, in memory or left in their file.

use crate::model::time::{Micros, parse_time};
use serde::Deserialize;
use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// Audit rows in the API's own shape, newest first.
#[derive(Debug, Default)]
pub struct Events {
    index: Vec<Entry>,
    texts: Vec<Text>,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    time: Micros,
    text: usize,
    at: u64,
    len: usize,
}

#[derive(Debug)]
enum Text {
    Memory(Vec<u8>),
    File(Mutex<File>),
}

#[derive(Deserialize)]
struct Timed<'a> {
    #[serde(borrow, alias = "Timestamp")]
    timestamp: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Named<'a> {
    #[serde(borrow, alias = "Id")]
    id: Cow<'a, str>,
}

impl Events {
    /// Takes rows as JSON text, in any order.
    ///
    /// # Errors
    /// When a row is no JSON or has no timestamp.
    pub fn from_rows<S: AsRef<str>>(rows: impl IntoIterator<Item = S>) -> io::Result<Self> {
        let mut events = Self::default();
        events.add_rows(rows)?;
        events.sort();
        Ok(events)
    }

    /// Takes files in any order: rows, one a line, which stay in their file; or an array or page of rows.
    ///
    /// # Errors
    /// When one cannot be read, or a row is no JSON or has no timestamp.
    pub fn from_files<P: AsRef<Path>>(paths: impl IntoIterator<Item = P>) -> io::Result<Self> {
        let mut events = Self::default();
        for path in paths {
            let path = path.as_ref();
            if holds_lines(path)? {
                events.add_lines(path)?;
            } else {
                let rows = super::load::rows(path)?;
                events.add_rows(rows.iter().map(ToString::to_string))?;
            }
        }
        events.sort();
        Ok(events)
    }

    fn add_rows<S: AsRef<str>>(&mut self, rows: impl IntoIterator<Item = S>) -> io::Result<()> {
        let mut bytes = Vec::new();
        for row in rows {
            let row = row.as_ref().trim();
            let (time, at) = (time_of(row.as_bytes())?, bytes.len() as u64);
            self.index.push(Entry { time, text: self.texts.len(), at, len: row.len() });
            bytes.extend_from_slice(row.as_bytes());
        }
        self.texts.push(Text::Memory(bytes));
        Ok(())
    }

    fn add_lines(&mut self, path: &Path) -> io::Result<()> {
        let mut reader = BufReader::with_capacity(1 << 20, File::open(path)?);
        let mut line = Vec::new();
        let mut at = 0_u64;
        loop {
            line.clear();
            let read = reader.read_until(b'\n', &mut line)?;
            if read == 0 {
                break;
            }
            let row = line.trim_ascii();
            if !row.is_empty() {
                let lead = (line.len() - line.trim_ascii_start().len()) as u64;
                let time = time_of(row)?;
                self.index.push(Entry { time, text: self.texts.len(), at: at + lead, len: row.len() });
            }
            at += read as u64;
        }
        self.texts.push(Text::File(Mutex::new(File::open(path)?)));
        Ok(())
    }

    fn sort(&mut self) {
        self.index.sort_by_key(|entry| (std::cmp::Reverse(entry.time), entry.text, entry.at));
    }

    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// Tells whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    /// Returns the positions of the rows from `from` to `to`, both included.
    pub(super) fn between(&self, from: Micros, to: Micros) -> std::ops::Range<usize> {
        let start = self.index.partition_point(|entry| entry.time > to);
        let end = self.index.partition_point(|entry| entry.time >= from);
        start..end.max(start)
    }

    /// Returns the rows at `positions`.
    pub(super) fn rows(&self, positions: std::ops::Range<usize>) -> io::Result<Vec<String>> {
        let entries = self.index.get(positions).unwrap_or_default();
        entries.iter().map(|entry| self.row(*entry)).collect()
    }

    fn row(&self, entry: Entry) -> io::Result<String> {
        let bytes = match self.texts.get(entry.text) {
            Some(Text::Memory(text)) => {
                let at = usize::try_from(entry.at).unwrap_or(usize::MAX);
                text.get(at..at.saturating_add(entry.len)).unwrap_or_default().to_vec()
            }
            Some(Text::File(file)) => {
                let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
                let mut bytes = vec![0; entry.len];
                file.seek(SeekFrom::Start(entry.at))?;
                file.read_exact(&mut bytes)?;
                bytes
            }
            None => Vec::new(),
        };
        String::from_utf8(bytes).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
    }
}

/// Returns the id of a row, from which the service makes its page token.
pub(super) fn id_of(row: &str) -> Option<String> {
    serde_json::from_str::<Named<'_>>(row).ok().map(|named| named.id.into_owned())
}

fn time_of(row: &[u8]) -> io::Result<Micros> {
    let bad = |why: String| io::Error::new(io::ErrorKind::InvalidData, why);
    let timed: Timed<'_> = serde_json::from_slice(row).map_err(|error| bad(error.to_string()))?;
    parse_time(&timed.timestamp).ok_or_else(|| bad(format!("no time: {}", timed.timestamp)))
}

/// Tells lines from pages: the first line of lines is a whole row.
fn holds_lines(path: &Path) -> io::Result<bool> {
    let mut reader = BufReader::new(File::open(path)?);
    let mut line = Vec::new();
    while line.trim_ascii().is_empty() {
        line.clear();
        if reader.read_until(b'\n', &mut line)? == 0 {
            return Ok(true);
        }
    }
    Ok(time_of(line.trim_ascii()).is_ok())
}
