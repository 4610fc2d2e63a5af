//! `patwatch evaluate`: findings scored against labels, beside other rules where some are given.

use super::Context;
use super::args::{EvaluateArgs, Selection};
use super::error::{CliError, Outcome};
use super::ingest::ingest;
use super::naming::Naming;
use super::session::Session;
use crate::chart::evaluation::{Contender, Scoreboard, Scored};
use crate::chart::{evaluation_png, evaluation_svg};
use crate::engine::pack::Pack;
use crate::lab::{
    Baseline, Comparison, Evaluation, SAMPLE, SimulateOptions, Summary, combine, evaluate, simulate,
};
use crate::lake::Lake;
use crate::model::finding::Family;
use crate::model::noun::counted;
use crate::output::{self, findings, tokens};
use std::path::{Path, PathBuf};

/// Rules that the pack is compared with: queries that run on the same lakes, or findings that they made elsewhere.
struct Rival {
    name: String,
    pack: Option<Pack>,
    files: Vec<PathBuf>,
    runs: Vec<Evaluation>,
}

/// What one set of rules wrote.
struct Written {
    findings: Vec<u8>,
    tokens: Vec<u8>,
}

pub(super) fn run(context: &Context, args: &EvaluateArgs) -> Result<Outcome, CliError> {
    if !matches!(args.format.as_str(), "table" | "markdown" | "json") {
        return Err(CliError::new(format!(
            "there is no format \"{}\" here; choose one of table, markdown, json",
            args.format
        )));
    }
    if let Some(chart) = &args.chart {
        ending(chart)?;
    }
    let mut rivals = rivals(&args.baseline)?;
    let runs = match args.seeds {
        Some(seeds) => on_seeds(context, args, seeds, &mut rivals)?,
        None => on_files(context, args, &mut rivals)?,
    };
    let short = rivals.iter().find(|r| r.runs.len() != runs.len());
    if let Some(rival) = short {
        return Err(CliError::new(format!(
            "baseline \"{}\" has {} findings files for {} runs",
            rival.name,
            rival.files.len(),
            runs.len()
        ))
        .hint("give --baseline NAME=FILE once a run, in the order of the runs"));
    }
    let baselines = rivals.into_iter().map(|r| Baseline { name: r.name, summary: combine(&r.runs) });
    let comparison = Comparison { pack: combine(&runs), baselines: baselines.collect() };
    let mut bytes = match args.format.as_str() {
        "json" => {
            let mut bytes = Vec::new();
            output::exact::write_pretty(&comparison, &mut bytes)?;
            bytes
        }
        "markdown" => comparison.to_markdown().into_bytes(),
        _ => comparison.to_text().into_bytes(),
    };
    if !bytes.ends_with(b"\n") {
        bytes.push(b'\n');
    }
    if let Some(path) = &args.chart {
        let board = scoreboard(&comparison);
        let picture = match ending(path)? {
            "png" => evaluation_png(&board)?,
            _ => evaluation_svg(&board)?.into_bytes(),
        };
        context.ui.write(Some(path), &picture)?;
    }
    context.ui.write(None, &bytes)?;
    Ok(Outcome::Done)
}

fn ending(path: &Path) -> Result<&'static str, CliError> {
    match path.extension().map(|e| e.to_string_lossy().to_lowercase()).as_deref() {
        Some("png") => Ok("png"),
        Some("svg") => Ok("svg"),
        _ => Err(CliError::new(format!("{} ends neither in .png nor in .svg", path.display()))),
    }
}

