//! Rows of a column to Parquet pages: values in, an encoded data page out, with its dictionary where there is one.
//!
//! Written by hand because a day holds its repeated texts as codes already: from codes to indices is one pass, where
//! arrays of Arrow would be filled, hashed and searched for their bounds first.

use super::pages;
use hashbrown::HashMap;
use polars::prelude::PolarsResult;
use polars_arrow::bitmap::{Bitmap, MutableBitmap};
use polars_parquet::parquet::CowBuffer;
use polars_parquet::parquet::encoding::hybrid_rle;
use polars_parquet::parquet::metadata::Descriptor;
use polars_parquet::parquet::page::{DataPage, DataPageHeader, DataPageHeaderV1, DictPage};
use polars_parquet::parquet::schema::types::PrimitiveType;
use polars_parquet::parquet::statistics::ParquetStatistics;
use polars_parquet::write::{Encoding, Page, Version, write_def_levels};

/// What a reader can learn of a column without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Statistics {
    /// Least, greatest, and how many are null.
    Full,
    /// How many are null: long texts are not searched by range.
    Nulls,
}

/// Encodes texts as they stand; an empty one is null.
pub(super) fn plain(rows: &[&str], statistics: Statistics, kind: &PrimitiveType) -> PolarsResult<Vec<Page>> {
    let bytes: usize = rows.iter().map(|row| row.len()).sum();
    let nulls = rows.iter().filter(|row| row.is_empty()).count();
    let valid = (nulls > 0).then(|| rows.iter().map(|row| !row.is_empty()).collect::<Bitmap>());
    let mut buffer = pages::room(bytes + rows.len() * 4 + rows.len() / 8 + 64);
    levels(&mut buffer, valid.as_ref(), rows.len())?;
    for row in rows.iter().filter(|row| !row.is_empty()) {
        put_text(&mut buffer, row);
    }
    let bounds = match statistics {
        Statistics::Full => bounds(rows.iter().copied().filter(|row| !row.is_empty())),
        Statistics::Nulls => None,
    };
    Ok(vec![data(buffer, rows.len(), told(nulls, bounds), kind, Encoding::Plain)])
}

/// Encodes texts as indices into those of `values` that occur; an empty one is null. `local` holds `u32::MAX` for each
/// value, before and after.
pub(super) fn coded<V: AsRef<str>>(
    rows: &[u32],
    values: &[V],
    local: &mut [u32],
    kind: &PrimitiveType,
) -> PolarsResult<Vec<Page>> {
    let mut used: Vec<u32> = Vec::new();
    let mut keys: Vec<u32> = Vec::with_capacity(rows.len());
    let mut empty = u32::MAX;
    let (mut dictionary, mut texts) = (Vec::new(), 0);
    for &code in rows {
        if code == empty {
            continue;
        }
        let slot = &mut local[code as usize];
        if *slot == u32::MAX {
            let text = values[code as usize].as_ref();
            if text.is_empty() {
                empty = code;
                continue;
            }
            used.push(code);
            *slot = texts;
            texts += 1;
            put_text(&mut dictionary, text);
        }
        keys.push(*slot);
    }
    for code in &used {
        local[*code as usize] = u32::MAX;
    }
    let nulls = rows.len() - keys.len();
    let valid = (nulls > 0).then(|| rows.iter().map(|code| *code != empty).collect::<Bitmap>());
    if keys.is_empty() {
        // A dictionary without values is more than some readers take.
        return plain(&vec![""; rows.len()], Statistics::Full, kind);
    }
    let bounds = bounds(used.iter().map(|code| values[*code as usize].as_ref()));
    indexed(&keys, (dictionary, texts), rows.len(), valid.as_ref(), told(nulls, bounds), kind)
}

