//! Reports as text: one file a format, each listed once below.
//!
//! In: a [`Report`], a [`Dossier`](dossier::Dossier) of one token or a [`Grid`](grid::Grid) of query rows.
//! Out: bytes, the same for the same input. Nothing is decided here but the form; text from the log is
//! hostile and leaves every format as text.

pub mod anonymise;
pub mod bundle;
pub mod changes;
pub mod csv;
pub mod decisions;
pub mod dossier;
pub mod evidence;
pub mod exact;
pub mod findings;
pub mod grid;
pub mod json;
mod long_list;
pub mod manifest;
pub mod markdown;
pub mod not_run;
pub mod page;
pub mod private;
pub mod review;
#[cfg(test)]
pub(crate) mod sample;
pub mod scorecard;
pub mod summary;
pub mod terminal;
pub mod tokens;
pub mod words;

use crate::report::Report;
use std::io;

/// The version that every output names.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// How an output may look where it goes; a format takes what concerns it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Style {
    /// Whether colour codes may be written.
    pub color: bool,
    /// Columns to wrap at; nothing leaves lines as long as they are.
    pub width: Option<u16>,
    /// Whether CSV ends lines with LF alone, for pipes; files have the CRLF of RFC 4180, for spreadsheets.
    pub lf: bool,
}

/// Why an output could not be written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The place it goes to refused the bytes.
    #[error("cannot write the output: {0} (is the disk full, or the reader gone?)")]
    Io(#[from] io::Error),
    /// A value has no JSON form.
    #[error("cannot write JSON: {0} (this is a defect of patwatch; please report it)")]
    Json(serde_json::Error),
    /// The CSV writer failed.
    #[error("cannot write CSV: {0} (is the disk full, or the reader gone?)")]
    Csv(::csv::Error),
    /// A file of a bundle could not be made.
    #[error("{path}: {source}")]
    File {
        /// Its path inside the bundle.
        path: String,
        /// Why.
        source: Box<Self>,
    },
    /// A page template failed.
    #[error("cannot render a template: {0} (this is a defect of patwatch; please report it)")]
    Template(#[from] minijinja::Error),
}

impl From<serde_json::Error> for Error {
    /// JSON is written straight to its place, whose faults are not those of the JSON.
    fn from(error: serde_json::Error) -> Self {
        if error.is_io() { Self::Io(error.into()) } else { Self::Json(error) }
    }
}

impl From<::csv::Error> for Error {
    /// CSV is written straight to its place as well: a reader that went away must be known as such.
    fn from(error: ::csv::Error) -> Self {
        match error.into_kind() {
            ::csv::ErrorKind::Io(error) => Self::Io(error),
            kind => Self::Csv(io::Error::other(format!("{kind:?}")).into()),
        }
    }
}

impl Error {
    fn of_file(path: &str, source: Self) -> Self {
        Self::File { path: path.to_owned(), source: Box::new(source) }
    }
}

/// What the formats return.
pub type Result<T = ()> = std::result::Result<T, Error>;

/// One form of a `T`.
pub trait Format<T: ?Sized>: Sync {
    /// The word that `--format` takes.
    fn name(&self) -> &'static str;
    /// The ending of a file that holds it.
    fn extension(&self) -> &'static str;
    /// Writes it, ending with a line feed.
    ///
    /// # Errors
    /// Those of the writer.
    fn write(&self, what: &T, style: Style, to: &mut dyn io::Write) -> Result;
}

/// Forms of the findings; the first is the default.
pub static FINDINGS: &[&dyn Format<Report>] = &[
    &findings::table::Table,
    &findings::json::Json,
    &findings::csv::Csv,
    &findings::markdown::Markdown,
    &findings::sarif::Sarif,
    &findings::junit::Junit,
    &findings::ocsf::Ocsf,
];

/// Forms of the token list; the first is the default.
pub static TOKENS: &[&dyn Format<Report>] =
    &[&tokens::table::Table, &tokens::json::Json, &tokens::csv::Csv, &tokens::markdown::Markdown];

/// Forms of one token's dossier; the first is the default.
pub static DOSSIERS: &[&dyn for<'a> Format<dossier::Dossier<'a>>] =
    &[&dossier::text::Text, &dossier::markdown::Markdown, &dossier::json::Json, &dossier::html::Html];

/// Forms of query rows; the first is the default. Parquet is the engine's.
pub static GRIDS: &[&dyn Format<grid::Grid>] = &[
    &grid::table::Table,
    &grid::csv::Csv,
    &grid::json::Json,
    &grid::ndjson::Ndjson,
    &grid::markdown::Markdown,
];

/// Returns the format called `name`, or what names there are.
///
/// # Errors
/// The sentence to show when no format has that name.
pub fn find<T: ?Sized>(
    formats: &'static [&'static dyn Format<T>],
    name: &str,
) -> std::result::Result<&'static dyn Format<T>, String> {
    formats.iter().copied().find(|f| f.name() == name).ok_or_else(|| {
        let names: Vec<&str> = formats.iter().map(|f| f.name()).collect();
        format!("there is no format {name:?} here; choose one of {}", names.join(", "))
    })
}

/// Writes `what` into memory.
///
/// # Errors
/// Those of the format.
pub fn to_bytes<T: ?Sized>(format: &dyn Format<T>, what: &T) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    format.write(what, Style::default(), &mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_renders_twice_to_the_same_bytes() {
        let report = sample::report();
        for format in FINDINGS.iter().chain(TOKENS) {
            let once = to_bytes(*format, &report).expect("renders");
            assert_eq!(once, to_bytes(*format, &report.clone()).expect("renders"), "{}", format.name());
            assert!(String::from_utf8(once).expect("UTF-8").ends_with('\n'), "{}", format.name());
        }
        for format in DOSSIERS {
            for token in &report.tokens {
                let dossier = dossier::Dossier { report: &report, token };
                let mut bytes = Vec::new();
                format
                    .write(&dossier, Style { color: true, width: Some(80), lf: true }, &mut bytes)
                    .expect("renders");
                assert!(String::from_utf8(bytes).expect("UTF-8").ends_with('\n'), "{}", format.name());
            }
        }
    }

    #[test]
    fn names_are_unique_and_found() {
        assert_eq!(find(FINDINGS, "sarif").map(|f| f.extension()), Ok("sarif"));
        assert!(find(GRIDS, "xml").err().is_some_and(|e| e.contains("ndjson")));
    }

    #[test]
    fn no_answer_says_unused_but_where_it_was_ruled_out() {
        let mut report = sample::report();
        report.tokens.retain(|t| t.verdicts.usage.verdict != crate::model::verdict::UseState::RuledOut);
        for format in TOKENS {
            let text = String::from_utf8(to_bytes(*format, &report).expect("renders")).expect("UTF-8");
            assert!(!text.to_lowercase().contains("unused"), "{}", format.name());
        }
        for (path, bytes) in bundle::files(&report, &[], &manifest::RunFacts::default()) {
            let text = String::from_utf8(bytes).expect("UTF-8").to_lowercase();
            assert!(!text.contains("unused"), "{path}");
        }
    }
}
