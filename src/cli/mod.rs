//! The command line: joins the steps, and alone prints, reads the clock and reads the environment.
//!
//! One file a command. Each returns how it ended; errors become text and exit codes here and nowhere else.

mod apart;
mod args;
mod as_of;
mod chart;
mod check;
mod compared;
mod covers;
mod decided;
mod detections;
mod doctor;
mod error;
mod evaluate;
mod evidence;
mod examples;
mod explain;
mod fake_services;
mod find;
mod gate;
mod import;
mod in_force;
mod ingest;
mod instants;
mod lake;
mod limits;
mod lists;
mod live;
mod man;
mod naming;
mod place;
mod pull;
mod query;
mod report;
mod review;
mod revoke;
mod run_apart;
mod scratch;
mod session;
mod simulate;
mod suggest;
mod timeline;
mod token;
mod tokens;
mod ui;
mod values;

use crate::config::Config;
use args::{Cli, Command};
use clap::{CommandFactory as _, FromArgMatches as _};
use error::{CliError, Outcome};
use std::path::PathBuf;
use std::process::ExitCode;
use ui::Ui;

/// What every command needs.
struct Context {
    lake: PathBuf,
    config: Config,
    ui: Ui,
}

/// Runs the program on the process's arguments.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are answers, not errors; clap prints both kinds where they belong.
            let code = if error.use_stderr() { 2 } else { 0 };
            print_usage(&error);
            return ExitCode::from(code);
        }
    };
    let ui = Ui::new(cli.verbose, cli.quiet, cli.color);
    quiet_panics();
    let ended = run(cli, &ui);
    scratch::wait_if_ending();
    match ended {
        Ok(outcome) => outcome.into(),
        Err(error) if error.is_broken_pipe() => ExitCode::SUCCESS,
        Err(error) => {
            ui.err(&error.render());
            ExitCode::from(2)
        }
    }
}

/// Prints what clap says of the arguments. It repeats them, and a token that was pasted into the wrong place is not for the
/// logs of a pipeline: such a message loses its colours and the token.
fn print_usage(error: &clap::Error) {
    let text = error.render().to_string();
    let shown = if error.use_stderr() { error::clean(&text) } else { text.clone() };
    if shown == text {
        let _ = error.print();
    } else {
        let _ = std::io::Write::write_all(&mut std::io::stderr(), shown.as_bytes());
    }
}

/// Reads the arguments; `--color` must be known before, since it also goes for help and usage errors.
fn parse() -> Result<Cli, clap::Error> {
    let color = values::color_asked(std::env::args_os().skip(1));
    let matches = Cli::command().color(color).try_get_matches()?;
    Cli::from_arg_matches(&matches)
}

/// A detection that panics is caught and listed as not run; its panic message would only frighten. The variable shows
/// where a fault of patwatch lies; those of Polars over a query are told with the query, and never as a trace.
fn quiet_panics() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let of_polars = info.location().is_some_and(|at| at.file().contains("polars"));
        if std::env::var_os("RUST_BACKTRACE").is_some() && !of_polars {
            usual(info);
        }
    }));
}

fn run(cli: Cli, ui: &Ui) -> Result<Outcome, CliError> {
    if matches!(cli.command, Command::RunDetections) {
        // Lake and configuration come with what it is asked.
        return run_apart::run(ui);
    }
    let lake = place::folder(&cli.lake)?;
    let context = Context { lake, config: config(cli.config)?, ui: ui.clone() };
    match cli.command {
        Command::Pull(args) => pull::run(&context, &args),
        Command::Doctor(args) => doctor::run(&context, &args),
        Command::Import(args) => import::run(&context, &args),
        Command::Report(args) => report::run(&context, &args),
        Command::Check(args) => check::run(&context, &args),
        Command::Tokens(args) => tokens::run(&context, &args),
        Command::Token(args) => token::run(&context, &args),
        Command::Timeline(args) => timeline::run(&context, &args),
        Command::Revoke(args) => revoke::run(&context, &args),
        Command::Explain(args) => explain::run(&context, &args),
        Command::Query(args) => query::run(&context, &args),
        Command::Chart(args) => chart::run(&context, &args),
        Command::Detections(args) => detections::run(&context, &args),
        Command::Review(args) => review::run(&context, &args),
        Command::Simulate(args) => simulate::run(&context, &args),
        Command::Evaluate(args) => evaluate::run(&context, &args),
        Command::Lake(args) => lake::run(&context, &args),
        Command::FakeServices(args) => fake_services::run(&context, &args),
        Command::RunDetections => run_apart::run(ui),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "patwatch", &mut script);
            ui.write(None, &script)?;
            Ok(Outcome::Done)
        }
        Command::Examples(args) => examples::run(&context, &args),
        Command::Man(args) => man::run(&context, &args),
    }
}

/// The wall clock, which only a pull needs, and a warning of dates in the future.
fn now() -> crate::model::time::Micros {
    chrono::Utc::now().timestamp_micros()
}

/// Reads the configuration: the file named, else `./patwatch.toml` where there is one.
fn config(file: Option<PathBuf>) -> Result<Config, CliError> {
    let (path, must) = match file {
        Some(path) => (path, true),
        None => (PathBuf::from("patwatch.toml"), false),
    };
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(Config::parse(&path.display().to_string(), &text)?),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound && !must => Ok(Config::default()),
        Err(e) => Err(CliError::new(format!("cannot read {}: {e}", path.display()))),
    }
}
