//! The sentence of an advice: the fact, the day and the number it rests on.
//!
//! In: one token with its answers and findings. Out: a sentence that shows minutes, with the exact instants behind it.

use super::LastPlace;
use crate::model::finding::{Family, Finding, Severity};
use crate::model::noun::counted;
use crate::model::time::{Micros, day_of, format_minute};
use crate::model::token::{OwnerState, Token, TokenState};
use crate::model::verdict::{AdviceFacts, UseVerdict};

/// Scopes that a sentence names; the table of scopes has the others.
const MAX_SCOPES: usize = 4;

/// A sentence and what it rests on.
pub(super) struct Reason {
    /// The sentence.
    pub text: String,
    /// Its instants and number.
    pub facts: AdviceFacts,
}

impl Reason {
    /// Adds a sentence.
    pub fn then(mut self, sentence: &str) -> Self {
        self.text = format!("{} {sentence}", self.text);
        self
    }

    /// Adds the sentence of another reason, whose facts count where this one has none.
    pub fn with(mut self, other: Self) -> Self {
        self.text = format!("{} {}", self.text, other.text);
        self.facts = AdviceFacts {
            since: self.facts.since.or(other.facts.since),
            last: self.facts.last.or(other.facts.last),
            events: self.facts.events.or(other.facts.events),
            covered_days: self.facts.covered_days.or(other.facts.covered_days),
        };
        self
    }
}

/// What is known of one token.
pub(super) struct Told<'a> {
    /// The token.
    pub token: &'a Token,
    /// Is it used?
    pub usage: &'a UseVerdict,
    /// Its findings.
    pub findings: &'a [&'a Finding],
    /// Where its last event came from.
    pub place: &'a LastPlace,
}

