//! The bundle of `report`: every file with its bytes, the manifest last.
//!
//! In: a report, charts already drawn, the run's facts. Out: relative paths and bytes; who writes them to disk
//! decides where.

use super::manifest::{RunFacts, manifest};
use super::{Result, changes, findings, page, review, summary, to_bytes, tokens};
use crate::report::Report;
use rayon::prelude::*;
use std::io;

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

/// Returns every file of the bundle as (relative path, bytes).
///
/// # Errors
/// Those of the formats.
pub fn bundle(report: &Report, charts: &[ChartFile], facts: &RunFacts) -> Result<Vec<(String, Vec<u8>)>> {
    type Make<'a> = &'a (dyn Fn() -> Result<Vec<u8>> + Sync);
    let text = |write: fn(&Report, &mut dyn io::Write) -> Result| {
        let mut bytes = Vec::new();
        write(report, &mut bytes).map(|()| bytes)
    };
    let parts: [(&str, Make<'_>); 8] = [
        ("index.html", &|| Ok(page::render(report, charts, facts)?.into_bytes())),
        ("summary.md", &|| text(summary::write)),
        ("findings.json", &|| to_bytes(&findings::json::Json, report)),
        ("findings.csv", &|| to_bytes(&findings::csv::Csv, report)),
        ("findings.sarif", &|| to_bytes(&findings::sarif::Sarif, report)),
        ("tokens.json", &|| to_bytes(&tokens::json::Json, report)),
        ("tokens.csv", &|| to_bytes(&tokens::csv::Csv, report)),
        ("review.csv", &|| text(review::write)),
    ];
    // Each file is a function of the report alone, so that all of them are made at once.
    let made = parts.par_iter().map(|(path, make)| Ok(((*path).to_owned(), make()?)));
    let mut files = made.collect::<Result<Vec<(String, Vec<u8>)>>>()?;
    let mut add = |path: &str, bytes: Vec<u8>| files.push((path.to_owned(), bytes));
    if let Some(comparison) = &report.comparison {
        add("changes.json", changes::changes(report, comparison)?);
    }
    for chart in charts {
        let name = file_name(&chart.name);
        add(&format!("charts/{name}.svg"), chart.svg.clone().into_bytes());
        if !chart.png.is_empty() {
            add(&format!("charts/{name}.png"), chart.png.clone());
        }
    }
    let manifest = manifest(report, facts, &files)?;
    files.push(("manifest.json".to_owned(), manifest));
    Ok(files)
}

/// Returns a name that is one path segment on every system.
fn file_name(name: &str) -> String {
    let name: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || "-_".contains(c) { c } else { '-' }).collect();
    if name.is_empty() { "chart".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::sample;

    #[test]
    fn twice_the_same_bytes_and_every_file_in_the_manifest() {
        let report = sample::report();
        let facts =
            RunFacts { command_line: vec!["patwatch".into(), "report".into()], ..RunFacts::default() };
        let files = bundle(&report, &sample::charts(), &facts).expect("renders");
        assert_eq!(files, bundle(&report.clone(), &sample::charts(), &facts).expect("renders"));
        let (last, bytes) = files.last().expect("files");
        assert_eq!(last, "manifest.json");
        let value: serde_json::Value = serde_json::from_slice(bytes).expect("JSON");
        let listed = value["outputs"].as_array().expect("outputs");
        assert_eq!(listed.len(), files.len() - 1);
        for (entry, (path, bytes)) in listed.iter().zip(&files) {
            assert_eq!(entry["path"], path.as_str());
            assert_eq!(entry["sha256"], crate::output::manifest::sha256(bytes));
        }
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
        for (path, bytes) in bundle(&report, &charts, &RunFacts::default()).expect("renders") {
            let path = std::path::Path::new(&folder).join(path);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("folder");
            std::fs::write(path, bytes).expect("written");
        }
        let folder = std::path::Path::new(&folder);
        for f in crate::output::FINDINGS {
            let bytes = to_bytes(*f, &report).expect("renders");
            std::fs::write(folder.join(format!("check-{}.{}", f.name(), f.extension())), bytes)
                .expect("written");
        }
        let style = crate::output::Style { color: false, width: Some(110) };
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
