//! What must be contained now: critical findings, high ones that are certain, and what weakened the guards of an organisation.
//!
//! In: a report. Out: one entry a token, person or organisation, the worst first, with what happened hour by hour and the first
//! step. Decisions take a finding out; the same fact is said once.

use super::{Report, TokenReport};
use crate::model::event_id::EventId;
use crate::model::finding::{Confidence, Family, Finding, Severity, Subject, SubjectKind};
use crate::model::time::{HOUR, Micros};
use crate::model::verdict::Action;
use hashbrown::HashMap;
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashSet};

/// Slugs that belong here whatever their severity: who can give rights away may be the next step of an intrusion.
const ALWAYS: [&str; 2] = ["administrator-added", "administrator-added-by-token"];
/// Slug of use after a revoke or end: the one thing on a token that is over and still to be stopped.
const AFTER_ITS_END: &str = "used-after-its-end";
/// Slug of attack tools.
const ATTACK_TOOL: &str = "attack-tool";
/// Slugs that say what was done to the organisation, or that the token is known to others. They come before what was merely new
/// about a token, and their fix is the first step.
const EFFECTS: [&str; 10] = [
    ATTACK_TOOL,
    "used-after-leak",
    "used-by-another-person",
    "stream-touched-by-token",
    "administrator-added-by-token",
    AFTER_ITS_END,
    "used-after-owner-left",
    "reach-widened",
    "scopes-widened",
    "leaked",
];
/// Columns of the evidence that name the place and the deed of a finding.
const NAMED: [&str; 5] = ["network", "place", "client", "action", "value"];
/// Facts that a story tells.
const MAX_FACTS: usize = 3;

/// What happened to one subject within an hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Story {
    /// When it began; nothing of a state.
    pub since: Option<Micros>,
    /// Its facts, the worst first, without the name of the subject.
    pub facts: Vec<String>,
    /// Findings of the same hour that it does not tell.
    pub more: usize,
}

/// One thing to contain.
#[derive(Debug, Clone, PartialEq)]
pub struct Contain {
    /// Organisation.
    pub org: String,
    /// Token, person or organisation.
    pub subject: Subject,
    /// Owner of the token.
    pub owner: Option<String>,
    /// Position in [`Report::tokens`].
    pub token: Option<usize>,
    /// Worst severity.
    pub severity: Severity,
    /// Risk of the token, where it is one.
    pub risk: f64,
    /// What happened, oldest first.
    pub stories: Vec<Story>,
    /// The first thing to do.
    pub first_step: String,
    /// The newest event.
    pub last: Option<Micros>,
}

impl Contain {
    /// Returns the name of the subject, else its id.
    #[must_use]
    pub fn label(&self) -> &str {
        self.subject.name.as_deref().filter(|n| !n.trim().is_empty()).unwrap_or(&self.subject.id)
    }
}

/// Returns what to contain, the worst first.
#[must_use]
pub fn contain(report: &Report) -> Vec<Contain> {
    let tokens: HashMap<(&str, &str), usize> = report
        .tokens
        .iter()
        .enumerate()
        .map(|(i, t)| ((t.token.org.as_str(), t.token.token_id.as_str()), i))
        .collect();
    let token_of = |f: &Finding| {
        let is_token = f.subject.kind == SubjectKind::Token;
        tokens.get(&(f.org.as_str(), f.subject.id.as_str())).copied().filter(|_| is_token)
    };
    let urgent: Vec<&Finding> =
        report.findings.iter().filter(|f| is_urgent(f, token_of(f).map(|at| &report.tokens[at]))).collect();
    // What a token did is told of the token, and not again of the person whose token it is.
    let by_tokens: HashSet<&EventId> =
        urgent.iter().filter(|f| token_of(f).is_some()).flat_map(|f| &f.event_ids).collect();
    let mut of: BTreeMap<(&str, SubjectKind, &str), Vec<&Finding>> = BTreeMap::new();
    for finding in urgent.iter().copied() {
        let is_told =
            !finding.event_ids.is_empty() && finding.event_ids.iter().all(|id| by_tokens.contains(id));
        if token_of(finding).is_some() || !is_told {
            of.entry((&finding.org, finding.subject.kind, &finding.subject.id)).or_default().push(finding);
        }
    }
    let mut all: Vec<Contain> = of
        .into_values()
        .filter_map(|mut findings| {
            // A leak that was used says that it is a leak.
            if findings.iter().any(|f| f.slug == "used-after-leak") {
                findings.retain(|f| f.slug != "leaked");
            }
            findings.sort_by_key(|f| (Reverse(f.severity), Reverse(f.confidence), f.detection.clone()));
            let worst = *findings.first()?;
            let step = findings.iter().min_by_key(|f| effect(f)).filter(|f| effect(f) < EFFECTS.len());
            let token = token_of(worst);
            Some(Contain {
                org: worst.org.clone(),
                subject: worst.subject.clone(),
                owner: worst.owner.clone().filter(|_| worst.subject.kind == SubjectKind::Token),
                token,
                severity: worst.severity,
                risk: token.map_or(0.0, |at| report.tokens[at].verdicts.risk),
                first_step: first_step(step.copied().unwrap_or(worst), token.map(|at| &report.tokens[at])),
                last: findings.iter().filter_map(|f| f.last_time).max(),
                stories: stories(&findings),
            })
        })
        .collect();
    all.sort_by(|a, b| b.severity.cmp(&a.severity).then(b.risk.total_cmp(&a.risk)).then(b.last.cmp(&a.last)));
    all
}

