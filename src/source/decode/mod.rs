//! One block in, its rows out: every record told by its own keys.
//!
//! Records as services and exporters write them are read by a walk over their text (`fast`), all others by `serde_json`
//! (`seeds`); which of the two it was shows in nothing but the time it took.
//!
//! A record that is no sound JSON is taken apart, mended and tried once more before it is refused, so that
//! one bad record never costs its neighbours.

mod cells;
mod columns;
mod dates;
mod embedded;
mod event;
mod fast;
mod fields;
mod groups;
mod inventory;
mod json;
mod kind;
mod loose;
mod mend;
mod order;
mod people;
mod records;
mod repair;
mod seeds;
mod spelling;
mod token_columns;
mod undecided;
mod usage;
mod walk;

#[cfg(test)]
pub(super) use cells::cells_of;
pub(super) use columns::Columns;
pub(super) use groups::Roominess;
pub(super) use kind::Kind;
pub(super) use mend::closes;
pub(super) use undecided::{Waiting, Waitlist};

/// Returns true if a text contains an audit record, in whatever envelope.
pub(super) fn contains_record(text: &str) -> bool {
    embedded::may_contain(text) && !embedded::records_in(text).is_empty()
}

use super::KindHint;
use super::block::{Block, Fault, Layout};
use super::nested;
use super::row::Parsed;
use crate::model::event::Shape;
use crate::model::secret;
use crate::model::time::Micros;
use cells::Cells;
use event::Refusal;
use fields::{Fields, Key, Nested};
use groups::Groups;
use kind::{HOLDERS, is_event_grid, kind_of};
use loose::Loose;
use order::Order;
use seeds::{Object, Row};
use serde::de::DeserializeSeed as _;
use std::borrow::Cow;
use token_columns::look_like_tokens;

/// What a block held.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    /// Its rows.
    pub parsed: Parsed,
    /// Kind of its first known record.
    pub kind: Option<Kind>,
    /// Keys of its first record of no known kind.
    pub unknown: Option<String>,
    /// Records whose dates have two readings.
    pub waiting: Waiting,
    /// Whether its last record breaks off.
    pub cut: bool,
    /// Pages that stood on lines of their own, with the token of the last.
    pub pages: Option<nested::Pages>,
    /// Why the input cannot be read at all, which a row showed.
    pub refused: Option<String>,
}

/// So many records of unknown kind are described; the rest are counted.
const DESCRIBED: usize = 100;

/// Decodes a block; `room` carries over from block to block what its rows take.
pub(super) fn decode(block: &Block, hint: KindHint, room: &mut Roominess) -> Chunk {
    let groups = Groups::with_room(*room);
    let (chunk, enveloped) = (Chunk::default(), Order::default());
    let mut decoder = Decoder { hint, groups, chunk, enveloped, followed: 0, deeper: false };
    let bytes = &block.bytes[..block.len.min(block.bytes.len())];
    match &block.layout {
        Layout::Lines => decoder.lines(bytes, block),
        Layout::Records(cuts) => decoder.records(bytes, cuts),
        Layout::Rows(table, rows) => decoder.rows(bytes, table, rows, block.last),
    }
    let (chunk, taken) = decoder.finish();
    *room = taken;
    chunk
}

/// Where a record stands, and what is known of it beside its text.
#[derive(Debug, Clone, Copy)]
struct Place<'p> {
    line: u64,
    fault: Option<Fault>,
    columns: Option<&'p Columns>,
    org: Option<&'p str>,
    /// Pages that it was found in, line by line; bounded, so that pages in pages come to an end.
    depth: usize,
}

