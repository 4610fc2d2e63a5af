//! `patwatch evaluate`: findings scored against labels.

use super::Context;
use super::args::EvaluateArgs;
use super::error::{CliError, Outcome};

pub(super) fn run(context: &Context, args: &EvaluateArgs) -> Result<Outcome, CliError> {
    let _ = (context, args);
    Err(CliError::new("evaluate is not part of this build"))
}