/// Reads `NAME=PATH`; several files of one name are its runs, in order.
fn rivals(given: &[String]) -> Result<Vec<Rival>, CliError> {
    let mut rivals: Vec<Rival> = Vec::new();
    for text in given {
        let Some((name, path)) = text.split_once('=').filter(|(n, p)| !n.is_empty() && !p.is_empty()) else {
            return Err(CliError::new(format!("--baseline \"{text}\" is not NAME=PATH"))
                .hint("such as --baseline \"Sentinel PAT rules=tests/baselines/sentinel\""));
        };
        let path = PathBuf::from(path);
        let at = rivals.iter().position(|r| r.name == name).unwrap_or_else(|| {
            rivals.push(Rival { name: name.to_owned(), pack: None, files: Vec::new(), runs: Vec::new() });
            rivals.len() - 1
        });
        if path.is_dir() {
            let pack = Pack::folder(&path).map_err(|problems| {
                let mut lines = problems.iter().map(ToString::to_string);
                let first = lines.next().unwrap_or_default();
                let mut error =
                    CliError::new(format!("the queries of baseline \"{name}\" have faults: {first}"));
                error.hints = lines.collect();
                error
            })?;
            rivals[at].pack = Some(pack);
        } else {
            rivals[at].files.push(path);
        }
    }
    Ok(rivals)
}

/// Scores written findings, or the pack on what is selected.
fn on_files(
    context: &Context,
    args: &EvaluateArgs,
    rivals: &mut [Rival],
) -> Result<Vec<Evaluation>, CliError> {
    if !args.findings.is_empty() && args.findings.len() != args.truth.len() {
        return Err(CliError::new("give as many --findings as --truth, in the same order"));
    }
    if args.findings.is_empty() && args.truth.len() > 1 {
        return Err(CliError::new("several --truth need the --findings of each run")
            .hint("write them with `patwatch check --format json --output FILE`"));
    }
    if let Some(rival) = rivals.iter().find(|r| r.pack.is_some() && !args.findings.is_empty()) {
        return Err(CliError::new(format!(
            "the queries of baseline \"{}\" need the events, and --findings brings none",
            rival.name
        ))
        .hint("run them with `patwatch check --queries DIR --format json` and give their findings"));
    }
    let mut evaluations = Vec::new();
    for (at, path) in args.truth.iter().enumerate() {
        let truth = read(path)?;
        evaluations.push(match args.findings.get(at) {
            Some(path) => {
                others(rivals, at, None, &truth)?;
                evaluate(&read(path)?, None, &truth)?
            }
            None => {
                let mut session =
                    Session::open(&context.lake, context.config.clone(), &args.selection, &context.ui)?;
                let ours = write(context, &session)?;
                compete(context, &mut session, rivals, at, &ours, &truth, None)?;
                evaluate(&ours.findings, Some(&ours.tokens), &truth)?
            }
        });
    }
    Ok(evaluations)
}

