//! Events on disk: a folder of Parquet that any engine can read, one file an organisation and UTC day.
//!
//! In: batches from the sources. Out: day files, the tables derived from them, snapshots of inventory and
//! users, and a record of every ingest run. Events are unique by organisation and bare event GUID.
//!
//! ```text
//! events/org=O/date=D/events.parquet        every event of a day, sorted by credential, time, event id
//! activity|token_day|.../org=O/date=D/       derived from that file, named after its content
//! seen|uses|proof|changes/org=O/month=M/    folded from those, named after the content of the days
//! inventory/org=O/taken=T.parquet           PAT lists; users/org=O/, usage/org=O/ likewise
//! decisions/org=O/decisions.parquet         what reviewers decided on tokens, in the order it came
//! index.json                                days with content ids, organisations, ingest runs, coverage
//! ```

pub mod columns;
mod covers;
pub mod day;
pub mod decisions;
pub mod decode;
pub mod derive;
mod digest;
mod encode;
pub mod frame;
mod held;
pub mod import;
pub mod index;
mod leftovers;
pub mod merge;
mod pages;
mod projects;
pub mod prune;
pub mod snapshot;
pub mod table;
pub mod verify;
pub mod view;

use crate::model::time::{Day, day_text, parse_day};
use fs4::fs_std::FileExt as _;
use index::Index;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What can go wrong with the lake's files.
#[derive(Debug, thiserror::Error)]
pub enum LakeError {
    /// A file or folder could not be read or written.
    #[error("cannot {doing} {path}: {source}", path = path.display())]
    Io {
        /// read, write, make, ...
        doing: &'static str,
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file is not the Parquet or JSON that the lake wrote.
    #[error("{path} is damaged: {why}; `patwatch lake verify` mends what can be mended, or import the files again into a new --lake", path = path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// Another patwatch holds the lake.
    #[error("another patwatch is writing to {path}; wait for it to end, or choose another --lake", path = path.display())]
    Locked {
        /// The lake.
        path: PathBuf,
    },
    /// The folder was made by a newer version.
    #[error("{path} was written by a newer patwatch (format {found}); upgrade, or choose another --lake", path = path.display())]
    Newer {
        /// The lake.
        path: PathBuf,
        /// Its format number.
        found: u32,
    },
    /// There are day files, and no index that names them.
    #[error("{path} holds day files but no index.json, so what it holds is not known; `patwatch lake verify` makes the index anew", path = path.display())]
    NoIndex {
        /// The lake.
        path: PathBuf,
    },
    /// A file names no organisation and none can be told.
    #[error("{0}")]
    Organisation(String),
}

impl LakeError {
    fn io(doing: &'static str, path: &Path, source: std::io::Error) -> Self {
        Self::Io { doing, path: path.to_owned(), source }
    }

    /// Returns true if the disk is full, or the user's share of it.
    #[must_use]
    pub fn is_full_disk(&self) -> bool {
        let Self::Io { source, .. } = self else { return false };
        matches!(source.kind(), std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded)
    }

    fn columns(path: &Path, error: &polars::error::PolarsError) -> Self {
        Self::Damaged { path: path.to_owned(), why: error.to_string() }
    }
}

/// What stays as it is in a partition value; the rest is percent-encoded.
const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');

/// Makes a folder that only its owner can read: the lake holds names and addresses.
pub(crate) fn make_folder(path: &Path) -> Result<(), LakeError> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|e| LakeError::io("make", path, e))
}

/// A lake, opened.
#[derive(Debug)]
pub struct Lake {
    root: PathBuf,
    /// What it holds.
    pub index: Index,
    /// What this process folded of the days that it wrote.
    kept: Arc<derive::kept::Kept>,
}

/// Holds the lake for writing until dropped.
#[derive(Debug)]
pub struct Lock {
    /// Empty where nobody writes; a killed run leaves it as it is.
    file: std::fs::File,
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Else the next run looks for what this one left, and finds nothing.
        let _ = self.file.set_len(0);
    }
}

impl Lake {
    /// Opens the lake at `root`, or an empty one where there is none yet; writes nothing.
    ///
    /// # Errors
    /// When the index cannot be read, or is gone.
    pub fn open(root: &Path) -> Result<Self, LakeError> {
        let lake = Self::beside(root, Arc::default());
        match Index::read(&lake.index_file())? {
            Some(index) => Ok(Self { index, ..lake }),
            None if lake.day_folders().next().is_some() => Err(LakeError::NoIndex { path: root.to_owned() }),
            None => Ok(lake),
        }
    }

