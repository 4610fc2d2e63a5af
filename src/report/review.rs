//! What decisions do to a report: which findings they cover, whether they still hold, whether they were done.
//!
//! In: findings, tokens, decisions and the configuration's exceptions, as of the run. Out: marked findings and
//! one [`Standing`] a decision. A decision covers the `use`, `scope` and `hygiene` findings of its token, and
//! `anomaly` and `posture` findings only up to its date, so that none of them hides what came later.

use crate::model::decision::{Approval, Choice, Decision, Fixed};
use crate::model::finding::{Family, Finding, SubjectKind, Suppression};
use crate::model::time::{DAY, Micros, day_of, day_start, day_text};
use crate::model::token::{Token, TokenState};
use crate::model::verdict::{Action, Advice};
use std::collections::{BTreeMap, BTreeSet};

text_enum! {
    /// How a decision stands at the run's instant.
    Status {
        /// It holds.
        Holds = "holds",
        /// It holds no longer.
        Ended = "ended",
        /// What it asks for was done.
        Done = "done",
        /// What it asks for was not done.
        NotDone = "not done",
    }
}

/// The newest decision on a token, and how it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The decision.
    pub decision: Decision,
    /// Whether it still covers findings.
    pub holds: bool,
    /// How it stands.
    pub status: Status,
    /// One sentence on the status.
    pub note: String,
}

/// An exception of the configuration, and what it covers in this run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approved {
    /// The exception.
    pub approval: Approval,
    /// Whether it still covers findings.
    pub holds: bool,
    /// Findings that it covers.
    pub covers: u64,
    /// Findings that it names and does not cover, since they are newer than it, or undated.
    pub passes: u64,
}

/// What a run knows of decisions: those made up to its instant, in the order they came.
#[derive(Debug, Clone, Default)]
pub struct Decided {
    /// Of reviewers.
    pub decisions: Vec<Decision>,
    /// Of the configuration.
    pub approvals: Vec<Approval>,
}

type Key = (String, String);

/// Returns how the newest decision on each token stands. Among those of one day, the one that came last counts.
#[must_use]
pub fn standings<'a>(
    decisions: &[Decision],
    tokens: impl Iterator<Item = &'a Token>,
    as_of: Micros,
) -> (BTreeMap<Key, Standing>, Vec<Decision>) {
    let mut newest: BTreeMap<Key, &Decision> = BTreeMap::new();
    for decision in decisions.iter().filter(|d| day_start(d.decided_on) <= as_of) {
        let slot = newest.entry((decision.org.clone(), decision.token_id.clone())).or_insert(decision);
        if decision.decided_on >= slot.decided_on {
            *slot = decision;
        }
    }
    let mut standings = BTreeMap::new();
    for token in tokens {
        let key = (token.org.clone(), token.token_id.clone());
        if let Some(decision) = newest.remove(&key) {
            standings.insert(key, standing(decision, token, as_of));
        }
    }
    (standings, newest.into_values().cloned().collect())
}

