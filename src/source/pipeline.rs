//! Joins the steps: one thread cuts, workers decode, the caller's thread delivers in the order of the input.
//!
//! Buffers go round: a block is cut only into a buffer that has been delivered before, so that no more than a
//! few blocks are in memory, and a slow receiver holds the input back.

use super::block::{Block, Cut, Layout, Sizes};
use super::decode::{Chunk, Kind, Roominess, Waitlist, decode};
use super::intake::{Closed, Intake};
use super::nested::{self, Meta, Pages, Stop};
use super::sniff::{Framing, sniff};
use super::{KindHint, Options, Outcome, Sink, SourceError, lines, masking, table};
use crate::model::event::Shape;
use std::collections::BTreeMap;
use std::io::Read;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};

/// So many bytes are looked at to tell what an input is.
const HEAD: usize = 1 << 20;
/// What to do about an input that breaks off.
const FETCH_AGAIN: &str =
    "Copy or download the file again and import it again: what is in the lake already is not doubled";
/// So many chunks without a known record end the reading of an input that has unknown ones.
const PATIENCE: u64 = 8;

/// Reads an input to its end, handing what it holds to `sink` chunk by chunk.
///
/// # Errors
/// The input fails or is of no known kind, or the sink gives up. Damage inside is no error: it is counted in
/// the chunks and said in the outcome.
pub fn read(
    name: &str,
    input: &mut (dyn Read + Send),
    options: &Options,
    sink: &mut dyn Sink,
) -> Result<Outcome, SourceError> {
    let threads = options.threads.max(1);
    let hint = options.kind;
    let taken = AtomicU64::new(0);
    let in_flight = threads * 2 + 1;
    let (give_buffer, free_buffers) = sync_channel::<Vec<u8>>(in_flight);
    for _ in 0..in_flight {
        // The channel was made to hold them all.
        let _ = give_buffer.send(Vec::new());
    }
    let (give_block, blocks) = sync_channel::<(u64, Block)>(in_flight);
    let (give_chunk, chunks) = sync_channel::<Done>(in_flight);
    let blocks = Mutex::new(blocks);
    std::thread::scope(|scope| {
        let (taken, blocks) = (&taken, &blocks);
        let cutter = scope.spawn(move || cut(input, taken, hint, &free_buffers, give_block));
        for _ in 0..threads {
            let give_chunk = give_chunk.clone();
            scope.spawn(move || work(blocks, hint, &give_chunk));
        }
        drop(give_chunk);
        let mut delivery = Delivery {
            name,
            sink,
            known: None,
            unknown: None,
            read: 0,
            rejected: 0,
            chunks: 0,
            cut: false,
            pages: None,
            waiting: Waitlist::default(),
            assumption: None,
        };
        let delivered = delivery.run(chunks, &give_buffer, taken);
        // Without free buffers the cutter stops; without chunks to send so do the workers.
        drop(give_buffer);
        if let Err(error) = delivered {
            drop(cutter.join());
            return Err(error);
        }
        let taken_in = match cutter.join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        match taken_in {
            Ok(Cutting::Done(found)) => {
                delivery.settle()?;
                delivery.sink.progress(taken.load(Ordering::Relaxed));
                delivery.outcome(found, taken.load(Ordering::Relaxed))
            }
            Ok(Cutting::Unknown(found)) => Err(SourceError::UnknownKind { name: name.to_owned(), found }),
            Ok(Cutting::Refused(found)) => Err(SourceError::Refused { name: name.to_owned(), found }),
            Err(source) => Err(SourceError::Io { name: name.to_owned(), source }),
        }
    })
}

/// A decoded block and its buffer.
struct Done {
    number: u64,
    /// Or the panic of its worker, to be raised where it can end the reading.
    chunk: std::thread::Result<Chunk>,
    buffer: Vec<u8>,
}

/// What the cutter learnt.
struct Found {
    framing: &'static str,
    pages: Pages,
    closed: Closed,
}

enum Cutting {
    Done(Found),
    Unknown(String),
    Refused(String),
}

fn work(blocks: &Mutex<Receiver<(u64, Block)>>, hint: KindHint, give: &SyncSender<Done>) {
    let mut room = Roominess::default();
    loop {
        let next = blocks.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok((number, block)) = next else { return };
        let chunk = std::panic::catch_unwind(|| {
            let mut taken = room;
            let mut chunk = decode(&block, hint, &mut taken);
            masking::mask(&mut chunk.parsed);
            (chunk, taken)
        });
        let chunk = chunk.map(|(chunk, taken)| {
            room = taken;
            chunk
        });
        if give.send(Done { number, chunk, buffer: block.bytes }).is_err() {
            return;
        }
    }
}

