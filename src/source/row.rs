//! What one chunk of an input held, as plain values.

use super::losses::Sequence;
use crate::model::batch::EventBatch;
pub use crate::model::inventory::{InventoryRow, OrgKey, UsageRow, UserRow};
use crate::model::time::{Day, Micros};

/// A record that could not be taken.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reject {
    /// Line where the record starts, from 1.
    pub line: u64,
    /// Number of the record in the input, from 1.
    pub record: u64,
    /// Why, in few words that many records share.
    pub reason: String,
    /// What is special about this one; may be empty.
    pub detail: String,
    /// Its time, where that could be read.
    pub time: Option<Micros>,
    /// Time of the last event before it that was read, in its chunk.
    pub previous: Option<Micros>,
    /// Time of the first event after it that was read, in its chunk.
    pub next: Option<Micros>,
}

/// What one chunk of an input held.
#[derive(Debug, Default)]
pub struct Parsed {
    /// Events by organisation and UTC day, in order of first appearance.
    pub batches: Vec<((OrgKey, Day), EventBatch)>,
    /// Records, kept and rejected.
    pub read: u64,
    /// Records that could not be taken.
    pub rejected: Vec<Reject>,
    /// Tokens.
    pub inventory: Vec<InventoryRow>,
    /// Users, and whatever else a page of users lists.
    pub users: Vec<UserRow>,
    /// Usage records.
    pub usage: Vec<UsageRow>,
    /// Organisations of the events, each with its newest time.
    pub orgs_seen: Vec<(OrgKey, Micros)>,
    /// The times of the events, in the order of the input.
    pub sequence: Option<Sequence>,
}
