//! What a run knew of one token: the fields without which a finding on it can appear or go away for want of evidence.
//!
//! In: a row of `tokens.json`, or a token of this report. Out: [`Known`], and the first field that one side knew and the
//! other does not.

use super::earlier::text;
use super::missing::{Class, Missing, Side};
use crate::model::token::{KnownFrom, OwnerState, TokenState};
use crate::model::verdict::UseState;
use crate::report::TokenReport;
use serde_json::Value;

/// Which facts are known, in the order of [`FACTS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Known([bool; FACTS.len()]);

/// Facts with the class that they come from, in words.
const FACTS: [(&str, Class); 8] = [
    ("a list that contains the token", Class::List),
    ("who owns the token", Class::Users),
    ("whether its owner can sign in", Class::Users),
    ("when its owner last signed in", Class::Users),
    ("its scopes", Class::List),
    ("which organisations it reaches", Class::List),
    ("its end date", Class::List),
    ("whether it can still be used", Class::List),
];

impl Known {
    /// What a row of `tokens.json` knows.
    pub(super) fn of_row(row: &Value) -> Self {
        let has = |field: &str| row.get(field).is_some_and(|value| !value.is_null());
        let says = |field: &str, unknown: &str| text(row, field).is_some_and(|word| word != unknown);
        let listed = row["known_from"].as_array().into_iter().flatten();
        Self([
            listed.filter_map(Value::as_str).any(|from| from == KnownFrom::Inventory.as_str()),
            has("owner"),
            says("owner_state", OwnerState::Unknown.as_str()),
            row["owner_facts"].get("last_access").is_some_and(|value| !value.is_null()),
            has("scopes"),
            has("all_orgs"),
            has("valid_to"),
            says("state", TokenState::Unknown.as_str()),
        ])
    }

    /// What this report knows of a token.
    pub(super) fn of_token(report: &TokenReport) -> Self {
        let token = &report.token;
        Self([
            token.known_from.contains(&KnownFrom::Inventory),
            token.owner.is_some(),
            token.owner_state != OwnerState::Unknown,
            token.owner_facts.last_access.is_some(),
            token.scopes.is_some(),
            token.all_orgs.is_some(),
            token.valid_to.is_some(),
            token.state != TokenState::Unknown,
        ])
    }

    /// The first fact that was known and is not known in this run.
    pub(super) fn lost(self, now: Self) -> Option<Missing> {
        let at = (0..FACTS.len()).find(|i| self.0[*i] && !now.0[*i])?;
        let (what, class) = FACTS[at];
        let why = if at == 0 {
            "This run's list does not contain the token, and that of the earlier run did.".to_owned()
        } else {
            format!("This run does not know {what}, and the earlier one did.")
        };
        Some(Missing::new(class, Side::Now, why))
    }
}

/// Returns true if a row of `tokens.json` says whether the token is used.
pub(super) fn is_judged(row: &Value) -> bool {
    text(&row["use"], "verdict").is_some_and(|verdict| verdict != UseState::NotJudged.as_str())
}
