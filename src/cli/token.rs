//! `patwatch token`: one PAT's dossier; where several fit, the list of them.

use super::Context;
use super::args::TokenArgs;
use super::error::{CliError, Outcome};
use super::find::find;
use super::gate::Gate;
use super::session::Session;
use crate::output;
use crate::output::dossier::Dossier;

pub(super) fn run(context: &Context, args: &TokenArgs) -> Result<Outcome, CliError> {
    let Some(format) = output::DOSSIERS.iter().find(|f| f.name() == args.format) else {
        let names: Vec<&str> = output::DOSSIERS.iter().map(|f| f.name()).collect();
        let message =
            format!("there is no format \"{}\" here; choose one of {}", args.format, names.join(", "));
        return Err(CliError::new(message));
    };
    let session = Session::open(&context.lake, context.config.clone(), &args.selection, &context.ui)?;
    let found = session.find(&[], &context.ui)?;
    let style = context.ui.style(None);
    let mut bytes = Vec::new();
    let hits = find(&found, &args.token)?;
    let mut shown = hits.tokens.as_slice();
    if !hits.is_single() {
        // A program that reads another format asked for one dossier.
        if args.format != output::DOSSIERS[0].name() {
            return Err(hits.refuse(&args.token));
        }
        bytes.extend_from_slice(hits.list(&args.token, style).as_bytes());
        shown = &[];
    }
    for token in shown {
        format.write(&Dossier { report: &found.report, token }, style, &mut bytes)?;
    }
    context.ui.write(None, &bytes)?;
    Ok(Gate::open(args.selection.reading.strict).outcome(&found.report, &session, &context.ui))
}
