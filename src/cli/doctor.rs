//! `patwatch doctor`: what a pull needs, what is missing, and how to get it.
//!
//! In: the lake's folder, organisations, a way to sign in. Out: one line a check on stdout, with the setting or
//! scope to ask for below what is missing. Exit code 2 when something that a pull needs is missing or cannot be
//! told; what only makes the answers better changes nothing.

use super::Context;
use super::args::DoctorArgs;
use super::error::{CliError, Outcome, clean};
use crate::lake::{Lake, LakeError};
use crate::model::coverage::Basis;
use crate::model::identity::org_name;
use crate::model::noun::counted;
use crate::model::time::format_time;
use crate::source::azure_devops::doctor::{Check, CheckState, examine};
use crate::source::azure_devops::progress::Silent;
use crate::source::azure_devops::retry::RetryPolicy;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

pub(super) fn run(context: &Context, args: &DoctorArgs) -> Result<Outcome, CliError> {
    let mut text = String::new();
    let mut outcome = Outcome::Done;
    match lake(&context.lake) {
        Ok(lines) => lines.iter().for_each(|line| text.push_str(&format!("ok       {line}\n"))),
        Err(error) => {
            let _ = writeln!(text, "missing  lake: {error}");
            let _ = writeln!(
                text,
                "         choose a folder that you may write to with --lake DIR or PATWATCH_LAKE"
            );
            outcome = Outcome::Incomplete;
        }
    }
    if args.org.is_empty() {
        context.ui.info("only the lake was looked at; name an organisation with --org to try its services");
    } else {
        let runtime = super::live::runtime()?;
        let client = runtime.block_on(async {
            super::live::client(&args.live, RetryPolicy::for_probes(), Arc::new(Silent))
        })?;
        let orgs: BTreeSet<String> = args.org.iter().map(|org| org_name(org)).collect();
        let mut said: Vec<(Vec<String>, Check)> = Vec::new();
        for org in orgs {
            for check in runtime.block_on(examine(&client, &org, super::now())) {
                if check.needed && check.state != CheckState::Ok {
                    outcome = Outcome::Incomplete;
                }
                // What fails in the same way for every organisation is one fault.
                match said.iter_mut().find(|(_, earlier)| check.state != CheckState::Ok && *earlier == check)
                {
                    Some((orgs, _)) => orgs.push(org.clone()),
                    None => said.push((vec![org.clone()], check)),
                }
            }
        }
        said.iter().for_each(|(orgs, check)| text.push_str(&line(&orgs.join(", "), check)));
    }
    context.ui.write(None, clean(&text).as_bytes())?;
    Ok(outcome)
}

fn line(org: &str, check: &Check) -> String {
    let state = match check.state {
        CheckState::Ok => "ok     ",
        CheckState::Missing => "missing",
        CheckState::Unknown => "unknown",
    };
    let optional =
        if check.needed || check.state == CheckState::Ok { "" } else { " (not needed, but useful)" };
    let mut text = format!("{state}  {org} {}{optional}: {}\n", check.name, check.detail);
    if !check.affects.is_empty() {
        let _ = writeln!(text, "         for the same cause not possible: {}", check.affects.join(", "));
    }
    if let Some(mend) = &check.mend {
        let _ = writeln!(text, "         {mend}");
    }
    text
}

/// Looks at the lake, and tries whether it can be written; makes nothing.
fn lake(root: &Path) -> Result<Vec<String>, LakeError> {
    let lake = Lake::open(root)?;
    let at = root.display();
    if !root.exists() {
        let folder = root.ancestors().skip(1).find(|a| a.exists()).unwrap_or(Path::new("."));
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        writable(folder)?;
        return Ok(vec![format!("lake: {at} is not there yet and can be made")]);
    }
    writable(root)?;
    let busy = match lake.lock() {
        Err(LakeError::Locked { .. }) => "; another patwatch is writing to it now",
        Err(error) => return Err(error),
        Ok(_) => "",
    };
    let mut lines = vec![format!(
        "lake: {at} holds {} of {}{busy}",
        counted(lake.index.days.len(), "day"),
        counted(lake.orgs().len(), "organisation")
    )];
    for org in lake.orgs() {
        let pulled = lake.index.covers.iter().filter(|c| c.org == org && c.basis == Basis::Pulled);
        if let Some(to) = pulled.map(|c| c.span.to).max() {
            lines.push(format!("lake: {org} is pulled up to {}", format_time(to)));
        }
    }
    Ok(lines)
}

fn writable(folder: &Path) -> Result<(), LakeError> {
    tempfile::tempfile_in(folder).map(drop).map_err(|source| LakeError::Io {
        doing: "write to",
        path: folder.to_owned(),
        source,
    })
}
