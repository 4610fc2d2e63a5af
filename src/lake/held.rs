//! A day file as it is found: the one that the index names, one that a killed import left, or a damaged one.
//!
//! In: an organisation and a day. Out: its events, and whether the index names just this content. A file that the index
//! does not name is trusted where the tables beside it are named after it, or where the same bytes come of writing its
//! events again: a killed import leaves whole files, a fault of the disk does not.

use super::day::{self, Sorted};
use super::{Lake, LakeError, derive};
use crate::model::batch::EventBatch;
use crate::model::hash::sha256;
use crate::model::time::Day;
use std::path::Path;

/// A day as it lies on disk.
#[derive(Debug)]
pub(super) enum Held {
    /// There is no file.
    Nothing,
    /// What the index names.
    Named(EventBatch),
    /// Another content than the index names, whole, with its id.
    Left(EventBatch, String),
}

impl Held {
    /// The events, where there is a file.
    pub(super) fn events(self) -> Option<EventBatch> {
        match self {
            Self::Nothing => None,
            Self::Named(batch) | Self::Left(batch, _) => Some(batch),
        }
    }

    /// Reads the day file.
    ///
    /// # Errors
    /// When it is damaged or cannot be read.
    pub(super) fn read(lake: &Lake, org: &str, day: Day) -> Result<Self, LakeError> {
        let path = lake.day_file("events", org, day);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Self::Nothing),
            Err(e) => return Err(LakeError::io("read", &path, e)),
        };
        let content = sha256(&bytes);
        let batch = day::read(&path)?;
        if lake.index.days.iter().any(|d| d.org == org && d.day == day && d.content == content) {
            return Ok(Self::Named(batch));
        }
        let names_it = |table: &&str| lake.derived_file(table, org, day, &content).exists();
        if derive::DAILY.iter().any(names_it) || written_again(lake.root(), org, &batch)? == content {
            return Ok(Self::Left(batch, content));
        }
        let why = "it is neither what the index names nor what an import would have written";
        Err(LakeError::Damaged { path, why: why.to_owned() })
    }
}

/// The content id that events have when they are written again.
fn written_again(root: &Path, org: &str, batch: &EventBatch) -> Result<String, LakeError> {
    let scratch = scratch(root)?;
    let merged = day::merge_one(batch);
    Sorted::of(&merged).write(&scratch.path().join("again.parquet"), org)
}

/// A folder of the lake for files that are no part of it yet; what a killed run leaves of it the next one removes.
pub(super) fn scratch(root: &Path) -> Result<tempfile::TempDir, LakeError> {
    super::make_folder(root)?;
    let folder = tempfile::Builder::new().prefix(super::leftovers::STAGING).tempdir_in(root);
    folder.map_err(|e| LakeError::io("make", root, e))
}
