//! What decisions do to a report: which findings they cover, whether they still hold, whether they were done.
//!
//! In: findings, tokens, decisions and the configuration's exceptions, as of the run. Out: marked findings and
//! one [`Standing`] a decision. A decision covers the `use`, `scope` and `hygiene` findings of its token, and
//! `anomaly` and `posture` findings only up to its date, so that none of them hides what came later.

mod completeness;
mod reduction;
mod refusal;
mod standing;

use crate::model::decision::{Approval, Choice, Decision};
use crate::model::finding::{Family, Finding, SubjectKind, Suppression};
use crate::model::review_period::Period;
use crate::model::time::{Day, Micros, day_start, day_text};
use crate::model::token::Token;
use crate::model::verdict::{Action, Advice};
use std::collections::{BTreeMap, HashMap};

pub use completeness::{Completeness, Progress, in_force, progress};
pub use refusal::{ACCEPTED, GRAVE, Grave, enforce, grave, is_accepted};
pub use standing::{Key, Standing, Status, standings};

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
    /// Days after which a revoke or reduction that is not done counts again.
    pub grace_days: Day,
    /// Days after which a decision to keep ends, where the configuration limits it.
    pub keep_days: Option<Day>,
    /// The days whose decisions count for completeness.
    pub period: Option<Period>,
}

/// Marks every finding that a decision or an exception covers.
pub fn suppress(
    findings: &mut [Finding],
    standings: &BTreeMap<Key, Standing>,
    grave: &HashMap<Key, Grave>,
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
        let standing = standings
            .get(&key)
            .filter(|s| s.holds && !s.overdue && finding.subject.kind == SubjectKind::Token);
        if let Some(standing) = standing
            && let Standing { decision, reviewer_is_owner, .. } = standing
            && covers(finding, Some(decision.weighed_until()))
        {
            finding.suppressed = Some(Suppression {
                decision: decision.choice.as_str().to_owned(),
                reviewer: decision.reviewer.clone(),
                until: standing.ends(),
                decided_on: Some(decision.decided_on),
                reason: decision.reason.clone(),
                reviewer_is_owner: *reviewer_is_owner,
            });
        }
        for one in &mut approved {
            if !names(&one.approval, finding) {
                continue;
            }
            let weighed = one.approval.approved_on.map(|day| day_start(day + 1) - 1);
            // Who approves by name or in general has not looked at the leak of this token.
            let is_unseen = one.approval.is_broad(&finding.subject.id) && grave.contains_key(&key);
            if !one.holds || is_unseen || !covers(finding, weighed) {
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
                    reviewer_is_owner: false,
                });
            }
        }
    }
    approved
}

/// Tells whether a decision that weighed everything up to an instant covers the finding.
pub(super) fn covers(finding: &Finding, weighed_until: Option<Micros>) -> bool {
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
        && approval.names(&finding.subject.id, finding.subject.name.as_deref())
        && approval.org.as_ref().is_none_or(|org| *org == finding.org)
}

