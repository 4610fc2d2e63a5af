//! The tokens as CSV, one row each. The columns are [`COLUMNS`] and stay in that order.

use crate::output::csv::{self, Cell};
use crate::output::{Format, Result, Style};
use crate::report::{Report, TokenReport};
use std::io;

/// Columns with their meaning; new ones are added at the end.
pub const COLUMNS: &[(&str, &str)] = &[
    ("org", "organisation"),
    ("token_id", "authorizationId, or its visible part"),
    ("name", "display name"),
    ("owner", "UPN, else name, else storage key"),
    ("owner_id", "storage key"),
    ("owner_state", "active, disabled, removed or unknown"),
    ("known_from", "inventory, ledger, events"),
    ("state", "active, expired, revoked or unknown"),
    ("all_orgs", "true, false, or empty where the reach is unknown"),
    ("scopes", "granted scopes, empty where unknown"),
    ("valid_from", "creation, RFC 3339 UTC"),
    ("valid_to", "end date, RFC 3339 UTC"),
    ("use_verdict", "observed, possible, ruled-out, not-observed or not-judged"),
    ("use_confidence", "low, medium or high"),
    ("use_reason", "one sentence"),
    ("last_observed", "last audited event in the window"),
    ("last_observed_ever", "last audited event that the lake holds"),
    ("events", "attributed events in the window"),
    ("covered_days", "whole days without a gap inside window and life"),
    ("scopes_used", "scopes that events needed"),
    ("scopes_not_seen", "scopes whose use would have been seen and was not"),
    ("scopes_cannot_be_seen", "scopes whose use would not have been seen"),
    ("scopes_beyond_grant", "scopes that events needed beyond the known grant"),
    ("observed_scopes", "least set that the events need"),
    ("proposed_scopes", "safe proposal"),
    ("reduced_scopes", "proposal to confirm with the owner"),
    ("risk", "0 to 100"),
    ("findings", "fingerprints"),
    ("advice", "revoke, reduce, ask the owner, watch or nothing"),
    ("advice_reason", "one sentence"),
    ("revoked_at", "where an event says so"),
    ("leaked_at", "where an event says so"),
    ("owner_gone_at", "since when the owner is disabled or removed, where an event says so"),
    ("generation", "which generation of a rotated token it is, from 1 on"),
    ("generations", "how many generations there are"),
    ("secret_days", "days since it began; a regeneration in between does not show"),
    ("worker", "automation, person or unclear"),
    ("ask", "whom to ask before it ends"),
];

/// `--format csv`.
#[derive(Debug)]
pub struct Csv;

impl Format<Report> for Csv {
    fn name(&self) -> &'static str {
        "csv"
    }

    fn extension(&self) -> &'static str {
        "csv"
    }

    fn write(&self, report: &Report, style: Style, to: &mut dyn io::Write) -> Result {
        csv::write_styled(COLUMNS.iter().map(|(name, _)| *name), report.tokens.iter().map(row), style, to)
    }
}

fn row(t: &TokenReport) -> Vec<Cell> {
    use crate::model::verdict::ScopeState;
    let (token, v) = (&t.token, &t.verdicts);
    let text = |t: &str| Cell::Text(t.to_owned());
    let whole = |n: usize| Cell::Whole(i128::try_from(n).unwrap_or(i128::MAX));
    let linked = t.lineage.generations.len();
    let by_state = |state: ScopeState| {
        Cell::List(v.scope.iter().filter(|s| s.state == state).map(|s| s.scope.clone()).collect())
    };
    vec![
        text(&token.org),
        text(&token.token_id),
        Cell::maybe(token.name.as_deref()),
        Cell::maybe(token.owner.as_deref()),
        Cell::maybe(token.owner_id.as_deref()),
        text(token.owner_state.as_str()),
        Cell::List(token.known_from.iter().map(ToString::to_string).collect()),
        text(token.state.as_str()),
        token.all_orgs.map_or(Cell::Empty, |b| text(if b { "true" } else { "false" })),
        Cell::maybe_list(token.scopes.as_ref()),
        Cell::time(token.valid_from),
        Cell::time(token.valid_to),
        text(v.usage.verdict.as_str()),
        text(v.usage.confidence.as_str()),
        text(&v.usage.reason),
        Cell::time(v.usage.last_observed),
        Cell::time(v.usage.last_observed_ever),
        Cell::Whole(v.usage.events.into()),
        Cell::Whole(v.usage.covered_days.into()),
        by_state(ScopeState::Used),
        by_state(ScopeState::NotSeen),
        by_state(ScopeState::CannotBeSeen),
        by_state(ScopeState::BeyondGrant),
        Cell::maybe_list(v.observed_scopes.as_ref()),
        Cell::maybe_list(v.proposed_scopes.as_ref()),
        Cell::maybe_list(v.reduced_scopes.as_ref()),
        Cell::Number(v.risk),
        Cell::List(t.findings.clone()),
        text(v.advice.action.as_str()),
        text(&v.advice.reason),
        Cell::time(token.revoked_at),
        Cell::time(token.leaked_at),
        Cell::time(token.owner_gone_at),
        if linked > 0 { whole(t.lineage.at + 1) } else { Cell::Empty },
        if linked > 0 { whole(linked) } else { Cell::Empty },
        t.lineage.secret_days.map_or(Cell::Empty, |d| Cell::Whole(d.into())),
        text(t.dependence.worker.as_str()),
        text(&t.dependence.ask),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_as_many_cells_as_there_are_columns() {
        let report = crate::output::sample::report();
        assert!(report.tokens.iter().all(|t| row(t).len() == COLUMNS.len()));
    }
}
