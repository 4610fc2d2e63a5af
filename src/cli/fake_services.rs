//! `patwatch fake-services`: the four services of made-up organisations on this machine, to try `pull` on.
//!
//! In: folders such as `simulate` writes. Out: on stdout the variables that point `pull` at it; then it serves
//! until it is stopped. The credential that it prints opens nothing else.

use super::Context;
use super::args::FakeArgs;
use super::error::{CliError, Outcome};
use super::instants::{Bare, instant};
use crate::model::noun::counted;
use crate::source::azure_devops::endpoints::Service;
use crate::source::azure_devops::fake::{Clock, FakeOptions, FakeOrganisation, FakeServer, Stand};
use std::fmt::Write as _;
use std::time::Duration;

/// Of the form of a PAT, so that whatever looks for PATs finds it, and of nobody's.
fn made_up_pat() -> String {
    format!("{}JQQJ99FAKEFAKEFAKEFAKEAZDO0000", "NotASecret".repeat(6).get(..52).unwrap_or_default())
}

pub(super) fn run(context: &Context, args: &FakeArgs) -> Result<Outcome, CliError> {
    let failed = |e: std::io::Error| CliError::new(format!("cannot serve: {e}"));
    let hint = "make a folder with `patwatch simulate --output DIR`";
    let (stand, clock) = match &args.now {
        Some(text) => {
            let at = instant("--now", text, Bare::Last)?;
            (Stand::At(at), Clock::Stands(at))
        }
        None => (Stand::Present(super::now()), Clock::Runs(super::now)),
    };
    let mut orgs: Vec<FakeOrganisation> = Vec::new();
    for folder in &args.folders {
        let org = FakeOrganisation::from_folder(folder, stand).map_err(|e| failed(e).hint(hint))?;
        if orgs.iter().any(|known| known.name == org.name) {
            let text = format!("{} holds {}, as a folder before it does", folder.display(), org.name);
            return Err(CliError::new(text).hint("give each its own: `patwatch simulate --name ORG`"));
        }
        orgs.push(org);
    }
    let pat = made_up_pat();
    let options = FakeOptions {
        audit_page: args.page_size,
        list_page: args.page_size.min(100),
        latency: Duration::from_millis(args.latency_ms),
        fault_rate: args.faults,
        pats: vec![pat.clone()],
        clock: Some(clock),
        ..FakeOptions::default()
    };
    let names: Vec<String> = orgs.iter().map(|org| format!("--org {}", org.name)).collect();
    let (events, users): (usize, usize) =
        orgs.iter().fold((0, 0), |(events, users), org| (events + org.events.len(), users + org.users.len()));
    let runtime = super::live::runtime()?;
    let server = runtime.block_on(FakeServer::start(orgs, options, args.port)).map_err(failed)?;
    let mut text = String::new();
    for service in Service::ALL {
        let _ = writeln!(text, "export {}={}", service.variable(), server.url());
    }
    let _ = writeln!(text, "export AZURE_DEVOPS_EXT_PAT={pat}");
    context.ui.write(None, text.as_bytes())?;
    context.ui.info(&format!(
        "{}, {}; in another terminal set the above, then:
  \
         patwatch pull {} --auth pat
Ctrl-C ends it",
        counted(events, "event"),
        counted(users, "user"),
        names.join(" ")
    ));
    runtime.block_on(std::future::pending::<()>());
    Ok(Outcome::Done)
}
