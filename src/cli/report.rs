//! `patwatch report`: the whole bundle.

use super::Context;
use super::args::ReportArgs;
use super::compared::earlier;
use super::error::{CliError, Outcome};
use super::gate::Gate;
use super::session::Session;
use super::ui::Ui;
use crate::chart;
use crate::model::hash::hex;
use crate::model::noun::counted;
use crate::model::secret::covered;
use crate::output::anonymise::Anonymiser;
use crate::output::bundle::{ChartFile, bundle};
use crate::output::manifest::RunFacts;
use crate::output::words;
use crate::report::Report;
use crate::report::compare::{self, News};
use crate::report::contain::{self, Story};
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
    if let Some(compare) = &args.compare
        && let (Ok(output), Ok(earlier)) = (args.output.canonicalize(), compare.canonicalize())
        && output == earlier
    {
        return Err(CliError::new(format!(
            "--output and --compare both name {}: the report would overwrite the bundle that it is compared with",
            compare.display()
        ))
        .hint("write the report to another folder"));
    }
    let gate = Gate::new(&args.fail, args.selection.reading.strict)?;
    let session = Session::open(&context.lake, context.config.clone(), &args.selection, &context.ui)?;
    if let Some(ingested) = &session.ingested {
        super::import::say(ingested, &context.ui);
    }
    let earlier = args.compare.as_deref().map(|folder| earlier(folder, args.anonymise)).transpose()?;
    // The program is a hundred megabytes; it is read while others work.
    let tool_hash = std::thread::spawn(tool_hash);
    let found = session.find(&[], &context.ui)?;
    let mut report = found.report;
    let mut facts = RunFacts { command_line: command_line(std::env::args().skip(1)), ..RunFacts::default() };
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
    let failing = gate.failing(&report);
    if let Some(least) = args.severity {
        report.show_from(least);
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
    let outcome = gate.outcome_after(failing, &report, &session, &context.ui);
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

/// SHA-256 of the program that runs, where it can be read.
fn tool_hash() -> Option<String> {
    let mut file = std::fs::File::open(std::env::current_exe().ok()?).ok()?;
    let mut hasher = Sha256::new();
    std::io::copy(&mut file, &mut hasher).ok()?;
    Some(hex(&hasher.finalize()))
}

/// The command line as typed, without where it wrote and where the lake is, which name machines, and without the wall
/// clock of the gate, which changes no result.
fn command_line(arguments: impl Iterator<Item = String>) -> Vec<String> {
    let mut kept = vec!["patwatch".to_owned()];
    let mut skip = false;
    for argument in arguments {
        if std::mem::take(&mut skip) {
            continue;
        }
        match argument.as_str() {
            "--output" | "--lake" | "--now" => skip = true,
            a if ["--output=", "--lake=", "--now="].iter().any(|option| a.starts_with(option)) => {}
            // Switches that take no value may stand before it: -o DIR, -oDIR, -qo DIR.
            a if a.starts_with('-') && !a.starts_with("--") && a.contains('o') => {
                let (switches, value) = a.split_once('o').unwrap_or_default();
                skip = value.is_empty();
                kept.extend((switches.len() > 1).then(|| switches.to_owned()));
            }
            _ => kept.push(covered(&argument).into_owned()),
        }
    }
    kept
}

/// Things to contain that the terminal names; page and summary name the others.
const URGENT: usize = 5;

fn summary(report: &Report, output: &Path, ui: &Ui) {
    let urgent = contain::contain(report);
    for c in urgent.iter().take(URGENT) {
        let owner = c.owner.as_deref().map(|o| format!("{o}, ")).unwrap_or_default();
        // Only the fact that began the newest hour: the terminal is narrow.
        let newest =
            c.stories.last().map(|s| Story { facts: s.facts.iter().take(1).cloned().collect(), ..s.clone() });
        let story = newest.map(|s| words::story(&Story { more: 0, ..s })).unwrap_or_default();
        ui.info(&format!("contain now: {} ({owner}{}): {story} First: {}", c.label(), c.org, c.first_step));
    }
    if urgent.len() > URGENT {
        ui.info(&format!("contain now: {} more in summary.md", urgent.len() - URGENT));
    }
    let worst = report.findings.iter().map(|f| f.severity).max();
    ui.info(&format!(
        "{}, {}, {}{}; open {}",
        counted(report.tokens.len(), "token"),
        counted(report.events, "event"),
        counted(report.findings.len(), "finding"),
        worst.map(|s| format!(" (worst: {s})")).unwrap_or_default(),
        output.join("index.html").display()
    ));
    for line in words::population(report) {
        ui.info(&line);
    }
    if let Some(comparison) = &report.comparison {
        ui.info(&News::of(comparison).sentence);
    }
    if let Some(sentence) = &report.series.review_sentence {
        ui.info(sentence);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manifest_has_the_command_line_without_its_places() {
        let kept = |line: &str| command_line(line.split(' ').map(str::to_owned)).join(" ");
        for line in
            ["--output x", "--output=x", "-o x", "-ox", "-o=x", "--lake l -o x", "--now 2026-01-01 -o x"]
        {
            assert_eq!(
                kept(&format!("report {line} --fail-on high")),
                "patwatch report --fail-on high",
                "{line}"
            );
        }
        assert_eq!(kept("report -qo x -v --org a"), "patwatch report -q -v --org a");
    }
}
