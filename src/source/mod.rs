//! Bytes in, normalised rows out: one day's events as columns, tokens, users and usage as rows.
//!
//! In: any stream of bytes. What it holds is told by content, never by name. Two layers: *framing* cuts the
//! bytes into records (lines, the objects of pages and arrays, rows of tables), *decoding* turns one record
//! into one row. Memory stays bounded however long the input is: blocks of some megabytes are cut by one
//! thread, decoded by workers, and delivered in the order of the input.
//!
//! ```text
//! intake (hash, gunzip, UTF-16, Windows-1252) -> sniff -> lines | nested | table -> blocks -> decode -> masking -> Sink
//! ```

pub mod azure_devops;
mod block;
mod decode;
mod encoding;
mod error;
mod expand;
pub mod geo;
mod intake;
mod lines;
mod losses;
mod masking;
mod nested;
mod pipeline;
mod quotes;
mod remedy;
mod row;
mod sniff;
mod table;
#[cfg(test)]
mod tests;
mod windows_1252;

pub use error::SourceError;
pub use expand::{Expanded, expand};
pub use losses::{Losses, Sequence};
pub use nested::PageEnds;
pub use pipeline::read;
pub use remedy::remedy;
pub use row::{InventoryRow, OrgKey, Parsed, Reject, UsageRow, UserRow};

/// What the caller says an input holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KindHint {
    /// Told by content, record by record.
    #[default]
    Auto,
    /// Audit events.
    Audit,
    /// Tokens as an administration API lists them.
    Inventory,
    /// Users as the Graph API lists them.
    Users,
    /// Users with their access level and last access.
    Entitlements,
    /// Usage records.
    Usage,
}

/// How to read.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// What the input holds.
    pub kind: KindHint,
    /// Workers that decode; at least one.
    pub threads: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { kind: KindHint::Auto, threads: 1 }
    }
}

/// Takes what an input holds, chunk by chunk, in the order of the input.
///
/// A chunk says nothing of the whole: an input may still turn out to be of no known kind, but then all its
/// chunks so far were free of rows.
pub trait Sink {
    /// Takes the next chunk.
    ///
    /// # Errors
    /// An error ends the reading; it comes back as [`SourceError::Sink`].
    fn chunk(&mut self, chunk: Parsed) -> std::io::Result<()>;

    /// Hears how many bytes of the input were taken in so far, as they arrived.
    fn progress(&mut self, _bytes: u64) {}
}

/// What was read, once the input is at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// What the input was, in words: `api page`, `ndjson`, `portal csv`, `tokenadmin page`.
    pub kind: String,
    /// SHA-256 of the bytes as they arrived, in lower case hexadecimal.
    pub sha256: String,
    /// Bytes as they arrived.
    pub bytes: u64,
    /// Records, kept and rejected.
    pub read: u64,
    /// Records that were rejected.
    pub rejected: u64,
    /// Continuation token of the last page, where more pages follow it: an inventory is then incomplete.
    pub continuation: Option<String>,
    /// A sentence on how dates were read, where nothing in the input confirms it.
    pub assumption: Option<String>,
    /// What its first known record was; none where no record was of a known kind.
    pub holds: Option<KindHint>,
    /// Whether its pages say that they are the last.
    pub ends: PageEnds,
    /// A sentence on how its bytes were read, where they are not sound UTF-8 or UTF-16.
    pub encoding: Option<String>,
    /// A sentence on what is missing, where the input ends early.
    pub truncated: Option<String>,
}
