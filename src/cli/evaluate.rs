//! `patwatch evaluate`: findings scored against labels.

use super::Context;
use super::args::EvaluateArgs;
use super::error::{CliError, Outcome};
use super::session::Session;
use crate::analysis::run::Depth;
use crate::lab::{combine, evaluate};
use crate::output::{self, findings, tokens};
use std::path::Path;

pub(super) fn run(context: &Context, args: &EvaluateArgs) -> Result<Outcome, CliError> {
    if !args.findings.is_empty() && args.findings.len() != args.truth.len() {
        return Err(CliError::new("give as many --findings as --truth, in the same order"));
    }
    if args.findings.is_empty() && args.truth.len() > 1 {
        return Err(CliError::new("several --truth need the --findings of each run")
            .hint("write them with `patwatch check --format json --output FILE`"));
    }
    let mut evaluations = Vec::new();
    for (i, truth) in args.truth.iter().enumerate() {
        let truth = read(truth)?;
        evaluations.push(match args.findings.get(i) {
            Some(path) => evaluate(&read(path)?, None, &truth)?,
            None => {
                let session =
                    Session::open(&context.lake, context.config.clone(), &args.selection, &context.ui)?;
                let report = session.find(&[], Depth::Verdicts, &context.ui)?.report;
                let found = output::to_bytes(&findings::json::Json, &report)?;
                let listed = output::to_bytes(&tokens::json::Json, &report)?;
                evaluate(&found, Some(&listed), &truth)?
            }
        });
    }
    let bytes = match (args.format.as_str(), evaluations.as_slice()) {
        ("json", _) => serde_json::to_vec_pretty(&combine(&evaluations))?,
        ("table", [one]) => one.to_text().into_bytes(),
        ("table", _) => combine(&evaluations).to_text().into_bytes(),
        (other, _) => {
            return Err(CliError::new(format!(
                "there is no format \"{other}\" here; choose one of table, json"
            )));
        }
    };
    context.ui.write(None, &bytes)?;
    if !bytes.ends_with(b"\n") {
        context.ui.write(None, b"\n")?;
    }
    Ok(Outcome::Done)
}

fn read(path: &Path) -> Result<Vec<u8>, CliError> {
    std::fs::read(path).map_err(|e| CliError::new(format!("cannot read {}: {e}", path.display())))
}
