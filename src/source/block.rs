//! A block: some megabytes of an input, cut into records but not yet decoded.

use super::decode::Columns;
use super::table::{Row, Table};
use std::sync::Arc;

/// How much text a block holds: so much that the texts that repeat are learnt anew seldom.
pub(super) const BLOCK: usize = 4 << 20;
/// How much the first block holds, so that a small input asks for little and all threads soon have work.
const FIRST: usize = 1 << 20;

/// How much the blocks of an input hold, one after the other.
#[derive(Debug)]
pub(super) struct Sizes(usize);

impl Sizes {
    /// Starts small.
    pub(super) fn new() -> Self {
        Self(FIRST)
    }

    /// The size of the next block: twice that of the last, up to [`BLOCK`].
    pub(super) fn next(&mut self) -> usize {
        let size = self.0;
        self.0 = BLOCK.min(size * 2);
        size
    }
}
/// The longest record that is taken; longer ones are damage.
pub(super) const MAX_RECORD: usize = 16 << 20;

/// Some megabytes of an input.
#[derive(Debug, Default)]
pub(super) struct Block {
    /// The text; only the first `len` bytes count, so that buffers can be used again without clearing.
    pub bytes: Vec<u8>,
    /// Bytes that count.
    pub len: usize,
    /// Line of the first byte.
    pub line: u64,
    /// How the text is cut.
    pub layout: Layout,
    /// Whether the input ends with it.
    pub last: bool,
}

/// Begins a block of about `size` bytes in a buffer, with what the one before left of its text; returns how much that was.
pub(super) fn begin(bytes: &mut Vec<u8>, size: usize, left: &mut Vec<u8>) -> usize {
    let room = size.max(left.len() * 2);
    if bytes.len() < room {
        bytes.resize(room, 0);
    }
    let len = left.len();
    bytes[..len].copy_from_slice(left);
    left.clear();
    len
}

/// How the text of a block is cut.
#[derive(Debug, Default)]
pub(super) enum Layout {
    /// A record a line.
    #[default]
    Lines,
    /// Records end to end.
    Records(Vec<Cut>),
    /// Rows of a CSV table.
    Rows(Table, Vec<Row>),
}

/// Where a record ends in its block, and what is known of it.
#[derive(Debug, Clone)]
pub(super) struct Cut {
    /// End of the record; it starts where the one before ends.
    pub end: usize,
    /// Line where it starts.
    pub line: u64,
    /// What it is a row of, where it is an array of values.
    pub columns: Option<Arc<Columns>>,
    /// Organisation that the page names.
    pub org: Option<Arc<str>>,
    /// Whether the record breaks off.
    pub fault: Option<Fault>,
}

/// Why a record is not whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// The input ends inside it.
    CutOff,
    /// It is longer than [`MAX_RECORD`].
    TooLong,
}
