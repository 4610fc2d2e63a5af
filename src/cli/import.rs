//! `patwatch import`: files into the lake.

use super::Context;
use super::args::ImportArgs;
use super::error::{CliError, Outcome};
use super::ingest::{Ingested, ingest};
use super::naming::Naming;
use super::ui::Ui;
use crate::lake::Lake;

pub(super) fn run(context: &Context, args: &ImportArgs) -> Result<Outcome, CliError> {
    let naming = Naming::parse(&args.org)?;
    let (mut lake, _lock) = Lake::open_to_write(&context.lake)?;
    let ingested = ingest(&mut lake, &args.paths, &naming, &args.reading, &context.ui)?;
    say(&ingested, &context.ui);
    Ok(outcome(&ingested, args.reading.strict))
}

/// Says what each input brought.
pub(super) fn say(ingested: &Ingested, ui: &Ui) {
    for input in &ingested.inputs {
        ui.info(&format!(
            "{} ({}): {} read = {} kept + {} duplicate + {} rejected",
            input.name, input.kind, input.read, input.kept, input.duplicate, input.rejected
        ));
    }
}

/// The same of what `--from` brought into a run, where it did.
pub(super) fn outcome_of(session: &super::session::Session, selection: &super::args::Selection) -> Outcome {
    session.outcome(selection.reading.strict)
}

/// An input that could not be read makes the run incomplete; rejected records only with `--strict`.
pub(super) fn outcome(ingested: &Ingested, strict: bool) -> Outcome {
    if ingested.failed > 0 || strict && ingested.rejected > 0 { Outcome::Incomplete } else { Outcome::Done }
}
