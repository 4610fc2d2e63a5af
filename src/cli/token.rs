//! `patwatch token`: one PAT's dossier.

use super::Context;
use super::args::TokenArgs;
use super::error::{CliError, Outcome};
use super::gate::Gate;
use super::session::Session;
use crate::output;
use crate::output::dossier::Dossier;
use crate::report::{Report, TokenReport};

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
    for token in find(&found.report, &args.token)? {
        format.write(&Dossier { report: &found.report, token }, style, &mut bytes)?;
    }
    context.ui.write(None, &bytes)?;
    Ok(Gate::open(args.selection.reading.strict).outcome(&found.report, &session, &context.ui))
}

/// Finds a token by id, by the beginning of one, or by name; rows of one token in several organisations all
/// count. Where several tokens fit, the error lists them.
pub(super) fn find<'a>(report: &'a Report, wanted: &str) -> Result<Vec<&'a TokenReport>, CliError> {
    let lower = wanted.trim().to_lowercase();
    let by =
        |fits: &dyn Fn(&TokenReport) -> bool| report.tokens.iter().filter(|t| fits(t)).collect::<Vec<_>>();
    let mut fits = by(&|t| t.token.token_id == lower);
    if fits.is_empty() {
        fits = by(&|t| t.token.name.as_deref() == Some(wanted));
    }
    if fits.is_empty() && lower.len() >= 4 {
        fits = by(&|t| t.token.token_id.starts_with(&lower));
    }
    if fits.is_empty() {
        fits = by(&|t| t.token.name.as_ref().is_some_and(|n| n.to_lowercase().contains(&lower)));
    }
    let first = fits.first().map(|t| t.token.token_id.as_str());
    if first.is_none() {
        return Err(CliError::new(format!("no token is called \"{wanted}\" or begins with it"))
            .hint("`patwatch tokens` lists them all"));
    }
    if fits.iter().any(|t| Some(t.token.token_id.as_str()) != first) {
        let mut error = CliError::new(format!("{} tokens fit \"{wanted}\"; name one by its id", fits.len()));
        for token in fits.iter().take(20) {
            let t = &token.token;
            error = error.hint(format!(
                "{} {} ({}, {})",
                t.token_id,
                t.name.as_deref().unwrap_or("(no name)"),
                t.owner.as_deref().unwrap_or("owner unknown"),
                t.org
            ));
        }
        return Err(error);
    }
    Ok(fits)
}
