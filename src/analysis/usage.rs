//! The use verdict: is the token used? The first answer that holds, none beyond what the evidence carries.
//!
//! In: one token's attributed events, the coverage, what usage records say of its owner. Out: a
//! [`UseVerdict`]. The order is that of section 5 of the design.

use crate::model::catalogue::catalogue;
use crate::model::claim::{Claim, Field, Standing, certainty};
use crate::model::coverage::{Basis, Coverage};
use crate::model::finding::Confidence;
use crate::model::noun::counted;
use crate::model::time::{DAY, Micros, Span, day_of, day_start, day_text};
use crate::model::token::{Token, TokenState};
use crate::model::verdict::{UseState, UseVerdict, Visibility};

/// What the events say of one token.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// Attributed events inside the window.
    pub events: u64,
    /// Newest of them.
    pub event_ids: Vec<String>,
    /// Last inside the window.
    pub last_in_window: Option<Micros>,
    /// Last that the lake holds.
    pub last_ever: Option<Micros>,
    /// Ambiguous credentials that could be this token.
    pub ambiguous: Vec<String>,
    /// Other organisations of this run in which the token was seen in the window.
    pub seen_in: Vec<String>,
}

/// What usage records say of the owner of a token, in its organisation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OwnerUsage {
    /// Spans that the records declare.
    pub spans: Vec<Span>,
    /// Whether records name the owner, and by id alone: records that never name a person may have been cut to others.
    pub by_id: bool,
    /// Calls of the owner whose mechanism is missing or unknown: each may have been made with a PAT.
    pub unclear: u64,
    /// PAT calls of the token's class.
    pub calls_of_class: u64,
    /// PAT calls of any class.
    pub calls: u64,
    /// Tokens of the owner that share the class.
    pub sharing: u64,
    /// The audit log shows PAT calls of the owner that the records lack: then they are not whole, and rule nothing out.
    pub contradicted: bool,
}

/// Answers for one token.
#[must_use]
pub fn judge(
    token: &Token,
    seen: &Seen,
    coverage: Option<&Coverage>,
    usage: Option<&OwnerUsage>,
    min_covered_days: i64,
) -> UseVerdict {
    let ends = token.known_end();
    let covered_days = coverage.map_or(0, |c| c.covered_days_within(token.valid_from, ends));
    let days = counted(u64::from(covered_days), "covered day");
    let mut elsewhere = String::new();
    if !seen.seen_in.is_empty() {
        elsewhere.push_str(&format!("; it was seen in {}", seen.seen_in.join(", ")));
    }
    if token.reaches_unseen_orgs {
        elsewhere.push_str("; other organisations not seen");
    }
    let answer = |verdict, confidence, reason: String| UseVerdict {
        verdict,
        confidence,
        reason,
        last_observed: seen.last_in_window,
        last_observed_ever: seen.last_ever,
        events: seen.events,
        event_ids: seen.event_ids.clone(),
        covered_days,
        seen_in: seen.seen_in.clone(),
    };
    if seen.events > 0 {
        let events = counted(seen.events, "audited event");
        return answer(
            UseState::Observed,
            Confidence::High,
            format!("{events} by this token in the window{elsewhere}."),
        );
    }
    if !seen.ambiguous.is_empty() {
        let reason = format!(
            "Not judged: events show the credential {}, which could be this token or another{elsewhere}.",
            seen.ambiguous.join(", ")
        );
        return answer(UseState::NotJudged, Confidence::Low, reason);
    }
    if i64::from(covered_days) < min_covered_days {
        if token.state == TokenState::Revoked && token.revoked_at.is_none() {
            let reason = format!(
                "Not judged: a list calls it revoked, and no event says since when, so no day is known to be one of its life{elsewhere}."
            );
            return answer(UseState::NotJudged, Confidence::Low, reason);
        }
        let reason = format!(
            "Not judged: {days} inside the window and the token's life, fewer than the {min_covered_days} that an answer needs{elsewhere}."
        );
        return answer(UseState::NotJudged, Confidence::Low, reason);
    }
    if let (Some(usage), Some(coverage)) = (usage, coverage) {
        if let Some(reason) = ruled_out(token, usage, coverage, ends) {
            return answer(UseState::RuledOut, Confidence::High, reason);
        }
        if usage.calls_of_class > 0 {
            let shared = match usage.sharing {
                0 | 1 => "no other token of the owner that is known here can have made them".to_owned(),
                n => format!("{n} tokens of the owner can have made them"),
            };
            let reason = format!(
                "Usage records show {} by {} with a PAT of this class; {shared}{elsewhere}.",
                counted(usage.calls_of_class, "call"),
                token.owner.as_deref().unwrap_or("the owner")
            );
            let confidence =
                if usage.sharing <= 1 && usage.by_id { Confidence::Medium } else { Confidence::Low };
            return answer(UseState::Possible, confidence, reason);
        }
    }
    let (share, hidden) = sight(token);
    let invisible = match &token.scopes {
        None => "the grant is unknown, so what it could do unseen is unknown too".to_owned(),
        Some(_) if token.is_full_access() => {
            "with full access, reads, pushes and much else would not have been seen".to_owned()
        }
        Some(_) if hidden.is_empty() => "its scopes leave a trace when used".to_owned(),
        Some(_) => format!("use of {} would not have been seen", hidden.join(", ")),
    };
    let reason = format!("No audited event by this token in {days}; {invisible}{elsewhere}.");
    answer(UseState::NotObserved, confidence(share, coverage), reason)
}

