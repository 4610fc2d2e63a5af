//! Files and folders that only their owner can read: results contain names and addresses.
//!
//! In: a path. Out: a folder with mode 0700, a file with mode 0600; on systems without modes, as the system makes them.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::path::Path;

/// Makes a folder and those above it that do not exist. A folder that exists keeps its mode: it may be shared.
///
/// # Errors
/// Those of the disk.
pub fn folder(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Makes a file, or empties one that exists. A file that exists keeps its mode: it may be a device or a pipe.
///
/// # Errors
/// Those of the disk.
pub fn file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// The same for a file that is ours alone: one that an earlier version left readable is closed to others.
///
/// # Errors
/// Those of the disk.
pub fn own_file(path: &Path) -> io::Result<File> {
    let file = file(path)?;
    #[cfg(unix)]
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    Ok(file)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).expect("there").permissions().mode() & 0o777
    }

    #[test]
    fn what_is_made_is_for_its_owner_and_what_exists_stays() {
        let place = tempfile::tempdir().expect("a folder");
        let made = place.path().join("a/b");
        folder(&made).expect("made");
        assert_eq!((mode(&made), mode(&place.path().join("a"))), (0o700, 0o700));
        let new = made.join("new");
        file(&new).expect("made");
        assert_eq!(mode(&new), 0o600);
        std::fs::set_permissions(&new, std::fs::Permissions::from_mode(0o644)).expect("set");
        file(&new).expect("emptied");
        assert_eq!(mode(&new), 0o644);
        own_file(&new).expect("emptied");
        assert_eq!(mode(&new), 0o600);
        std::fs::set_permissions(&made, std::fs::Permissions::from_mode(0o755)).expect("set");
        folder(&made).expect("there");
        assert_eq!(mode(&made), 0o755);
    }
}
