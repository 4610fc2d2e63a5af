//! `--keep-raw`: every answer as it came, and a list of them by which an auditor can check the extract.
//!
//! In: pages. Out: one file an answer, untouched but for the transport's compression, named by what it is and by
//! its hash, and a line in `manifest.ndjson`, written after the file: what the list names is there and whole. A
//! run adds to the folder of the runs before it. No credential is in either: it travels in a header.

use crate::lake::make_folder;
use crate::model::time::{Micros, day_of, day_text, format_time};
use crate::source::azure_devops::pages::{Page, TakeError};
use serde::Serialize;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Name of the list.
const MANIFEST: &str = "manifest.ndjson";

/// A folder of answers.
#[derive(Debug)]
pub(super) struct Raw {
    folder: PathBuf,
    manifest: File,
}

/// One line of the list.
#[derive(Debug, Serialize)]
struct Line<'a> {
    file: &'a str,
    org: &'a str,
    kind: &'a str,
    /// Address asked, query included.
    request: &'a str,
    /// Time window asked for; audit and usage only.
    from: Option<String>,
    to: Option<String>,
    /// User that the answer is about, where it is about one.
    subject: Option<&'a str>,
    page: u32,
    status: u16,
    received: String,
    bytes: usize,
    sha256: &'a str,
}

impl Raw {
    /// Opens the folder, and makes it where it is not there yet.
    pub(super) fn open(folder: &Path) -> Result<Self, TakeError> {
        make_folder(folder)?;
        let path = folder.join(MANIFEST);
        let manifest = private(OpenOptions::new().create(true).append(true))
            .open(&path)
            .map_err(|e| format!("cannot write {}: {e}", path.display()))?;
        Ok(Self { folder: folder.to_owned(), manifest })
    }

    /// Keeps one answer.
    pub(super) fn keep(&mut self, page: &Page, sha256: &str, received: Micros) -> Result<(), TakeError> {
        // Windows reach a little into the days around theirs.
        let day = page.span.map_or_else(|| "all".to_owned(), |s| day_text(day_of(s.from.midpoint(s.to))));
        let short = sha256.get(..12).unwrap_or(sha256);
        let name = format!("{}-{}-{day}-{:05}-{short}.json", page.org, page.kind.as_str(), page.number);
        let name = name.replace(['/', '\\'], "_");
        let path = self.folder.join(&name);
        let failed = |e: std::io::Error| format!("cannot write {}: {e}", path.display());
        let mut file = private(OpenOptions::new().create(true).write(true).truncate(true))
            .open(&path)
            .map_err(failed)?;
        file.write_all(&page.bytes).and_then(|()| file.sync_data()).map_err(failed)?;
        let line = Line {
            file: &name,
            org: &page.org,
            kind: page.kind.as_str(),
            request: &page.request,
            from: page.span.map(|s| format_time(s.from)),
            to: page.span.map(|s| format_time(s.to)),
            subject: page.subject.as_deref(),
            page: page.number,
            status: page.status,
            received: format_time(received),
            bytes: page.bytes.len(),
            sha256,
        };
        let mut line = serde_json::to_vec(&line)?;
        line.push(b'\n');
        // In one piece, so that a killed run leaves no half line.
        self.manifest.write_all(&line)?;
        Ok(())
    }
}

/// Answers hold names and addresses: nobody else may read them.
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}