/// Says why use is ruled out, where it is.
///
/// The records must hold every day of the log's span inside the token's life, those in a gap of the log included:
/// asked of the covered days alone, a gap on a day that the records lack would turn silence into a certainty.
fn ruled_out(token: &Token, usage: &OwnerUsage, coverage: &Coverage, ends: Option<Micros>) -> Option<String> {
    let declared_spans = joined(&usage.spans);
    let held = coverage.span;
    let judged: Vec<Span> = (day_of(held.from)..=day_of(held.to))
        .map(|day| Span { from: day_start(day), to: day_start(day) + DAY })
        .filter(|d| held.from <= d.from && d.to <= held.to)
        .filter(|d| token.valid_from.is_none_or(|from| from <= d.from) && ends.is_none_or(|to| d.to <= to))
        .collect();
    let declared = |day: &Span| declared_spans.iter().any(|s| s.from <= day.from && day.to <= s.to);
    // A reach that any source states wider, then or now, leaves calls elsewhere possible.
    let one_org = token.is_for_one_org() && {
        let mut reach = token.claims.iter().filter(|c| c.field == Field::Reach);
        reach.all(|c| c.standing == Standing::Holds)
    };
    // An owner whom any source contradicts may be somebody else, whose records these are not.
    let contradicted = |c: &Claim| c.field == Field::Owner && c.standing == Standing::Contradicts;
    let owner_by_id = certainty(&token.claims, &[Field::Owner]) == Confidence::High
        && !token.claims.iter().any(contradicted);
    if !one_org
        || !owner_by_id
        || !usage.by_id
        || usage.contradicted
        || usage.calls + usage.unclear > 0
        || judged.is_empty()
        || !judged.iter().all(declared)
    {
        return None;
    }
    let (first, last) = (judged.first()?, judged.last()?);
    Some(format!(
        "No PAT call by {} in the Usage records of {}, {} to {}.",
        token.owner.as_deref().or(token.owner_id.as_deref()).unwrap_or("the owner"),
        token.org,
        day_text(day_of(first.from)),
        day_text(day_of(last.from)),
    ))
}

/// Joins spans that touch, so that a day which two of them share counts as held.
fn joined(spans: &[Span]) -> Vec<Span> {
    let mut sorted = spans.to_vec();
    sorted.sort();
    let mut joined: Vec<Span> = Vec::new();
    for span in sorted {
        match joined.last_mut() {
            Some(last) if span.from <= last.to => last.to = last.to.max(span.to),
            _ => joined.push(span),
        }
    }
    joined
}

