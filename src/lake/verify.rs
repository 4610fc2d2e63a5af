//! Compares every file with the index, makes anew what can be made, and lets go of what is lost.
//!
//! In: a lake, perhaps without an index that can be read. Out: a lake that other commands can read, and what was mended
//! and lost. A file that is lost is not removed: it stands beside its place as `*.damaged`, and nothing reads it.

mod days;
mod derived;
mod lists;
#[cfg(test)]
mod tests;

use super::view::View;
use super::{Lake, LakeError, Lock, leftovers};
use crate::model::noun::counted;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What a check found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verified {
    /// Days looked at.
    pub days: u64,
    /// What was mended.
    pub mended: Vec<String>,
    /// What could not be.
    pub lost: Vec<String>,
}

impl Lake {
    /// Opens a lake for [`Lake::verify`], and tells what is wrong with its index where it has lost that.
    ///
    /// # Errors
    /// When another process holds the lake, or a newer version wrote its index.
    pub fn open_to_verify(root: &Path) -> Result<(Self, Lock, Option<String>), LakeError> {
        let lake = Self::beside(root, Arc::default());
        let lock = lake.lock()?;
        match Self::open(root) {
            Ok(lake) => Ok((lake, lock, None)),
            Err(LakeError::Damaged { why, .. }) => Ok((lake, lock, Some(format!("is damaged ({why})")))),
            Err(LakeError::NoIndex { .. }) => Ok((lake, lock, Some("is gone".to_owned()))),
            Err(error) => Err(error),
        }
    }

    /// Checks every file of the lake; `fault` tells what is wrong with the index where it has to be made anew.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn verify(&mut self, fault: Option<&str>) -> Result<Verified, LakeError> {
        let mut verified = Verified::default();
        leftovers::remove(&self.root);
        self.remove_leaving()?;
        // Before what lies there unnamed is taken in.
        self.end_prune()?;
        if fault.is_some() && self.index_file().exists() {
            set_aside(&self.index_file())?;
        }
        days::check(self, &mut verified)?;
        days::take_in(self, fault.is_some(), &mut verified)?;
        if fault.is_some() {
            lists::take_in(self);
        }
        lists::check(self, &mut verified)?;
        if let Some(fault) = fault {
            let (days, lists) =
                (counted(self.index.days.len(), "day file"), counted(self.index.snapshots.len(), "list"));
            verified.lost.push(format!(
                "index.json {fault}; it was made anew of {days} and {lists}. Lost is what it alone told: the ingest runs, spans declared whole (import again with --covers) or pulled (pull again), and whether lists are complete and the time of day they were taken at (import or pull them again)"
            ));
        }
        derived::check(self, &mut verified)?;
        View::refresh(self)?;
        self.write_index()?;
        Ok(verified)
    }
}

/// Renames a damaged file, so that nothing reads it and somebody may still look at it.
fn set_aside(path: &Path) -> Result<(), LakeError> {
    let mut aside = path.as_os_str().to_owned();
    aside.push(".damaged");
    std::fs::rename(path, PathBuf::from(aside)).map_err(|e| LakeError::io("rename", path, e))
}