fn standing(decision: &Decision, token: &Token, as_of: Micros) -> Standing {
    let day = |t: Micros| day_text(day_of(t));
    let changed = decision.state.changed(&Fixed::of(token));
    let over = decision.ends().is_some_and(|end| end <= as_of);
    let holds = !over && changed.is_none();
    let ended = match (&changed, decision.end_date) {
        (Some(what), _) => format!("It ended: {what}."),
        (None, Some(end)) if over => format!("It ended on {}.", day_text(end)),
        _ => String::new(),
    };
    let since = (as_of - day_start(decision.decided_on)).max(0) / DAY;
    let (since, later) = match since {
        0 => ("since".to_owned(), "as before".to_owned()),
        1 => ("in 1 day since".to_owned(), "1 day later".to_owned()),
        n => (format!("in {n} days since"), format!("{n} days later")),
    };
    let (status, note) = match decision.choice {
        Choice::Revoke => match token.state {
            TokenState::Revoked => (
                Status::Done,
                match token.revoked_at {
                    Some(at) if at < day_start(decision.decided_on) => {
                        format!("It was revoked on {}, before the decision.", day(at))
                    }
                    Some(at) => format!("A revoke event of {} shows it done.", day(at)),
                    None => "The inventory lists it as no longer valid; no revoke event is held.".to_owned(),
                },
            ),
            TokenState::Expired => (
                Status::Done,
                "No revoke event is held; the token has expired since, so nothing is left to do.".to_owned(),
            ),
            TokenState::Active | TokenState::Unknown => {
                (Status::NotDone, format!("Decided but not done: no revoke event {since}. {ended}"))
            }
        },
        Choice::Reduce => {
            let scopes = |text: &Option<String>| -> Option<BTreeSet<String>> {
                text.as_ref().map(|t| t.split_whitespace().map(str::to_owned).collect())
            };
            let now = Fixed::of(token);
            match (scopes(&decision.state.scopes), scopes(&now.scopes)) {
                _ if token.is_over() => (Status::Done, "The token is out of force.".to_owned()),
                (Some(then), Some(now)) if now.is_subset(&then) && now != then => {
                    (Status::Done, "Its scopes are fewer than they were.".to_owned())
                }
                (Some(then), Some(now)) if now == then => {
                    (Status::NotDone, format!("Decided but not done: the same scopes {later}. {ended}"))
                }
                _ if !holds => (Status::Ended, ended),
                _ => (
                    Status::Holds,
                    "Its scopes are not known, so nobody can tell whether it was done.".to_owned(),
                ),
            }
        }
        Choice::Keep | Choice::Exception if holds => (
            Status::Holds,
            decision.end_date.map_or_else(
                || "It holds until the token changes.".to_owned(),
                |end| format!("It holds until {}, or until the token changes.", day_text(end)),
            ),
        ),
        Choice::Keep | Choice::Exception => (Status::Ended, ended),
    };
    Standing { decision: decision.clone(), holds, status, note: note.trim_end().to_owned() }
}

/// Marks every finding that a decision or an exception covers.
pub fn suppress(
    findings: &mut [Finding],
    standings: &BTreeMap<Key, Standing>,
    approvals: &[Approval],
    as_of: Micros,
) -> Vec<Approved> {
    let mut approved: Vec<Approved> = approvals
        .iter()
        .filter(|a| a.approved_on.is_none_or(|day| day_start(day) <= as_of))
        .map(|a| Approved { approval: a.clone(), holds: as_of < a.ends(), covers: 0, passes: 0 })
        .collect();
    for finding in findings {
        let key = (finding.org.clone(), finding.subject.id.clone());
        let standing = standings.get(&key).filter(|s| s.holds && finding.subject.kind == SubjectKind::Token);
        if let Some(Standing { decision, .. }) = standing
            && covers(finding, Some(decision.weighed_until()))
        {
            finding.suppressed = Some(Suppression {
                decision: decision.choice.as_str().to_owned(),
                reviewer: decision.reviewer.clone(),
                until: decision.ends(),
                decided_on: Some(decision.decided_on),
                reason: decision.reason.clone(),
            });
        }
        for one in &mut approved {
            if !names(&one.approval, finding) {
                continue;
            }
            let weighed = one.approval.approved_on.map(|day| day_start(day + 1) - 1);
            if !one.holds || !covers(finding, weighed) {
                one.passes += 1;
                continue;
            }
            one.covers += 1;
            if finding.suppressed.is_none() {
                finding.suppressed = Some(Suppression {
                    decision: Choice::Exception.as_str().to_owned(),
                    reviewer: one.approval.owner.clone(),
                    until: Some(one.approval.ends()),
                    decided_on: one.approval.approved_on,
                    reason: one.approval.reason.clone(),
                });
            }
        }
    }
    approved
}

/// Tells whether a decision that weighed everything up to an instant covers the finding.
fn covers(finding: &Finding, weighed_until: Option<Micros>) -> bool {
    match finding.family {
        Family::Use | Family::Scope | Family::Hygiene => true,
        // What has no date may be newer than any decision.
        Family::Anomaly | Family::Posture => {
            weighed_until.zip(finding.last_time).is_some_and(|(until, last)| last <= until)
        }
    }
}

fn names(approval: &Approval, finding: &Finding) -> bool {
    [finding.detection.as_str(), finding.slug.as_str(), finding.family.as_str()]
        .contains(&approval.detection.as_str())
        && approval.subject.eq_ignore_ascii_case(&finding.subject.id)
        && approval.org.as_ref().is_none_or(|org| *org == finding.org)
}

