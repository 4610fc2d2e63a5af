//! `patwatch check`: findings, for terminals and pipelines.

use super::Context;
use super::args::{CheckArgs, FailOn};
use super::error::{CliError, Outcome};
use super::session::Session;
use super::ui::Ui;
use crate::model::finding::NotRun;
use crate::output::{self, Style};
use crate::report::Report;

pub(super) fn run(context: &Context, args: &CheckArgs) -> Result<Outcome, CliError> {
    let format = output::find(output::FINDINGS, &args.format).map_err(CliError::new)?;
    let session = Session::open(&context.lake, context.config.clone(), &args.selection, &context.ui)?;
    for wanted in &args.select {
        if session.pack.select(std::slice::from_ref(wanted)).is_empty() {
            return Err(CliError::new(format!("no detection or family is called \"{wanted}\""))
                .hint("`patwatch detections list` prints them all"));
        }
    }
    let found = session.find_alone(&args.select, &context.ui)?;
    let style = Style { color: context.ui.color && args.output.is_none(), width: context.ui.width() };
    context.ui.stream(args.output.as_deref(), |to| {
        let mut to = std::io::BufWriter::with_capacity(1 << 16, to);
        format.write(&found.report, style, &mut to)?;
        Ok(std::io::Write::flush(&mut to)?)
    })?;
    let outcome = outcome(&found.report, &session, args.fail, args.selection.reading.strict, &context.ui);
    // The process ends here: findings by the hundred thousand need not be taken apart one by one.
    std::mem::forget(found);
    Ok(outcome)
}

/// Warns of the detections that failed; those that lacked an optional input change nothing.
pub(super) fn not_run(not_run: &[NotRun], ui: &Ui) -> Outcome {
    for n in not_run {
        let text = format!("{} did not run: {}", n.detection, n.reason);
        if n.failed { ui.warn(&text) } else { ui.detail(&text) }
    }
    if not_run.iter().any(|n| n.failed) { Outcome::Incomplete } else { Outcome::Done }
}

/// How a run over findings ended: 2 beats 1, and suppressed findings never fail a pipeline.
pub(super) fn outcome(report: &Report, session: &Session, fail: FailOn, strict: bool, ui: &Ui) -> Outcome {
    let mut outcome = Outcome::Done;
    if let Some(least) = fail.fail_on
        && report.findings.iter().any(|f| f.suppressed.is_none() && f.severity >= least)
    {
        outcome = Outcome::Findings;
    }
    outcome = outcome.max(not_run(&report.not_run, ui));
    if let Some(ingested) = &session.ingested {
        outcome = outcome.max(super::import::outcome(ingested, strict));
    }
    outcome
}
