//! `patwatch review`: one row a token for an access review, with empty columns for the decisions.

use super::Context;
use super::args::{ReviewArgs, ReviewCommand};
use super::error::{CliError, Outcome};
use super::session::Session;
use crate::analysis::run::Depth;
use crate::output::review;

pub(super) fn run(context: &Context, args: &ReviewArgs) -> Result<Outcome, CliError> {
    let ReviewCommand::Export { file, selection } = &args.command;
    let session = Session::open(&context.lake, context.config.clone(), selection, &context.ui)?;
    let found = session.find(&[], Depth::Dossiers, &context.ui)?;
    let mut bytes = Vec::new();
    review::write(&found.report, &mut bytes)?;
    context.ui.write(Some(file), &bytes)?;
    context.ui.info(&format!("{} tokens to review in {}", found.report.tokens.len(), file.display()));
    Ok(session
        .ingested
        .as_ref()
        .map_or(Outcome::Done, |i| super::import::outcome(i, selection.reading.strict)))
}
