//! A day file as it is found: the one that the index names, one that a killed import left, or a damaged one.
//!
//! In: an organisation and a day. Out: its events, and whether the index names just this content. A file that the index
//! does not name is trusted where a table beside it is named after it: an import writes those first. Where there is no
//! table, it is trusted if the same bytes come of writing its events again, which damage of a value may pass.

use super::day::{self, Sorted};
use super::view::short;
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
        let whole = match named_after(lake, org, day, &content) {
            Some(named) => named,
            None => written_again(lake.root(), org, &batch)? == content,
        };
        if whole {
            return Ok(Self::Left(batch, content));
        }
        let why = "it is neither what the index names nor what an import would have written";
        Err(LakeError::Damaged { path, why: why.to_owned() })
    }
}

/// What is wrong where the index names a day that has no file.
pub(super) fn gone(lake: &Lake, org: &str, day: Day) -> LakeError {
    let path = lake.day_file("events", org, day);
    LakeError::Damaged { path, why: "it is gone, though the index names it".to_owned() }
}

/// Tells whether a table of the day is named after a content; nothing where the day has no tables.
fn named_after(lake: &Lake, org: &str, day: Day, content: &str) -> Option<bool> {
    // Of any version: an earlier one may have written both.
    let end = format!(".{}.parquet", short(content));
    let mut any = None;
    for table in derive::DAILY {
        let folder = lake.day_file(table, org, day);
        let names = folder.parent().and_then(|folder| std::fs::read_dir(folder).ok());
        for name in
            names.into_iter().flatten().flatten().filter_map(|entry| entry.file_name().into_string().ok())
        {
            if name.ends_with(".parquet") {
                any = Some(any == Some(true) || name.ends_with(&end));
            }
        }
    }
    any
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
