//! Values that arguments take: lists of names in, parsers out.
//!
//! Names that are listed show in help and in completions, where a plain text would offer file names.

use crate::model::finding::Severity;
use crate::model::time::{Day, parse_day};
use crate::output::{self, Format};
use clap::builder::{PossibleValuesParser, TypedValueParser};

pub(super) fn severity() -> impl TypedValueParser<Value = Severity> {
    PossibleValuesParser::new(Severity::ALL.iter().map(|s| s.as_str()))
        .try_map(|text| text.parse::<Severity>())
}

pub(super) fn formats<T: ?Sized>(
    list: &'static [&'static dyn Format<T>],
    more: &[&'static str],
) -> PossibleValuesParser {
    PossibleValuesParser::new(list.iter().map(|f| f.name()).chain(more.iter().copied()))
}

pub(super) fn grids(more: &[&'static str]) -> PossibleValuesParser {
    formats(output::GRIDS, more)
}

pub(super) fn dossiers() -> PossibleValuesParser {
    PossibleValuesParser::new(output::DOSSIERS.iter().map(|f| f.name()))
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
    match value.as_deref() {
        Some("never") => clap::ColorChoice::Never,
        Some("always") => clap::ColorChoice::Always,
        _ => clap::ColorChoice::Auto,
    }
}