/// Returns the advice after a decision. A revoke that was decided is advised until it is done; a token that is
/// kept is not put to its owner again, unless something came up that the reviewer could not have weighed.
#[must_use]
pub fn settle(advice: Advice, token: &Token, standing: Option<&Standing>, findings: &[&Finding]) -> Advice {
    let Some(Standing { decision, holds, status, .. }) = standing else { return advice };
    let on = day_text(decision.decided_on);
    let open = |family: Family| findings.iter().any(|f| f.suppressed.is_none() && f.family == family);
    match decision.choice {
        Choice::Revoke if *status == Status::NotDone && !token.is_over() => Advice::new(
            Action::Revoke,
            format!(
                "{} decided on {on} to revoke it ({}); no revoke event is held since.",
                decision.reviewer, decision.reason
            ),
        ),
        Choice::Reduce if *holds && *status == Status::NotDone && advice.action != Action::Revoke => {
            Advice::new(
                Action::Reduce,
                format!(
                    "{} decided on {on} to reduce it ({}); its scopes are still the same.",
                    decision.reviewer, decision.reason
                ),
            )
        }
        Choice::Keep | Choice::Exception if *holds && !token.is_over() && !open(Family::Anomaly) => {
            let until = decision.end_date.map(|d| format!(", until {}", day_text(d))).unwrap_or_default();
            let action = if decision.choice == Choice::Keep { Action::None } else { Action::Watch };
            let word = if decision.choice == Choice::Keep { "keep it" } else { "make an exception" };
            let reason =
                format!("{} decided on {on} to {word}{until}: {}", decision.reviewer, decision.reason);
            Advice::new(action, reason)
        }
        _ => advice,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::tests_support::token;
    use crate::model::finding::{Confidence, Severity, Subject};

    const NOW: Micros = 100 * DAY;

    fn decision(choice: Choice, token: &Token) -> Decision {
        Decision {
            org: token.org.clone(),
            token_id: token.token_id.clone(),
            choice,
            reviewer: "ann".into(),
            decided_on: 90,
            reason: "because".into(),
            end_date: None,
            seen_until: 90 * DAY + 5,
            state: Fixed::of(token),
        }
    }

    fn finding(family: Family, token: &Token, last: Option<Micros>) -> Finding {
        Finding {
            fingerprint: format!("{family}"),
            detection: "PAT-X001".into(),
            slug: "x".into(),
            family,
            severity: Severity::High,
            confidence: Confidence::High,
            org: token.org.clone(),
            subject: Subject { kind: SubjectKind::Token, id: token.token_id.clone(), name: None },
            owner: None,
            first_time: None,
            last_time: last,
            count: 1,
            message: String::new(),
            evidence: serde_json::Map::new(),
            event_ids: vec![],
            fix: "".into(),
            controls: Vec::new().into(),
            attack: Vec::new().into(),
            suppressed: None,
            claims: Vec::new(),
        }
    }

    fn one(decision: Decision, token: &Token) -> Standing {
        let (standings, lost) = standings(&[decision], std::iter::once(token), NOW);
        assert!(lost.is_empty());
        standings.into_values().next().expect("a standing")
    }

    #[test]
    fn decisions_cover_standing_findings_and_only_earlier_anomalies() {
        let t = token("vso.code");
        for choice in Choice::ALL {
            let (known, _) = standings(&[decision(*choice, &t)], std::iter::once(&t), NOW);
            let mut findings = vec![
                finding(Family::Use, &t, Some(NOW)),
                finding(Family::Scope, &t, None),
                finding(Family::Hygiene, &t, Some(NOW)),
                finding(Family::Anomaly, &t, Some(90 * DAY + 5)),
                finding(Family::Anomaly, &t, Some(90 * DAY + 6)),
                finding(Family::Posture, &t, None),
            ];
            findings.push(Finding { org: "other".into(), ..finding(Family::Use, &t, None) });
            suppress(&mut findings, &known, &[], NOW);
            let marked: Vec<bool> = findings.iter().map(|f| f.suppressed.is_some()).collect();
            assert_eq!(marked, [true, true, true, true, false, false, false], "{choice}");
        }
    }

    #[test]
    fn the_newest_decision_counts_and_later_ones_do_not_exist() {
        let t = token("vso.code");
        let old = Decision { decided_on: 80, ..decision(Choice::Revoke, &t) };
        let new = decision(Choice::Keep, &t);
        let same_day = Decision { reviewer: "bo".into(), ..decision(Choice::Exception, &t) };
        let future = Decision { decided_on: 101, ..decision(Choice::Revoke, &t) };
        let pick = |list: &[Decision]| {
            let (s, _) = standings(list, std::iter::once(&t), NOW);
            s.into_values().next().map(|s| s.decision.choice)
        };
        assert_eq!(pick(&[new.clone(), old.clone(), future.clone()]), Some(Choice::Keep));
        assert_eq!(pick(&[new.clone(), same_day.clone()]), Some(Choice::Exception));
        assert_eq!(pick(&[same_day, new]), Some(Choice::Keep));
        assert_eq!(pick(&[future]), None);
        let (_, lost) = standings(&[old], std::iter::empty(), NOW);
        assert_eq!(lost.len(), 1);
    }

    #[test]
    fn a_decision_ends_on_its_day_or_with_the_state_it_was_made_on() {
        let t = token("vso.code");
        let until = |end_date| Decision { end_date: Some(end_date), ..decision(Choice::Exception, &t) };
        assert!(one(until(100), &t).holds, "through its last day");
        let ended = one(until(99), &t);
        assert!(
            !ended.holds && ended.status == Status::Ended && ended.note.contains("1970-04-10"),
            "{ended:?}"
        );
        let mut wider = t.clone();
        wider.scopes = Some(vec!["vso.code_full".into()]);
        let ended = one(decision(Choice::Keep, &t), &wider);
        assert!(!ended.holds && ended.note.contains("scopes changed"), "{ended:?}");
    }

    #[test]
    fn revokes_and_reductions_are_checked() {
        let t = token("vso.build vso.code");
        let late = one(decision(Choice::Revoke, &t), &t);
        assert_eq!(late.status, Status::NotDone);
        assert!(late.note.contains("10 days"), "{}", late.note);
        let advice = Advice::new(Action::AskOwner, "");
        let advice = settle(advice, &t, Some(&late), &[]);
        assert_eq!(advice.action, Action::Revoke);
        let mut gone = t.clone();
        gone.state = TokenState::Revoked;
        gone.revoked_at = Some(91 * DAY);
        let done = one(decision(Choice::Revoke, &t), &gone);
        assert!(done.status == Status::Done && !done.holds && done.note.contains("1970-04-02"), "{done:?}");
        assert_eq!(one(decision(Choice::Reduce, &t), &t).status, Status::NotDone);
        let mut less = t.clone();
        less.scopes = Some(vec!["vso.code".into()]);
        assert_eq!(one(decision(Choice::Reduce, &t), &less).status, Status::Done);
    }

    #[test]
    fn keep_settles_the_advice_until_something_new_comes_up() {
        let t = token("vso.code");
        let standing = one(decision(Choice::Keep, &t), &t);
        let advice = || Advice::new(Action::AskOwner, "");
        assert_eq!(settle(advice(), &t, Some(&standing), &[]).action, Action::None);
        let later = finding(Family::Anomaly, &t, Some(NOW));
        assert_eq!(settle(advice(), &t, Some(&standing), &[&later]).action, Action::AskOwner);
    }

    #[test]
    fn exceptions_follow_the_same_rules_and_come_back_when_they_end() {
        let t = token("vso.code");
        let approval = |detection: &str, approved_on, end_date| Approval {
            detection: detection.into(),
            subject: t.token_id.to_uppercase(),
            org: None,
            owner: "platform".into(),
            reason: "planned".into(),
            approved_on,
            end_date,
        };
        let run = |approval: Approval, finding: Finding| {
            let mut findings = [finding];
            let approved = suppress(&mut findings, &BTreeMap::new(), &[approval], NOW);
            let covers = approved.first().map_or(0, |a| a.covers);
            assert_eq!(covers == 1, findings[0].suppressed.is_some());
            covers == 1
        };
        let (hygiene, anomaly) =
            (finding(Family::Hygiene, &t, Some(NOW)), finding(Family::Anomaly, &t, Some(95 * DAY)));
        assert!(run(approval("hygiene", None, 100), hygiene.clone()));
        assert!(run(approval("PAT-X001", None, 100), hygiene.clone()));
        assert!(!run(approval("x", None, 99), hygiene.clone()), "expired");
        assert!(!run(approval("x", Some(101), 200), hygiene), "not yet approved");
        assert!(!run(approval("x", None, 200), anomaly.clone()), "an anomaly needs the day of approval");
        assert!(run(approval("x", Some(95), 200), anomaly.clone()));
        assert!(!run(approval("x", Some(94), 200), anomaly), "later than the approval");
    }
}
