//! The truth: labels of attacks, and of what is wrong with a token for as long as it stands so.

use super::actions::{LEAVES_TRACES, action, included};
use super::log::Event;
use super::tokens::{Ending, Token};
use super::usage::Usage;
use super::world::World;
use crate::model::finding::Family;
use crate::model::time::{DAY, HOUR, Micros, format_time};

/// One thing that ought to be found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// Organisation, lower case.
    pub org: String,
    /// The token; none where the organisation itself is meant.
    pub token_id: Option<String>,
    /// What happens, as a slug.
    pub scenario: String,
    /// The family of the finding that should say so.
    pub family: Family,
    /// When it begins.
    pub from: Micros,
    /// When it ends.
    pub to: Micros,
}

impl Label {
    pub(super) fn posture(world: &World, scenario: &str, from: Micros, to: Micros) -> Self {
        Self {
            org: world.org.clone(),
            token_id: None,
            scenario: scenario.to_owned(),
            family: Family::Posture,
            from,
            to,
        }
    }

    /// The label as `truth.json` writes it.
    pub(super) fn json(&self) -> serde_json::Value {
        serde_json::json!({
            "org": self.org, "token_id": self.token_id, "scenario": self.scenario, "family": self.family,
            "from": format_time(self.from), "to": format_time(self.to),
        })
    }
}

/// Names that say nothing of a token's purpose.
const SAYS_NOTHING: &[&str] = &["test", "token", "new pat"];

/// Says what stands against each token at the end of the window.
pub(super) fn standing(
    world: &World,
    tokens: &[Token],
    events: &[Event],
    usage: Option<&Usage>,
) -> Vec<Label> {
    let mut made: Vec<Vec<&Event>> = vec![Vec::new(); tokens.len()];
    for event in events {
        if let Some(token) = event.token {
            made[token].push(event);
        }
    }
    let mut labels = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        if let Ending::LeakedAndClosed(at) = token.ending
            && !world.gap.contains(at)
            && token.valid_from < at
        {
            // Closed in time or not: a secret in a public place is an incident.
            labels.push(Label {
                org: world.org.clone(),
                token_id: Some(token.id.clone()),
                scenario: "found-in-public".to_owned(),
                family: Family::Anomaly,
                from: at,
                to: at + HOUR,
            });
        }
        if !token.alive_at(world.end) || token.ending != Ending::None {
            continue;
        }
        // A leaver's tokens no longer work, whatever their dates say.
        if world.people[token.owner].left.is_some_and(|(_, back)| back.is_none()) {
            continue;
        }
        let from = token.valid_from.max(world.start);
        let mut say = |family: Family, scenario: &str| {
            labels.push(Label {
                org: world.org.clone(),
                token_id: Some(token.id.clone()),
                scenario: scenario.to_owned(),
                family,
                from,
                to: world.end,
            });
        };
        let watched = world.end - from;
        let events = &made[index];
        if !token.listed {
            if !events.is_empty() {
                say(Family::Hygiene, "used-not-listed");
            }
            continue;
        }
        // A month and the days of the gap: silence for less says little.
        let long = watched >= 35 * DAY;
        if events.is_empty() && long && !token.ambiguous {
            let silent = if token.valid_from > world.start { "never-used" } else { "no-audited-change" };
            match usage {
                None => say(Family::Use, silent),
                // Reads show in Usage records: this token, or another of its owner and class, may be theirs.
                Some(usage) if usage.calls_of_class(token) => {}
                Some(usage) if usage.calls(token.owner) || token.all_orgs => say(Family::Use, silent),
                Some(_) => say(Family::Use, "unused-by-usage-records"),
            }
        }
        if long && !token.ambiguous && unused_manage_scope(token, events) {
            say(Family::Scope, "manage-scope-not-used");
        }
        if token.full_access() {
            say(Family::Scope, "full-access");
        }
        if token.all_orgs {
            say(Family::Scope, "all-organisations");
        }
        if token.valid_to - token.valid_from > 91 * DAY {
            say(Family::Hygiene, "long-lived");
        }
        if token.valid_to < world.end + 6 * DAY && events.iter().any(|e| e.time > world.end - 10 * DAY) {
            say(Family::Hygiene, "expiring-in-use");
        }
        if token.name.as_deref().is_none_or(|name| SAYS_NOTHING.contains(&name)) {
            say(Family::Hygiene, "says-nothing-name");
        }
        if token.extended.is_some() || token.edited.as_ref().is_some_and(|e| e.valid_to != token.valid_to) {
            say(Family::Hygiene, "extended-not-rotated");
        }
        let same = |other: &Token| {
            other.id != token.id
                && other.name.is_some()
                && other.name == token.name
                && other.owner == token.owner
                && other.alive_at(world.end)
                // The newest of them is the one that should be there.
                && other.valid_from > token.valid_from
        };
        if tokens.iter().any(same) {
            say(Family::Hygiene, "same-name-alive");
        }
    }
    labels
}

/// Whether a scope was granted whose use would show, and did not show.
fn unused_manage_scope(token: &Token, events: &[&Event]) -> bool {
    LEAVES_TRACES.iter().filter(|scope| token.scopes.contains(scope)).any(|scope| {
        !events.iter().any(|event| {
            let cascade = event.id != event.correlation && event.action.id.starts_with("Security.");
            let need = action(event.action.id).scopes;
            !cascade && (need.contains(scope) || included(scope).iter().any(|inner| need.contains(inner)))
        })
    })
}
