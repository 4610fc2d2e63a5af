//! How long it took to end what had to end: from a leak to the end of the token, and from an owner's loss of access to the end of
//! their last token.
//!
//! In: a report. Out: one row a leak and one row a person who left, with the hours, where both instants are known. What is still
//! open is counted as not done in time once its time is over; what is not known is counted apart.

use super::{Report, TokenReport};
use crate::model::time::{DAY, HOUR, Micros};
use crate::model::token::{Token, TokenState};
use std::collections::BTreeMap;

text_enum! {
    /// What had to end something.
    Trigger {
        /// The token was found in public.
        Leak = "leak",
        /// The owner lost access.
        OwnerLeft = "owner left",
    }
}

text_enum! {
    /// How it stands.
    Outcome {
        /// Ended within a day.
        InTime = "within 24 h",
        /// Ended later.
        Late = "later",
        /// Not ended at the instant of the run.
        Open = "open",
        /// Nothing says when or whether it ended.
        Unknown = "not known",
    }
}

/// One thing that had to end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// What had to end it.
    pub trigger: Trigger,
    /// Organisation.
    pub org: String,
    /// The token of a leak; of a person their last token, where it is known.
    pub token_id: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// Its owner.
    pub owner: Option<String>,
    /// When it had to end.
    pub from: Micros,
    /// When it ended.
    pub to: Option<Micros>,
    /// How it stands.
    pub outcome: Outcome,
}

impl Response {
    /// Returns the hours that it took, to a tenth.
    #[must_use]
    pub fn hours(&self) -> Option<f64> {
        let tenths = (self.to? - self.from).max(0) / (HOUR / 10);
        Some(f64::from(i32::try_from(tenths).unwrap_or(i32::MAX)) / 10.0)
    }
}

/// How the end of a token is known.
enum End {
    At(Micros),
    Open,
    Unknown,
}

fn end(token: &Token, as_of: Micros) -> End {
    let expired = token.valid_to.filter(|to| *to <= as_of);
    match (token.state, token.revoked_at) {
        (_, Some(at)) => End::At(expired.map_or(at, |to| to.min(at))),
        (TokenState::Active, _) => End::Open,
        // A list calls it revoked, and no event says since when.
        (TokenState::Revoked, None) => End::Unknown,
        (_, None) => expired.map_or(End::Unknown, End::At),
    }
}

fn outcome(from: Micros, end: &End) -> (Option<Micros>, Outcome) {
    match end {
        End::At(to) if to - from <= DAY => (Some(*to), Outcome::InTime),
        End::At(to) => (Some(*to), Outcome::Late),
        End::Open => (None, Outcome::Open),
        End::Unknown => (None, Outcome::Unknown),
    }
}

/// Returns every leak and every person who left, by trigger, organisation and time.
#[must_use]
pub fn responses(report: &Report) -> Vec<Response> {
    let mut all: Vec<Response> = Vec::new();
    for t in &report.tokens {
        if let Some(from) = t.token.leaked_at {
            all.push(row(Trigger::Leak, t, from, &end(&t.token, report.as_of)));
        }
    }
    let mut left: BTreeMap<(&str, &str), Vec<&TokenReport>> = BTreeMap::new();
    for t in report.tokens.iter().filter(|t| t.token.owner_gone_at.is_some()) {
        if let Some(owner) = t.token.owner_id.as_deref().or(t.token.owner.as_deref()) {
            left.entry((&t.token.org, owner)).or_default().push(t);
        }
    }
    for tokens in left.into_values() {
        let Some(from) = tokens.iter().filter_map(|t| t.token.owner_gone_at).max() else { continue };
        // The last token decides: one that is open, else one that nothing is known of, else the latest end.
        let last = tokens.iter().max_by_key(|t| match end(&t.token, report.as_of) {
            End::Open => (2, 0),
            End::Unknown => (1, 0),
            End::At(at) => (0, at),
        });
        let Some(last) = last else { continue };
        all.push(row(Trigger::OwnerLeft, last, from, &end(&last.token, report.as_of)));
    }
    all.sort_by(|a, b| {
        (a.trigger, &a.org, a.from, &a.token_id).cmp(&(b.trigger, &b.org, b.from, &b.token_id))
    });
    all
}