    /// Opens the lake at `root` for writing: nobody else writes between its index being read and the lock going.
    ///
    /// # Errors
    /// When another process holds it, or the index cannot be read.
    pub fn open_to_write(root: &Path) -> Result<(Self, Lock), LakeError> {
        let lock = Self::beside(root, Arc::default()).lock()?;
        Ok((Self::open(root)?, lock))
    }

    /// Paths below `root` without an index: where files of a lake wait, or are made for one run.
    fn beside(root: &Path, kept: Arc<derive::kept::Kept>) -> Self {
        Self { root: root.to_owned(), index: Index::default(), kept }
    }

    /// The folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    fn index_file(&self) -> PathBuf {
        self.root.join("index.json")
    }

    /// Writes the index: what it names is from now on part of the lake.
    fn write_index(&mut self) -> Result<(), LakeError> {
        let path = self.index_file();
        self.index.write(&path)
    }

    /// Takes the lake for writing, and removes what a killed run left half done.
    ///
    /// # Errors
    /// When another process holds it.
    pub fn lock(&self) -> Result<Lock, LakeError> {
        make_folder(&self.root)?;
        let path = self.root.join(".lock");
        let mut options = std::fs::OpenOptions::new();
        options.create(true).truncate(false).write(true);
        // Like every file of the lake: its owner's alone.
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path).map_err(|e| LakeError::io("lock", &path, e))?;
        match file.try_lock_exclusive() {
            Ok(true) => {
                if file.metadata().is_ok_and(|m| m.len() > 0) || leftovers::is_staged(&self.root) {
                    leftovers::remove(&self.root);
                }
                let mut lock = Lock { file };
                // Without room for the mark a killed run goes unseen here; `prune` must still come in to make room.
                match lock.file.write_all(b"writing\n").map_err(|e| LakeError::io("lock", &path, e)) {
                    Err(error) if !error.is_full_disk() => Err(error),
                    _ => Ok(lock),
                }
            }
            _ => Err(LakeError::Locked { path: self.root.clone() }),
        }
    }

    /// Folder of one organisation in one table.
    #[must_use]
    pub fn org_folder(&self, table: &str, org: &str) -> PathBuf {
        self.root.join(table).join(format!("org={}", utf8_percent_encode(org, KEPT)))
    }

    /// Tells whether a folder can be named after an organisation.
    #[must_use]
    pub fn can_hold(org: &str) -> bool {
        // What file systems take at the most.
        "org=".len() + utf8_percent_encode(org, KEPT).map(str::len).sum::<usize>() <= 255
    }

    /// Folders that hold a file of events, with the organisation and the day that they stand for; the index need not
    /// name them.
    fn day_folders(&self) -> impl Iterator<Item = (String, Day)> {
        let names = |folder: PathBuf, key: &'static str| {
            let mut names: Vec<String> = std::fs::read_dir(folder)
                .into_iter()
                .flatten()
                .flatten()
                .filter_map(|entry| Some(entry.file_name().to_str()?.strip_prefix(key)?.to_owned()))
                .collect();
            names.sort_unstable();
            names.into_iter()
        };
        let events = self.root.join("events");
        names(events.clone(), "org=").flat_map(move |org| {
            let folder = events.join(format!("org={org}"));
            let days = names(folder.clone(), "date=").filter_map(move |day| {
                let file = folder.join(format!("date={day}")).join("events.parquet");
                parse_day(&day).filter(|_| file.exists())
            });
            let org = percent_decode_str(&org).decode_utf8_lossy().into_owned();
            days.map(move |day| (org.clone(), day))
        })
    }

    /// Day file of one table.
    #[must_use]
    pub fn day_file(&self, table: &str, org: &str, day: Day) -> PathBuf {
        self.org_folder(table, org).join(format!("date={}", day_text(day))).join(format!("{table}.parquet"))
    }

    /// File of a table derived from a day, or from a day and its neighbours; `content` tells what it was made from.
    #[must_use]
    pub fn derived_file(&self, table: &str, org: &str, day: Day, content: &str) -> PathBuf {
        let file = format!("{table}.{}.{}.parquet", derive::VERSION, view::short(content));
        self.org_folder(table, org).join(format!("date={}", day_text(day))).join(file)
    }

    /// Organisations that the lake knows, by name.
    #[must_use]
    pub fn orgs(&self) -> Vec<String> {
        let mut orgs: Vec<String> = self.index.orgs.iter().map(|o| o.name.clone()).collect();
        orgs.extend(self.index.days.iter().map(|d| d.org.clone()));
        orgs.extend(self.index.snapshots.iter().map(|s| s.org.clone()));
        orgs.sort_unstable();
        orgs.dedup();
        orgs
    }
}