/// The record itself, for the kinds that read it as a whole.
enum Whole<'r> {
    Json(&'r str),
    Cells(Cells<'r>),
}

struct Decoder {
    hint: KindHint,
    groups: Groups,
    chunk: Chunk,
    /// Keys of the events in envelopes.
    enveloped: Order,
    /// Rejected records that an event follows.
    followed: usize,
    /// Whether the last search for records inside of a record ended at its depth.
    deeper: bool,
}

impl Decoder {
    fn finish(mut self) -> (Chunk, Roominess) {
        let room = self.groups.finish(&mut self.chunk.parsed);
        (self.chunk, room)
    }

    /// A record that is no UTF-8 is read with its broken characters replaced.
    fn lossy(&mut self, bytes: &[u8], place: Place<'_>) {
        let text = String::from_utf8_lossy(bytes);
        let text = text.trim().trim_end_matches(',');
        if !text.is_empty() {
            self.record(&mut Fields::default(), text, place);
        }
    }

    /// Takes one record; with `fields` used again from one to the next.
    fn record<'a>(&mut self, fields: &mut Fields<'a>, text: &'a str, place: Place<'_>) {
        match parse(fields, text, place.columns) {
            Ok(()) => self.sound(fields, text, place),
            Err(error) => self.troubled(text, &error, place),
        }
    }

    /// Takes a record whose fields were read.
    fn sound(&mut self, fields: &Fields<'_>, text: &str, place: Place<'_>) {
        self.chunk.parsed.read += 1;
        let taken = self.route(fields, &Whole::Json(text), place);
        self.settle(taken, place);
    }

    /// Takes what can be had of text that is not one sound record.
    fn troubled(&mut self, text: &str, error: &serde_json::Error, place: Place<'_>) {
        let pieces = repair::pieces(text);
        let several = pieces.len() > 1;
        for (i, piece) in pieces.iter().enumerate() {
            let last = i + 1 == pieces.len();
            self.chunk.parsed.read += 1;
            let taken = self.repaired(piece, place);
            let taken = taken.unwrap_or_else(|cut| {
                let fault = if last { place.fault } else { None };
                Err(match fault {
                    Some(Fault::TooLong) => Refusal::new("record too long", "more than 16 MB"),
                    Some(Fault::CutOff) if cut => {
                        self.chunk.cut = true;
                        Refusal::new("cut off", "")
                    }
                    _ if !piece.trim_start().starts_with(['{', '[']) => self.no_object(piece),
                    _ if several => Refusal::new("not valid JSON", piece.get(..80).unwrap_or(piece)),
                    _ => Refusal::new("not valid JSON", &error.to_string()),
                })
            });
            self.settle(taken, place);
        }
    }

    /// Tries a piece as it is, then mended. An error tells whether the piece breaks off.
    fn repaired(&mut self, piece: &str, place: Place<'_>) -> Result<Result<(), Refusal>, bool> {
        let mut cut = false;
        for attempt in [repair::Attempt::AsIs, repair::Attempt::Mended, repair::Attempt::Closed] {
            let text = attempt.apply(piece);
            let mut fields = Fields::default();
            match parse(&mut fields, &text, place.columns) {
                Ok(()) => return Ok(self.route(&fields, &Whole::Json(&text), place)),
                Err(error) => cut |= error.is_eof(),
            }
        }
        Err(cut)
    }

    fn no_object(&mut self, piece: &str) -> Refusal {
        let start = secret::start(piece, 40);
        self.chunk.unknown.get_or_insert_with(|| format!("text that starts with {start:?}"));
        let sound = serde_json::from_str::<serde::de::IgnoredAny>(piece).is_ok();
        Refusal::new(if sound { "not an object" } else { "not valid JSON" }, &start)
    }

    /// Finds out what a record is and takes it as that.
    ///
    /// The known forms are tried first; only a record that is none of them is searched for audit records inside.
    fn route(&mut self, fields: &Fields<'_>, whole: &Whole<'_>, place: Place<'_>) -> Result<(), Refusal> {
        let acts = fields.has(Key::ActionId) || fields.has(Key::OperationName);
        let auto = self.hint == KindHint::Auto;
        if auto || self.hint == KindHint::Audit {
            if !acts && fields.has(Key::Event) {
                let taken =
                    self.enveloped(fields.json(Key::Event), Shape::Splunk, epoch_or_time(fields), place);
                return taken.or_else(|refusal| self.embedded(whole, place).ok_or(refusal));
            }
            if !acts && fields.has(Key::Data) && is_event_grid(fields) {
                let kind = fields.text(Key::EventType);
                if !kind.is_empty() && !kind.to_ascii_lowercase().contains("audit") {
                    // A forwarder may publish the records under an event type of its own.
                    let taken = self.embedded(whole, place);
                    return taken
                        .ok_or_else(|| self.unknown("not an Azure DevOps audit event", kind.to_owned()));
                }
                let time = event::parse_instant(fields.text(Key::EventTime));
                let taken = self.enveloped(fields.json(Key::Data), Shape::EventGrid, time, place);
                return taken.or_else(|refusal| self.embedded(whole, place).ok_or(refusal));
            }
            if event::is_event(fields) {
                let taken = self.event(fields, event::bare_shape(fields), None, place);
                // Some envelopes have an action and a time of their own.
                return taken.or_else(|refusal| self.embedded(whole, place).ok_or(refusal));
            }
        }
        if fields.count(&HOLDERS) > 0
            && let Whole::Json(text) = whole
            && self.page(text, place)
        {
            return Ok(());
        }
        if (auto || self.hint == KindHint::Audit) && self.embedded(whole, place).is_some() {
            return Ok(());
        }
        let loose = || loose(whole, place.columns);
        let kind = match self.hint {
            KindHint::Inventory => Some(Kind::Inventory { admin: true }),
            KindHint::Users => Some(Kind::Users),
            KindHint::Entitlements => Some(Kind::Entitlements),
            KindHint::Usage => Some(Kind::Usage),
            KindHint::Audit => None,
            KindHint::Auto => kind_of(fields),
        };
        let Some(kind) = kind else {
            let described = self.chunk.parsed.rejected.len() < DESCRIBED;
            let record = if described { loose() } else { None };
            if let Some(record) = record.as_ref().filter(|r| auto && look_like_tokens(r.written())) {
                self.chunk.kind.get_or_insert(Kind::Inventory { admin: false });
                return Err(Refusal::new("no authorization id", &record.keys()));
            }
            if std::mem::take(&mut self.deeper) {
                let detail =
                    format!("what is nested deeper than {} levels was not searched", embedded::DEPTH);
                return Err(self.unknown("envelopes nested too deeply", detail));
            }
            return Err(self.unknown("unknown kind of record", record.map(|r| r.keys()).unwrap_or_default()));
        };
        let Some(record) = loose() else { return Err(Refusal::new("nested too deeply", "")) };
        self.chunk.kind.get_or_insert(kind);
        let first = self.chunk.parsed.inventory.is_empty();
        let mut parsed = Parsed::default();
        let taken = read_list_record(kind, &record, place.org, &mut parsed);
        let evidence = record.evidence();
        self.chunk.waiting.evidence.add(evidence);
        if evidence.undecided() > 0 {
            let number = self.chunk.parsed.read;
            self.chunk.waiting.list(record, kind, place.org, place.line, number);
            return Ok(());
        }
        if let Some(row) = parsed.inventory.first().filter(|_| first) {
            self.chunk.kind = Some(Kind::Inventory { admin: row.source == "tokenadmin" });
        }
        self.chunk.parsed.add_lists(parsed);
        taken
    }

    fn event(
        &mut self,
        fields: &Fields<'_>,
        shape: Shape,
        time: Option<Micros>,
        place: Place<'_>,
    ) -> Result<(), Refusal> {
        self.chunk.kind.get_or_insert(Kind::Audit(shape));
        let taker = event::Taker {
            groups: &mut self.groups,
            waiting: &mut self.chunk.waiting,
            line: place.line,
            record: self.chunk.parsed.read,
        };
        event::event(fields, shape, time, taker)?;
        let rejected = &mut self.chunk.parsed.rejected;
        if self.followed < rejected.len() {
            let next = self.groups.last_time();
            rejected[self.followed..].iter_mut().for_each(|reject| reject.next = next);
            self.followed = rejected.len();
        }
        Ok(())
    }

    /// Takes the audit records inside a record of another kind; nothing where there are none.
    fn embedded(&mut self, whole: &Whole<'_>, place: Place<'_>) -> Option<()> {
        let mut records = Vec::new();
        self.deeper = false;
        let mut search = |text: &str| {
            let (found, deeper) = embedded::search(text);
            records.extend(found);
            self.deeper |= deeper;
        };
        match whole {
            Whole::Json(text) => search(text),
            Whole::Cells(cells) => {
                let texts = cells.clone().map(cells::Cell::plain);
                texts.filter(|text| embedded::may_contain(text)).for_each(|text| search(&text));
            }
        }
        if records.is_empty() {
            return None;
        }
        // The envelope itself is no record.
        self.chunk.parsed.read -= 1;
        for text in &records {
            self.chunk.parsed.read += 1;
            let mut fields = Fields::default();
            let taken = match parse(&mut fields, text, None) {
                Ok(()) => self.event(&fields, event::bare_shape(&fields), None, place),
                Err(error) => Err(Refusal::new("not valid JSON", &error.to_string())),
            };
            self.settle(taken, place);
        }
        Some(())
    }

    /// Takes the event inside an envelope, where it is an object or a string of JSON.
    fn enveloped(
        &mut self,
        inner: &Nested<'_>,
        shape: Shape,
        time: Option<Micros>,
        place: Place<'_>,
    ) -> Result<(), Refusal> {
        let text: Cow<'_, str> = match inner {
            Nested::None => return Err(self.unknown("empty envelope", String::new())),
            Nested::Json(raw) if raw.starts_with('"') => Cow::Owned(json::unquote(raw)),
            Nested::Json(raw) | Nested::Tight(raw) => Cow::Borrowed(raw),
            Nested::Text(text) => Cow::Borrowed(text),
        };
        let mut failed = String::new();
        for attempt in [repair::Attempt::AsIs, repair::Attempt::Mended, repair::Attempt::Closed] {
            let text = attempt.apply(&text);
            let mut fields = Fields::with_order(std::mem::take(&mut self.enveloped));
            let parsed = parse(&mut fields, &text, None);
            let taken = match parsed {
                Ok(()) if event::is_event(&fields) => self.event(&fields, shape, time, place),
                Ok(()) => {
                    let keys = loose(&Whole::Json(&text), None).map(|l| l.keys()).unwrap_or_default();
                    Err(self.unknown("no audit event in the envelope", keys))
                }
                Err(error) => {
                    failed = error.to_string();
                    continue;
                }
            };
            self.enveloped = fields.into_order();
            return taken;
        }
        Err(self.unknown("no audit event in the envelope", failed))
    }

    /// Takes the records of a page that stands in one record; false where it is none.
    fn page(&mut self, text: &str, place: Place<'_>) -> bool {
        if place.depth > 1 {
            return false;
        }
        let mut records: Vec<(Vec<u8>, nested::Meta)> = Vec::new();
        let scanned = nested::scan(&mut text.as_bytes(), place.line, &mut |bytes, meta| {
            records.push((bytes.to_vec(), meta));
            true
        });
        let Ok(mut pages) = scanned else { return false };
        if pages.holder.is_none() {
            return false;
        }
        // The page itself is no record.
        self.chunk.parsed.read -= 1;
        for (bytes, meta) in &records {
            let place = Place {
                line: place.line,
                fault: meta.fault,
                columns: meta.columns.as_deref(),
                org: meta.org.as_deref().or(place.org),
                depth: place.depth + 1,
            };
            self.lossy(bytes, place);
        }
        if let Some(first) = self.chunk.pages.take() {
            pages.holder = first.holder;
            pages.ends += first.ends;
        }
        self.chunk.pages = Some(pages);
        true
    }

    fn unknown(&mut self, reason: &'static str, detail: String) -> Refusal {
        let found = if detail.is_empty() { reason.to_owned() } else { format!("{reason}: {detail}") };
        self.chunk.unknown.get_or_insert(found);
        Refusal::new(reason, &detail)
    }

    fn settle(&mut self, taken: Result<(), Refusal>, place: Place<'_>) {
        if let Err(refusal) = taken {
            self.reject(place, &refusal);
        }
    }

    fn reject(&mut self, place: Place<'_>, refusal: &Refusal) {
        let parsed = &mut self.chunk.parsed;
        let refusal = refusal.clone();
        let previous = self.groups.last_time();
        let reject = refusal.into_reject(place.line, parsed.read);
        parsed.rejected.push(crate::source::row::Reject { previous, ..reject });
    }
}

