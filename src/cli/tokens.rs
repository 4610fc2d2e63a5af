//! `patwatch tokens`: every PAT with its verdicts.

use super::Context;
use super::args::TokensArgs;
use super::error::{CliError, Outcome};
use super::gate::Gate;
use super::session::Session;
use crate::output;

pub(super) fn run(context: &Context, args: &TokensArgs) -> Result<Outcome, CliError> {
    let format = output::find(output::TOKENS, &args.format).map_err(CliError::new)?;
    let session = Session::open(&context.lake, context.config.clone(), &args.selection, &context.ui)?;
    let found = session.find(&[], &context.ui)?;
    let style = context.ui.style(args.output.as_deref());
    let mut bytes = Vec::new();
    format.write(&found.report, style, &mut bytes)?;
    context.ui.write(args.output.as_deref(), &bytes)?;
    Ok(Gate::open(args.selection.reading.strict).outcome(&found.report, &session, &context.ui))
}
