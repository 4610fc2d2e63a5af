//! The bundle of `report`: every file, then the manifest, then the hashes of all.
//!
//! In: a report, charts already drawn, the run's facts, a folder. Out: files in it, each written as it is made, by several
//! threads, and hashed on the way: all of them in memory would be hundreds of megabytes.

use super::manifest::{RunFacts, manifest};
use super::{
    Error, Format as _, Result, Style, changes, decisions, evidence, findings, page, private, review,
    scorecard, summary, tokens,
};
use crate::model::hash::Hashed;
use crate::report::Report;
use rayon::prelude::*;
use std::io;
use std::path::Path;

const MANIFEST: &str = "manifest.json";
/// Hashes of all other files, for `sha256sum -c`.
const SUMS: &str = "SHA256SUMS";

/// A chart as drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChartFile {
    /// File name without ending, such as `activity`.
    pub name: String,
    /// The sentence under it: what it shows, for those who cannot see it too.
    pub caption: String,
    /// PNG at print resolution; empty where only SVG was drawn.
    pub png: Vec<u8>,
    /// SVG text.
    pub svg: String,
}

/// A file of the bundle, as the manifest lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Path inside the bundle, with `/`.
    pub path: String,
    /// SHA-256 in hexadecimal digits.
    pub sha256: String,
    /// Its size.
    pub bytes: u64,
}

/// Bytes that are gathered before they go to disk.
const BUFFER: usize = 1 << 17;

/// Writes every file of the bundle into a folder. The manifest comes last, and one that lies there goes first: a folder
/// without a manifest is no whole bundle.
///
/// # Errors
/// Those of the formats and of the disk, with the file's name.
pub fn bundle(report: &Report, charts: &[ChartFile], facts: &RunFacts, folder: &Path) -> Result {
    // The changes of an earlier run would pass for a part of this bundle.
    let changes = ["changes.json", "changes.csv"].into_iter().filter(|_| report.comparison.is_none());
    for old in [MANIFEST, SUMS].into_iter().chain(changes) {
        match std::fs::remove_file(folder.join(old)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(Error::of_file(old, error.into()));
            }
            _ => {}
        }
    }
    let pictures = charts.iter().flat_map(|chart| {
        let name = file_name(&chart.name);
        let png = (!chart.png.is_empty()).then(|| (format!("charts/{name}.png"), chart.png.as_slice()));
        [(format!("charts/{name}.svg"), chart.svg.as_bytes())].into_iter().chain(png)
    });
    type Make<'a> = Box<dyn Fn(&mut dyn io::Write) -> Result + Sync + 'a>;
    fn as_is<'a>(bytes: &'a [u8]) -> Make<'a> {
        Box::new(move |to| Ok(to.write_all(bytes)?))
    }
    let plain = Style::default();
    let mut files: Vec<(String, Make<'_>)> = vec![
        ("index.html".to_owned(), Box::new(|to| page::write(report, charts, facts, to))),
        ("summary.md".to_owned(), Box::new(|to| summary::write(report, to))),
        ("findings.json".to_owned(), Box::new(|to| findings::json::Json.write(report, plain, to))),
        ("findings.csv".to_owned(), Box::new(|to| findings::csv::Csv.write(report, plain, to))),
        ("findings.sarif".to_owned(), Box::new(|to| findings::sarif::Sarif.write(report, plain, to))),
        ("tokens.json".to_owned(), Box::new(|to| tokens::json::Json.write(report, plain, to))),
        ("tokens.csv".to_owned(), Box::new(|to| tokens::csv::Csv.write(report, plain, to))),
        ("population.csv".to_owned(), Box::new(|to| evidence::population(report, to))),
        ("response.csv".to_owned(), Box::new(|to| evidence::response(report, to))),
        ("controls.csv".to_owned(), Box::new(|to| evidence::controls(report, to))),
        ("review.csv".to_owned(), Box::new(|to| review::write(report, &review::Choice::default(), to))),
        ("decisions.csv".to_owned(), Box::new(|to| decisions::write(report, to))),
        ("scorecard.csv".to_owned(), Box::new(|to| scorecard::write(report, to))),
    ];
    if let Some(comparison) = &report.comparison {
        let changes =
            Box::new(|to: &mut dyn io::Write| Ok(to.write_all(&changes::changes(report, comparison)?)?));
        files.push(("changes.json".to_owned(), changes));
        files.push(("changes.csv".to_owned(), Box::new(|to| evidence::changes(comparison, to))));
    }
    files.extend(pictures.map(|(path, bytes)| (path, as_is(bytes))));
    // Each file is a function of the report alone, so that all of them are made at once.
    let written = files.par_iter().map(|(path, make)| put(folder, path, make));
    let mut written = written.collect::<Result<Vec<_>>>()?;
    let manifest = manifest(report, facts, &written)?;
    written.push(put(folder, MANIFEST, as_is(&manifest))?);
    // It names every other file, the manifest too, so it is the last; the manifest does not name it.
    let sums: String = written.iter().map(|file| format!("{}  {}\n", file.sha256, file.path)).collect();
    put(folder, SUMS, as_is(sums.as_bytes())).map(|_| ())
}

