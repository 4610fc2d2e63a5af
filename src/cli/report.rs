//! `patwatch report`: the whole bundle.

use super::Context;
use super::args::ReportArgs;
use super::check::outcome;
use super::error::{CliError, Outcome};
use super::session::Session;
use super::ui::Ui;
use crate::analysis::run::Depth;
use crate::chart;
use crate::output::anonymise::Anonymiser;
use crate::output::bundle::{ChartFile, bundle};
use crate::output::manifest::RunFacts;
use crate::report::Report;
use std::path::Path;

pub(super) fn run(context: &Context, args: &ReportArgs) -> Result<Outcome, CliError> {
    let session = Session::open(&context.lake, context.config.clone(), &args.selection, &context.ui)?;
    if let Some(ingested) = &session.ingested {
        super::import::say(ingested, &context.ui);
    }
    let found = session.find(&[], Depth::Dossiers, &context.ui)?;
    let report = if args.anonymise { anonymise(&found.report, &context.ui)? } else { found.report };
    let charts = charts(&report, &context.ui)?;
    let facts = RunFacts { command_line: command_line(), tool_sha256: None };
    for (path, bytes) in bundle(&report, &charts, &facts)? {
        context.ui.write(Some(&args.output.join(path)), &bytes)?;
    }
    summary(&report, &args.output, &context.ui);
    Ok(outcome(&report, &session, args.fail, args.selection.reading.strict, &context.ui))
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

/// Pseudonyms by the key of the environment, else by a fresh one.
fn anonymise(report: &Report, ui: &Ui) -> Result<Report, CliError> {
    let key = match std::env::var("PATWATCH_PSEUDONYM_KEY") {
        Ok(key) if !key.is_empty() => key.into_bytes(),
        _ => {
            ui.warn("PATWATCH_PSEUDONYM_KEY is not set: pseudonyms come from a fresh key, so those of another run will differ");
            let mut key = vec![0; 32];
            rand::TryRngCore::try_fill_bytes(&mut rand::rngs::OsRng, &mut key)
                .map_err(|e| CliError::new(format!("the system gives no random key: {e}")))?;
            key
        }
    };
    Ok(Anonymiser::new(&key, report).report(report))
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
            _ => kept.push(argument),
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
