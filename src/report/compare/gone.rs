//! Why a finding or a token of the earlier bundle is not in this run.
//!
//! In: the finding as the bundle has it, both runs. Out: resolved, or not compared, and a sentence. What this run cannot
//! judge any more is not resolved: a log that has gone silent fixes nothing.

use super::earlier::{Earlier, text};
use super::facts::{Known, is_judged};
use super::missing::{Class, Missing, Needs, Side, missing};
use super::{Sides, orgs};
use crate::model::claim::Field;
use crate::model::finding::{Confidence, Family};
use crate::model::noun::counted;
use crate::model::time::{Day, Micros, day_of, day_text, parse_time};
use crate::model::token::{KnownFrom, TokenState};
use crate::model::verdict::{ScopeState, UseState};
use crate::report::{Report, TokenReport};
use serde_json::Value;

/// What became of something that this run lacks: resolved, or what is missing.
pub(super) type Gone = Result<String, Missing>;

/// Says what became of a finding that this run lacks.
pub(super) fn finding(sides: &Sides<'_>, old: &Value) -> Gone {
    let (earlier, now) = (sides.earlier, sides.now);
    let lacks = |class, why: &str| Err(Missing::new(class, Side::Now, why));
    let (org, detection) = (text(old, "org").unwrap_or_default(), text(old, "detection").unwrap_or_default());
    if !orgs(now).contains(org) {
        return lacks(Class::Organisation, "This run does not look at the organisation.");
    }
    if let Some(n) = now.not_run.iter().find(|n| n.detection == detection) {
        return lacks(Class::Detection, &format!("The detection did not run this time: {}", n.reason));
    }
    if let Some(b) = now.blind.iter().find(|b| b.org == org && b.detection == detection) {
        let fields = b.fields.join(", ");
        return lacks(Class::Detection, &format!("The detection is blind here now: no event has {fields}."));
    }
    let Some(meta) = now.detections.iter().find(|d| d.id == detection) else {
        return lacks(
            Class::Detection,
            "The detection was not run this time: it was not selected, or is no longer in the pack.",
        );
    };
    let subject = &old["subject"];
    let id = text(subject, "id").filter(|_| text(subject, "kind") == Some("token"));
    let token = id.and_then(|id| sides.token_now(org, id));
    let is_state = matches!(meta.family, Family::Use | Family::Scope | Family::Hygiene);
    // An event says so, whatever else is missing.
    if let Some(t) = token.filter(|t| {
        is_state
            && t.token.state == TokenState::Revoked
            && t.token.certainty(&[Field::Revoked]) == Confidence::High
    }) && let Some(at) = t.token.revoked_at
    {
        return Ok(format!("The token is revoked since {}.", day_text(day_of(at))));
    }
    if sides.is_changed(detection) {
        return lacks(Class::Detection, "The detection changed between the two runs.");
    }
    window(earlier, now, old, is_state)?;
    let first = if meta.family == Family::Anomaly { Day::MIN } else { now.window.first_day() };
    let usage = is_state || token.is_some();
    evidence(sides, org, Needs { usage, log_from: first, log_to: now.window.last_day() })?;
    let Some(id) = id else { return Ok("It is no longer found.".to_owned()) };
    let Some(t) = token else { return unlisted(sides, org) };
    if let Some(row) = sides.token_before(org, id) {
        if let Some(missing) = Known::of_row(row).lost(Known::of_token(t)) {
            return Err(missing);
        }
        if is_state && is_judged(row) && t.verdicts.usage.verdict == UseState::NotJudged && !t.token.is_over()
        {
            return lacks(Class::Log, &unjudged_use(t));
        }
    }
    if t.token.is_over() && is_state {
        return Ok(format!("The token is {}.", t.token.state));
    }
    match unjudged(old, t).filter(|_| matches!(meta.family, Family::Use | Family::Scope)) {
        Some(why) => lacks(Class::Log, &why),
        None => Ok("It is no longer found.".to_owned()),
    }
}

