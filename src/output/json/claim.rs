//! A claim in `findings.json` and `tokens.json`.
//!
//! In: a [`Claim`]. Out: its fields: what it speaks of, the value, the time, the source, how it was joined, and what became
//! of it.

use super::time;
use crate::model::claim::Claim;
use serde::Serialize;

/// One claim.
#[derive(Debug, Serialize)]
pub struct ClaimV1<'a> {
    field: &'static str,
    value: &'a str,
    time: Option<String>,
    source: &'static str,
    joined_by: &'static str,
    certainty: &'static str,
    complete: bool,
    standing: &'static str,
    event_id: Option<&'a str>,
    stated_in: Option<&'a str>,
}

/// Returns claims in their order.
#[must_use]
pub fn claims(claims: &[Claim]) -> Vec<ClaimV1<'_>> {
    claims
        .iter()
        .map(|c| ClaimV1 {
            field: c.field.as_str(),
            value: &c.value,
            time: time(c.time),
            source: c.source.as_str(),
            joined_by: c.join.as_str(),
            certainty: c.join.certainty().as_str(),
            complete: c.complete,
            standing: c.standing.as_str(),
            event_id: c.event_id.as_deref(),
            stated_in: c.stated_in.as_deref(),
        })
        .collect()
}