/// Encodes texts of which few rows have one: `cells` are those that have, by row from `start` on, in order; none is empty.
pub(super) fn sparse<V: AsRef<str>>(
    rows: usize,
    start: usize,
    cells: &[(usize, V)],
    kind: &PrimitiveType,
) -> PolarsResult<Vec<Page>> {
    if cells.is_empty() {
        let mut buffer = Vec::with_capacity(16);
        // Definition levels: one run of zeros, its length in front.
        let mut run = Vec::with_capacity(8);
        <bool as hybrid_rle::Encoder<bool>>::run_length_encode(&mut run, rows, false, 1)?;
        buffer.extend_from_slice(&u32::try_from(run.len()).unwrap_or_default().to_le_bytes());
        buffer.extend_from_slice(&run);
        return Ok(vec![data(buffer, rows, told(rows, None), kind, Encoding::Plain)]);
    }
    let mut valid = MutableBitmap::from_len_zeroed(rows);
    let mut index: HashMap<&str, u32> = HashMap::with_capacity(cells.len());
    let (mut dictionary, mut used) = (Vec::new(), Vec::new());
    let mut keys = Vec::with_capacity(cells.len());
    for (row, text) in cells.iter().map(|(row, text)| (row - start, text.as_ref())) {
        valid.set(row, true);
        keys.push(*index.entry(text).or_insert_with(|| {
            put_text(&mut dictionary, text);
            used.push(text);
            u32::try_from(used.len() - 1).unwrap_or(u32::MAX)
        }));
    }
    let statistics = told(rows - keys.len(), bounds(used.iter().copied()));
    let values = u32::try_from(used.len()).unwrap_or(u32::MAX);
    indexed(&keys, (dictionary, values), rows, Some(&valid.into()), statistics, kind)
}

/// A number that Parquet stores in its own width.
pub(super) trait Number: Copy + Ord + Into<i64> {
    /// Adds the bytes of its plain encoding.
    fn put(self, to: &mut Vec<u8>);
}

impl Number for i64 {
    fn put(self, to: &mut Vec<u8>) {
        to.extend_from_slice(&self.to_le_bytes());
    }
}

impl Number for i32 {
    fn put(self, to: &mut Vec<u8>) {
        to.extend_from_slice(&self.to_le_bytes());
    }
}

/// So far apart may the least and the greatest number be that a dictionary is looked for.
const NEAR: i64 = 4096;

/// Encodes numbers: as a dictionary where few lie close together, else as they stand.
pub(super) fn numbers<N: Number>(rows: &[Option<N>], kind: &PrimitiveType) -> PolarsResult<Vec<Page>> {
    let held: Vec<N> = rows.iter().flatten().copied().collect();
    let nulls = rows.len() - held.len();
    let valid = (nulls > 0).then(|| rows.iter().map(Option::is_some).collect::<Bitmap>());
    let ends = held.iter().min().copied().zip(held.iter().max().copied());
    let bytes = |number: N| {
        let mut bytes = Vec::new();
        number.put(&mut bytes);
        bytes
    };
    let statistics = told(nulls, ends.map(|(least, greatest)| (bytes(least), bytes(greatest))));
    let span = ends.and_then(|(least, greatest)| greatest.into().checked_sub(least.into()));
    if let (Some((least, _)), Some(span)) = (ends, span.filter(|span| *span < NEAR)) {
        let place = |number: N| usize::try_from(number.into() - least.into()).unwrap_or_default();
        let mut local = vec![u32::MAX; place_count(span)];
        let (mut dictionary, mut texts) = (Vec::new(), 0);
        let keys: Vec<u32> = held
            .iter()
            .map(|number| {
                let slot = &mut local[place(*number)];
                if *slot == u32::MAX {
                    *slot = texts;
                    texts += 1;
                    number.put(&mut dictionary);
                }
                *slot
            })
            .collect();
        if (texts as usize) * 2 <= held.len().max(2) {
            return indexed(&keys, (dictionary, texts), rows.len(), valid.as_ref(), statistics, kind);
        }
    }
    let mut buffer = Vec::with_capacity(held.len() * size_of::<N>() + 64);
    levels(&mut buffer, valid.as_ref(), rows.len())?;
    held.iter().for_each(|number| number.put(&mut buffer));
    Ok(vec![data(buffer, rows.len(), statistics, kind, Encoding::Plain)])
}

fn place_count(span: i64) -> usize {
    usize::try_from(span).map_or(1, |span| span + 1)
}