fn cut(
    input: &mut (dyn Read + Send),
    taken: &AtomicU64,
    hint: KindHint,
    free: &Receiver<Vec<u8>>,
    give: SyncSender<(u64, Block)>,
) -> std::io::Result<Cutting> {
    let mut intake = Intake::open(input, taken)?;
    let mut head = Vec::new();
    (&mut intake).take(HEAD as u64).read_to_end(&mut head)?;
    let framing = sniff(&head, head.len() < HEAD, hint);
    let mut number = 0;
    let mut emit = |block: Block| {
        number += 1;
        give.send((number - 1, block)).is_ok()
    };
    let mut buffer = || free.recv().ok();
    let mut pages = Pages::default();
    let preamble = match &framing {
        Framing::Table(header) => header.preamble,
        _ => table::Preamble::default(),
    };
    let mut text = head.get(preamble.bytes..).unwrap_or_default().chain(&mut intake);
    let (framing, stopped) = match framing {
        Framing::Unknown(found) => {
            return Ok(match intake.truncated() {
                // What little there is shows nothing of the file.
                Some(why) => {
                    Cutting::Refused(format!("{why} before any record could be read. {FETCH_AGAIN}"))
                }
                None => Cutting::Unknown(found),
            });
        }
        Framing::Lines => ("ndjson", lines::cut(&mut text, &mut buffer, &mut emit)),
        Framing::Refused(found) => return Ok(Cutting::Refused(found)),
        Framing::Table(header) => ("csv", table::cut(&mut text, header, &mut buffer, &mut emit)),
        Framing::Nested => {
            let found = gather(&mut text, &mut buffer, &mut emit);
            ("json", found.map(|found| pages = found))
        }
    };
    drop(give);
    match stopped {
        // Whoever asked for the end knows why, and needs no hash.
        Ok(()) | Err(Stop::Asked) => {}
        Err(Stop::Io(error)) => return Err(error),
    }
    Ok(Cutting::Done(Found { framing, pages, closed: intake.close()? }))
}

/// Gathers the records of nested JSON into blocks.
fn gather(
    input: &mut dyn Read,
    buffer: &mut dyn FnMut() -> Option<Vec<u8>>,
    emit: &mut dyn FnMut(Block) -> bool,
) -> Result<Pages, Stop> {
    let mut open = Gathering { bytes: buffer().ok_or(Stop::Asked)?, cuts: Vec::new() };
    open.bytes.clear();
    let mut sizes = Sizes::new();
    let mut size = sizes.next();
    let pages = nested::scan(input, 1, &mut |record, meta| {
        open.add(record, meta);
        if open.bytes.len() < size {
            return true;
        }
        let full = std::mem::take(&mut open);
        size = sizes.next();
        if !emit(full.block(false)) {
            return false;
        }
        match buffer() {
            Some(mut bytes) => {
                bytes.clear();
                open.bytes = bytes;
                true
            }
            None => false,
        }
    })?;
    if emit(open.block(true)) { Ok(pages) } else { Err(Stop::Asked) }
}

#[derive(Default)]
struct Gathering {
    bytes: Vec<u8>,
    cuts: Vec<Cut>,
}

impl Gathering {
    fn add(&mut self, record: &[u8], meta: Meta) {
        self.bytes.extend_from_slice(record);
        let Meta { line, columns, org, fault } = meta;
        self.cuts.push(Cut { end: self.bytes.len(), line, columns, org, fault });
    }

    fn block(self, last: bool) -> Block {
        let line = self.cuts.first().map_or(1, |cut| cut.line);
        Block { len: self.bytes.len(), bytes: self.bytes, line, layout: Layout::Records(self.cuts), last }
    }
}

struct Delivery<'s> {
    name: &'s str,
    sink: &'s mut dyn Sink,
    known: Option<Kind>,
    unknown: Option<String>,
    read: u64,
    rejected: u64,
    chunks: u64,
    cut: bool,
    pages: Option<Pages>,
    waiting: Waitlist,
    assumption: Option<String>,
}

