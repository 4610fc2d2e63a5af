//! What the lake holds: days, organisations, snapshots, coverage and ingest runs, in one small JSON file.
//!
//! It replaces listing folders, and is written last in every commit: what it does not name is not there yet.

use super::digest::Digest;
use super::prune::Pruned;
use super::{LakeError, frame};
use crate::model::coverage::Basis;
use crate::model::time::{Day, Micros, Span};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Format number of this version.
pub const FORMAT: u32 = 1;

/// The index.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Index {
    /// Format number.
    pub format: u32,
    /// Organisations by scope id.
    pub orgs: Vec<Org>,
    /// Day files, by organisation and day.
    pub days: Vec<DayEntry>,
    /// Inventories, users and usage records.
    pub snapshots: Vec<Snapshot>,
    /// Spans that are known to be held whole.
    pub covers: Vec<Cover>,
    /// Days inside declared spans and pulled windows that lost records.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lost: Vec<Lost>,
    /// Ingest runs and prunes, oldest first.
    pub runs: Vec<Run>,
    /// Digests of the files of decisions, by organisation: what the file may be. An index of an earlier version has none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub decisions: BTreeMap<String, BTreeSet<Digest>>,
    /// Names that organisations gave up, with files that still have to go.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub leaving: Vec<String>,
    /// Days before this one that are not named here: their files still have to go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pruning: Option<Day>,
}

impl Default for Index {
    fn default() -> Self {
        Self {
            format: FORMAT,
            orgs: Vec::new(),
            days: Vec::new(),
            snapshots: Vec::new(),
            covers: Vec::new(),
            lost: Vec::new(),
            decisions: BTreeMap::new(),
            runs: Vec::new(),
            leaving: Vec::new(),
            pruning: None,
        }
    }
}

/// One organisation: one scope id, under its newest name.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Org {
    /// `scopeId`.
    pub scope_id: String,
    /// Name, lower case.
    pub name: String,
    /// Time of the newest event under that name.
    pub newest: Micros,
}

/// One day file.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct DayEntry {
    /// Organisation.
    pub org: String,
    /// UTC day since 1970.
    pub day: Day,
    /// SHA-256 of the events file; derived files name it.
    pub content: String,
    /// Events.
    pub rows: u64,
    /// First event.
    pub first_time: Micros,
    /// Last event.
    pub last_time: Micros,
    /// Bits of the shapes that fed it: the union over its events.
    pub shapes: u8,
    /// Events per hour that show the organisation's rhythm.
    pub hours: Vec<u32>,
    /// Areas that occur, sorted; few of them betray a filtered export.
    pub areas: Vec<String>,
}

text_enum! {
    /// What a snapshot lists.
    SnapshotKind { Inventory = "inventory", Users = "users", Usage = "usage" }
}

/// One list as it stood at one time.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Snapshot {
    /// What it lists.
    pub kind: SnapshotKind,
    /// Organisation.
    pub org: String,
    /// When it was taken.
    pub taken: Micros,
    /// Whether it lists everything.
    pub complete: bool,
    /// File below the lake's root.
    pub file: String,
    /// Its SHA-256; empty in an index of an earlier version.
    #[serde(default, skip_serializing_if = "Digest::is_empty")]
    pub sha256: Digest,
    /// Rows.
    pub rows: u64,
    /// Users whose tokens were listed (inventory only).
    pub users_listed: u64,
    /// Users whose tokens could not be listed (inventory only).
    pub users_failed: u64,
    /// Span that usage records declare (usage only).
    pub span: Option<Span>,
    /// Whether `taken` is assumed, since nobody said when the list was taken.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub undated: bool,
    /// Owners, by person key, all of whose tokens it lists; empty where `complete` says so of everybody (inventory only).
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub complete_for: BTreeSet<String>,
}

/// A span known to be held whole.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct Cover {
    /// Organisation.
    pub org: String,
    /// The span.
    pub span: Span,
    /// `pulled` or `declared`.
    pub basis: Basis,
}

/// Days of which records could not be read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct Lost {
    /// Organisation.
    pub org: String,
    /// The days.
    pub span: Span,
}

/// One ingest run, or a prune.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Run {
    /// Version that ran.
    pub version: String,
    /// Its inputs.
    pub inputs: Vec<Ingest>,
    /// What it deleted, where it was a prune.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pruned: Option<Pruned>,
}

/// One input of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Ingest {
    /// Name.
    pub name: String,
    /// SHA-256 of its bytes.
    pub sha256: String,
    /// What it was read as.
    pub kind: String,
    /// Records.
    pub read: u64,
    /// New to the lake.
    pub kept: u64,
    /// Held already.
    pub duplicate: u64,
    /// Rejected.
    pub rejected: u64,
    /// Rejected by reason.
    pub reasons: BTreeMap<String, u64>,
    /// Why the input ended early, where it did.
    pub truncated: Option<String>,
}

impl Index {
    /// Reads the index, where there is one.
    pub(super) fn read(path: &Path) -> Result<Option<Self>, LakeError> {
        let text = match std::fs::read(path) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(LakeError::io("read", path, e)),
        };
        let damaged = |why: String| LakeError::Damaged { path: path.to_owned(), why };
        let value: serde_json::Value = serde_json::from_slice(&text).map_err(|e| damaged(e.to_string()))?;
        let found = value.get("format").and_then(serde_json::Value::as_u64).unwrap_or(0);
        if found > u64::from(FORMAT) {
            let found = u32::try_from(found).unwrap_or(u32::MAX);
            return Err(LakeError::Newer { path: path.to_owned(), found });
        }
        serde_json::from_value(value).map(Some).map_err(|e| damaged(e.to_string()))
    }

    /// Writes the index, sorted, so that equal content gives equal bytes.
    pub(super) fn write(&mut self, path: &Path) -> Result<(), LakeError> {
        self.orgs.sort_by(|a, b| (&a.name, &a.scope_id).cmp(&(&b.name, &b.scope_id)));
        self.days.sort_by(|a, b| (&a.org, a.day).cmp(&(&b.org, b.day)));
        self.snapshots
            .sort_by(|a, b| (a.kind, &a.org, a.taken, &a.file).cmp(&(b.kind, &b.org, b.taken, &b.file)));
        self.covers.sort();
        self.covers.dedup();
        self.lost.sort();
        self.lost.dedup();
        let text = serde_json::to_vec_pretty(self)
            .map_err(|e| LakeError::Damaged { path: path.to_owned(), why: e.to_string() })?;
        frame::write_atomically(path, &text)
    }

    /// Name of the organisation with this scope id.
    #[must_use]
    pub fn org_of_scope(&self, scope_id: &str) -> Option<&str> {
        self.orgs.iter().find(|o| o.scope_id == scope_id).map(|o| o.name.as_str())
    }
}
