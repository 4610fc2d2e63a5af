//! What killed runs leave: folders in which days waited, and files that were half written.
//!
//! In: the root of a lake that this process holds for writing. Out: the same without them.

use std::path::Path;

/// How the name of a folder begins in which files wait for their place in the lake.
pub(super) const STAGING: &str = ".staging-";
/// How the name of a file begins that is being written.
pub(super) const WRITING: &str = ".writing-";

/// Tells whether a run ended before its staging folder went.
pub(super) fn is_staged(root: &Path) -> bool {
    let mut entries = std::fs::read_dir(root).into_iter().flatten().flatten();
    entries.any(|entry| entry.file_name().to_string_lossy().starts_with(STAGING))
}

/// Removes them. What cannot be removed is only in the way.
pub(super) fn remove(root: &Path) {
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let begins = |with: &str| name.to_string_lossy().starts_with(with);
            match entry.file_type() {
                Ok(kind) if kind.is_dir() && begins(STAGING) && folder == root => {
                    let _ = std::fs::remove_dir_all(entry.path());
                }
                Ok(kind) if kind.is_dir() => folders.push(entry.path()),
                Ok(kind) if kind.is_file() && begins(WRITING) => {
                    let _ = std::fs::remove_file(entry.path());
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::lake::Lake;

    #[test]
    fn the_next_to_hold_the_lake_removes_what_a_killed_run_left() {
        let folder = tempfile::tempdir().expect("folder");
        let root = folder.path();
        let lake = Lake::open(root).expect("empty");
        let half = root.join("events/org=o/date=2026-01-01/.writing-x");
        let leave = |path: &std::path::Path| {
            std::fs::create_dir_all(path.parent().expect("parent")).expect("folder");
            std::fs::write(path, "half").expect("file");
        };
        // A run that ends as it should leaves nothing, so nothing is looked for.
        drop(lake.lock().expect("free"));
        leave(&half);
        drop(lake.lock().expect("free"));
        assert!(half.exists());
        // A killed one never lets go of the lake.
        std::mem::forget(lake.lock().expect("free"));
        std::fs::copy(root.join(".lock"), root.join(".lock2")).expect("copy");
        std::fs::rename(root.join(".lock2"), root.join(".lock")).expect("as if the process had ended");
        let lock = lake.lock().expect("free");
        assert!(!half.exists());
        drop(lock);
        leave(&root.join(".staging-a/1.parquet"));
        leave(&half);
        drop(lake.lock().expect("free"));
        assert!(!root.join(".staging-a").exists() && !half.exists());
    }
}
