//! Paths as the user gives them in, files out: folders opened, what holds no data left aside.

use super::SourceError;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The files behind some paths.
#[derive(Debug, Default)]
pub struct Expanded {
    /// Files in the order of the paths, those of a folder sorted.
    pub files: Vec<PathBuf>,
    /// A sentence for each file of a folder that was left aside.
    pub notes: Vec<String>,
    /// What could not be opened; one path that fails does not cost the rest.
    pub faults: Vec<SourceError>,
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
/// A path that does not exist, a folder that cannot be listed or holds no data file is a fault.
#[must_use]
pub fn expand(paths: &[PathBuf]) -> Expanded {
    let mut expanded = Expanded::default();
    for path in paths {
        if path.as_os_str() == "-" {
            expanded.files.push(path.clone());
            continue;
        }
        match std::fs::metadata(path) {
            Ok(meta) if meta.is_dir() => {}
            Ok(_) => {
                expanded.files.push(path.clone());
                continue;
            }
            Err(source) => {
                expanded.faults.push(match source.kind() {
                    std::io::ErrorKind::NotFound => SourceError::Missing(path.clone()),
                    _ => SourceError::Io { name: path.display().to_string(), source },
                });
                continue;
            }
        }
        let (files, faults) = (expanded.files.len(), expanded.faults.len());
        folder(path, &mut BTreeSet::new(), &mut expanded);
        if expanded.files.len() == files && expanded.faults.len() == faults {
            expanded.faults.push(SourceError::EmptyFolder(path.clone()));
        }
        expanded.files[files..].sort();
    }
    expanded
}

/// `open` holds the real paths of the folders above, so that a link to one of them does not go round.
fn folder(path: &Path, open: &mut BTreeSet<PathBuf>, into: &mut Expanded) {
    let (real, entries) = match list(path) {
        Ok(listed) => listed,
        Err(source) => {
            into.faults.push(SourceError::Io { name: path.display().to_string(), source });
            return;
        }
    };
    if !open.insert(real.clone()) {
        return;
    }
    for entry in entries {
        let name = entry.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        if name.starts_with('.') {
            continue;
        }
        let meta = match std::fs::metadata(&entry) {
            Ok(meta) => meta,
            // What would have been left aside anyway is not missed.
            Err(_) if is_aside(&name) => continue,
            Err(source) => {
                into.faults.push(match source.kind() {
                    std::io::ErrorKind::NotFound => SourceError::Nowhere(entry),
                    _ => SourceError::Io { name: entry.display().to_string(), source },
                });
                continue;
            }
        };
        if meta.is_dir() {
            folder(&entry, open, into);
        } else if !meta.is_file() || is_aside(&name) {
            into.notes.push(format!("{} holds no records by its name and was left aside", entry.display()));
        } else {
            into.files.push(entry);
        }
    }
    open.remove(&real);
}

/// The real path of a folder, and what lies in it, sorted.
fn list(path: &Path) -> std::io::Result<(PathBuf, Vec<PathBuf>)> {
    let real = std::fs::canonicalize(path)?;
    let mut entries = std::fs::read_dir(path)?
        .map(|entry| entry.map(|e| e.path()))
        .collect::<std::io::Result<Vec<PathBuf>>>()?;
    entries.sort();
    Ok((real, entries))
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
        let expanded = expand(&[dir.path().to_owned()]);
        assert_eq!(expanded.files, [at("a.csv"), at("b/1.ndjson.gz"), at("b/deep/2.json")]);
        assert_eq!(expanded.notes.len(), 3);
        let named = expand(&[at("truth.json"), PathBuf::from("-")]);
        assert_eq!(named.files, [at("truth.json"), PathBuf::from("-")]);
    }

    #[test]
    fn an_empty_folder_says_how_to_mend_it() {
        let dir = tempfile::tempdir().expect("folder");
        let error = expand(&[dir.path().to_owned()]).faults[0].to_string();
        assert!(error.contains("holds no file to import"), "{error}");
        let error = expand(&[dir.path().join("none")]).faults[0].to_string();
        assert!(error.contains("does not exist"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn what_cannot_be_opened_does_not_cost_the_rest() {
        let dir = tempfile::tempdir().expect("folder");
        let at = |name: &str| dir.path().join(name);
        std::fs::write(at("a.json"), "x").expect("file");
        std::os::unix::fs::symlink("gone", at("b.json")).expect("link");
        std::os::unix::fs::symlink("gone", at("README.md")).expect("link");
        let expanded = expand(&[at("none"), dir.path().to_owned()]);
        assert_eq!(expanded.files, [at("a.json")]);
        let faults: Vec<String> = expanded.faults.iter().map(ToString::to_string).collect();
        assert_eq!(faults.len(), 2, "{faults:?}");
        assert!(faults[1].contains("b.json is a link that leads nowhere"), "{faults:?}");
    }
}