/// Returns the advice after a decision. A revoke that was decided is advised until it is done; a token that is
/// kept is not put to its owner again, unless something came up that the reviewer could not have weighed.
#[must_use]
pub fn settle(advice: Advice, token: &Token, standing: Option<&Standing>, findings: &[&Finding]) -> Advice {
    let Some(standing) = standing else { return advice };
    let Standing { decision, holds, status, .. } = standing;
    let who = standing.who();
    let on = day_text(decision.decided_on);
    let open = |family: Family| findings.iter().any(|f| f.suppressed.is_none() && f.family == family);
    match decision.choice {
        Choice::Revoke if *status == Status::NotDone && !token.is_over() => Advice::new(
            Action::Revoke,
            format!(
                "{who} decided on {on} to revoke it ({}); no revoke event is held since.",
                decision.reason
            ),
        ),
        Choice::Reduce if *holds && *status == Status::NotDone && advice.action != Action::Revoke => {
            Advice::new(
                Action::Reduce,
                format!("{who} decided on {on} to reduce it ({}). {}", decision.reason, standing.note),
            )
        }
        Choice::Keep | Choice::Exception if *holds && !token.is_over() && !open(Family::Anomaly) => {
            let until = standing.until.map(|d| format!(", until {}", day_text(d))).unwrap_or_default();
            let action = if decision.choice == Choice::Keep { Action::None } else { Action::Watch };
            let word = if decision.choice == Choice::Keep { "keep it" } else { "make an exception" };
            let reason = format!("{who} decided on {on} to {word}{until}: {}", decision.reason);
            Advice::new(action, reason)
        }
        _ => advice,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::tests_support::token;
    use crate::model::claim::{Claim, Field, Join, Source};
    use crate::model::decision::Fixed;
    use crate::model::finding::{Confidence, Severity, Subject};
    use crate::model::time::DAY;
    use crate::model::token::TokenState;

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
            detections: None,
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
            list: Vec::new(),
        }
    }

    fn one(decision: Decision, token: &Token) -> Standing {
        let (standings, lost) = standings(&[decision], std::iter::once(token), None, NOW);
        assert!(lost.is_empty());
        standings.into_values().next().expect("a standing")
    }

    #[test]
    fn decisions_cover_standing_findings_and_only_earlier_anomalies() {
        let t = token("vso.code");
        for choice in Choice::ALL {
            let (known, _) = standings(&[decision(*choice, &t)], std::iter::once(&t), None, NOW);
            let mut findings = vec![
                finding(Family::Use, &t, Some(NOW)),
                finding(Family::Scope, &t, None),
                finding(Family::Hygiene, &t, Some(NOW)),
                finding(Family::Anomaly, &t, Some(90 * DAY + 5)),
                finding(Family::Anomaly, &t, Some(90 * DAY + 6)),
                finding(Family::Posture, &t, None),
            ];
            findings.push(Finding { org: "other".into(), ..finding(Family::Use, &t, None) });
            suppress(&mut findings, &known, &HashMap::new(), &[], NOW);
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
            let (s, _) = standings(list, std::iter::once(&t), None, NOW);
            s.into_values().next().map(|s| s.decision.choice)
        };
        assert_eq!(pick(&[new.clone(), old.clone(), future.clone()]), Some(Choice::Keep));
        assert_eq!(pick(&[new.clone(), same_day.clone()]), Some(Choice::Exception));
        assert_eq!(pick(&[same_day, new]), Some(Choice::Keep));
        assert_eq!(pick(&[future]), None);
        let (_, lost) = standings(&[old], std::iter::empty(), None, NOW);
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
    fn a_keep_ends_after_the_days_that_the_configuration_gives_it() {
        let t = token("vso.code");
        let of = |decision: Decision, days| {
            let (all, _) = standings(&[decision], std::iter::once(&t), Some(days), NOW);
            all.into_values().next().expect("a standing")
        };
        let holds = of(decision(Choice::Keep, &t), 10);
        assert!(holds.holds && holds.until == Some(100) && holds.note.contains("1970-04-11"), "{holds:?}");
        let ended = of(decision(Choice::Keep, &t), 9);
        assert!(!ended.holds && ended.status == Status::Ended, "{ended:?}");
        assert!(ended.note.contains("1970-04-10") && ended.note.contains("keep_days = 9"), "{}", ended.note);
        assert_eq!(ended.decision.end_date, None, "what the reviewer wrote stays");
        // A shorter end of the reviewer's own counts, a longer one does not; only a keep is limited.
        let until = |end| Decision { end_date: Some(end), ..decision(Choice::Keep, &t) };
        assert_eq!((of(until(95), 30).until, of(until(400), 30).until), (Some(95), Some(120)));
        let exception = Decision { choice: Choice::Exception, ..until(400) };
        assert_eq!(of(exception, 30).until, Some(400));
    }

    #[test]
    fn advice_says_that_the_reviewer_is_the_owner() {
        let t = token("vso.code");
        for choice in Choice::ALL {
            let mut standing = one(decision(*choice, &t), &t);
            standing.reviewer_is_owner = true;
            let advice = settle(Advice::new(Action::AskOwner, ""), &t, Some(&standing), &[]);
            assert!(advice.reason.contains("ann (the owner) decided"), "{choice}: {}", advice.reason);
        }
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

    fn enforced(decision: Decision, token: &Token, findings: &[Finding], grace: Day) -> Standing {
        let (mut known, _) = standings(std::slice::from_ref(&decision), std::iter::once(token), None, NOW);
        enforce(&mut known, &grave(std::iter::once(token), findings), grace, NOW);
        known.into_values().next().expect("a standing")
    }

    #[test]
    fn a_token_that_others_know_cannot_be_kept() {
        let plain = token("vso.build vso.code");
        let mut leaked = plain.clone();
        leaked.leaked_at = Some(80 * DAY);
        let mut revoked = plain.clone();
        (revoked.state, revoked.revoked_at) = (TokenState::Revoked, Some(70 * DAY));
        let hit = |slug: &str| Finding {
            slug: slug.into(),
            first_time: Some(85 * DAY),
            ..finding(Family::Anomaly, &plain, Some(85 * DAY))
        };
        let cases = [
            (&leaked, vec![], "found in public on 1970-03-22"),
            (&plain, vec![hit("attack-tool")], "used with an attack tool on 1970-03-27"),
            (&revoked, vec![hit("used-after-its-end")], "used after it was revoked on 1970-03-27"),
        ];
        for (token, findings, why) in &cases {
            let keep = enforced(decision(Choice::Keep, token), token, findings, 14);
            assert!(keep.status == Status::Refused && !keep.holds, "{keep:?}");
            assert!(keep.note.contains(why) && keep.note.contains(ACCEPTED), "{}", keep.note);
            let bound = Decision { end_date: Some(120), ..decision(Choice::Exception, token) };
            assert!(enforced(bound, token, findings, 14).holds, "an exception that ends");
            let unbound = enforced(decision(Choice::Exception, token), token, findings, 14);
            assert_eq!(unbound.status, Status::Refused);
        }
        assert_eq!(enforced(decision(Choice::Reduce, &leaked), &leaked, &[], 14).status, Status::Refused);
        assert_ne!(enforced(decision(Choice::Revoke, &leaked), &leaked, &[], 14).status, Status::Refused);
        // By name alone it may be another token's leak; after its end date nobody revoked it.
        let claim = Claim::new(Field::Leaked, "", leaked.leaked_at, Source::Event).joined(Join::OwnerAndName);
        let named = Token { claims: vec![claim], ..leaked.clone() };
        assert!(enforced(decision(Choice::Keep, &named), &named, &[], 14).holds);
        assert!(enforced(decision(Choice::Keep, &plain), &plain, &[hit("used-after-its-end")], 14).holds);
        // What came after the decision ends it.
        let later = Finding { first_time: Some(95 * DAY), ..hit("attack-tool") };
        let ended = enforced(decision(Choice::Keep, &plain), &plain, &[later], 14);
        assert!(ended.status == Status::Ended && !ended.holds, "{ended:?}");
    }

    #[test]
    fn what_is_not_done_in_time_counts_again() {
        let t = token("vso.code");
        let covered = |grace| {
            let standing = enforced(decision(Choice::Revoke, &t), &t, &[], grace);
            let known = BTreeMap::from([((t.org.clone(), t.token_id.clone()), standing.clone())]);
            let mut findings = [finding(Family::Use, &t, None)];
            suppress(&mut findings, &known, &HashMap::new(), &[], NOW);
            (findings[0].suppressed.is_some(), standing)
        };
        let (hidden, standing) = covered(10);
        assert!(hidden && !standing.overdue, "{standing:?}");
        let (hidden, standing) = covered(9);
        assert!(
            !hidden && standing.overdue && standing.note.contains("overdue since 1970-04-11"),
            "{standing:?}"
        );
    }

    #[test]
    fn a_reviewer_who_is_the_owner_is_marked() {
        let t = token("vso.code");
        for (reviewer, is_owner) in [
            ("Ann@X.example", true),
            ("BBBBBBBB-0000-1111-2222-333333333333", true),
            ("bo@x.example", false),
            ("", false),
        ] {
            let decision = Decision { reviewer: reviewer.into(), ..decision(Choice::Keep, &t) };
            let standing = one(decision, &t);
            assert_eq!(standing.reviewer_is_owner, is_owner, "{reviewer}");
            assert_eq!(standing.who().ends_with("(the owner)"), is_owner);
        }
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
            let approved = suppress(&mut findings, &BTreeMap::new(), &HashMap::new(), &[approval], NOW);
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

    #[test]
    fn an_exception_by_name_or_for_all_leaves_leaked_tokens_alone() {
        let t = token("vso.code");
        let approval = |subject: &str| Approval {
            detection: "PAT-X001".into(),
            subject: subject.into(),
            org: None,
            owner: "ann".into(),
            reason: "because".into(),
            approved_on: Some(90),
            end_date: 120,
        };
        let mut named = finding(Family::Hygiene, &t, None);
        named.subject.name = Some("Build".into());
        let covers = |subject: &str, grave: &HashMap<Key, Grave>| {
            let mut findings = [named.clone()];
            suppress(&mut findings, &BTreeMap::new(), grave, &[approval(subject)], NOW);
            findings[0].suppressed.is_some()
        };
        let plain = HashMap::new();
        assert!(covers("build", &plain) && covers("*", &plain) && covers(&t.token_id, &plain));
        assert!(!covers("buil", &plain));
        let leaked = Token { leaked_at: Some(80 * DAY), ..t.clone() };
        let grave = grave(std::iter::once(&leaked), &[]);
        assert!(!covers("build", &grave) && !covers("*", &grave) && covers(&t.token_id, &grave));
    }
}
