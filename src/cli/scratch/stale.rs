//! Folders that a killed process left behind: who is still alive, and what may go.
//!
//! In: a folder of this process. Out: the same place without the folders of processes that are gone. Each folder holds a
//! file that its process keeps locked; the system lets go of the lock when the process ends, however it ends. The age of
//! a folder says nothing: a run may take hours.

use fs4::fs_std::FileExt as _;
use std::fs::{File, Metadata};
use std::path::Path;

/// The file that the process of a folder keeps locked.
const LOCK: &str = ".patwatch-in-use";

/// What came of taking the lock of a new folder.
pub(super) enum Locked {
    /// This process holds it.
    Held(File),
    /// The file system has no locks: nobody will take the folder for one that was left.
    Unsupported,
    /// Another process removed the folder before it was locked.
    Gone,
}

/// Takes the lock of a new folder.
pub(super) fn lock(folder: &Path) -> std::io::Result<Locked> {
    let path = folder.join(LOCK);
    let gone = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => Ok(Locked::Gone),
        _ => Err(error),
    };
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = match options.open(&path) {
        Ok(file) => file,
        Err(error) => return gone(error),
    };
    // Whoever takes the folder for one that was left holds the lock while it removes the folder.
    if file.lock_exclusive().is_err() {
        std::fs::remove_file(&path).or_else(|error| gone(error).map(drop))?;
        return Ok(Locked::Unsupported);
    }
    Ok(if path.exists() { Locked::Held(file) } else { Locked::Gone })
}

/// Removes the folders next to `own` whose processes are gone. What cannot be removed is only in the way.
pub(super) fn sweep(own: &Path) {
    let Some(parent) = own.parent() else { return };
    let Ok(mine) = std::fs::symlink_metadata(own) else { return };
    for entry in std::fs::read_dir(parent).into_iter().flatten().flatten() {
        let path = entry.path();
        let is_named = entry.file_name().to_string_lossy().starts_with(super::PREFIX);
        if is_named && path != own && is_left(&path, &mine) {
            let _ = std::fs::remove_dir_all(&path);
        }
    }
}

/// Returns true if `folder` is of this user and nobody holds its lock. The lock is held until the answer is used up,
/// which is why a process that is about to take it waits and then finds its folder gone.
fn is_left(folder: &Path, mine: &Metadata) -> bool {
    let owned = |path: &Path| {
        // Of links neither the link nor its target is looked at further.
        std::fs::symlink_metadata(path).ok().filter(|found| is_same_user(found, mine))
    };
    let path = folder.join(LOCK);
    if !owned(folder).is_some_and(|found| found.is_dir())
        || !owned(&path).is_some_and(|found| found.is_file())
    {
        return false;
    }
    let Ok(file) = File::options().write(true).open(&path) else { return false };
    let free = matches!(file.try_lock_exclusive(), Ok(true));
    if free {
        // Removed under the lock, so that its owner, if one comes late, does not take it for good.
        let _ = std::fs::remove_file(&path);
    }
    free
}

#[cfg(unix)]
fn is_same_user(found: &Metadata, mine: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    found.uid() == mine.uid()
}

/// The folder for temporary files belongs to one user.
#[cfg(not(unix))]
const fn is_same_user(_: &Metadata, _: &Metadata) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    fn folder(root: &Path, name: &str) -> PathBuf {
        let path = root.join(name);
        std::fs::create_dir(&path).expect("folder");
        std::fs::write(path.join("audit.parquet"), "x").expect("file");
        path
    }

    fn held(folder: &Path) -> File {
        match lock(folder).expect("lock") {
            Locked::Held(file) => file,
            _ => panic!("a folder for temporary files has locks"),
        }
    }

    #[test]
    fn only_folders_that_nobody_holds_go() {
        let root = tempfile::tempdir().expect("folder");
        let [own, alive, left, unlocked, other] =
            ["patwatch-own", "patwatch-alive", "patwatch-left", "patwatch-unlocked", "else"]
                .map(|name| folder(root.path(), name));
        let _locks = [held(&own), held(&alive)];
        drop(held(&left));
        drop(held(&other));
        std::fs::write(root.path().join("patwatch-file"), "x").expect("file");
        sweep(&own);
        assert!(!left.exists());
        for path in [own, alive, unlocked, other, root.path().join("patwatch-file")] {
            assert!(path.exists(), "{}", path.display());
        }
    }

    #[cfg(unix)]
    #[test]
    fn links_are_not_followed() {
        let root = tempfile::tempdir().expect("folder");
        let (own, target) = (folder(root.path(), "patwatch-own"), folder(root.path(), "target"));
        let _lock = held(&own);
        drop(held(&target));
        std::os::unix::fs::symlink(&target, root.path().join("patwatch-link")).expect("link");
        sweep(&own);
        assert!(target.join("audit.parquet").exists());
    }

    #[test]
    fn a_folder_that_is_gone_is_said_so() {
        let root = tempfile::tempdir().expect("folder");
        assert!(matches!(lock(&root.path().join("patwatch-gone")), Ok(Locked::Gone)));
    }
}
