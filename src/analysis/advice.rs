//! What a reviewer is told to do with one token.
//!
//! In: the token with its claims, its answers and its findings. Out: one word, the sentence that argues it with day and number, and
//! the fields whose claims carry it. `revoke` is said only for leaked, owner gone, ruled-out and revoked-but-used tokens, and only
//! on claims joined by id or unique prefix (design, sections 5 and 8); else the owner is asked, or, where the owner may be the
//! thief, the security team.

mod reasons;

use super::elsewhere::USED;
use crate::model::claim::Field;
use crate::model::finding::{Confidence, Family, Finding, Severity};
use crate::model::noun::counted;
use crate::model::time::Day;
use crate::model::token::{OwnerState, Token, TokenState};
use crate::model::verdict::{
    Action, Advice, AdviceFacts, ScopeState, ScopeVerdict, UseState, UseVerdict, Visibility,
};
use reasons::{Reason, Told};

/// Where the last audited event of a token came from, where one is known for certain.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LastPlace {
    /// Its day.
    pub day: Option<Day>,
    /// Its client.
    pub client: Option<String>,
    /// Its network.
    pub network: Option<String>,
}

/// Slug of the detection of attack tools.
const ATTACK_TOOL: &str = "attack-tool";
/// Whom to ask where the owner may be the thief.
const SECURITY_TEAM: &str = "the security team";

/// Advises on one token.
#[must_use]
pub fn advise(
    token: &Token,
    usage: &UseVerdict,
    scope: &[ScopeVerdict],
    findings: &[&Finding],
    place: &LastPlace,
) -> Advice {
    let told = Told { token, usage, findings, place };
    let say = |action, reason: Reason| Advice { facts: reason.facts, ..Advice::new(action, reason.text) };
    // Only claims joined by id or unique prefix carry the advice to revoke; a weaker join is a question.
    let revoke = |fields: &[Field], reason: Reason, question: &str| {
        let certain = token.certainty(fields) == Confidence::High;
        let text = if certain { reason.text } else { format!("{} {question}", reason.text) };
        let action = if certain { Action::Revoke } else { Action::AskOwner };
        Advice { rests_on: fields.to_vec(), facts: reason.facts, ..Advice::new(action, text.trim()) }
    };
    let used_after = told.found("used-after-its-end").is_some();
    // A leak has no contrary claim, and a weaker one on the end does not silence it.
    let is_ended = token.is_over() && token.certainty(&[Field::Revoked]) == Confidence::High;
    let owner_gone = matches!(token.owner_state, OwnerState::Removed | OwnerState::Disabled);
    let owner_question = owner_question(token);
    // A question on one reason does not hide another reason that is certain.
    let mut advised: Vec<Advice> = Vec::new();
    if token.state == TokenState::Revoked && used_after {
        advised.push(revoke(
            &[Field::Revoked],
            told.after_revoke(),
            "The event that says so names it by owner and name only: ask which token was meant.",
        ));
    }
    if token.leaked_at.is_some() && !is_ended {
        advised.push(revoke(
            &[Field::Leaked],
            told.leak(),
            "The event that says so names it by owner and name only: ask which token was meant, and revoke that one.",
        ));
    }
    if !token.is_over() && owner_gone {
        advised.push(revoke(&[Field::Owner, Field::OwnerState], told.owner_gone(), &owner_question));
    }
    if !token.is_over() && usage.verdict == UseState::RuledOut {
        advised.push(revoke(
            &[Field::Owner, Field::Reach],
            told.ruled_out(),
            "Owner or reach is not known for certain: ask whether it is needed.",
        ));
    }
    advised.sort_by_key(|advice| advice.action != Action::Revoke);
    if let Some(first) = advised.into_iter().next() {
        return first;
    }
    if let Some(tool) = told.found(ATTACK_TOOL).filter(|_| !token.is_over()) {
        let advice = say(Action::AskOwner, told.attack_tool(tool));
        return Advice { ask: Some(SECURITY_TEAM), ..advice };
    }
    if token.is_over() && used_after {
        return say(Action::AskOwner, told.after_end());
    }
    let anomaly =
        |least: Severity| findings.iter().any(|f| f.family == Family::Anomaly && f.severity >= least);
    if token.is_over() && anomaly(Severity::High) {
        return say(Action::Watch, told.over().then("Review what it did before that.").with(told.strange()));
    }
    if token.is_over() {
        return say(Action::None, told.over());
    }
    if anomaly(Severity::Medium) {
        return say(Action::AskOwner, told.strange().then("Ask the owner whether this was them."));
    }
    if usage.verdict == UseState::NotObserved {
        return say(
            Action::AskOwner,
            told.silence("no audited event")
                .then("Reads and pushes would not have been seen, so ask whether it is needed."),
        );
    }
    let not_seen = |v: Visibility| {
        let of = scope.iter().filter(|s| s.state == ScopeState::NotSeen && s.visibility == v);
        of.map(|s| s.scope.as_str()).collect::<Vec<_>>()
    };
    let (full, mostly) = (not_seen(Visibility::Full), not_seen(Visibility::Mostly));
    let both: Vec<&str> = full.iter().chain(&mostly).copied().collect();
    if !both.is_empty() && token.reaches_unseen_orgs {
        return say(
            Action::AskOwner,
            told.unseen(&both)
                .then("It reaches organisations outside this run: confirm the reduced list with the owner."),
        );
    }
    if !full.is_empty() {
        return say(Action::Reduce, told.unseen(&full).then("Every use of it is audited."));
    }
    if !mostly.is_empty() {
        return say(
            Action::AskOwner,
            told.unseen(&mostly).then("Most of its use is audited: confirm the reduced list with the owner."),
        );
    }
    if token.is_full_access() && usage.events == 0 {
        return say(
            Action::AskOwner,
            told.silence("it has full access, and no audited event shows what it does")
                .then("Ask the owner."),
        );
    }
    if token.is_full_access() {
        return say(
            Action::AskOwner,
            told.used("It has full access")
                .then("Start from the scopes that its audited events needed, and ask what else it does."),
        );
    }
    if usage.verdict == UseState::NotJudged {
        return say(
            Action::Watch,
            Reason {
                text: format!(
                    "Not enough evidence to judge it: {}.",
                    counted(usage.covered_days, "covered day")
                ),
                facts: AdviceFacts { covered_days: Some(usage.covered_days), ..AdviceFacts::default() },
            },
        );
    }
    say(Action::None, told.used("Nothing stands out"))
}

