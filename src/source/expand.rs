//! Paths as the user gives them in, files out: folders opened, what holds no data left aside.

use super::SourceError;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The files behind some paths.
#[derive(Debug, Default)]
pub struct Expanded {
    /// Files in the order of the paths, those of a folder sorted.
    pub files: Vec<PathBuf>,
    /// A sentence for each file of a folder that holds no records by its name.
    pub notes: Vec<String>,
    /// A sentence for each document of a folder: records in it cannot be read.
    pub warnings: Vec<String>,
    /// What could not be opened; one path that fails does not cost the rest.
    pub faults: Vec<SourceError>,
}

/// Endings of files next to exports that hold no records themselves.
const ASIDE: [&str; 23] = [
    "md", "markdown", "rst", "adoc", "html", "htm", "png", "svg", "jpg", "jpeg", "gif", "toml", "yaml",
    "yml", "sql", "py", "sh", "ps1", "rs", "sha256", "lock", "sarif", "kql",
];

/// Endings of documents: records in them cannot be read, but they are made for people and seldom hold the only copy.
const DOCUMENTS: [&str; 6] = ["pdf", "docx", "doc", "pptx", "rtf", "msg"];

/// Endings of files that may hold records in a format that cannot be read, with what they are and what to do.
const FORMATS: [(&[&str], &str); 4] = [
    (
        &["xlsx", "xls", "xlsm", "xlsb", "ods"],
        "a workbook; save its sheet as CSV, with dates as 2026-03-31 12:00:00",
    ),
    (&["parquet", "avro", "orc", "feather", "arrow"], "a columnar file; export it as CSV or NDJSON"),
    (&["zip", "7z", "rar", "tar", "tgz", "zst", "bz2", "xz"], "an archive; unpack it first"),
    (&["db", "sqlite", "sqlite3", "mdb", "accdb", "evtx"], "a database; export it as CSV or NDJSON"),
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
        let ending = ending(&name);
        let format = FORMATS.iter().find(|(endings, _)| endings.contains(&ending.as_str()));
        if meta.is_dir() {
            folder(&entry, open, into);
        } else if let Some((_, what)) = format.filter(|_| meta.is_file()) {
            into.faults.push(SourceError::Format { path: entry, what });
        } else if meta.is_file() && DOCUMENTS.contains(&ending.as_str()) {
            into.warnings.push(format!("{} is a document and was not imported", entry.display()));
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

/// The ending of a name, in lower case.
fn ending(name: &str) -> String {
    name.rsplit_once('.').map_or(String::new(), |(_, ending)| ending.to_ascii_lowercase())
}

fn is_aside(name: &str) -> bool {
    let ending = ending(name);
    let name = name.to_ascii_lowercase();
    let stem = name.split('.').next().unwrap_or_default();
    ASIDE.contains(&ending.as_str())
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
    fn files_that_cannot_be_read_are_named() {
        let dir = tempfile::tempdir().expect("folder");
        let at = |name: &str| dir.path().join(name);
        for name in ["a.json", "b.XLSX", "c.parquet", "d.pdf", "e.zip", "f.unknown"] {
            std::fs::write(at(name), "x").expect("file");
        }
        let expanded = expand(&[dir.path().to_owned()]);
        assert_eq!(expanded.files, [at("a.json"), at("f.unknown")]);
        let faults: Vec<String> = expanded.faults.iter().map(ToString::to_string).collect();
        assert_eq!(faults.len(), 3, "{faults:?}");
        assert!(faults[0].contains("b.XLSX was not imported: it is a workbook"), "{faults:?}");
        assert!(expanded.warnings[0].contains("d.pdf is a document"), "{:?}", expanded.warnings);
        // Who names a file wants it read, whatever its name.
        assert_eq!(expand(&[at("c.parquet")]).files, [at("c.parquet")]);
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
