//! `patwatch man`: the manual pages, one a command, as clap knows them.

use super::Context;
use super::args::{Cli, ManArgs};
use super::error::{CliError, Outcome};
use crate::model::noun::counted;
use clap::{Command, CommandFactory as _};
use clap_mangen::Man;

pub(super) fn run(context: &Context, args: &ManArgs) -> Result<Outcome, CliError> {
    // Help is an option everywhere; a command of that name would only add pages.
    let mut top = Cli::command().disable_help_subcommand(true);
    top.build();
    let Some(folder) = &args.output else {
        context.ui.write(None, &page(named(&top, &args.command)?)?)?;
        return Ok(Outcome::Done);
    };
    let mut open = vec![&top];
    let mut written = 0;
    while let Some(command) = open.pop() {
        open.extend(command.get_subcommands().filter(|c| !c.is_hide_set()));
        let name = command.get_display_name().unwrap_or_else(|| command.get_name());
        context.ui.write(Some(&folder.join(format!("{name}.1"))), &page(command)?)?;
        written += 1;
    }
    context.ui.info(&format!("{} in {}", counted(written, "page"), folder.display()));
    Ok(Outcome::Done)
}

fn page(command: &Command) -> Result<Vec<u8>, CliError> {
    let mut page = Vec::new();
    let source = format!("patwatch {}", env!("CARGO_PKG_VERSION"));
    Man::new(command.clone()).source(source).render(&mut page)?;
    Ok(page)
}

fn named<'a>(top: &'a Command, path: &[String]) -> Result<&'a Command, CliError> {
    // `lake prune`, and `lake-prune` as the pages call it.
    let mut command = top;
    for name in path.iter().flat_map(|word| word.split([' ', '-'])) {
        command = command.find_subcommand(name).ok_or_else(|| {
            let known = command.get_subcommands().filter(|c| !c.is_hide_set());
            let known: Vec<&str> = known.map(Command::get_name).collect();
            let error = CliError::new(format!("{} has no command \"{name}\"", command.get_name()));
            if known.is_empty() { error } else { error.hint(format!("there are {}", known.join(", "))) }
        })?;
    }
    Ok(command)
}