fn row(trigger: Trigger, t: &TokenReport, from: Micros, end: &End) -> Response {
    let (to, outcome) = outcome(from, end);
    Response {
        trigger,
        org: t.token.org.clone(),
        token_id: Some(t.token.token_id.clone()),
        name: t.token.name.clone(),
        owner: t.token.owner.clone(),
        from,
        to,
        outcome,
    }
}

/// Returns one sentence a trigger: how many ended within a day, of those whose day is over.
#[must_use]
pub fn sentences(report: &Report) -> Vec<String> {
    let all = responses(report);
    let tell = |(trigger, what): (Trigger, &str)| {
        let of: Vec<&Response> = all.iter().filter(|r| r.trigger == trigger).collect();
        let n = |outcome: Outcome| of.iter().filter(|r| r.outcome == outcome).count();
        // What began less than a day ago may still end in time.
        let fresh = of.iter().filter(|r| r.outcome == Outcome::Open && report.as_of - r.from <= DAY).count();
        let judged = of.len() - n(Outcome::Unknown) - fresh;
        if of.is_empty() {
            return None;
        }
        let in_time = n(Outcome::InTime);
        let share = (judged > 0).then(|| format!(" ({} %)", in_time * 100 / judged));
        Some(format!(
            "{what}: {in_time} of {judged} within 24 h{}, {} later, {} open, {} not known.",
            share.unwrap_or_default(),
            n(Outcome::Late),
            n(Outcome::Open),
            n(Outcome::Unknown)
        ))
    };
    [
        (Trigger::Leak, "Tokens ended after they were found in public"),
        (Trigger::OwnerLeft, "People whose last token ended after they lost access"),
    ]
    .into_iter()
    .filter_map(tell)
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::sample;

    #[test]
    fn the_last_token_of_a_person_counts_and_the_end_of_a_leak_is_revoke_or_expiry() {
        let mut report = sample::report();
        report.tokens.truncate(4);
        let as_of = report.as_of;
        let gone = as_of - 10 * DAY;
        for (i, t) in report.tokens.iter_mut().enumerate() {
            t.token.org = "o".into();
            t.token.owner_id = Some(if i < 2 { "ann" } else { "bob" }.into());
            (t.token.leaked_at, t.token.owner_gone_at, t.token.revoked_at) = (None, None, None);
            (t.token.state, t.token.valid_to) = (TokenState::Active, Some(as_of + DAY));
        }
        let revoke =
            |t: &mut TokenReport, at| (t.token.state, t.token.revoked_at) = (TokenState::Revoked, at);
        for t in &mut report.tokens[..2] {
            t.token.owner_gone_at = Some(gone);
        }
        revoke(&mut report.tokens[0], Some(gone + HOUR));
        report.tokens[2].token.leaked_at = Some(gone);
        revoke(&mut report.tokens[2], Some(gone + 90 * HOUR / 60));
        report.tokens[3].token.leaked_at = Some(gone);
        (report.tokens[3].token.state, report.tokens[3].token.valid_to) =
            (TokenState::Expired, Some(gone + 3 * DAY));
        let told = |report: &Report| {
            let rows = responses(report);
            rows.iter().map(|r| (r.trigger, r.outcome, r.hours())).collect::<Vec<_>>()
        };
        let leaks = [(Trigger::Leak, Outcome::InTime, Some(1.5)), (Trigger::Leak, Outcome::Late, Some(72.0))];
        assert_eq!(told(&report)[2..], [(Trigger::OwnerLeft, Outcome::Open, None)]);
        assert_eq!(told(&report).len(), 3);
        assert!(leaks.iter().all(|leak| told(&report)[..2].contains(leak)), "{:?}", told(&report));
        revoke(&mut report.tokens[1], Some(gone + 2 * DAY));
        assert_eq!(told(&report)[2..], [(Trigger::OwnerLeft, Outcome::Late, Some(48.0))]);
        revoke(&mut report.tokens[1], None);
        assert_eq!(told(&report)[2..], [(Trigger::OwnerLeft, Outcome::Unknown, None)]);
        assert_eq!(
            sentences(&report),
            [
                "Tokens ended after they were found in public: 1 of 2 within 24 h (50 %), 1 later, 0 open, 0 not known.",
                "People whose last token ended after they lost access: 0 of 0 within 24 h, 0 later, 0 open, 1 not known."
            ]
        );
    }
}