/// Says what became of a token that this run lacks.
pub(super) fn token(sides: &Sides<'_>, org: &str) -> Gone {
    let now = sides.now;
    if !orgs(now).contains(org) {
        let why = "This run does not look at the organisation.";
        return Err(Missing::new(Class::Organisation, Side::Now, why));
    }
    let (first, last) = (now.window.first_day(), now.window.last_day());
    evidence(sides, org, Needs { usage: false, log_from: first, log_to: last })?;
    unlisted(sides, org)
}

/// Windows that do not show the same, and events that lie before this one.
fn window(earlier: &Earlier, now: &Report, old: &Value, is_state: bool) -> Result<(), Missing> {
    let lacks = |why: String| Err(Missing::new(Class::Window, Side::Now, why));
    if let Some(days) = earlier.window_days.filter(|days| *days != now.window.days) {
        return lacks(format!(
            "This run looks back {}, and the earlier one {days}.",
            counted(now.window.days, "day")
        ));
    }
    if now.as_of < earlier.as_of {
        return lacks("This run stands at an earlier instant than the bundle.".to_owned());
    }
    if is_state {
        let last = text(old, "last_time").and_then(parse_time);
        return match last.filter(|t| *t < now.window.from) {
            Some(last) => lacks(before(last)),
            None => Ok(()),
        };
    }
    let times = ["first_time", "last_time"].map(|field| text(old, field).and_then(parse_time));
    match times {
        [None, None] => {
            lacks("The finding has no time, so it may lie before the window of this run.".to_owned())
        }
        times => match times.into_iter().flatten().find(|t| *t < now.window.from) {
            Some(time) => lacks(before(time)),
            None => Ok(()),
        },
    }
}

fn before(time: Micros) -> String {
    format!("What it rests on, of {}, lies before the window of this run.", day_text(day_of(time)))
}

fn evidence(sides: &Sides<'_>, org: &str, needs: Needs) -> Result<(), Missing> {
    let (Some(then), Some(now)) = (sides.evidence_before(org), sides.evidence_now(org)) else {
        return Ok(());
    };
    missing(then, now, Side::Now, needs).map_or(Ok(()), Err)
}

/// A token that this run neither lists nor sees is gone where a list says so that covers as many people as before.
fn unlisted(sides: &Sides<'_>, org: &str) -> Gone {
    let lacks = |why: &str| Err(Missing::new(Class::List, Side::Now, why));
    let listed = |t: &&TokenReport| t.token.org == org && t.token.known_from.contains(&KnownFrom::Inventory);
    let list = sides.evidence_now(org);
    if list.is_none_or(|e| e.inventory_taken.is_none()) && !sides.now.tokens.iter().any(|t| listed(&t)) {
        return lacks("This run has no list of the organisation's tokens, and the log does not show it.");
    }
    if list.is_some_and(|e| !e.inventory_complete) {
        return lacks("This run's list is partial, and the log does not show the token.");
    }
    let users = sides.evidence_before(org).map_or(0, |e| e.users_listed);
    if list.is_some_and(|e| e.users_listed < users) {
        return lacks(
            "This run's list covers fewer users than that of the earlier run, and does not contain the token.",
        );
    }
    Ok("The token is no longer listed or seen.".to_owned())
}

fn unjudged_use(now: &TokenReport) -> String {
    format!("The token's use is not judged this time. {}", now.verdicts.usage.reason)
}

/// Why silence that was found before cannot be judged now, where it cannot.
fn unjudged(old: &Value, now: &TokenReport) -> Option<String> {
    if now.verdicts.usage.verdict == UseState::NotJudged {
        return Some(unjudged_use(now));
    }
    let scope = text(&old["evidence"], "scope")?;
    let granted = now.token.scopes.as_ref().is_none_or(|scopes| scopes.iter().any(|s| s == scope));
    let row = now.verdicts.scope.iter().find(|row| row.scope == scope);
    let unseen = row.is_none_or(|row| row.state == ScopeState::CannotBeSeen);
    (granted && unseen).then(|| format!("The use of {scope} could not be judged this time."))
}

#[cfg(test)]
mod tests {
    use super::super::tests::bundle;
    use super::*;
    use crate::output::sample;