/// The place of a finding among the effects, or behind them.
fn effect(finding: &Finding) -> usize {
    EFFECTS.iter().position(|slug| *slug == finding.slug).unwrap_or(EFFECTS.len())
}

/// Returns true if a text names the place and the deed of a finding already.
fn is_told(finding: &Finding, text: &str) -> bool {
    let mut named = NAMED.iter().filter_map(|c| finding.evidence.get(*c)?.as_str()).peekable();
    named.peek().is_some() && named.all(|value| text.contains(value))
}

fn is_urgent(finding: &Finding, token: Option<&TokenReport>) -> bool {
    if finding.suppressed.is_some() || !matches!(finding.family, Family::Anomaly | Family::Posture) {
        return false;
    }
    let is_over = token.is_some_and(|t| t.token.is_over());
    match finding.severity {
        Severity::Critical => true,
        _ if ALWAYS.contains(&finding.slug.as_str()) => true,
        // Nothing is left to stop on a token that is over and was not used since.
        Severity::High if is_over && finding.slug != AFTER_ITS_END => false,
        // A claim that is joined by a name may be about another token.
        Severity::High => {
            finding.claims.iter().all(|c| c.join.certainty() == Confidence::High)
                && token.is_none_or(|t| !t.token.joined_by_name)
        }
        _ => false,
    }
}

/// What to do first. The word "revoke" stands alone only where the advice on the token says it too.
fn first_step(worst: &Finding, token: Option<&TokenReport>) -> String {
    let Some(token) = token else { return worst.fix.to_string() };
    if worst.slug == ATTACK_TOOL && token.verdicts.advice.action != Action::Revoke {
        return "Ask the security team whether anyone there ran it; if nobody did, revoke the token and end the sessions of its owner."
            .to_owned();
    }
    if token.token.is_over() && worst.slug != AFTER_ITS_END {
        return "It is out of force: review what it did before that.".to_owned();
    }
    let says_revoke = worst.fix.starts_with("Revoke");
    if says_revoke && token.verdicts.advice.action != Action::Revoke {
        return "Ask its owner at once, and revoke it unless they vouch for this use.".to_owned();
    }
    worst.fix.to_string()
}

