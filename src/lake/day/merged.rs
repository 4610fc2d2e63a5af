//! Copies of one event, from any number of inputs, merged into one.
//!
//! In: the batches that hold events of a day, old and new. Out: which row stands for each event, and how many of each
//! input's rows were new. Rows stay where they are: merging moves numbers of rows.

use crate::lake::merge;
use crate::model::batch::EventBatch;
use std::collections::BTreeMap;

/// A batch and the inputs that its rows came from.
#[derive(Debug)]
pub struct Source<'a> {
    /// The rows.
    pub batch: &'a EventBatch,
    /// Ranks of the inputs, each with the number of rows that follow one another. The least rank that holds an
    /// event is the one that brought it; rank 0 is what was held before.
    pub runs: Vec<(u32, usize)>,
}

impl<'a> Source<'a> {
    /// A batch of one input.
    #[must_use]
    pub fn whole(rank: u32, batch: &'a EventBatch) -> Self {
        Self { batch, runs: vec![(rank, batch.len())] }
    }
}

/// The rows of a day as merged, before what follows from them is looked up.
#[derive(Debug)]
pub struct Merged<'a> {
    batches: Vec<&'a EventBatch>,
    /// Rows that no batch holds as they became by merging copies.
    made: EventBatch,
    /// Batch and row of each event; a batch beyond the last stands for `made`.
    pub(super) picks: Vec<(u32, u32)>,
    /// Which rank brought each event.
    pub(super) ranks: Vec<u32>,
    /// New events by rank: those that no lesser rank held.
    pub kept: BTreeMap<u32, u64>,
    /// Whether anything differs from rank 0, the day as it is held.
    pub changed: bool,
}

/// Merges the copies of each event.
#[must_use]
pub fn merge_sources<'a>(sources: &[Source<'a>]) -> Merged<'a> {
    let mut order: Vec<(u128, u32, u32, u32)> =
        Vec::with_capacity(sources.iter().map(|s| s.batch.len()).sum());
    for (b, source) in sources.iter().enumerate() {
        let ranks = source.runs.iter().flat_map(|(rank, rows)| std::iter::repeat_n(*rank, *rows));
        for (i, rank) in (0..source.batch.len()).zip(ranks) {
            order.push((guid_number(source.batch.event_id.get(i)), rank, number(b), number(i)));
        }
    }
    order.sort_unstable();
    let batches: Vec<&EventBatch> = sources.iter().map(|s| s.batch).collect();
    let mut made = EventBatch::default();
    let mut picks = Vec::with_capacity(order.len());
    let mut ranks = Vec::with_capacity(order.len());
    let mut kept = BTreeMap::new();
    let mut changed = false;
    for copies in order.chunk_by(|a, b| a.0 == b.0) {
        let (_, rank, b, i) = copies[0];
        let mut pick = (b, i);
        if copies.len() > 1 {
            let at = |b: u32, i: u32| {
                let (batch, i) = (batches[b as usize], i as usize);
                (batch.row(i), batch.shapes[i])
            };
            let (mut row, mut shapes) = at(b, i);
            let before = (row, shapes);
            for &(_, _, b, i) in &copies[1..] {
                let (other, bits) = at(b, i);
                merge::merge(&mut row, &other);
                shapes |= bits;
            }
            // The first shape is a view on the bits, not content of its own.
            row.shape = before.0.shape;
            if before != (row, shapes) {
                changed = true;
                pick = (number(batches.len()), number(made.len()));
                made.push_merged(&row, shapes);
            }
        }
        *kept.entry(rank).or_insert(0) += 1;
        changed |= rank != 0;
        picks.push(pick);
        ranks.push(rank);
    }
    Merged { batches, made, picks, ranks, kept, changed }
}

/// Merges one batch with itself: a day as it is held.
#[must_use]
pub fn merge_one(batch: &EventBatch) -> Merged<'_> {
    merge_sources(&[Source::whole(0, batch)])
}

pub(super) fn number(i: usize) -> u32 {
    u32::try_from(i).unwrap_or(u32::MAX)
}

/// Reads the hex digits of a GUID as a number; sources let only GUIDs through.
fn guid_number(guid: &str) -> u128 {
    let digit = |c: u8| match c {
        b'0'..=b'9' => Some(c - b'0'),
        b'a'..=b'f' => Some(c - b'a' + 10),
        b'A'..=b'F' => Some(c - b'A' + 10),
        _ => None,
    };
    // Two halves in machine words: half the work of one long number.
    let half = |text: &[u8]| text.iter().filter_map(|c| digit(*c)).fold(0_u64, |n, d| n << 4 | u64::from(d));
    let (left, right) = guid.as_bytes().split_at(guid.len().min(18));
    u128::from(half(left)) << 64 | u128::from(half(right))
}

impl Merged<'_> {
    /// Counts events.
    #[must_use]
    pub fn len(&self) -> usize {
        self.picks.len()
    }

    /// Tells whether there are no events.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.picks.is_empty()
    }

    pub(super) fn batch(&self, b: u32) -> &EventBatch {
        self.batches.get(b as usize).copied().unwrap_or(&self.made)
    }

    pub(super) fn all_batches(&self) -> impl Iterator<Item = &EventBatch> {
        self.batches.iter().copied().chain(std::iter::once(&self.made))
    }
}