/// Makes an organisation a seed and scores the pack on each.
fn on_seeds(
    context: &Context,
    args: &EvaluateArgs,
    seeds: u32,
    rivals: &mut [Rival],
) -> Result<Vec<Evaluation>, CliError> {
    let bar = context.ui.bar(u64::from(seeds), "organisations", false);
    let mut evaluations = Vec::new();
    for at in 0..seeds as usize {
        let seed = args.first_seed + at as u64;
        let scratch;
        let folder = match &args.keep {
            Some(keep) => keep.join(seed.to_string()),
            None => {
                scratch = super::scratch::Scratch::new()?;
                scratch.path().to_owned()
            }
        };
        let (data, lake) = (folder.join("org"), folder.join("lake"));
        let options = SimulateOptions { seed, tokens: args.tokens, days: args.days, ..SAMPLE };
        let made = simulate(&options, &data)?;
        let quiet = context.ui.silent();
        let reading = &args.selection.reading;
        ingest(&mut Lake::open(&lake)?, std::slice::from_ref(&data), &Naming::default(), reading, &quiet)?;
        let selection = Selection { from: Vec::new(), ..args.selection.clone() };
        let mut session = Session::open(&lake, context.config.clone(), &selection, &quiet)?;
        let ours = write(context, &session)?;
        let keep = args.keep.as_ref().map(|_| folder.as_path());
        save(context, keep, "findings", &ours.findings)?;
        save(context, keep, "tokens", &ours.tokens)?;
        let truth = read(&data.join("truth.json"))?;
        compete(context, &mut session, rivals, at, &ours, &truth, keep)?;
        let score = evaluate(&ours.findings, Some(&ours.tokens), &truth)?;
        context.ui.info(&format!(
            "seed {seed}: {}, {} of {} found, {:.2} false alerts a day per 1,000 tokens",
            counted(made.events, "event"),
            score.overall.hits,
            counted(score.overall.of, "label"),
            score.false_alerts_per_day_per_1000
        ));
        evaluations.push(score);
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(evaluations)
}

fn save(context: &Context, folder: Option<&Path>, name: &str, bytes: &[u8]) -> Result<(), CliError> {
    folder.map_or(Ok(()), |folder| context.ui.write(Some(&folder.join(format!("{name}.json"))), bytes))
}

/// Runs the pack of the session and writes what it found, as `check` and `tokens` would.
fn write(context: &Context, session: &Session) -> Result<Written, CliError> {
    let report = session.find(&[], &context.ui)?.report;
    Ok(Written {
        findings: output::to_bytes(&findings::json::Json, &report)?,
        tokens: output::to_bytes(&tokens::json::Json, &report)?,
    })
}

/// Scores the rivals on the lake of the session, or by what they wrote about it.
fn compete(
    context: &Context,
    session: &mut Session,
    rivals: &mut [Rival],
    at: usize,
    ours: &Written,
    truth: &[u8],
    keep: Option<&Path>,
) -> Result<(), CliError> {
    for rival in rivals.iter_mut() {
        if let Some(pack) = &rival.pack {
            session.pack = pack.clone();
            let theirs = write(context, session)?;
            save(context, keep, &rival.name, &theirs.findings)?;
            rival.runs.push(evaluate(&theirs.findings, Some(&ours.tokens), truth)?);
        }
    }
    others(rivals, at, Some(&ours.tokens), truth)
}

/// Scores the rivals whose findings lie in files; a missing file shows later as a missing run.
fn others(rivals: &mut [Rival], at: usize, tokens: Option<&[u8]>, truth: &[u8]) -> Result<(), CliError> {
    for rival in rivals.iter_mut().filter(|r| r.pack.is_none()) {
        if let Some(path) = rival.files.get(at) {
            rival.runs.push(evaluate(&read(path)?, tokens, truth)?);
        }
    }
    Ok(())
}

/// The anomalies of a comparison, as the chart draws them.
fn scoreboard(comparison: &Comparison) -> Scoreboard {
    let all: Vec<(&str, &Summary)> = std::iter::once(("patwatch", &comparison.pack))
        .chain(comparison.baselines.iter().map(|b| (b.name.as_str(), &b.summary)))
        .collect();
    let share = |summary: &Summary, scenario: Option<&str>| {
        summary.row(Family::Anomaly, scenario).and_then(|row| row.recall_medium.share).unwrap_or(0.0)
    };
    let rows =
        comparison.pack.rows.iter().filter(|row| row.family == Family::Anomaly && row.scenario.is_some());
    Scoreboard {
        runs: comparison.pack.runs as u64,
        tokens: comparison.pack.tokens,
        labels: comparison.pack.row(Family::Anomaly, None).map_or(0, |row| row.recall.of),
        contenders: all
            .iter()
            .map(|(name, summary)| Contender {
                name: (*name).to_owned(),
                recall: share(summary, None),
                false_alerts: summary.false_alerts_per_day_per_1000.mean,
            })
            .collect(),
        scenarios: rows
            .map(|row| Scored {
                name: row.scenario.clone().unwrap_or_default(),
                recalls: all.iter().map(|(_, s)| share(s, row.scenario.as_deref())).collect(),
            })
            .collect(),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, CliError> {
    std::fs::read(path).map_err(|e| CliError::new(format!("cannot read {}: {e}", path.display())))
}
