//! `patwatch simulate`: a labelled synthetic organisation.

use super::Context;
use super::args::SimulateArgs;
use super::error::{CliError, Outcome};
use crate::lab::{SAMPLE, SimulateOptions, simulate};

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
        "{} tokens, {} events, {} labels in {} files under {}",
        made.tokens,
        made.events,
        made.labels,
        made.files.len(),
        args.output.display()
    ));
    Ok(Outcome::Done)
}
