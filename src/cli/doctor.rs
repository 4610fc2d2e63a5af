//! `patwatch doctor`: what a pull needs, what is missing, and how to get it.

use super::Context;
use super::args::DoctorArgs;
use super::error::{CliError, Outcome, clean};
use crate::lake::Lake;
use crate::model::identity::org_name;
use crate::source::azure_devops::doctor::{CheckState, examine};
use std::fmt::Write as _;

pub(super) fn run(context: &Context, args: &DoctorArgs) -> Result<Outcome, CliError> {
    let mut text = String::new();
    let mut outcome = Outcome::Done;
    match Lake::open(&context.lake) {
        Ok(lake) => {
            let days = lake.index.days.len();
            let _ = writeln!(
                text,
                "ok       lake: {} holds {days} days of {}",
                lake.root().display(),
                lake.orgs().len()
            );
        }
        Err(error) => {
            let _ = writeln!(text, "missing  lake: {error}");
            outcome = Outcome::Incomplete;
        }
    }
    if !args.org.is_empty() {
        let runtime = super::pull::runtime()?;
        let client = runtime.block_on(async { super::pull::client(&args.live, &context.ui) })?;
        for org in &args.org {
            let org = org_name(org);
            for check in runtime.block_on(examine(&client, &org, super::now())) {
                let state = match check.state {
                    CheckState::Ok => "ok     ",
                    CheckState::Missing => "missing",
                    CheckState::Unknown => "unknown",
                };
                let _ = writeln!(text, "{state}  {org} {}: {}", check.name, check.detail);
                if let Some(mend) = &check.mend {
                    let _ = writeln!(text, "         {mend}");
                }
                if check.state == CheckState::Missing {
                    outcome = Outcome::Incomplete;
                }
            }
        }
    }
    context.ui.write(None, clean(&text).as_bytes())?;
    Ok(outcome)
}
