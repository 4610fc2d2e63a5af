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

/// Columns of fewer bytes than this stay as they are.
const SMALL: usize = 256;
/// The level of zstd: what the next one saves costs twice the time.
const LEVEL: i32 = 1;

/// The pages of one column of a row group.
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

/// Compresses the pages of a column.
///
/// # Errors
/// When a page cannot be encoded or compressed.
pub(super) fn pack(pages: impl Iterator<Item = PolarsResult<Page>>) -> PolarsResult<Pages> {
    let pages = pages.collect::<PolarsResult<Vec<Page>>>()?;
    let bytes: usize = pages.iter().map(|page| buffer(page).len()).sum();
    // Every page of a column has the same codec, as the format asks.
    let small = bytes < SMALL;
    let packed = pages.into_iter().map(|page| if small { Ok(plain(page)) } else { squeezed(page) });
    let packed = packed.collect::<PolarsResult<Vec<_>>>()?;
    Ok(Pages { waiting: packed.into_iter(), current: None })
}

fn buffer(page: &Page) -> &[u8] {
    match page {
        Page::Data(page) => page.buffer(),
        Page::Dict(page) => &page.buffer,
    }
}

fn plain(page: Page) -> CompressedPage {
    let bytes = buffer(&page).to_vec();
    finished(page, bytes, Compression::Uncompressed)
}

fn squeezed(page: Page) -> PolarsResult<CompressedPage> {
    thread_local! {
        static CONTEXT: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
    }
    let bytes = CONTEXT.with_borrow_mut(|slot| {
        let context = match slot {
            Some(context) => context,
            None => slot.insert(Compressor::new(LEVEL)?),
        };
        context.compress(buffer(&page))
    })?;
    Ok(finished(page, bytes, Compression::Zstd))
}

fn finished(page: Page, bytes: Vec<u8>, codec: Compression) -> CompressedPage {
    let bytes = CowBuffer::Owned(bytes);
    match page {
        Page::Data(page) => {
            let (size, rows) = (page.buffer().len(), page.num_rows.unwrap_or_default());
            let header = page.header().clone();
            CompressedPage::Data(CompressedDataPage::new(header, bytes, codec, size, page.descriptor, rows))
        }
        Page::Dict(page) => {
            let (size, values) = (page.buffer.len(), page.num_values);
            CompressedPage::Dict(CompressedDictPage::new(bytes, codec, size, values, page.is_sorted))
        }
    }
}
