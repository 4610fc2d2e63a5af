//! Records whose dates have two readings wait here until the whole file has been read and its order is known.
//!
//! In: events as the decoder made them, each with both its instants, and lists' records. Out: the same as rows, or rejected
//! where the file shows no order. Events wait as bytes, first in memory, then in a file without a name.

use super::dates::{Either, Evidence, Order};
use super::groups::{Groups, Roominess};
use super::kind::Kind;
use super::loose::{Dates, Loose};
use super::{Refusal, read_list_record};
use crate::model::event::{EventRow, Shape};
use crate::source::row::{Parsed, Reject};
use std::io::{BufReader, BufWriter, Read, Seek as _, Write};
use tempfile::SpooledTempFile;

/// Why a record whose date has two readings is rejected.
pub(super) const UNDECIDED: &str = "order of day and month unknown";

/// Bytes of waiting events that are kept in memory.
const IN_MEMORY: usize = 32 << 20;
/// Rows that are given to the receiver at once.
const CHUNK_ROWS: usize = 50_000;

/// Waiting records of one chunk.
#[derive(Debug, Default)]
pub(in crate::source) struct Waiting {
    /// Events, each as [`write_event`] writes it.
    events: Vec<u8>,
    /// What each event is rejected as, by line and number, and its two readings.
    entries: Vec<Entry>,
    lists: Vec<ListRecord>,
    /// What the dates of the chunk show.
    pub evidence: Evidence,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    line: u64,
    record: u64,
    either: Either,
    /// End of the event in its chunk.
    end: usize,
}

/// A record of a list.
#[derive(Debug)]
struct ListRecord {
    line: u64,
    record: u64,
    kind: Kind,
    org: Option<String>,
    loose: Loose,
}

impl Waiting {
    /// Adds an event.
    pub(super) fn event(&mut self, row: &EventRow<'_>, either: Either, line: u64, record: u64) {
        write_event(row, &mut self.events);
        self.entries.push(Entry { line, record, either, end: self.events.len() });
        self.evidence.doubts(either);
    }

    /// Adds a record of a list.
    pub(super) fn list(&mut self, loose: Loose, kind: Kind, org: Option<&str>, line: u64, record: u64) {
        self.lists.push(ListRecord { line, record, kind, org: org.map(str::to_owned), loose });
    }
}

/// The records of a whole input that wait.
pub(in crate::source) struct Waitlist {
    events: BufWriter<SpooledTempFile>,
    count: u64,
    lists: Vec<ListRecord>,
    evidence: Evidence,
}

impl Default for Waitlist {
    fn default() -> Self {
        Self {
            events: BufWriter::new(SpooledTempFile::new(IN_MEMORY)),
            count: 0,
            lists: Vec::new(),
            evidence: Evidence::default(),
        }
    }
}

impl Waitlist {
    /// Adds what waits of a chunk; so many records were read before it.
    pub(in crate::source) fn add(&mut self, chunk: Waiting, before: u64) -> std::io::Result<()> {
        self.evidence.add(chunk.evidence);
        let mut start = 0;
        for entry in &chunk.entries {
            let Entry { line, record, either, end } = *entry;
            for number in [line, record + before] {
                self.events.write_all(&number.to_le_bytes())?;
            }
            for time in [either.day_first, either.month_first] {
                self.events.write_all(&time.to_le_bytes())?;
            }
            self.events.write_all(&((end - start) as u64).to_le_bytes())?;
            self.events.write_all(&chunk.events[start..end])?;
            start = end;
            self.count += 1;
        }
        self.lists
            .extend(chunk.lists.into_iter().map(|list| ListRecord { record: list.record + before, ..list }));
        Ok(())
    }

    /// Returns a sentence, where the order of the dates follows from their form alone.
    pub(in crate::source) fn assumption(&self) -> Option<String> {
        let n = self.evidence.portal;
        self.evidence.is_assumed().then(|| {
            format!(
                "{n} dates such as 1/5/2026, 9:12:33 AM were read month first, as the portal writes them in English; \
                 no date of the file shows its order"
            )
        })
    }

