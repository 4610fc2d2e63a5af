//! Pages of a column to its rows.
//!
//! In: the chunk of a row group as it lies in the file, and which of its rows are wanted. Out: codes with their texts, or
//! numbers; a page that patwatch does not write stops it.

use crate::lake::columns::{Cells, Numbers, Text};
use polars_parquet::parquet::CowBuffer;
use polars_parquet::parquet::compression::DecompressionContext;
use polars_parquet::parquet::encoding::hybrid_rle::{HybridRleChunk, HybridRleDecoder};
use polars_parquet::parquet::error::ParquetError;
use polars_parquet::parquet::metadata::ColumnChunkMetadata;
use polars_parquet::parquet::page::{DataPage, Page, split_buffer};
use polars_parquet::parquet::read::{PageReader, decompress};
use polars_parquet::parquet::schema::types::PhysicalType;
use polars_parquet::write::Encoding;
use std::cell::RefCell;
use std::fs::File;
use std::io::{Cursor, Read as _, Seek as _, SeekFrom};
use std::ops::Range;

/// Why a column was not read.
pub(super) enum Stop {
    /// Its pages are such as patwatch does not write.
    Foreign,
    /// What is wrong.
    Damaged(String),
}

impl From<ParquetError> for Stop {
    fn from(error: ParquetError) -> Self {
        Self::Damaged(error.to_string())
    }
}

thread_local! {
    /// What decompresses pages, and the room that they need, kept from page to page.
    static UNPACKER: RefCell<(DecompressionContext, Vec<u8>)> =
        const { RefCell::new((DecompressionContext::Unset, Vec::new())) };
}
/// Room for so many rows is made beforehand.
const MOST_ROWS: usize = 1 << 20;
/// So many bytes of room are kept.
const KEPT: usize = 8 << 20;

/// A column that fills.
pub(super) enum Column {
    Text { codes: Vec<u32>, all: Vec<u8>, ends: Vec<usize> },
    Numbers { kind: PhysicalType, numbers: Numbers },
}

impl Column {
    pub(super) fn new(kind: PhysicalType, rows: usize) -> Result<Self, Stop> {
        // Likewise the number of rows.
        let rows = rows.min(MOST_ROWS);
        match kind {
            PhysicalType::ByteArray => {
                Ok(Self::Text { codes: Vec::with_capacity(rows), all: Vec::new(), ends: vec![0] })
            }
            PhysicalType::Boolean | PhysicalType::Int32 | PhysicalType::Int64 => {
                let numbers = Numbers { values: Vec::with_capacity(rows), valid: Vec::new() };
                Ok(Self::Numbers { kind, numbers })
            }
            _ => Err(Stop::Foreign),
        }
    }

    pub(super) fn height(&self) -> usize {
        match self {
            Self::Text { codes, .. } => codes.len(),
            Self::Numbers { numbers, .. } => numbers.values.len(),
        }
    }

    pub(super) fn finish(self) -> Option<Cells> {
        match self {
            Self::Text { codes, all, ends } => Text::new(codes, all, ends).map(Cells::Text),
            Self::Numbers { numbers, .. } => Some(Cells::Numbers(numbers)),
        }
    }

