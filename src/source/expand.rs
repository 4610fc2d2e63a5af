//! Paths as the user gives them in, files out: folders opened, what holds no data left aside.

use super::SourceError;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The files behind some paths.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Expanded {
    /// Files in the order of the paths, those of a folder sorted.
    pub files: Vec<PathBuf>,
    /// A sentence for each file of a folder that was left aside.
    pub notes: Vec<String>,
}

/// Endings of files that lie beside exports and hold no records themselves.
const ASIDE: [&str; 26] = [
    "md", "markdown", "rst", "adoc", "html", "htm", "pdf", "png", "svg", "jpg", "jpeg", "toml", "yaml",
    "yml", "sql", "py", "sh", "ps1", "rs", "parquet", "xlsx", "docx", "sha256", "lock", "sarif", "kql",
];

/// Opens folders, all their levels, and leaves aside hidden files and what holds no data.
///
/// A file that is named itself is never left aside, and `-` stands for standard input.
///
/// # Errors
/// A path that does not exist, a folder that cannot be listed or holds no data file.
pub fn expand(paths: &[PathBuf]) -> Result<Expanded, SourceError> {
    let mut expanded = Expanded::default();
    for path in paths {
        if path.as_os_str() == "-" {
            expanded.files.push(path.clone());
            continue;
        }
        let meta = std::fs::metadata(path).map_err(|source| match source.kind() {
            std::io::ErrorKind::NotFound => SourceError::Missing(path.clone()),
            _ => SourceError::Io { name: path.display().to_string(), source },
        })?;
        if !meta.is_dir() {
            expanded.files.push(path.clone());
            continue;
        }
        let before = expanded.files.len();
        folder(path, &mut BTreeSet::new(), &mut expanded)?;
        if expanded.files.len() == before {
            return Err(SourceError::EmptyFolder(path.clone()));
        }
        expanded.files[before..].sort();
    }
    Ok(expanded)
}

/// `open` holds the real paths of the folders above, so that a link to one of them does not go round.
fn folder(path: &Path, open: &mut BTreeSet<PathBuf>, into: &mut Expanded) -> Result<(), SourceError> {
    let failed = |source| SourceError::Io { name: path.display().to_string(), source };
    let real = std::fs::canonicalize(path).map_err(failed)?;
    if !open.insert(real.clone()) {
        return Ok(());
    }
    let mut entries = Vec::new();
    for entry in std::fs::read_dir(path).map_err(failed)? {
        entries.push(entry.map_err(failed)?.path());
    }
    entries.sort();
    for entry in entries {
        let name = entry.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        if name.starts_with('.') {
            continue;
        }
        let Ok(meta) = std::fs::metadata(&entry) else {
            into.notes.push(format!("{} leads nowhere and was left aside", entry.display()));
            continue;
        };
        if meta.is_dir() {
            folder(&entry, open, into)?;
        } else if !meta.is_file() || is_aside(&name) {
            into.notes.push(format!("{} holds no records by its name and was left aside", entry.display()));
        } else {
            into.files.push(entry);
        }
    }
    open.remove(&real);
    Ok(())
}

fn is_aside(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let stem = name.split('.').next().unwrap_or_default();
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    ASIDE.contains(&ending)
        || matches!(name.as_str(), "truth.json" | "findings.json" | "manifest.json" | "manifest.ndjson")
        || matches!(
            stem,
            "readme" | "license" | "licence" | "changelog" | "notice" | "sha256sums" | "makefile"
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_open_sorted_and_leave_aside_what_is_no_data() {
        let dir = tempfile::tempdir().expect("folder");
        let at = |name: &str| dir.path().join(name);
        std::fs::create_dir_all(at("b/deep")).expect("folder");
        for name in
            ["b/deep/2.json", "b/1.ndjson.gz", "a.csv", ".hidden", "README.md", "DATA-CARD.md", "truth.json"]
        {
            std::fs::write(at(name), "x").expect("file");
        }
        let expanded = expand(&[dir.path().to_owned()]).expect("expands");
        assert_eq!(expanded.files, [at("a.csv"), at("b/1.ndjson.gz"), at("b/deep/2.json")]);
        assert_eq!(expanded.notes.len(), 3);
        let named = expand(&[at("truth.json"), PathBuf::from("-")]).expect("expands");
        assert_eq!(named.files, [at("truth.json"), PathBuf::from("-")]);
    }

    #[test]
    fn an_empty_folder_says_how_to_mend_it() {
        let dir = tempfile::tempdir().expect("folder");
        let error = expand(&[dir.path().to_owned()]).expect_err("empty").to_string();
        assert!(error.contains("holds no file to import"), "{error}");
        let error = expand(&[dir.path().join("none")]).expect_err("missing").to_string();
        assert!(error.contains("does not exist"), "{error}");
    }
}