    /// Gives every waiting record to `sink`, in chunks.
    pub(in crate::source) fn settle(
        self,
        sink: &mut dyn FnMut(Parsed) -> std::io::Result<()>,
    ) -> std::io::Result<()> {
        let order = self.evidence.order();
        let mut file = self.events.into_inner().map_err(std::io::IntoInnerError::into_error)?;
        file.rewind()?;
        let mut input = BufReader::new(file);
        let mut left = self.count;
        while left > 0 {
            let rows = left.min(CHUNK_ROWS as u64);
            left -= rows;
            let mut parsed = Parsed::default();
            let mut groups = Groups::with_room(Roominess::default());
            let mut event = Vec::new();
            for _ in 0..rows {
                let mut numbers = [[0; 8]; 5];
                for number in &mut numbers {
                    input.read_exact(number)?;
                }
                let [line, record, day_first, month_first, length] = numbers;
                event.resize(usize::try_from(u64::from_le_bytes(length)).unwrap_or_default(), 0);
                input.read_exact(&mut event)?;
                let (line, record) = (u64::from_le_bytes(line), u64::from_le_bytes(record));
                let time = match order {
                    Some(Order::DayFirst) => i64::from_le_bytes(day_first),
                    Some(Order::MonthFirst) => i64::from_le_bytes(month_first),
                    None => {
                        let detail = read_event(&event, 0).map(|row| row.event_id.to_owned());
                        let refusal = Refusal::new(UNDECIDED, &detail.unwrap_or_default());
                        parsed.rejected.push(refusal.into_reject(line, record));
                        continue;
                    }
                };
                let row = read_event(&event, time);
                groups.push(&row.ok_or_else(|| std::io::Error::other("an event that waited is damaged"))?);
            }
            groups.finish(&mut parsed);
            // They come after all others, whatever their place in the input.
            parsed.sequence = None;
            sink(parsed)?;
        }
        let mut parsed = Parsed::default();
        for ListRecord { line, record, kind, org, loose } in self.lists {
            let loose = loose.with_dates(Dates::Decided(order));
            let taken = read_list_record(kind, &loose, org.as_deref(), &mut parsed);
            if let Err(mut refusal) = taken {
                if order.is_none() && refusal.reason == "no time" {
                    refusal.reason = UNDECIDED;
                }
                parsed.rejected.push(refusal.into_reject(line, record));
            }
        }
        sink(parsed)
    }
}

impl Refusal {
    /// The refusal of a record at a place.
    pub(super) fn into_reject(self, line: u64, record: u64) -> Reject {
        Reject {
            line,
            record,
            reason: self.reason.to_owned(),
            detail: self.detail,
            time: self.time,
            ..Reject::default()
        }
    }
}

/// Texts of an event as they are written, one after the other; its shape comes after them as one more.
macro_rules! with_texts {
    ($($field:ident),+) => {
        fn write_event(row: &EventRow<'_>, into: &mut Vec<u8>) {
            into.extend(row.folded.to_le_bytes());
            for text in [$(row.$field,)+ row.shape.as_str()] {
                into.extend((text.len() as u64).to_le_bytes());
                into.extend(text.as_bytes());
            }
        }

        fn read_event(bytes: &[u8], time: i64) -> Option<EventRow<'_>> {
            let (folded, mut rest) = bytes.split_first_chunk()?;
            $(let $field = read_text(&mut rest)?;)+
            let shape: Shape = read_text(&mut rest)?.parse().ok()?;
            Some(EventRow { $($field,)+ time, shape, folded: u32::from_le_bytes(*folded) })
        }
    };
}
with_texts!(
    event_id,
    action,
    area,
    category,
    mechanism,
    actor_upn,
    actor_name,
    actor_id,
    actor_cuid,
    actor_client_id,
    correlation_id,
    activity_id,
    address,
    user_agent,
    project_id,
    project,
    scope_type,
    scope_id,
    scope_name,
    details,
    data
);

fn read_text<'b>(rest: &mut &'b [u8]) -> Option<&'b str> {
    let (length, more) = rest.split_first_chunk()?;
    let (text, more) = more.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)?;
    *rest = more;
    std::str::from_utf8(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_waiting_event_comes_back_as_it_was() {
        let row = EventRow {
            event_id: "86fbe369-3f5d-4f52-9ab0-3be7db271948",
            time: 0,
            action: "Git.X",
            data: "{\"A\":\"é\"}",
            scope_name: "contoso (Organization)",
            shape: Shape::Splunk,
            folded: 3,
            ..EventRow::EMPTY
        };
        let mut bytes = Vec::new();
        write_event(&row, &mut bytes);
        assert_eq!(read_event(&bytes, 7), Some(EventRow { time: 7, ..row }));
        assert_eq!(read_event(&bytes[..bytes.len() - 1], 7), None);
    }
}
