//! `patwatch run-detections`: the process in which detections of the user's own packs run ([`super::apart`]).
//!
//! In, on standard input: a [`Job`] and then detections, a line each. Out, on standard output: an answer to each. It ends
//! with its input, whatever it is doing then: whoever asked is gone.

use super::apart::{Job, Reply};
use super::args::Selection;
use super::error::{CliError, Outcome};
use super::session::Session;
use super::ui::Ui;
use crate::config::Config;
use crate::engine::apart::Asked;
use crate::engine::rows::Rows;
use crate::engine::{Engine, EngineError, EngineErrorKind};
use std::io::{BufRead as _, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, channel};

/// Rows that an answer may have. Each becomes a finding, and nobody reads a million.
const MAX_ROWS: usize = 1_000_000;

pub(super) fn run(ui: &Ui) -> Result<Outcome, CliError> {
    let (give, lines) = channel();
    let quiet = ui.silent();
    std::thread::spawn(move || serve(&lines, &quiet));
    for line in std::io::stdin().lock().lines() {
        if give.send(line?).is_err() {
            break;
        }
    }
    Ok(Outcome::Done)
}

/// Answers line by line.
fn serve(lines: &Receiver<String>, ui: &Ui) -> Result<(), CliError> {
    let job: Job = serde_json::from_str(&lines.recv()?)?;
    let (_session, engine) = match open(&job, ui) {
        Ok(opened) => opened,
        Err(error) => {
            let text = format!("The lake could not be opened for it: {}", error.error);
            return reply(&Reply::Failed(EngineError::new(
                EngineErrorKind::Query,
                text,
                error.hints.join(" "),
            )));
        }
    };
    reply(&Reply::Ready)?;
    while let Ok(line) = lines.recv() {
        let asked: Asked = serde_json::from_str(&line)?;
        reply(&match answer(&engine, &asked) {
            Ok(rows) => Reply::Rows(rows),
            Err(error) => Reply::Failed(error),
        })?;
    }
    Ok(())
}

/// The lake as the asking process sees it, with every table that a detection may read.
fn open(job: &Job, ui: &Ui) -> Result<(Session, Engine), CliError> {
    let config = Config { policy: job.policy.clone(), networks: job.networks.clone(), ..Config::default() };
    let selection = Selection {
        org: job.orgs.clone(),
        as_of: Some(job.as_of.clone()),
        window: job.window.clone(),
        geo: job.geo.clone(),
        ..Selection::default()
    };
    let session = Session::open(&job.lake, config, &selection, ui)?;
    let engine = session.whole_engine(ui)?;
    Ok((session, engine))
}

fn answer(engine: &Engine, asked: &Asked) -> Result<Rows, EngineError> {
    let rows = catch_unwind(AssertUnwindSafe(|| engine.run_asked(asked))).unwrap_or_else(|_| {
        Err(EngineError::new(EngineErrorKind::Panic, "It panicked over the tables that it reads", ""))
    })?;
    if rows.len() > MAX_ROWS {
        return Err(EngineError::new(
            EngineErrorKind::Limit,
            format!("It gives {} rows; at most {MAX_ROWS} are taken", rows.len()),
            "Each row is a finding: aggregate them by subject, or add conditions.",
        ));
    }
    Ok(rows)
}

fn reply(reply: &Reply) -> Result<(), CliError> {
    let mut line = serde_json::to_vec(reply)?;
    line.push(b'\n');
    let mut out = std::io::stdout().lock();
    out.write_all(&line)?;
    Ok(out.flush()?)
}
