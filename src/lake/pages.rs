//! Pages of a column, compressed: encoded pages in, what the file writer takes out.
//!
//! One zstd context a thread serves all columns, since to make one costs more than to compress a small page;
//! and a column of some hundred bytes is left as it is, for the same reason.

use polars::prelude::{PolarsError, PolarsResult};
use polars_parquet::parquet::CowBuffer;
use polars_parquet::parquet::compression::Compression;
use polars_parquet::parquet::page::CompressedDictPage;
use polars_parquet::write::{CompressedDataPage, CompressedPage, FallibleStreamingIterator, Page};
use std::cell::RefCell;
use zstd::bulk::Compressor;
use zstd::zstd_safe::CParameter;

/// Columns of fewer bytes than this stay as they are.
const SMALL: usize = 256;
/// The level of zstd: what the next one saves costs twice the time.
const LEVEL: i32 = 1;

/// The pages of one column of a row group.
#[derive(Debug)]
pub(super) struct Pages {
    waiting: std::vec::IntoIter<CompressedPage>,
    current: Option<CompressedPage>,
}

impl FallibleStreamingIterator for Pages {
    type Item = CompressedPage;
    type Error = PolarsError;

    fn advance(&mut self) -> PolarsResult<()> {
        self.current = self.waiting.next();
        Ok(())
    }

    fn get(&self) -> Option<&CompressedPage> {
        self.current.as_ref()
    }
}

thread_local! {
    /// Buffers of pages that are compressed: to take new memory for each costs more than to fill it.
    static ROOM: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}
/// So many buffers are kept, and none beyond so many bytes.
const KEPT: usize = 2;
const MOST: usize = 32 << 20;

/// An empty buffer for a page of about `bytes` bytes.
pub(super) fn room(bytes: usize) -> Vec<u8> {
    let mut buffer = if bytes > 1 << 16 { ROOM.with_borrow_mut(Vec::pop) } else { None }.unwrap_or_default();
    buffer.reserve(bytes);
    buffer
}

fn give_back(page: &mut Page) {
    let Page::Data(page) = page else { return };
    let buffer = page.buffer_mut();
    if buffer.capacity() > 1 << 16 && buffer.capacity() <= MOST {
        let mut buffer = std::mem::take(buffer);
        buffer.clear();
        ROOM.with_borrow_mut(|kept| {
            if kept.len() < KEPT {
                kept.push(buffer);
            }
        });
    }
}

/// What a column holds, as far as its compression goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// Text and numbers.
    Any,
    /// Ids: nothing in them repeats, so that a short look for repeats does. It takes half of the time, and a twentieth
    /// more bytes.
    Ids,
}

/// Compresses the pages of a column.
///
/// # Errors
/// When a page cannot be compressed.
pub(super) fn pack(pages: Vec<Page>, content: Content) -> PolarsResult<Pages> {
    let raw: usize = pages.iter().map(|page| buffer(page).len()).sum();
    // Every page of a column has the same codec, as the format asks.
    let small = raw < SMALL;
    let mut packed = Vec::with_capacity(pages.len());
    for mut page in pages {
        let size = buffer(&page).len();
        let (bytes, codec) = if small {
            (buffer(&page).to_vec(), Compression::Uncompressed)
        } else {
            (squeezed(&page, content)?, Compression::Zstd)
        };
        give_back(&mut page);
        packed.push(finished(page, size, bytes, codec));
    }
    Ok(Pages { waiting: packed.into_iter(), current: None })
}

fn buffer(page: &Page) -> &[u8] {
    match page {
        Page::Data(page) => page.buffer(),
        Page::Dict(page) => &page.buffer,
    }
}

/// The compressors of a thread and the room that they write into: a page keeps no more than it needs.
struct Squeezer {
    any: Compressor<'static>,
    ids: Compressor<'static>,
    room: Vec<u8>,
}

impl Squeezer {
    fn new() -> std::io::Result<Self> {
        let mut ids = Compressor::new(LEVEL)?;
        ids.set_parameter(CParameter::HashLog(6))?;
        ids.set_parameter(CParameter::MinMatch(7))?;
        Ok(Self { any: Compressor::new(LEVEL)?, ids, room: Vec::new() })
    }
}

fn squeezed(page: &Page, content: Content) -> PolarsResult<Vec<u8>> {
    thread_local! {
        static SQUEEZER: RefCell<Option<Squeezer>> = const { RefCell::new(None) };
    }
    let raw = buffer(page);
    SQUEEZER.with_borrow_mut(|slot| {
        let own = match slot {
            Some(own) => own,
            None => slot.insert(Squeezer::new()?),
        };
        let most = zstd::zstd_safe::compress_bound(raw.len());
        if own.room.len() < most {
            own.room.resize(most, 0);
        }
        let context = match content {
            Content::Any => &mut own.any,
            Content::Ids => &mut own.ids,
        };
        let bytes = context.compress_to_buffer(raw, own.room.as_mut_slice())?;
        Ok(own.room[..bytes].to_vec())
    })
}

/// The page with its bytes as they go to the file; `size` is what they were before.
fn finished(page: Page, size: usize, bytes: Vec<u8>, codec: Compression) -> CompressedPage {
    let bytes = CowBuffer::Owned(bytes);
    match page {
        Page::Data(page) => {
            let rows = page.num_rows.unwrap_or_default();
            let header = page.header().clone();
            CompressedPage::Data(CompressedDataPage::new(header, bytes, codec, size, page.descriptor, rows))
        }
        Page::Dict(page) => {
            let values = page.num_values;
            CompressedPage::Dict(CompressedDictPage::new(bytes, codec, size, values, page.is_sorted))
        }
    }
}