/// Reads a record of a list as what it is, into `parsed`.
fn read_list_record(
    kind: Kind,
    record: &Loose,
    org: Option<&str>,
    parsed: &mut Parsed,
) -> Result<(), Refusal> {
    match kind {
        Kind::Inventory { .. } => parsed.inventory.push(inventory::inventory(record, org)?),
        Kind::Users => parsed.users.push(people::graph_user(record, org)?),
        Kind::Entitlements => parsed.users.push(people::entitlement(record, org)?),
        Kind::Usage => parsed.usage.push(usage::usage(record, org)?),
        Kind::Audit(_) => {}
    }
    for name in record.unread() {
        *parsed.unread.entry(token_columns::api_name(name)).or_default() += 1;
    }
    Ok(())
}

fn parse<'a>(fields: &mut Fields<'a>, text: &'a str, columns: Option<&Columns>) -> serde_json::Result<()> {
    if fast::object(fields, text) {
        return Ok(());
    }
    fields.clear();
    let mut json = serde_json::Deserializer::from_str(text);
    match columns {
        Some(columns) if text.trim_start().starts_with('[') => Row(fields, columns).deserialize(&mut json)?,
        _ => Object(fields).deserialize(&mut json)?,
    }
    json.end()
}

fn loose(whole: &Whole<'_>, columns: Option<&Columns>) -> Option<Loose> {
    let map = match (whole, columns) {
        (Whole::Json(text), Some(columns)) if text.trim_start().starts_with('[') => {
            let values: Vec<serde_json::Value> = serde_json::from_str(text).ok()?;
            columns.iter().map(|(name, _)| name.to_owned()).zip(values).collect()
        }
        (Whole::Json(text), _) => serde_json::from_str(text).ok()?,
        (Whole::Cells(cells), Some(columns)) => {
            let cells = cells.clone().map(|cell| serde_json::Value::String(cell.plain().into_owned()));
            columns.iter().map(|(name, _)| name.to_owned()).zip(cells).collect()
        }
        (Whole::Cells(_), None) => return None,
    };
    Some(Loose::new(map))
}

fn epoch_or_time(fields: &Fields<'_>) -> Option<Micros> {
    let text = fields.text(Key::Time);
    event::parse_epoch(text).or_else(|| event::parse_instant(text))
}
