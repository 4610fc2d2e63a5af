//! What ends the reading of an input, each with the way to mend it.

use std::path::PathBuf;

/// An input that could not be read at all.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The input could not be opened or read.
    #[error("cannot read {name}: {source}")]
    Io {
        /// The input.
        name: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The path does not exist.
    #[error("{} does not exist; check the path, or give - for standard input", .0.display())]
    Missing(PathBuf),
    /// A link in a folder, to a file that is not there.
    #[error("{} is a link that leads nowhere", .0.display())]
    Nowhere(PathBuf),
    /// A file of a folder whose name says that it may hold records, in a format that cannot be read.
    #[error("{} was not imported: it is {what}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What it is, and what to do.
        what: &'static str,
    },
    /// A folder without a file to import.
    #[error("{} holds no file to import; give a folder of exports, or name the files themselves", .0.display())]
    EmptyFolder(PathBuf),
    /// The input is of no known kind.
    #[error("{name} is of no known kind: {found}. {ACCEPTED}")]
    UnknownKind {
        /// The input.
        name: String,
        /// What it holds instead.
        found: String,
    },
    /// The input is of a known kind, but cannot be read in full or in this format.
    #[error("{name} was not imported: {found}")]
    Refused {
        /// The input.
        name: String,
        /// What is wrong with it, and what to do.
        found: String,
    },
    /// The receiver of the rows gave up.
    #[error("cannot keep what {name} holds: {source}")]
    Sink {
        /// The input.
        name: String,
        /// What the receiver said.
        source: std::io::Error,
    },
}

const ACCEPTED: &str = "Accepted are audit events (API pages, portal exports as JSON or CSV, Log Analytics, \
    Event Grid or Splunk records, also inside the records of other tools), token inventories, Graph users, user entitlements and Usage records, \
    as JSON, NDJSON or CSV, plain or gzip";