/// What to ask where it is not certain that the owner is gone.
fn owner_question(token: &Token) -> String {
    let mut shown: Vec<String> = Vec::new();
    for claim in token.claims.iter().filter(|c| c.field == Field::OwnerState && c.is_contrary_elsewhere()) {
        let org = claim.stated_in.as_deref().unwrap_or_default();
        shown.push(if claim.value == USED {
            format!("it was used in {org} after that")
        } else if claim.join.certainty() == Confidence::High {
            format!("its owner has access to {org}")
        } else {
            format!("somebody with the user name of its owner has access to {org}")
        });
    }
    shown.sort();
    shown.dedup();
    if shown.is_empty() {
        return "The match is not by id: confirm who owns it and whether they left.".to_owned();
    }
    let more = shown.len().saturating_sub(MAX_SHOWN);
    shown.truncate(MAX_SHOWN);
    if more > 0 {
        shown.push(format!("{more} more such facts are known"));
    }
    format!(
        "That is one organisation, but {}. A revoke ends the token everywhere: ask whether it is still needed.",
        shown.join(", and ")
    )
}

/// Facts about other organisations that one sentence lists.
const MAX_SHOWN: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::tests_support::{coverage, finding, token};
    use crate::analysis::{scope, usage};

    /// The advice on a token that nothing is seen of, with what else is known.
    fn of(token: &Token, seen: usage::Seen, found: &[&Finding]) -> Action {
        let held = coverage(60);
        let used = usage::judge(token, &seen, Some(&held), None, 30);
        let answer = scope::judge(
            token,
            &[],
            &scope::Bounds { coverage: vec![Some(&held)], ..scope::Bounds::default() },
        );
        advise(token, &used, &answer.rows, found, &LastPlace::default()).action
    }

    #[test]
    fn revoke_is_said_where_the_design_allows_it_and_nowhere_else() {
        let plain = token("vso.code");
        let after = Finding { slug: "used-after-its-end".into(), ..finding() };
        let silent = usage::Seen::default;
        for (token, found) in [
            (Token { leaked_at: Some(1), ..plain.clone() }, vec![]),
            (Token { owner_state: OwnerState::Removed, ..plain.clone() }, vec![]),
            (Token { owner_state: OwnerState::Disabled, ..plain.clone() }, vec![]),
            (Token { state: TokenState::Revoked, ..plain.clone() }, vec![&after]),
        ] {
            assert_eq!(of(&token, silent(), &found), Action::Revoke, "{token:?}");
        }
        let odd = finding();
        for (token, found) in [
            (plain.clone(), vec![]),
            (plain.clone(), vec![&odd]),
            (token("app_token"), vec![&odd]),
            (token("vso.auditstreams_manage"), vec![]),
            (Token { owner: None, owner_state: OwnerState::Unknown, ..plain.clone() }, vec![]),
            (Token { state: TokenState::Expired, ..plain.clone() }, vec![&after]),
            (Token { state: TokenState::Revoked, ..plain.clone() }, vec![]),
            (Token { valid_from: Some(50 * crate::model::time::DAY), ..plain.clone() }, vec![]),
        ] {
            for seen in [silent(), usage::Seen { events: 3, ..silent() }] {
                assert_ne!(of(&token, seen, &found), Action::Revoke, "{token:?}");
            }
        }
    }

    #[test]
    fn a_claim_that_is_not_joined_by_id_asks_instead_of_revoking() {
        use crate::model::claim::{Claim, Field, Join, Source};
        let after = Finding { slug: "used-after-its-end".into(), ..finding() };
        let plain = token("vso.code");
        for (field, token, found) in [
            (Field::Leaked, Token { leaked_at: Some(1), ..plain.clone() }, vec![]),
            (Field::OwnerState, Token { owner_state: OwnerState::Removed, ..plain.clone() }, vec![]),
            (Field::Owner, Token { owner_state: OwnerState::Disabled, ..plain.clone() }, vec![]),
            (Field::Revoked, Token { state: TokenState::Revoked, ..plain.clone() }, vec![&after]),
        ] {
            for join in Join::ALL {
                let claims = vec![Claim::new(field, "x", Some(1), Source::Event).joined(*join)];
                let advised = of(&Token { claims, ..token.clone() }, usage::Seen::default(), &found);
                assert_eq!(
                    advised == Action::Revoke,
                    join.certainty() == Confidence::High,
                    "{field} joined by {join}"
                );
            }
        }
    }

    #[test]
    fn an_owner_who_is_active_elsewhere_is_a_question_that_names_the_organisation() {
        use crate::model::claim::{Claim, Join, Source, Standing};
        let gone = Claim::new(Field::OwnerState, "removed", Some(1), Source::Event);
        let contrary = |value: &str, org: &str| {
            let claim = Claim::new(Field::OwnerState, value, Some(2), Source::Event).stated_in(org);
            Claim { standing: Standing::Contradicts, ..claim }
        };
        let advised = |claims: Vec<Claim>| {
            let token = Token { owner_state: OwnerState::Removed, claims, ..token("vso.code") };
            let (used, held) = (usage::Seen::default(), coverage(60));
            advise(
                &token,
                &usage::judge(&token, &used, Some(&held), None, 30),
                &[],
                &[],
                &LastPlace::default(),
            )
        };
        assert_eq!(advised(vec![gone.clone()]).action, Action::Revoke);
        for (claim, says) in [
            (contrary("active", "p"), "but its owner has access to p."),
            (contrary("active", "p").joined(Join::UserName), "but somebody with the user name of its owner"),
            (contrary(USED, "q"), "but it was used in q after that."),
        ] {
            let advice = advised(vec![gone.clone(), claim]);
            assert_eq!(advice.action, Action::AskOwner);
            assert!(advice.reason.contains(says), "{}", advice.reason);
        }
    }

    #[test]
    fn a_question_hides_no_reason_that_is_certain() {
        use crate::model::claim::{Claim, Field, Join, Source};
        let by_name = Claim::new(Field::Leaked, "x", Some(1), Source::Event).joined(Join::OwnerAndName);
        let leaked = Token { leaked_at: Some(1), claims: vec![by_name], ..token("vso.code") };
        assert_eq!(of(&leaked, usage::Seen::default(), &[]), Action::AskOwner);
        let gone = Token { owner_state: OwnerState::Removed, ..leaked };
        assert_eq!(of(&gone, usage::Seen::default(), &[]), Action::Revoke);
    }

    #[test]
    fn nothing_is_dropped_for_silence_where_the_token_may_have_spoken_elsewhere() {
        let here = token("vso.variablegroups_manage");
        let seen = || usage::Seen { events: 3, ..usage::Seen::default() };
        assert_eq!(of(&here, seen(), &[]), Action::Reduce);
        let elsewhere = Token { reaches_unseen_orgs: true, ..here };
        assert_eq!(of(&elsewhere, seen(), &[]), Action::AskOwner);
    }

    /// An instant of 2026-10, by day, hour and minute.
    fn at(text: &str) -> crate::model::time::Micros {
        crate::model::time::parse_time(text).expect("a time")
    }

    fn advice(token: &Token, found: &[&Finding], place: &LastPlace) -> Advice {
        let held = coverage(60);
        let used = UseVerdict {
            last_observed: Some(at("2026-10-30T08:11:09Z")),
            ..usage::judge(token, &usage::Seen { events: 3, ..Default::default() }, Some(&held), None, 30)
        };
        advise(token, &used, &[], found, place)
    }

    #[test]
    fn a_leak_says_when_it_was_and_what_use_came_after() {
        let leaked = Token { leaked_at: Some(at("2026-10-25T09:30:40Z")), ..token("vso.code") };
        let after = Finding {
            slug: "used-after-leak".into(),
            severity: Severity::Critical,
            count: 10,
            last_time: Some(at("2026-10-30T08:11:09Z")),
            ..finding()
        };
        let place = LastPlace {
            day: Some(crate::model::time::day_of(at("2026-10-30T00:00:00Z"))),
            client: Some("Postman".into()),
            network: Some("100.74.147.0/24".into()),
        };
        let said = advice(&leaked, &[&after], &place);
        assert_eq!(
            said.reason,
            "Found in public 2026-10-25 09:30 UTC, used 10 times since (last 2026-10-30 08:11 UTC, Postman, 100.74.147.0/24)."
        );
        let facts = AdviceFacts {
            since: leaked.leaked_at,
            last: after.last_time,
            events: Some(10),
            covered_days: None,
        };
        assert_eq!((said.action, said.facts), (Action::Revoke, facts));
        // The place of another day's event is not that of this one.
        let elsewhere = LastPlace { day: Some(1), ..place };
        assert!(advice(&leaked, &[&after], &elsewhere).reason.ends_with("(last 2026-10-30 08:11 UTC)."));
        let quiet = advice(&leaked, &[], &LastPlace::default());
        assert_eq!(quiet.reason, "Found in public 2026-10-25 09:30 UTC; no use since is known.");
    }

    #[test]
    fn strange_behaviour_is_named_with_its_time_and_not_three_times_with_the_token() {
        let plain = Token {
            name: Some("it's a \"job\"".into()),
            owner: Some("ann@o.example".into()),
            ..token("vso.code")
        };
        let who = "The token 'it's a \"job\"' of ann@o.example";
        let first = Finding {
            slug: "first-network-and-client".into(),
            severity: Severity::High,
            subject: crate::model::finding::Subject { name: plain.name.clone(), ..finding().subject },
            owner: plain.owner.clone(),
            first_time: Some(at("2026-10-29T03:02:01Z")),
            last_time: Some(at("2026-10-29T03:40:00Z")),
            count: 4,
            message: format!(
                "{who} was used from the network 100.74.147.0/24 with the client Postman, both for the first time."
            ),
            ..finding()
        };
        let summed = Finding {
            slug: "several-findings".into(),
            message: format!("{who} drew 5 findings."),
            ..first.clone()
        };
        let said = advice(&plain, &[&summed, &first], &LastPlace::default());
        assert_eq!(said.action, Action::AskOwner);
        assert_eq!(
            said.reason,
            "2026-10-29 03:02 UTC: was used from the network 100.74.147.0/24 with the client Postman, both for the first time. \
             Ask the owner whether this was them."
        );
        assert_eq!(said.facts.since, first.first_time);
        let other = Finding { slug: "burst".into(), severity: Severity::Medium, ..first.clone() };
        let said = advice(&plain, &[&first, &other, &summed], &LastPlace::default());
        assert!(
            said.reason.contains("both for the first time, and 1 more finding until 2026-10-29 03:40 UTC."),
            "{}",
            said.reason
        );
    }

    #[test]
    fn an_attack_tool_is_a_question_to_the_security_team_and_never_to_the_owner_alone() {
        let mut evidence = serde_json::Map::new();
        evidence.insert("client".into(), "ADOKit (attack tool)".into());
        evidence.insert("network".into(), "100.74.147.0/24".into());
        let tool = Finding {
            slug: ATTACK_TOOL.into(),
            severity: Severity::Critical,
            first_time: Some(at("2026-10-29T03:02:01Z")),
            last_time: Some(at("2026-10-29T03:40:00Z")),
            count: 5,
            evidence,
            ..finding()
        };
        let said = advice(&token("vso.code"), &[&tool], &LastPlace::default());
        assert_eq!((said.action, said.ask), (Action::AskOwner, Some("the security team")));
        assert_eq!(
            said.reason,
            "Used with ADOKit (attack tool) 5 times since 2026-10-29 03:02 UTC (last 2026-10-29 03:40 UTC, 100.74.147.0/24). \
             Ask the security team, since the owner may be the thief, and revoke it if nobody there ran it."
        );
    }

    #[test]
    fn every_reason_carries_a_day_or_a_number() {
        let plain = token("vso.code");
        let ended = Some(at("2026-10-01T00:00:00Z"));
        for token in [
            plain.clone(),
            token("app_token"),
            token("vso.variablegroups_manage"),
            Token { leaked_at: ended, ..plain.clone() },
            Token { owner_state: OwnerState::Removed, owner_gone_at: ended, ..plain.clone() },
            Token { state: TokenState::Revoked, revoked_at: ended, ..plain.clone() },
            Token { state: TokenState::Expired, valid_to: ended, ..plain.clone() },
        ] {
            let said = advice(&token, &[], &LastPlace::default());
            assert!(said.reason.chars().any(|c| c.is_ascii_digit()), "{}: {}", said.action, said.reason);
        }
    }
}