/// Tells findings of one subject hour by hour; `findings` come the worst first.
fn stories(findings: &[&Finding]) -> Vec<Story> {
    let mut timed: Vec<&Finding> = findings.to_vec();
    timed.sort_by_key(|f| f.first_time.or(f.last_time));
    let mut hours: Vec<(Option<Micros>, Vec<&Finding>)> = Vec::new();
    for finding in timed {
        let at = finding.first_time.or(finding.last_time);
        match hours.last_mut() {
            Some((since, of)) if at.zip(*since).map_or(at == *since, |(at, since)| at - since <= HOUR) => {
                of.push(finding);
            }
            _ => hours.push((at, vec![finding])),
        }
    }
    let tell = |(since, mut of): (Option<Micros>, Vec<&Finding>)| {
        of.sort_by_key(|f| (f.is_sum(), effect(f), Reverse(f.severity), f.detection.clone()));
        if of.iter().any(|f| !f.is_sum()) {
            of.retain(|f| !f.is_sum());
        }
        let mut facts: Vec<String> = Vec::new();
        for finding in &of {
            let fact = finding.fact().trim_end_matches('.').to_owned();
            let told = facts.contains(&fact) || is_told(finding, &facts.join(" "));
            if !told && facts.len() < MAX_FACTS {
                facts.push(fact);
            }
        }
        Story { since, more: of.len() - facts.len(), facts }
    };
    hours.into_iter().map(tell).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::tests_support::finding;
    use crate::output::sample;
    use std::sync::Arc;

    /// The sample with these findings alone, all about its first token.
    fn with(findings: impl IntoIterator<Item = Finding>) -> Report {
        let mut report = sample::report();
        let token = &mut report.tokens[0].token;
        token.name = Some("job".into());
        token.owner = Some("ann".into());
        token.state = crate::model::token::TokenState::Active;
        token.joined_by_name = false;
        let (org, id) = (token.org.clone(), token.token_id.clone());
        let about = |f: Finding| Finding {
            org: org.clone(),
            subject: match f.subject.kind {
                SubjectKind::Token => Subject { id: id.clone(), name: Some("job".into()), ..f.subject },
                _ => f.subject,
            },
            owner: Some("ann".into()),
            fix: Arc::from("Do this first."),
            ..f
        };
        report.findings = findings.into_iter().map(about).collect();
        report
    }

    fn said(slug: &str, severity: Severity, hour: i64, fact: &str) -> Finding {
        Finding {
            slug: slug.into(),
            severity,
            first_time: Some(hour * HOUR),
            last_time: Some(hour * HOUR + 1),
            message: format!("The token 'job' of ann {fact}."),
            ..finding()
        }
    }

    #[test]
    fn a_token_is_one_entry_and_an_hour_one_story_without_its_name_again() {
        let report = with([
            said("a", Severity::High, 5, "was used from a network"),
            said("used-after-leak", Severity::Critical, 5, "was found in public"),
            said("several-findings", Severity::High, 5, "drew 5 findings"),
            said("b", Severity::High, 9, "did something else"),
        ]);
        let all = contain(&report);
        assert_eq!(all.len(), 1, "{all:?}");
        let told: Vec<String> = all[0].stories.iter().map(|s| s.facts.join("; ")).collect();
        assert_eq!(told, ["was found in public; was used from a network", "did something else"]);
        assert_eq!(all[0].severity, Severity::Critical);
    }

    #[test]
    fn posture_and_added_administrators_are_part_of_it_and_doubtful_or_decided_findings_are_not() {
        use crate::model::claim::{Claim, Field, Join, Source};
        let by = |kind: SubjectKind, slug: &str, severity| Finding {
            subject: Subject { kind, id: "zoe".into(), name: None },
            family: Family::Posture,
            slug: slug.into(),
            severity,
            message: "zoe switched auditing off.".into(),
            ..finding()
        };
        let report = with([
            by(SubjectKind::User, "administrator-added", Severity::Medium),
            by(SubjectKind::Org, "auditing-off", Severity::Critical),
        ]);
        let all = contain(&report);
        assert_eq!(
            all.iter().map(|c| c.severity).collect::<Vec<_>>(),
            [Severity::Critical, Severity::Medium]
        );
        assert_eq!(all[0].first_step, "Do this first.");
        assert_eq!(all[0].stories[0].facts, ["switched auditing off"]);

        let high = said("x", Severity::High, 1, "did it");
        let claim = |join| Claim::new(Field::Leaked, "x", Some(1), Source::Event).joined(join);
        for (finding, counts) in [
            (high.clone(), true),
            (Finding { claims: vec![claim(Join::OwnerAndName)], ..high.clone() }, false),
            (Finding { severity: Severity::Medium, ..high.clone() }, false),
            (Finding { family: Family::Hygiene, ..high }, false),
        ] {
            assert_eq!(contain(&with([finding.clone()])).len(), usize::from(counts), "{finding:?}");
        }
    }

    #[test]
    fn what_was_done_comes_first_and_an_event_is_told_of_its_token_alone() {
        let event = "11111111-0000-4000-8000-000000000001";
        let named = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).into())).collect::<serde_json::Map<_, _>>()
        };
        let touched = Finding {
            detection: "PAT-A029".into(),
            event_ids: vec![event.into()],
            ..said("stream-touched-by-token", Severity::High, 5, "touched audit streams once: A.Off (1)")
        };
        let new = Finding {
            evidence: named(&[("network", "10.0.0.0/24"), ("client", "curl")]),
            ..said("first-network-and-client", Severity::High, 5, "was used from 10.0.0.0/24 with curl")
        };
        let again = Finding {
            detection: "PAT-A002".into(),
            evidence: named(&[("place", "curl"), ("action", "A.Off")]),
            ..said("powerful-action-from-first-place", Severity::High, 5, "did A.Off, new with curl")
        };
        let person = Finding {
            subject: Subject { kind: SubjectKind::User, id: "ann".into(), name: None },
            family: Family::Posture,
            event_ids: vec![event.into()],
            ..said("stream-weakened", Severity::High, 5, "")
        };
        let mut report = with([again, new, touched, person]);
        for f in &mut report.findings {
            if f.slug == "stream-touched-by-token" {
                f.fix = Arc::from("Restore the stream.");
            }
        }
        let all = contain(&report);
        assert_eq!(all.len(), 1, "{all:?}");
        assert_eq!(all[0].first_step, "Restore the stream.");
        let told = Story {
            since: Some(5 * HOUR),
            facts: vec![
                "touched audit streams once: A.Off (1)".into(),
                "was used from 10.0.0.0/24 with curl".into(),
            ],
            more: 1,
        };
        assert_eq!(all[0].stories, [told]);
    }

    #[test]
    fn the_first_step_says_revoke_only_where_the_advice_does() {
        let mut report = with([said("used-after-owner-left", Severity::High, 1, "was used")]);
        report.findings[0].fix = Arc::from("Revoke the token now.");
        for (action, step) in [
            (Action::Revoke, "Revoke the token now."),
            (Action::AskOwner, "Ask its owner at once, and revoke it unless they vouch for this use."),
        ] {
            report.tokens[0].verdicts.advice.action = action;
            assert_eq!(contain(&report)[0].first_step, step);
        }
        report.findings[0].slug = ATTACK_TOOL.into();
        assert!(contain(&report)[0].first_step.starts_with("Ask the security team"));
    }
}