/// Writes a file and tells its hash; an error names the file.
fn put(folder: &Path, path: &str, make: impl Fn(&mut dyn io::Write) -> Result) -> Result<Written> {
    let written = || -> Result<Written> {
        let place = folder.join(path);
        if let Some(folder) = place.parent() {
            private::folder(folder)?;
        }
        let mut to = io::BufWriter::with_capacity(BUFFER, Hashed::new(private::own_file(&place)?));
        make(&mut to)?;
        let (_, sha256, bytes) = to.into_inner().map_err(io::IntoInnerError::into_error)?.finish();
        Ok(Written { path: path.to_owned(), sha256, bytes })
    };
    written().map_err(|error| Error::of_file(path, error))
}

/// Returns a name that is one path segment on every system.
fn file_name(name: &str) -> String {
    let name: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || "-_".contains(c) { c } else { '-' }).collect();
    if name.is_empty() { "chart".to_owned() } else { name }
}

/// The files as written, in the manifest's order, which comes last itself.
#[cfg(test)]
pub(crate) fn files(report: &Report, charts: &[ChartFile], facts: &RunFacts) -> Vec<(String, Vec<u8>)> {
    let folder = tempfile::tempdir().expect("a folder");
    bundle(report, charts, facts, folder.path()).expect("renders");
    let read = |path: &str| std::fs::read(folder.path().join(path)).expect("written");
    let manifest: serde_json::Value = serde_json::from_slice(&read(MANIFEST)).expect("JSON");
    let listed = manifest["outputs"].as_array().expect("outputs").iter();
    let paths = listed.map(|output| output["path"].as_str().expect("a path")).chain([MANIFEST]);
    paths.map(|path| (path.to_owned(), read(path))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::hash::sha256;
    use crate::output::{sample, to_bytes};

    #[test]
    fn what_cannot_be_written_is_named_and_no_manifest_stays() {
        let folder = tempfile::tempdir().expect("a folder");
        let report = sample::report();
        bundle(&report, &[], &RunFacts::default(), folder.path()).expect("renders");
        std::fs::remove_file(folder.path().join("tokens.csv")).expect("removed");
        std::fs::create_dir(folder.path().join("tokens.csv")).expect("a folder in its place");
        let error = bundle(&report, &[], &RunFacts::default(), folder.path()).expect_err("no file");
        assert!(error.to_string().starts_with("tokens.csv: cannot write"), "{error}");
        assert!(!folder.path().join(MANIFEST).exists());
    }

    #[test]
    fn twice_the_same_bytes_and_every_file_in_the_manifest() {
        let report = sample::report();
        let facts =
            RunFacts { command_line: vec!["patwatch".into(), "report".into()], ..RunFacts::default() };
        let files = files(&report, &sample::charts(), &facts);
        assert_eq!(files, super::files(&report.clone(), &sample::charts(), &facts));
        let (last, bytes) = files.last().expect("files");
        assert_eq!(last, "manifest.json");
        let value: serde_json::Value = serde_json::from_slice(bytes).expect("JSON");
        let listed = value["outputs"].as_array().expect("outputs");
        assert_eq!(listed.len(), files.len() - 1);
        for (entry, (path, bytes)) in listed.iter().zip(&files) {
            assert_eq!(entry["path"], path.as_str());
            assert_eq!(entry["sha256"], sha256(bytes));
        }
    }

    #[test]
    fn the_sums_name_every_file_and_no_sums_of_an_earlier_run_stay() {
        let folder = tempfile::tempdir().expect("a folder");
        let report = sample::report();
        let write = || bundle(&report, &sample::charts(), &RunFacts::default(), folder.path());
        write().expect("renders");
        let sums = std::fs::read_to_string(folder.path().join(SUMS)).expect("sums");
        let listed: Vec<&str> =
            sums.lines().filter_map(|line| line.split_once("  ")).map(|(_, p)| p).collect();
        for line in sums.lines() {
            let (sum, path) = line.split_once("  ").expect("two spaces");
            assert_eq!(sum, sha256(&std::fs::read(folder.path().join(path)).expect("a file")), "{path}");
        }
        for path in ["manifest.json", "population.csv", "controls.csv", "changes.csv", "tokens.csv"] {
            assert!(listed.contains(&path), "{path} is not in {listed:?}");
        }
        std::fs::remove_file(folder.path().join("tokens.csv")).expect("removed");
        std::fs::create_dir(folder.path().join("tokens.csv")).expect("a folder in its place");
        write().expect_err("no file");
        assert!(!folder.path().join(SUMS).exists());
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_can_read_what_is_written() {
        use std::os::unix::fs::PermissionsExt as _;
        let place = tempfile::tempdir().expect("a folder");
        let folder = place.path().join("report");
        let mode = |path: &Path| std::fs::metadata(path).expect("there").permissions().mode() & 0o777;
        let write = || bundle(&sample::report(), &sample::charts(), &RunFacts::default(), &folder);
        write().expect("renders");
        assert_eq!((mode(&folder), mode(&folder.join("charts"))), (0o700, 0o700));
        for name in ["index.html", "tokens.csv", MANIFEST] {
            assert_eq!(mode(&folder.join(name)), 0o600, "{name}");
        }
        // A file that an earlier version left open to others.
        std::fs::set_permissions(folder.join("tokens.csv"), std::fs::Permissions::from_mode(0o644))
            .expect("set");
        write().expect("renders");
        assert_eq!(mode(&folder.join("tokens.csv")), 0o600);
    }

    #[test]
    fn a_chart_name_cannot_leave_its_folder() {
        assert_eq!(file_name("../../x"), "------x");
    }

    /// Writes the sample bundle where one wants to look at it.
    #[test]
    fn sample_bundle_on_request() {
        let Ok(folder) = std::env::var("PATWATCH_SAMPLE_BUNDLE") else { return };
        let mut report = sample::report();
        if let Some(n) = std::env::var("PATWATCH_SAMPLE_TOKENS").ok().and_then(|n| n.parse().ok()) {
            sample::grow(&mut report, n);
        }
        let mut charts = sample::charts();
        if let Ok(drawn) = std::env::var("PATWATCH_SAMPLE_CHARTS") {
            let mut paths: Vec<_> =
                std::fs::read_dir(drawn).expect("a folder").map(|e| e.expect("an entry").path()).collect();
            paths.sort();
            charts = paths
                .iter()
                .filter(|p| p.extension().is_some_and(|e| e == "svg"))
                .map(|p| ChartFile {
                    name: p.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
                    caption: "A chart drawn elsewhere".to_owned(),
                    png: Vec::new(),
                    svg: std::fs::read_to_string(p).expect("SVG"),
                })
                .collect();
        }
        let folder = Path::new(&folder);
        bundle(&report, &charts, &RunFacts::default(), folder).expect("renders");
        for f in crate::output::FINDINGS {
            let bytes = to_bytes(*f, &report).expect("renders");
            std::fs::write(folder.join(format!("check-{}.{}", f.name(), f.extension())), bytes)
                .expect("written");
        }
        let style = Style { width: Some(110), ..Style::default() };
        for f in crate::output::DOSSIERS {
            let dossier = crate::output::dossier::Dossier { report: &report, token: &report.tokens[0] };
            let mut bytes = Vec::new();
            f.write(&dossier, style, &mut bytes).expect("renders");
            std::fs::write(folder.join(format!("token.{}", f.extension())), bytes).expect("written");
        }
        let mut bytes = Vec::new();
        crate::output::TOKENS[0].write(&report, style, &mut bytes).expect("renders");
        std::fs::write(folder.join("tokens.txt"), bytes).expect("written");
    }
}
