//! `patwatch report`: the whole bundle.

use super::Context;
use super::args::ReportArgs;
use super::check::outcome;
use super::error::{CliError, Outcome};
use super::session::Session;
use super::ui::Ui;
use crate::chart;
use crate::model::hash::hex;
use crate::model::secret::covered;
use crate::output::anonymise::Anonymiser;
use crate::output::bundle::{ChartFile, bundle};
use crate::output::manifest::RunFacts;
use crate::report::Report;
use crate::report::compare::{self, Earlier};
use sha2::{Digest as _, Sha256};
use std::path::Path;

pub(super) fn run(context: &Context, args: &ReportArgs) -> Result<Outcome, CliError> {
    if args.output.exists() && !args.output.is_dir() {
        return Err(CliError::new(format!(
            "--output {} is a file, and a report is a folder of files",
            args.output.display()
        ))
        .hint("name a folder; it is made if absent"));
    }
    let session = Session::open(&context.lake, context.config.clone(), &args.selection, &context.ui)?;
    if let Some(ingested) = &session.ingested {
        super::import::say(ingested, &context.ui);
    }
    let earlier = args.compare.as_deref().map(|folder| earlier(folder, args.anonymise)).transpose()?;
    // The program is a hundred megabytes; it is read while others work.
    let tool_hash = std::thread::spawn(tool_hash);
    let found = session.find(&[], &context.ui)?;
    let mut report = found.report;
    let mut facts = RunFacts { command_line: command_line(), ..RunFacts::default() };
    // Fingerprints of an anonymised bundle are keyed, so like is compared with like.
    let keyed = earlier.as_ref().is_some_and(|e| e.pseudonyms.is_some());
    if let Some(earlier) = earlier.as_ref().filter(|_| !keyed) {
        report.comparison = Some(compare::compare(earlier, &report));
    }
    if args.anonymise {
        let anonymiser = Anonymiser::new(&key(&context.ui)?, &report);
        report = anonymiser.report(&report);
        facts.command_line = anonymiser.command_line(&facts.command_line);
        facts.pseudonyms = Some(anonymiser.mark());
        if let Some(earlier) = earlier.as_ref().filter(|_| keyed) {
            if earlier.pseudonyms != facts.pseudonyms {
                return Err(CliError::new("the earlier bundle has pseudonyms of another key, so nothing of it can be found again")
                    .hint("set PATWATCH_PSEUDONYM_KEY to the key that it was made with, or compare with a bundle without pseudonyms"));
            }
            report.comparison = Some(compare::compare(earlier, &report));
        }
    }
    for note in report.comparison.iter().flat_map(|c| &c.notes) {
        context.ui.warn(note);
    }
    let charts = charts(&report, &context.ui)?;
    facts.tool_sha256 = tool_hash.join().unwrap_or_default();
    bundle(&report, &charts, &facts, &args.output).map_err(|e| {
        anyhow::Error::from(e).context(format!("cannot write the report to {}", args.output.display()))
    })?;
    summary(&report, &args.output, &context.ui);
    let outcome = outcome(&report, &session, args.fail, args.selection.reading.strict, &context.ui);
    // The process ends here: tokens and findings by the thousand need not be taken apart one by one.
    std::mem::forget((report, found.engine));
    Ok(outcome)
}

/// Draws every chart; drawing takes as long as the rest, so it goes over the processors.
fn charts(report: &Report, ui: &Ui) -> Result<Vec<ChartFile>, CliError> {
    let list = chart::list();
    let bar = ui.bar(list.len() as u64, "charts", false);
    let drawn: Vec<Result<ChartFile, chart::ChartError>> = std::thread::scope(|scope| {
        let threads: Vec<_> = list
            .iter()
            .map(|chart| {
                let (series, bar) = (&report.series, &bar);
                scope.spawn(move || {
                    let file = ChartFile {
                        name: chart.name().to_owned(),
                        caption: chart::headline(*chart, series),
                        png: chart::png(chart.name(), series)?,
                        svg: chart::svg(chart.name(), series)?,
                    };
                    bar.inc(1);
                    Ok(file)
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|t| {
                t.join()
                    .unwrap_or_else(|_| Err(chart::ChartError::Draw("the drawing thread failed".to_owned())))
            })
            .collect()
    });
    bar.finish_and_clear();
    Ok(drawn.into_iter().collect::<Result<_, _>>()?)
}

/// The key of the pseudonyms: that of the environment, else a fresh one.
fn key(ui: &Ui) -> Result<Vec<u8>, CliError> {
    match std::env::var("PATWATCH_PSEUDONYM_KEY") {
        Ok(key) if !key.is_empty() => Ok(key.into_bytes()),
        _ => {
            ui.warn("PATWATCH_PSEUDONYM_KEY is not set: pseudonyms come from a fresh key, so those of another run will differ");
            let mut key = vec![0; 32];
            rand::TryRngCore::try_fill_bytes(&mut rand::rngs::OsRng, &mut key)
                .map_err(|e| CliError::new(format!("the system gives no random key: {e}")))?;
            Ok(key)
        }
    }
}

/// Reads the bundle to compare with, before this run may write over it.
fn earlier(folder: &Path, anonymise: bool) -> Result<Earlier, CliError> {
    let hint = "give the folder that an earlier `patwatch report --output` wrote";
    if !folder.is_dir() {
        return Err(CliError::new(format!("{} is no folder", folder.display())).hint(hint));
    }
    let read = |name: &str| {
        std::fs::read(folder.join(name)).map_err(|e| {
            CliError::new(format!("{} is no bundle: cannot read its {name}: {e}", folder.display()))
                .hint(hint)
        })
    };
    let (findings, tokens) = (read("findings.json")?, read("tokens.json")?);
    // A bundle without one was not written to its end: its files may be of two runs.
    let manifest = read("manifest.json")?;
    let earlier = compare::read(&findings, &tokens, Some(&manifest))
        .map_err(|e| CliError::new(format!("cannot compare with {}: {e}", folder.display())))?;
    if earlier.pseudonyms.is_some() && !anonymise {
        return Err(CliError::new(format!("{} holds pseudonyms, and this run names people", folder.display()))
            .hint("add --anonymise with the same PATWATCH_PSEUDONYM_KEY, or compare with a bundle without pseudonyms"));
    }
    Ok(earlier)
}

/// SHA-256 of the program that runs, where it can be read.
fn tool_hash() -> Option<String> {
    let mut file = std::fs::File::open(std::env::current_exe().ok()?).ok()?;
    let mut hasher = Sha256::new();
    std::io::copy(&mut file, &mut hasher).ok()?;
    Some(hex(&hasher.finalize()))
}

/// The command line as typed, without where it wrote and where the lake lies: these name machines.
fn command_line() -> Vec<String> {
    let mut kept = vec!["patwatch".to_owned()];
    let mut skip = false;
    for argument in std::env::args().skip(1) {
        if std::mem::take(&mut skip) {
            continue;
        }
        match argument.as_str() {
            "--output" | "--lake" => skip = true,
            a if a.starts_with("--output=") || a.starts_with("--lake=") => {}
            _ => kept.push(covered(&argument).into_owned()),
        }
    }
    kept
}

fn summary(report: &Report, output: &Path, ui: &Ui) {
    let worst = report.findings.iter().map(|f| f.severity).max();
    ui.info(&format!(
        "{} tokens, {} events, {} findings{}; open {}",
        report.tokens.len(),
        report.events,
        report.findings.len(),
        worst.map(|s| format!(" (worst: {s})")).unwrap_or_default(),
        output.join("index.html").display()
    ));
}
