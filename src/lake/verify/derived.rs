//! Derived tables against what the events give.
//!
//! All are made anew beside the lake and compared byte by byte, since equal events give equal files: a fault that can
//! still be read is found like any other.

use super::Verified;
use crate::lake::frame::move_file;
use crate::lake::held::scratch;
use crate::lake::view::View;
use crate::lake::{Lake, LakeError, derive};
use rayon::prelude::*;
use std::path::{Path, PathBuf};

/// Checks every derived file, and puts the right one in the place of a wrong one.
pub(super) fn check(lake: &Lake, verified: &mut Verified) -> Result<(), LakeError> {
    let scratch = scratch(lake.root())?;
    View::anew(lake, scratch.path())?;
    let mut files = Vec::new();
    list(scratch.path(), &mut files)?;
    let put = |made: &PathBuf| -> Result<Option<(String, bool)>, LakeError> {
        let name = made.strip_prefix(scratch.path()).unwrap_or(made);
        let held = lake.root().join(name);
        let read = |path: &Path| std::fs::read(path).map_err(|e| LakeError::io("read", path, e));
        if held.exists() && read(&held).ok() == Some(read(made)?) {
            return Ok(None);
        }
        let was_there = held.exists();
        move_file(made, &held)?;
        Ok(Some((name.display().to_string(), was_there)))
    };
    let found: Vec<Option<(String, bool)>> = files.par_iter().map(put).collect::<Result<_, _>>()?;
    // What stands beside them was made of other events.
    let held: Vec<PathBuf> = files
        .iter()
        .filter_map(|made| Some(lake.root().join(made.strip_prefix(scratch.path()).ok()?)))
        .collect();
    for same in held.chunk_by(|a, b| a.parent() == b.parent()) {
        if let Some(folder) = same[0].parent() {
            derive::keep_only_in(folder, same);
        }
    }
    let (damaged, missing): (Vec<_>, Vec<_>) = found.into_iter().flatten().partition(|(_, was)| *was);
    let made = |(name, _): &(String, bool)| format!("{name}: damaged, made anew");
    verified.mended.extend(damaged.iter().map(made));
    match missing.as_slice() {
        [] => {}
        [(only, _)] => verified.mended.push(format!("{only}: missing, made anew")),
        [(first, _), ..] => {
            verified
                .mended
                .push(format!("{} derived files such as {first}: missing, made anew", missing.len()));
        }
    }
    Ok(())
}

/// Every file below a folder, in order.
fn list(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), LakeError> {
    let failed = |e| LakeError::io("read", folder, e);
    let entries = std::fs::read_dir(folder).map_err(failed)?;
    let mut paths: Vec<PathBuf> =
        entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>().map_err(failed)?;
    paths.sort_unstable();
    for path in paths {
        if path.is_dir() {
            list(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}
