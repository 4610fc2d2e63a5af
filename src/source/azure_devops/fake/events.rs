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
    text: Text,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    time: Micros,
    at: u64,
    len: usize,
}

#[derive(Debug)]
enum Text {
    Memory(Vec<u8>),
    File(Mutex<File>),
}

impl Default for Text {
    fn default() -> Self {
        Self::Memory(Vec::new())
    }
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
        let mut text = Vec::new();
        let mut index = Vec::new();
        for row in rows {
            let row = row.as_ref().trim();
            index.push(Entry { time: time_of(row.as_bytes())?, at: text.len() as u64, len: row.len() });
            text.extend_from_slice(row.as_bytes());
        }
        Ok(Self::new(index, Text::Memory(text)))
    }

    /// Takes a file of one row a line, in any order; the rows stay in the file.
    ///
    /// # Errors
    /// When it cannot be read, or a line is no JSON or has no timestamp.
    pub fn from_ndjson(path: &Path) -> io::Result<Self> {
        let mut reader = BufReader::with_capacity(1 << 20, File::open(path)?);
        let mut index = Vec::new();
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
                let lead = line.len() - line.trim_ascii_start().len();
                index.push(Entry { time: time_of(row)?, at: at + lead as u64, len: row.len() });
            }
            at += read as u64;
        }
        Ok(Self::new(index, Text::File(Mutex::new(File::open(path)?))))
    }

    fn new(mut index: Vec<Entry>, text: Text) -> Self {
        index.sort_by_key(|entry| (std::cmp::Reverse(entry.time), entry.at));
        Self { index, text }
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
        let bytes = match &self.text {
            Text::Memory(text) => {
                let at = usize::try_from(entry.at).unwrap_or(usize::MAX);
                text.get(at..at.saturating_add(entry.len)).unwrap_or_default().to_vec()
            }
            Text::File(file) => {
                let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
                let mut bytes = vec![0; entry.len];
                file.seek(SeekFrom::Start(entry.at))?;
                file.read_exact(&mut bytes)?;
                bytes
            }
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