    fn gone(old: &Value, earlier: &Report, now: &Report) -> Gone {
        let earlier = bundle(earlier);
        finding(&Sides::new(&earlier, now), old)
    }

    fn silence(report: &Report) -> (Value, usize) {
        let found = report.findings.iter().find(|f| f.detection == "PAT-S001").expect("one");
        let is_it = |t: &TokenReport| t.token.org == found.org && t.token.token_id == found.subject.id;
        let at = report.tokens.iter().position(is_it).expect("its token");
        let scope = report.tokens[at].verdicts.scope[2].scope.clone();
        let mut value = serde_json::to_value(crate::output::json::finding(found)).expect("JSON");
        value["evidence"]["scope"] = scope.into();
        (value, at)
    }

    fn class(gone: Gone) -> Option<Class> {
        gone.err().map(|missing| missing.class)
    }

    #[test]
    fn what_cannot_be_judged_any_more_is_not_resolved() {
        let before = sample::report();
        let mut now = before.clone();
        let (old, at) = silence(&now);
        now.tokens[at].verdicts.usage.verdict = UseState::Observed;
        now.tokens[at].verdicts.scope[2].state = ScopeState::Used;
        assert!(gone(&old, &before, &now).is_ok());
        now.tokens[at].verdicts.scope[2].state = ScopeState::CannotBeSeen;
        assert_eq!(class(gone(&old, &before, &now)), Some(Class::Log));
        now.tokens[at].token.scopes = Some(vec!["vso.code".into()]);
        assert!(gone(&old, &before, &now).is_ok(), "it no longer has the scope");
        now.tokens[at].verdicts.usage.verdict = UseState::NotJudged;
        let missing = gone(&old, &before, &now).expect_err("not judged");
        assert!(missing.why.contains("not judged"), "{missing:?}");
    }

    #[test]
    fn what_lies_before_the_window_or_has_no_time_is_not_resolved() {
        let now = sample::report();
        let found = now.findings.iter().find(|f| f.subject.kind != crate::model::finding::SubjectKind::Token);
        let mut old = serde_json::to_value(crate::output::json::finding(found.expect("one"))).expect("JSON");
        assert!(gone(&old, &now, &now).is_ok());
        for field in ["last_time", "first_time"] {
            let mut old = old.clone();
            old[field] = "2020-01-01T00:00:00Z".into();
            let missing = gone(&old, &now, &now).expect_err("before the window");
            assert!(missing.class == Class::Window && missing.why.contains("2020-01-01"), "{missing:?}");
        }
        (old["first_time"], old["last_time"]) = (Value::Null, Value::Null);
        assert_eq!(class(gone(&old, &now, &now)), Some(Class::Window));
    }

    #[test]
    fn a_token_that_no_list_could_name_is_not_resolved() {
        let before = sample::report();
        let mut now = before.clone();
        let (old, at) = silence(&now);
        let org = now.tokens[at].token.org.clone();
        now.tokens.remove(at);
        assert!(gone(&old, &before, &now).is_ok());
        for token in now.tokens.iter_mut().filter(|t| t.token.org == org) {
            token.token.known_from = vec![KnownFrom::Events];
        }
        now.population.iter_mut().for_each(|p| p.inventory_taken = None);
        assert_eq!(class(gone(&old, &before, &now)), Some(Class::List));
    }

    #[test]
    fn a_revoke_event_resolves_whatever_else_is_missing_and_an_end_by_list_does_not() {
        let before = sample::report();
        let mut now = before.clone();
        let (old, at) = silence(&now);
        now.evidence.clear();
        now.population.iter_mut().for_each(|p| (p.inventory_taken, p.complete) = (None, false));
        now.tokens[at].token.state = TokenState::Revoked;
        now.tokens[at].token.known_from = vec![KnownFrom::Events];
        now.tokens[at].token.revoked_at = None;
        assert_eq!(class(gone(&old, &before, &now)), Some(Class::List));
        now.tokens[at].token.revoked_at = Some(now.as_of);
        assert!(gone(&old, &before, &now).is_ok_and(|why| why.contains("revoked")));
    }
}