/// Returns the share of granted scopes whose use would have been seen, and those whose use would not.
#[must_use]
pub fn sight(token: &Token) -> (f64, Vec<String>) {
    let Some(scopes) = &token.scopes else { return (0.0, Vec::new()) };
    let hidden: Vec<String> = scopes
        .iter()
        .filter(|s| !matches!(catalogue().visibility(s), Visibility::Full | Visibility::Mostly))
        .cloned()
        .collect();
    let all = scopes.len().max(1);
    (
        1.0 - f64::from(u32::try_from(hidden.len()).unwrap_or(u32::MAX))
            / f64::from(u32::try_from(all).unwrap_or(1)),
        hidden,
    )
}

/// Confidence of a silence: how much of the grant is visible, held down by how the coverage is known.
fn confidence(share: f64, coverage: Option<&Coverage>) -> Confidence {
    let sight = match share {
        s if s >= 0.99 => Confidence::High,
        s if s >= 0.5 => Confidence::Medium,
        _ => Confidence::Low,
    };
    sight.min(most(coverage))
}

/// The most confidence that a conclusion from absence may have, by the basis of the coverage.
#[must_use]
pub fn most(coverage: Option<&Coverage>) -> Confidence {
    match coverage {
        None => Confidence::Low,
        Some(c) if matches!(c.basis, Basis::Pulled | Basis::Declared) => Confidence::High,
        Some(c) if c.areas < 3 => Confidence::Low,
        Some(_) => Confidence::Medium,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::tests_support::{coverage, token};

    fn verdict(usage: &OwnerUsage) -> UseState {
        let answer = judge(&token("vso.code"), &Seen::default(), Some(&coverage(60)), Some(usage), 30);
        if answer.verdict != UseState::RuledOut {
            assert!(!answer.reason.to_lowercase().contains("unused"), "{}", answer.reason);
        }
        answer.verdict
    }

    #[test]
    fn usage_records_rule_out_only_what_they_hold_whole() {
        let whole =
            OwnerUsage { spans: vec![Span { from: 0, to: 60 * DAY }], by_id: true, ..OwnerUsage::default() };
        assert_eq!(verdict(&whole), UseState::RuledOut);
        let short = OwnerUsage { spans: vec![Span { from: DAY, to: 60 * DAY }], ..whole.clone() };
        assert_eq!(verdict(&short), UseState::NotObserved);
        assert_eq!(verdict(&OwnerUsage { by_id: false, ..whole.clone() }), UseState::NotObserved);
        assert_eq!(verdict(&OwnerUsage { contradicted: true, ..whole.clone() }), UseState::NotObserved);
        let halves = vec![Span { from: 25 * DAY, to: 60 * DAY }, Span { from: 0, to: 25 * DAY + DAY / 2 }];
        assert_eq!(verdict(&OwnerUsage { spans: halves, ..whole.clone() }), UseState::RuledOut);
        assert_eq!(verdict(&OwnerUsage { calls: 1, ..whole.clone() }), UseState::NotObserved);
        assert_eq!(verdict(&OwnerUsage { unclear: 1, ..whole.clone() }), UseState::NotObserved);
        assert_eq!(verdict(&OwnerUsage { calls: 2, calls_of_class: 2, ..whole }), UseState::Possible);
    }

    #[test]
    fn a_token_of_several_organisations_is_never_ruled_out() {
        let whole =
            OwnerUsage { spans: vec![Span { from: 0, to: 60 * DAY }], by_id: true, ..OwnerUsage::default() };
        let judged = |token: &Token| {
            let answer = judge(token, &Seen::default(), Some(&coverage(60)), Some(&whole), 30);
            (answer.verdict, answer.reason)
        };
        let one = token("vso.code");
        assert_eq!(judged(&one).0, UseState::RuledOut);
        for several in [
            Token { all_orgs: Some(true), reaches_unseen_orgs: true, ..one.clone() },
            Token { all_orgs: None, ..one.clone() },
            Token { other_orgs: vec!["p".into()], ..one.clone() },
            Token { reaches_unseen_orgs: true, ..one.clone() },
        ] {
            let (verdict, reason) = judged(&several);
            assert_eq!(verdict, UseState::NotObserved, "{several:?}");
            assert_eq!(reason.contains("other organisations not seen"), several.reaches_unseen_orgs);
        }
    }

    #[test]
    fn observation_comes_first_and_ambiguity_before_silence() {
        let seen = Seen { events: 1, ambiguous: vec!["a".into()], ..Seen::default() };
        assert_eq!(judge(&token("vso.code"), &seen, None, None, 30).verdict, UseState::Observed);
        let unclear = Seen { events: 0, ..seen };
        assert_eq!(
            judge(&token("vso.code"), &unclear, Some(&coverage(60)), None, 30).verdict,
            UseState::NotJudged
        );
        let few = judge(&token("vso.code"), &Seen::default(), Some(&coverage(29)), None, 30);
        assert_eq!(few.verdict, UseState::NotJudged);
    }

    #[test]
    fn confidence_follows_the_basis_and_the_sight() {
        let inferred = |areas| Coverage { basis: Basis::Inferred, areas, ..coverage(60) };
        assert_eq!(most(Some(&coverage(60))), Confidence::High);
        assert_eq!(most(Some(&inferred(9))), Confidence::Medium);
        assert_eq!(most(Some(&inferred(2))), Confidence::Low);
        assert_eq!(most(None), Confidence::Low);
        let of = |scopes: &str, held: &Coverage| {
            judge(&token(scopes), &Seen::default(), Some(held), None, 30).confidence
        };
        assert_eq!(of("vso.variablegroups_manage", &coverage(60)), Confidence::High);
        assert_eq!(of("vso.variablegroups_manage vso.code", &coverage(60)), Confidence::Medium);
        assert_eq!(of("vso.code", &coverage(60)), Confidence::Low);
        assert_eq!(of("vso.variablegroups_manage", &inferred(2)), Confidence::Low);
    }

    #[test]
    fn silence_names_what_could_not_be_seen_and_possible_who_shares() {
        let silent = judge(
            &token("vso.code vso.auditstreams_manage"),
            &Seen::default(),
            Some(&coverage(60)),
            None,
            30,
        );
        assert!(silent.reason.contains("60 covered days; use of vso.code would not"), "{}", silent.reason);
        let shared =
            OwnerUsage { calls: 2, calls_of_class: 2, sharing: 3, by_id: true, ..OwnerUsage::default() };
        let possible = judge(&token("vso.code"), &Seen::default(), Some(&coverage(60)), Some(&shared), 30);
        assert_eq!((possible.verdict, possible.confidence), (UseState::Possible, Confidence::Low));
        assert!(possible.reason.contains("3 tokens of the owner can have made them"), "{}", possible.reason);
    }

    #[test]
    fn only_days_of_the_tokens_life_count() {
        let held = coverage(60);
        let born = Token { valid_from: Some(20 * DAY + 1), ..token("vso.code") };
        assert_eq!(judge(&born, &Seen::default(), Some(&held), None, 30).covered_days, 39);
        let ended = Token { revoked_at: Some(10 * DAY), ..token("vso.code") };
        let answer = judge(&ended, &Seen::default(), Some(&held), None, 30);
        assert_eq!((answer.covered_days, answer.verdict), (10, UseState::NotJudged));
        // A list that calls it revoked, without the event: it may have been over before the window.
        let listed = Token { state: TokenState::Revoked, valid_from: Some(0), ..token("vso.code") };
        let answer = judge(&listed, &Seen::default(), Some(&held), None, 30);
        assert_eq!((answer.covered_days, answer.verdict), (0, UseState::NotJudged));
        assert!(answer.reason.contains("no event says since when"), "{}", answer.reason);
    }
}