    /// Adds rows of a row group.
    pub(super) fn add(
        &mut self,
        file: &mut File,
        chunk: &ColumnChunkMetadata,
        wanted: &Range<usize>,
    ) -> Result<(), Stop> {
        let failed = |e: std::io::Error| Stop::Damaged(e.to_string());
        let range = chunk.byte_range();
        // A damaged footer may ask for more than there is, and more than the memory holds.
        if range.start > range.end || range.end > file.metadata().map_err(failed)?.len() {
            return Err(short());
        }
        let mut bytes = vec![0; usize::try_from(range.end - range.start).map_err(|_| Stop::Foreign)?];
        file.seek(SeekFrom::Start(range.start)).and_then(|_| file.read_exact(&mut bytes)).map_err(failed)?;
        let pages = PageReader::new(Cursor::new(bytes.into()), chunk, Vec::new(), usize::MAX);
        let (mut dictionary, mut passed) = (None, 0);
        for page in pages {
            let page = page?;
            UNPACKER.with_borrow_mut(|(context, room)| -> Result<(), Stop> {
                let used = match decompress(page, room, context)? {
                    Page::Dict(page) => {
                        dictionary = Some(self.dictionary(&page.buffer, page.num_values)?);
                        page.buffer
                    }
                    Page::Data(mut page) => {
                        let here = |row: usize| row.clamp(passed, passed + page.num_values()) - passed;
                        self.rows(&page, dictionary.as_ref(), here(wanted.start)..here(wanted.end))?;
                        passed += page.num_values();
                        CowBuffer::Owned(std::mem::take(page.buffer_mut()))
                    }
                };
                if let (CowBuffer::Owned(used), 0) = (used, room.capacity())
                    && used.capacity() <= KEPT
                {
                    *room = used;
                }
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Takes the values of a dictionary.
    fn dictionary(&mut self, bytes: &[u8], count: usize) -> Result<Dictionary, Stop> {
        match self {
            Self::Text { all, ends, .. } => {
                let first = code(ends.len())?;
                texts(bytes, 0, count, all, ends)?;
                Ok(Dictionary::Texts { first, count: code(count)? })
            }
            Self::Numbers { kind, .. } => {
                let mut values = Vec::with_capacity(count);
                plain(*kind, bytes, count, &mut values)?;
                Ok(Dictionary::Numbers(values))
            }
        }
    }

    /// Adds rows of a page.
    fn rows(
        &mut self,
        page: &DataPage,
        dictionary: Option<&Dictionary>,
        wanted: Range<usize>,
    ) -> Result<(), Stop> {
        let parts = split_buffer(page)?;
        if !parts.rep.is_empty() {
            return Err(Stop::Foreign);
        }
        let rows = page.num_values();
        let valid = levels(parts.def, rows, page.descriptor.max_def_level > 0)?;
        let held = |rows: Range<usize>| match valid.is_empty() {
            true => rows.len(),
            false => valid[rows].iter().filter(|valid| **valid).count(),
        };
        // Only values are stored: those of earlier rows are passed over.
        let (skip, take) = (held(0..wanted.start), held(wanted.clone()));
        let keys = match page.encoding() {
            Encoding::Plain => None,
            Encoding::RleDictionary | Encoding::PlainDictionary => {
                let keys = keys(parts.values, held(0..rows))?;
                Some(keys[skip..skip + take].to_vec())
            }
            _ => return Err(Stop::Foreign),
        };
        let valid = if valid.is_empty() { &[][..] } else { &valid[wanted] };
        match (self, dictionary, keys) {
            (Self::Text { codes, .. }, Some(Dictionary::Texts { first, count }), Some(keys)) => {
                inside(&keys, *count as usize)?;
                spread(codes, valid, keys.into_iter().map(|key| first + key), 0);
            }
            (Self::Text { codes, all, ends }, _, None) => {
                let first = code(ends.len())?;
                texts(parts.values, skip, take, all, ends)?;
                spread(codes, valid, (first..).take(take), 0);
            }
            (Self::Numbers { numbers, .. }, Some(Dictionary::Numbers(known)), Some(keys)) => {
                inside(&keys, known.len())?;
                numbers.add(valid, keys.into_iter().map(|key| known[key as usize]));
            }
            (Self::Numbers { kind, numbers }, _, None) => {
                let mut values = Vec::with_capacity(skip + take);
                plain(*kind, parts.values, skip + take, &mut values)?;
                numbers.add(valid, values.into_iter().skip(skip));
            }
            _ => return Err(lost()),
        }
        Ok(())
    }
}

impl Numbers {
    fn add(&mut self, valid: &[bool], values: impl Iterator<Item = i64>) {
        let before = self.values.len();
        spread(&mut self.values, valid, values, 0);
        if valid.is_empty() && self.valid.is_empty() {
            return;
        }
        self.valid.resize(before, true);
        self.valid.extend_from_slice(valid);
        self.valid.resize(self.values.len(), true);
    }
}

/// What the indices of a page mean.
enum Dictionary {
    /// Codes of a column, from the first on.
    Texts {
        first: u32,
        count: u32,
    },
    Numbers(Vec<i64>),
}

fn lost() -> Stop {
    Stop::Damaged("a page has lost its dictionary".to_owned())
}

fn short() -> Stop {
    Stop::Damaged("a page ends too soon".to_owned())
}

pub(super) fn code(count: usize) -> Result<u32, Stop> {
    u32::try_from(count).map_err(|_| Stop::Foreign)
}

fn inside(keys: &[u32], count: usize) -> Result<(), Stop> {
    match keys.iter().max() {
        Some(greatest) if *greatest as usize >= count => Err(lost()),
        _ => Ok(()),
    }
}

/// Adds values where rows have one, and `none` where not.
fn spread<T: Copy>(to: &mut Vec<T>, valid: &[bool], mut values: impl Iterator<Item = T>, none: T) {
    if valid.is_empty() {
        to.extend(values);
    } else {
        to.extend(valid.iter().map(|valid| if *valid { values.next().unwrap_or(none) } else { none }));
    }
}

/// Which rows of a page have a value; empty where all have.
fn levels(bytes: &[u8], rows: usize, is_optional: bool) -> Result<Vec<bool>, Stop> {
    if !is_optional {
        return Ok(Vec::new());
    }
    let mut valid = Vec::with_capacity(rows);
    let mut packed: Vec<u32> = Vec::new();
    for chunk in HybridRleDecoder::new(bytes, 1, rows).into_chunk_iter() {
        match chunk? {
            HybridRleChunk::Rle(1, count) if count == rows => return Ok(Vec::new()),
            HybridRleChunk::Rle(value, count) => valid.resize(valid.len() + count, value != 0),
            HybridRleChunk::Bitpacked(bits) => {
                packed.clear();
                bits.collect_into(&mut packed);
                valid.extend(packed.iter().map(|bit| *bit != 0));
            }
        }
    }
    if valid.len() == rows { Ok(valid) } else { Err(short()) }
}

/// Indices into a dictionary.
fn keys(bytes: &[u8], count: usize) -> Result<Vec<u32>, Stop> {
    let Some((bits, bytes)) = bytes.split_first() else {
        return if count == 0 { Ok(Vec::new()) } else { Err(short()) };
    };
    if *bits > 32 {
        return Err(lost());
    }
    let keys = HybridRleDecoder::new(bytes, u32::from(*bits), count).collect()?;
    if keys.len() == count { Ok(keys) } else { Err(short()) }
}

/// Texts as they stand, each with its length before it; the first are passed over.
fn texts(
    mut bytes: &[u8],
    skip: usize,
    count: usize,
    all: &mut Vec<u8>,
    ends: &mut Vec<usize>,
) -> Result<(), Stop> {
    if skip == 0 {
        all.reserve(bytes.len().saturating_sub(count * 4));
    }
    ends.reserve(count);
    for at in 0..skip + count {
        let (length, rest) = bytes.split_first_chunk().ok_or_else(short)?;
        let length = u32::from_le_bytes(*length) as usize;
        let (text, rest) = rest.split_at_checked(length).ok_or_else(short)?;
        if at < skip {
            bytes = rest;
            continue;
        }
        all.extend_from_slice(text);
        ends.push(all.len());
        bytes = rest;
    }
    Ok(())
}

/// Numbers as they stand.
fn plain(kind: PhysicalType, bytes: &[u8], count: usize, values: &mut Vec<i64>) -> Result<(), Stop> {
    let before = values.len();
    match kind {
        PhysicalType::Int64 => {
            let (numbers, _) = bytes.as_chunks::<8>();
            values.extend(numbers.iter().take(count).map(|n| i64::from_le_bytes(*n)));
        }
        PhysicalType::Int32 => {
            let (numbers, _) = bytes.as_chunks::<4>();
            values.extend(numbers.iter().take(count).map(|n| i64::from(i32::from_le_bytes(*n))));
        }
        _ => {
            let bits = bytes.iter().flat_map(|byte| (0..8).map(move |bit| i64::from(byte >> bit & 1)));
            values.extend(bits.take(count));
        }
    }
    if values.len() - before == count { Ok(()) } else { Err(short()) }
}