/// Encodes flags.
pub(super) fn flags(rows: &[Option<bool>], kind: &PrimitiveType) -> PolarsResult<Vec<Page>> {
    let held: Bitmap = rows.iter().flatten().copied().collect();
    let nulls = rows.len() - held.len();
    let valid = (nulls > 0).then(|| rows.iter().map(Option::is_some).collect::<Bitmap>());
    let bounds = (!held.is_empty())
        .then(|| (vec![u8::from(held.unset_bits() == 0)], vec![u8::from(held.set_bits() > 0)]));
    let mut buffer = Vec::with_capacity(rows.len() / 4 + 64);
    levels(&mut buffer, valid.as_ref(), rows.len())?;
    hybrid_rle::bitpacked_encode(&mut buffer, held.iter())?;
    Ok(vec![data(buffer, rows.len(), told(nulls, bounds), kind, Encoding::Plain)])
}

fn put_text(to: &mut Vec<u8>, text: &str) {
    // Longer texts than 4 GiB cannot come in: a record is bounded by `source::block::MAX_RECORD`.
    to.extend_from_slice(&u32::try_from(text.len()).unwrap_or(u32::MAX).to_le_bytes());
    to.extend_from_slice(text.as_bytes());
}

fn levels(buffer: &mut Vec<u8>, valid: Option<&Bitmap>, rows: usize) -> PolarsResult<()> {
    write_def_levels(buffer, true, valid, rows, Version::V1)
}

/// The least and the greatest text.
fn bounds<'a>(mut texts: impl Iterator<Item = &'a str>) -> Option<(Vec<u8>, Vec<u8>)> {
    let first = texts.next()?;
    let (least, greatest) =
        texts.fold(
            (first, first),
            |(least, greatest), text| {
                if text < least { (text, greatest) } else { (least, greatest.max(text)) }
            },
        );
    Some((least.into(), greatest.into()))
}

fn told(nulls: usize, bounds: Option<(Vec<u8>, Vec<u8>)>) -> ParquetStatistics {
    let (min_value, max_value) = bounds.unzip();
    ParquetStatistics {
        max: None,
        min: None,
        null_count: i64::try_from(nulls).ok(),
        distinct_count: None,
        max_value,
        min_value,
        is_max_value_exact: None,
        is_min_value_exact: None,
    }
}

/// Pages of a dictionary, given with the number of its values, and of indices into it; `rows` counts nulls too.
fn indexed(
    keys: &[u32],
    (dictionary, values): (Vec<u8>, u32),
    rows: usize,
    valid: Option<&Bitmap>,
    statistics: ParquetStatistics,
    kind: &PrimitiveType,
) -> PolarsResult<Vec<Page>> {
    let mut buffer = Vec::with_capacity(rows * 2 + 64);
    levels(&mut buffer, valid, rows)?;
    let bits = u32::BITS - values.saturating_sub(1).leading_zeros();
    buffer.push(u8::try_from(bits).unwrap_or(u8::MAX));
    hybrid_rle::encode::<u32, _, _>(&mut buffer, keys.iter().copied(), bits)?;
    let dictionary = DictPage::new(CowBuffer::Owned(dictionary), values as usize, false);
    Ok(vec![Page::Dict(dictionary), data(buffer, rows, statistics, kind, Encoding::RleDictionary)])
}

fn data(
    buffer: Vec<u8>,
    rows: usize,
    statistics: ParquetStatistics,
    kind: &PrimitiveType,
    encoding: Encoding,
) -> Page {
    let header = DataPageHeaderV1 {
        num_values: i32::try_from(rows).unwrap_or(i32::MAX),
        encoding: encoding.into(),
        definition_level_encoding: Encoding::Rle.into(),
        repetition_level_encoding: Encoding::Rle.into(),
        statistics: Some(statistics),
    };
    // Levels are those of an optional column without nesting; the writer takes them from the schema.
    let descriptor = Descriptor { primitive_type: kind.clone(), max_def_level: 0, max_rep_level: 0 };
    Page::Data(DataPage::new(DataPageHeader::V1(header), CowBuffer::Owned(buffer), descriptor, rows))
}