impl Told<'_> {
    /// Returns the finding of a detection.
    pub fn found(&self, slug: &str) -> Option<&Finding> {
        self.findings.iter().copied().find(|f| f.slug == slug)
    }

    /// "Found in public 2026-10-25 09:30 UTC, used 10 times since (last 2026-10-30 08:11 UTC, Postman, 100.74.147.0/24)."
    pub fn leak(&self) -> Reason {
        self.since("Found in public", self.token.leaked_at, "used-after-leak")
    }

    /// What is known of its use after it was revoked.
    pub fn after_revoke(&self) -> Reason {
        let reason = self.since("Revoked", self.token.revoked_at, "used-after-its-end");
        reason.then("Make sure that it no longer works, and review what it did.")
    }

    /// Since when its owner has no access.
    pub fn owner_gone(&self) -> Reason {
        let state = match self.token.owner_state {
            OwnerState::Disabled => "Owner disabled",
            _ => "Owner removed",
        };
        self.since(state, self.token.owner_gone_at, "used-after-owner-left")
            .then("The token works again if access returns.")
    }

    /// What the usage records show.
    pub fn ruled_out(&self) -> Reason {
        let facts = AdviceFacts { covered_days: Some(self.usage.covered_days), ..AdviceFacts::default() };
        Reason { text: self.usage.reason.clone(), facts }
    }

    /// With which tool it was used, when and from where.
    pub fn attack_tool(&self, finding: &Finding) -> Reason {
        let text = |column: &str| finding.evidence.get(column).and_then(|v| v.as_str());
        let since = finding.first_time.map(|t| format!(" since {}", format_minute(t))).unwrap_or_default();
        let last = [finding.last_time.map(format_minute), text("network").map(str::to_owned)];
        let last: Vec<String> = last.into_iter().flatten().collect();
        let last = if last.is_empty() { String::new() } else { format!(" (last {})", last.join(", ")) };
        let text = format!(
            "Used with {} {}{since}{last}. Ask the security team, since the owner may be the thief, and revoke it if nobody there ran it.",
            text("client").unwrap_or("an attack tool"),
            counted(finding.count, "time"),
        );
        Reason { text, facts: facts_of(finding) }
    }

    /// Use after the end date of a token that no event revoked.
    pub fn after_end(&self) -> Reason {
        let ended = self.token.revoked_at.or(self.token.valid_to);
        self.since("Ended", ended, "used-after-its-end")
            .then("An extension that is not known, or another token: ask the owner.")
    }

    /// Since when it is out of force.
    pub fn over(&self) -> Reason {
        let (how, since) = match self.token.state {
            TokenState::Revoked => ("Revoked", self.token.revoked_at),
            _ => ("Expired", self.token.valid_to),
        };
        let text = match since {
            Some(time) => format!("{how} {}.", format_minute(time)),
            None => format!("{how}, at a time that is not known; {}.", self.last_event()),
        };
        Reason { text, facts: AdviceFacts { since, ..AdviceFacts::default() } }
    }

    /// The worst thing that is strange about it, and how many more there are.
    pub fn strange(&self) -> Reason {
        let mut odd: Vec<&&Finding> = self
            .findings
            .iter()
            .filter(|f| f.family == Family::Anomaly && f.severity >= Severity::Medium)
            .collect();
        // Sums of other findings name no fact of their own.
        if odd.iter().any(|f| !f.is_sum()) {
            odd.retain(|f| !f.is_sum());
        }
        odd.sort_by_key(|f| std::cmp::Reverse(f.severity));
        let Some(worst) = odd.first() else {
            return Reason { text: String::new(), facts: AdviceFacts::default() };
        };
        let when = worst.first_time.or(worst.last_time);
        let when = when.map(|t| format!("{}: ", format_minute(t))).unwrap_or_default();
        let fact = worst.fact();
        let fact = if fact.is_empty() { "its behaviour changed" } else { fact.trim_end_matches('.') };
        let last = odd.iter().filter_map(|f| f.last_time).max();
        let more = match odd.len() - 1 {
            0 => String::new(),
            n => {
                let until = last.map(|t| format!(" until {}", format_minute(t))).unwrap_or_default();
                format!(", and {}{until}", counted(n, "more finding"))
            }
        };
        let facts = AdviceFacts {
            since: odd.iter().filter_map(|f| f.first_time).min(),
            last,
            events: Some(worst.count),
            covered_days: None,
        };
        Reason { text: format!("{when}{fact}{more}."), facts }
    }

    /// "Nothing of it in 84 covered days."
    pub fn silence(&self, what: &str) -> Reason {
        let mut text = what.to_owned();
        if let Some(first) = text.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        let days = self.usage.covered_days;
        let text = format!("{text} in {}.", counted(days, "covered day"));
        let last = self.usage.last_observed_ever;
        Reason { text, facts: AdviceFacts { last, covered_days: Some(days), ..AdviceFacts::default() } }
    }

    /// Scopes of which no use was seen.
    pub fn unseen(&self, scopes: &[&str]) -> Reason {
        let mut named = scopes.iter().take(MAX_SCOPES).copied().collect::<Vec<_>>().join(", ");
        if scopes.len() > MAX_SCOPES {
            named.push_str(&format!(" and {} more", scopes.len() - MAX_SCOPES));
        }
        self.silence(&format!("no use of {named} was seen"))
    }

    /// What is said, with the number of its events in the window and the last of them.
    pub fn used(&self, what: &str) -> Reason {
        let events = self.usage.events;
        let facts =
            AdviceFacts { last: self.usage.last_observed, events: Some(events), ..AdviceFacts::default() };
        let n = counted(events, "audited event");
        Reason { text: format!("{what}: {n} in the window; {}.", self.last_event()), facts }
    }

    fn last_event(&self) -> String {
        match self.usage.last_observed.or(self.usage.last_observed_ever) {
            Some(time) => format!("the last audited event is of {}", format_minute(time)),
            None => format!("no audited event in {}", counted(self.usage.covered_days, "covered day")),
        }
    }

    /// Something that happened at an instant, with the use since as a detection counted it.
    fn since(&self, what: &str, since: Option<Micros>, slug: &str) -> Reason {
        let mut text = what.to_owned();
        match since {
            Some(time) => text.push_str(&format!(" {}", format_minute(time))),
            None => text.push_str(" at a time that is not known"),
        }
        let Some(used) = self.found(slug) else {
            text.push_str("; no use since is known.");
            return Reason { text, facts: AdviceFacts { since, ..AdviceFacts::default() } };
        };
        let last = used.last_time.map(|time| {
            let known = self.place.day == Some(day_of(time));
            let place = [&self.place.client, &self.place.network].into_iter().flatten().filter(|_| known);
            let parts: Vec<String> = std::iter::once(format_minute(time)).chain(place.cloned()).collect();
            format!(" (last {})", parts.join(", "))
        });
        let n = counted(used.count, "time");
        text.push_str(&format!(", used {n} since{}.", last.unwrap_or_default()));
        Reason { text, facts: AdviceFacts { since, ..facts_of(used) } }
    }
}

fn facts_of(finding: &Finding) -> AdviceFacts {
    AdviceFacts {
        since: finding.first_time,
        last: finding.last_time,
        events: Some(finding.count),
        covered_days: None,
    }
}
