//! Values that arguments take: lists of names in, parsers out.
//!
//! Names that are listed show in help and in completions, where a plain text would offer file names.

use crate::model::finding::Severity;
use crate::model::time::{Day, parse_day};
use crate::output::{self, Format};
use clap::builder::{PossibleValuesParser, TypedValueParser};

pub(super) fn severity() -> impl TypedValueParser<Value = Severity> {
    PossibleValuesParser::new(Severity::ALL.iter().map(|s| s.as_str()))
        .try_map(|text| text.to_lowercase().parse::<Severity>())
}

pub(super) fn formats<T: ?Sized>(
    list: &'static [&'static dyn Format<T>],
    more: &[&'static str],
) -> impl TypedValueParser<Value = String> {
    names(list.iter().map(|f| f.name()).chain(more.iter().copied()))
}

pub(super) fn grids(more: &[&'static str]) -> impl TypedValueParser<Value = String> {
    formats(output::GRIDS, more)
}

pub(super) fn dossiers() -> impl TypedValueParser<Value = String> {
    names(output::DOSSIERS.iter().map(|f| f.name()))
}

/// One of the names, all of them lower case, in any case: the argument itself says that case is ignored.
pub(super) fn names(names: impl IntoIterator<Item = &'static str>) -> impl TypedValueParser<Value = String> {
    PossibleValuesParser::new(names).map(|name| name.to_lowercase())
}

/// An organisation; blanks around the commas of a list are no part of its name.
pub(super) fn organisation(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("expected the name of an organisation".to_owned()),
        name => Ok(name.to_owned()),
    }
}

pub(super) fn page_size(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|n| (1..=100_000).contains(n)).ok_or_else(|| "1 to 100000".to_owned())
}

pub(super) fn day(text: &str) -> Result<Day, String> {
    parse_day(text).ok_or_else(|| "write a day as 2026-10-24".to_owned())
}

/// What `--color` asks of help and usage errors, read off the bare arguments.
pub(super) fn color_asked(arguments: impl Iterator<Item = std::ffi::OsString>) -> clap::ColorChoice {
    let mut value = None;
    let mut arguments = arguments.map(|a| a.to_string_lossy().into_owned()).take_while(|a| a != "--");
    while let Some(argument) = arguments.next() {
        match argument.strip_prefix("--color") {
            Some("") => value = arguments.next(),
            Some(rest) => value = rest.strip_prefix('=').map(str::to_owned).or(value),
            None => {}
        }
    }
    match value.map(|value| value.to_lowercase()).as_deref() {
        Some("never") => clap::ColorChoice::Never,
        Some("always") => clap::ColorChoice::Always,
        _ => clap::ColorChoice::Auto,
    }
}

#[cfg(test)]
mod tests {
    use crate::cli::args::{Cli, Command};
    use crate::model::finding::Severity;
    use clap::Parser as _;
    use std::path::Path;

    fn parsed(line: &[&str]) -> Result<Command, clap::Error> {
        Cli::try_parse_from(["patwatch"].iter().chain(line)).map(|cli| cli.command)
    }

    #[test]
    fn organisations_and_detections_may_be_lists() {
        let line = ["check", "--org", "a, b", "--org", "c", "--select", "PAT-A001,scope"];
        let Ok(Command::Check(args)) = parsed(&line) else { panic!("refused") };
        assert_eq!(
            (args.selection.org, args.select),
            (["a", "b", "c"].map(str::to_owned).into(), ["PAT-A001", "scope"].map(str::to_owned).into())
        );
        let Ok(Command::Pull(args)) = parsed(&["pull", "--org", "a,b"]) else { panic!("refused") };
        assert_eq!(args.org, ["a", "b"]);
        for bad in ["", ",", "a,", "a,,b"] {
            assert!(parsed(&["tokens", "--org", bad]).is_err(), "{bad}");
        }
        // The path of an import may contain a comma.
        let Ok(Command::Import(args)) = parsed(&["import", "x", "--org", "a=in/a,b"]) else {
            panic!("refused")
        };
        assert_eq!(args.org, ["a=in/a,b"]);
    }

    #[test]
    fn names_of_values_are_taken_in_any_case() {
        let line = [
            "check",
            "--fail-on",
            "High",
            "--fail-on-new",
            "CRITICAL",
            "--format",
            "JSON",
            "--kind",
            "Audit",
        ];
        let Ok(Command::Check(args)) = parsed(&line) else { panic!("refused") };
        assert_eq!(
            (args.fail.fail_on, args.fail.fail_on_new),
            (Some(Severity::High), Some(Severity::Critical))
        );
        assert_eq!(args.format, "json");
        assert!(parsed(&["check", "--fail-on", "higher"]).is_err());
        let Ok(Command::Token(args)) = parsed(&["token", "x", "--format", "Html"]) else { panic!("refused") };
        assert_eq!(args.format, "html");
    }

    #[test]
    fn every_output_has_a_short_form() {
        let Ok(Command::Report(args)) = parsed(&["report", "-o", "x"]) else { panic!("refused") };
        assert_eq!(args.output, Path::new("x"));
        for line in [
            "check -o x",
            "tokens -o x",
            "query q -o x",
            "chart risk -o x.svg",
            "man -o x",
            "simulate -ox",
            "examples -o x",
        ] {
            assert!(parsed(&line.split(' ').collect::<Vec<_>>()).is_ok(), "{line}");
        }
    }
}
