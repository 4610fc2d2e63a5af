//! Files that nothing else can be made of again, read as the index describes them.
//!
//! In: a file and the digests that it may have. Out: its bytes, or what is wrong with it. Lists and decisions are small, so
//! that every reading checks all of them: a single flipped bit would change an answer.

use super::LakeError;
use crate::model::hash::sha256;
use std::path::Path;

/// The SHA-256 of a file in hexadecimal; empty for no file.
pub type Digest = String;

/// What is wrong with a file; none where it is what the index describes. `accepted` are the digests that it may have, or
/// the beginnings of them; where there is none, any file will do.
///
/// # Errors
/// When the file is there and cannot be read.
pub(super) fn fault<D: AsRef<str>>(path: &Path, accepted: &[D]) -> Result<Option<&'static str>, LakeError> {
    let found = match std::fs::read(path) {
        Ok(bytes) => sha256(&bytes),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Digest::new(),
        Err(e) => return Err(LakeError::io("read", path, e)),
    };
    let fits = |digest: &D| match digest.as_ref() {
        "" => found.is_empty(),
        digest => found.starts_with(digest),
    };
    if accepted.is_empty() || accepted.iter().any(fits) {
        return Ok(None);
    }
    Ok(Some(if found.is_empty() {
        "it is gone, though the index names it"
    } else {
        "its SHA-256 is not the one in the index"
    }))
}

/// The digest of a file.
///
/// # Errors
/// When it cannot be read.
pub(super) fn of(path: &Path) -> Result<Digest, LakeError> {
    std::fs::read(path).map(|bytes| sha256(&bytes)).map_err(|e| LakeError::io("read", path, e))
}

/// Fails where a file is not what the index describes.
///
/// # Errors
/// When it is damaged, gone or cannot be read.
pub(super) fn check<D: AsRef<str>>(path: &Path, accepted: &[D]) -> Result<(), LakeError> {
    match fault(path, accepted)? {
        None => Ok(()),
        Some(why) => Err(LakeError::Damaged { path: path.to_owned(), why: why.to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_one_of_those_that_are_accepted() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("file");
        let digest = sha256(b"abc");
        let none: [&str; 0] = [];
        assert!(check(&path, &none).is_ok() && check(&path, &[""]).is_ok());
        assert_eq!(fault(&path, &[&digest]).expect("read"), Some("it is gone, though the index names it"));
        std::fs::write(&path, "abc").expect("written");
        assert!(check(&path, &none).is_ok() && check(&path, &["", &digest]).is_ok());
        assert!(check(&path, &[&digest[..12]]).is_ok(), "the beginning");
        assert!(check(&path, &[""]).is_err(), "nobody wrote it");
        std::fs::write(&path, "abd").expect("written");
        let error = check(&path, &[&digest]).expect_err("damaged").to_string();
        assert!(
            error.contains("file") && error.contains("SHA-256") && error.contains("lake verify"),
            "{error}"
        );
    }
}
