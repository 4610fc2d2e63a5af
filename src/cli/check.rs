//! `patwatch check`: findings, for terminals and pipelines.

use super::Context;
use super::args::CheckArgs;
use super::compared::earlier;
use super::error::{CliError, Outcome};
use super::gate::Gate;
use super::session::Session;
use super::suggest;
use super::ui::Ui;
use crate::model::finding::NotRun;
use crate::output::findings::table::Worst;
use crate::output::{self, Format};
use crate::report::Report;
use crate::report::compare::{self, News};
use std::io::IsTerminal as _;

pub(super) fn run(context: &Context, args: &CheckArgs) -> Result<Outcome, CliError> {
    let format = output::find(output::FINDINGS, &args.format).map_err(CliError::new)?;
    // What a program reads, or a file keeps, is complete.
    let to_person = args.output.is_none() && std::io::stdout().is_terminal();
    let format: &dyn Format<Report> =
        if to_person && !args.all && args.severity.is_none() && format.name() == "table" {
            &Worst
        } else {
            format
        };
    let gate = Gate::new(&args.fail, args.selection.reading.strict)?;
    let compared = args.compare.as_deref().map(|folder| earlier(folder, false)).transpose()?;
    let session = Session::open(&context.lake, context.config.clone(), &args.selection, &context.ui)?;
    for wanted in &args.select {
        if session.pack.select(std::slice::from_ref(wanted)).is_empty() {
            return Err(CliError::new(format!("no detection or family is called \"{wanted}\""))
                .hint(suggest::detection(wanted, &session.pack, true)));
        }
    }
    // Readers' formats begin with the riskiest token, and what became of a token decides what became of its findings.
    let ranked = matches!(args.format.as_str(), "table" | "markdown" | "csv");
    let mut found = if ranked || compared.is_some() {
        session.find(&args.select, &context.ui)?
    } else {
        session.find_alone(&args.select, &context.ui)?
    };
    if let Some(compared) = &compared {
        let comparison = compare::compare(compared, &found.report);
        comparison.notes.iter().for_each(|note| context.ui.warn(note));
        context.ui.info(&News::of(&comparison).sentence);
        found.report.comparison = Some(comparison);
    }
    let failing = gate.failing(&found.report);
    if let Some(least) = args.severity {
        found.report.show_from(least);
    }
    let style = context.ui.style(args.output.as_deref());
    context.ui.stream(args.output.as_deref(), |to| {
        let mut to = std::io::BufWriter::with_capacity(1 << 16, to);
        format.write(&found.report, style, &mut to)?;
        Ok(std::io::Write::flush(&mut to)?)
    })?;
    let outcome = gate.outcome_after(failing, &found.report, &session, &context.ui);
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
