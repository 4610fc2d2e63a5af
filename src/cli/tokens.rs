//! `patwatch tokens`: every PAT with its verdicts, or those that fit a choice, in an order.

use super::Context;
use super::args::TokensArgs;
use super::error::{CliError, Outcome};
use super::gate::Gate;
use super::instants::{Bare, instant};
use super::session::{Found, Session};
use crate::model::time::{HOUR, Micros, day_of, day_start, day_text, format_time};
use crate::model::verdict::Action;
use crate::output;
use crate::report::TokenReport;
use std::cmp::Reverse;
use std::collections::BTreeSet;

/// What `--advice` takes, a word each.
pub(super) const ADVICE: [(&str, Action); 5] = [
    ("revoke", Action::Revoke),
    ("reduce", Action::Reduce),
    ("ask", Action::AskOwner),
    ("watch", Action::Watch),
    ("nothing", Action::None),
];

pub(super) fn run(context: &Context, args: &TokensArgs) -> Result<Outcome, CliError> {
    let format = output::find(output::TOKENS, &args.format).map_err(CliError::new)?;
    let at = args.at.as_deref().map(hour).transpose()?;
    let session = Session::open(&context.lake, context.config.clone(), &args.selection, &context.ui)?;
    if let Some(at) = at.filter(|at| !session.window.contains(*at)) {
        return Err(CliError::new(format!("the window does not contain {}", format_time(at)))
            .hint("widen it with `--window`, or move its end with `--as-of`"));
    }
    let mut found = session.find(&[], &context.ui)?;
    let all = found.report.tokens.len();
    if let Some(at) = at {
        let active = active_in(&found, at)?;
        found.report.tokens.retain(|t| active.contains(&(t.token.org.clone(), t.token.token_id.clone())));
    }
    choose(&mut found.report.tokens, args);
    let style = context.ui.style(args.output.as_deref());
    let mut bytes = Vec::new();
    format.write(&found.report, style, &mut bytes)?;
    context.ui.write(args.output.as_deref(), &bytes)?;
    let listed = found.report.tokens.len();
    if listed < all {
        context.ui.info(&format!("{listed} of {all} tokens listed"));
    }
    Ok(Gate::open(args.selection.reading.strict).outcome(&found.report, &session, &context.ui))
}

/// The first instant of the hour that `--at` names.
fn hour(text: &str) -> Result<Micros, CliError> {
    let time = instant("--at", text, Bare::Start)?;
    Ok(time - time.rem_euclid(HOUR))
}

/// The tokens with an audited event in the hour that begins at `at`.
fn active_in(found: &Found, at: Micros) -> Result<BTreeSet<(String, String)>, CliError> {
    let day = day_of(at);
    let rows = found.engine.query(&format!(
        "SELECT org, token_id, hour_bits FROM activity WHERE token_id IS NOT NULL AND date = DATE '{}'",
        day_text(day)
    ))?;
    let bit = 1_i64 << ((at - day_start(day)) / HOUR);
    let of = |row: usize| Some((rows.text(row, "org")?.to_owned(), rows.text(row, "token_id")?.to_owned()));
    let in_hour = |row: &usize| rows.int(*row, "hour_bits").is_some_and(|bits| bits & bit != 0);
    Ok((0..rows.len()).filter(in_hour).filter_map(of).collect())
}

fn choose(tokens: &mut Vec<TokenReport>, args: &TokensArgs) {
    let owner = args.owner.as_ref().map(|text| text.trim().to_lowercase());
    let is_advised =
        |action: Action| ADVICE.iter().any(|(word, a)| *a == action && args.advice.iter().any(|w| w == word));
    tokens.retain(|t| {
        owner
            .as_ref()
            .is_none_or(|part| t.token.owner.as_ref().is_some_and(|o| o.to_lowercase().contains(part)))
            && (args.advice.is_empty() || is_advised(t.verdicts.advice.action))
            && (args.state.is_empty() || args.state.iter().any(|s| s == t.token.state.as_str()))
    });
    match args.sort.as_deref() {
        Some("risk") => tokens.sort_by(|a, b| b.verdicts.risk.total_cmp(&a.verdicts.risk)),
        Some("last-event") => tokens.sort_by_key(|t| Reverse(t.verdicts.usage.last_observed_ever)),
        // A token without a known end comes last.
        Some("ends") => tokens.sort_by_key(|t| (t.token.valid_to.is_none(), t.token.valid_to)),
        Some("name") => tokens.sort_by_cached_key(|t| (t.token.name.is_none(), t.token.name.clone())),
        Some("owner") => tokens.sort_by_cached_key(|t| (t.token.owner.is_none(), t.token.owner.clone())),
        _ => {}
    }
    if let Some(limit) = args.limit {
        tokens.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    }
}