impl Delivery<'_> {
    fn run(
        &mut self,
        chunks: Receiver<Done>,
        give_buffer: &SyncSender<Vec<u8>>,
        taken: &AtomicU64,
    ) -> Result<(), SourceError> {
        // Holds no more than there are buffers.
        let mut early = BTreeMap::new();
        let mut next = 0;
        for done in &chunks {
            early.insert(done.number, done);
            while let Some(done) = early.remove(&next) {
                next += 1;
                // A cutter that is through needs no buffers.
                let _ = give_buffer.try_send(done.buffer);
                match done.chunk {
                    Ok(chunk) => self.deliver(chunk)?,
                    Err(panic) => std::panic::resume_unwind(panic),
                }
                self.sink.progress(taken.load(Ordering::Relaxed));
            }
        }
        Ok(())
    }

    fn deliver(&mut self, mut chunk: Chunk) -> Result<(), SourceError> {
        if let Some(found) = chunk.refused.take() {
            return Err(SourceError::Refused { name: self.name.to_owned(), found });
        }
        for reject in &mut chunk.parsed.rejected {
            reject.record += self.read;
        }
        let waits = self.waiting.add(chunk.waiting, self.read);
        waits.map_err(|source| self.failed(source))?;
        self.read += chunk.parsed.read;
        self.rejected += chunk.parsed.rejected.len() as u64;
        self.chunks += 1;
        self.cut |= chunk.cut;
        self.known = self.known.or(chunk.kind);
        self.unknown = self.unknown.take().or(chunk.unknown);
        if let Some(mut pages) = chunk.pages {
            pages.ends += self.pages.take().map(|before| before.ends).unwrap_or_default();
            self.pages = Some(pages);
        }
        if self.chunks >= PATIENCE {
            self.check_known()?;
        }
        self.sink.chunk(chunk.parsed).map_err(|source| self.failed(source))
    }

    fn failed(&self, source: std::io::Error) -> SourceError {
        SourceError::Sink { name: self.name.to_owned(), source }
    }

    /// Delivers the records that waited for the order of day and month.
    fn settle(&mut self) -> Result<(), SourceError> {
        let waiting = std::mem::take(&mut self.waiting);
        self.assumption = waiting.assumption();
        let (sink, rejected) = (&mut *self.sink, &mut self.rejected);
        let settled = waiting.settle(&mut |parsed| {
            *rejected += parsed.rejected.len() as u64;
            sink.chunk(parsed)
        });
        settled.map_err(|source| self.failed(source))
    }

    fn check_known(&self) -> Result<(), SourceError> {
        match (&self.known, &self.unknown) {
            (None, Some(found)) => {
                Err(SourceError::UnknownKind { name: self.name.to_owned(), found: found.clone() })
            }
            _ => Ok(()),
        }
    }

    fn outcome(self, found: Found, bytes: u64) -> Result<Outcome, SourceError> {
        self.check_known()?;
        let lines_of_pages = self.pages;
        let pages = found.pages;
        let holder = pages.holder.clone().or_else(|| lines_of_pages.as_ref()?.holder.clone());
        let kind = describe(self.known, found.framing, holder.as_deref(), pages.array);
        let mut ends = pages.ends;
        ends += lines_of_pages.as_ref().map(|pages| pages.ends).unwrap_or_default();
        let cut = self.cut.then(|| "the input ends inside a record".to_owned());
        let continuation = pages.continuation.or_else(|| lines_of_pages?.continuation);
        let holds = self.known.map(|known| match known {
            Kind::Audit(_) => KindHint::Audit,
            Kind::Inventory { .. } => KindHint::Inventory,
            Kind::Users => KindHint::Users,
            Kind::Entitlements => KindHint::Entitlements,
            Kind::Usage => KindHint::Usage,
        });
        Ok(Outcome {
            kind,
            holds,
            sha256: found.closed.sha256,
            bytes,
            read: self.read,
            rejected: self.rejected,
            continuation,
            assumption: self.assumption,
            ends,
            encoding: found.closed.encoding.map(|finding| finding.to_string()),
            truncated: found.closed.truncated.or(pages.truncated).or(cut).map(|why| {
                let records = match self.read {
                    1 => "1 record was read before that place".to_owned(),
                    n => format!("{n} records were read before that place"),
                };
                format!("{why}; {records}. {FETCH_AGAIN}")
            }),
        })
    }
}

/// Names what an input was, in words.
fn describe(kind: Option<Kind>, framing: &str, holder: Option<&str>, array: bool) -> String {
    let base = match kind {
        None => match holder {
            _ if framing == "csv" => return "csv without rows".to_owned(),
            Some(holder) if holder.eq_ignore_ascii_case("decoratedAuditLogEntries") => {
                return "api page".to_owned();
            }
            Some(holder) if holder.eq_ignore_ascii_case("patTokens") => return "pats page".to_owned(),
            Some(_) => return "empty page".to_owned(),
            None if array => return "empty array".to_owned(),
            None => return framing.to_owned(),
        },
        Some(Kind::Audit(shape)) => {
            return match (shape, framing) {
                (Shape::Api, "ndjson") => "ndjson".to_owned(),
                (Shape::Api, _) if holder.is_some() => "api page".to_owned(),
                (Shape::Api, _) if array => "api array".to_owned(),
                (Shape::Api, _) => "api records".to_owned(),
                (Shape::Export, _) => format!("portal {framing}"),
                (Shape::LogAnalytics, _) if holder.is_some() => "log analytics query".to_owned(),
                (Shape::LogAnalytics, _) => format!("log analytics {framing}"),
                (Shape::Poller, _) => format!("sentinel poller {framing}"),
                (Shape::EventGrid, _) => format!("event grid {framing}"),
                (Shape::Splunk, _) => format!("splunk {framing}"),
            };
        }
        Some(Kind::Inventory { admin: true }) => "tokenadmin",
        Some(Kind::Inventory { admin: false }) => "pats",
        Some(Kind::Users) => "graph users",
        Some(Kind::Entitlements) => "entitlements",
        Some(Kind::Usage) => "usage records",
    };
    match holder {
        Some(_) => format!("{base} page"),
        None => format!("{base} {framing}"),
    }
}
