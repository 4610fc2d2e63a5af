//! `patwatch simulate`: a labelled synthetic organisation.

use super::Context;
use super::args::SimulateArgs;
use super::error::{CliError, Outcome};

pub(super) fn run(context: &Context, args: &SimulateArgs) -> Result<Outcome, CliError> {
    let _ = (context, args);
    Err(CliError::new("simulate is not part of this build"))
}
