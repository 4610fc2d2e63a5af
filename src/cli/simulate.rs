//! `patwatch simulate`: a labelled synthetic organisation.

use super::Context;
use super::args::SimulateArgs;
use super::error::{CliError, Outcome};
use crate::lab::{SAMPLE, SimulateOptions, simulate};
use crate::model::noun::counted;

pub(super) fn run(context: &Context, args: &SimulateArgs) -> Result<Outcome, CliError> {
    // With the sample's seed and size this makes sample-data again, byte for byte.
    let options = SimulateOptions {
        seed: args.seed,
        tokens: args.tokens,
        days: args.days,
        org: args.name.clone().map_or(SAMPLE.org, Into::into),
        shapes: args.shapes.clone(),
        usage: args.usage,
        list_days: args.list_days.clone(),
        ..SAMPLE
    };
    let made = simulate(&options, &args.output)?;
    context.ui.info(&format!(
        "{}, {}, {} in {} under {}",
        counted(made.tokens, "token"),
        counted(made.events, "event"),
        counted(made.labels, "label"),
        counted(made.files.len(), "file"),
        args.output.display()
    ));
    Ok(Outcome::Done)
}
