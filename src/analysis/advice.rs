//! What a reviewer is told to do with one token.
//!
//! In: the token with its claims, its answers and its findings. Out: one word, the sentence that argues it, and the fields
//! whose claims carry it. `revoke` is said only for leaked, owner gone, ruled-out and revoked-but-used tokens, and only on
//! claims joined by id or unique prefix (design, sections 5 and 8); else the owner is asked.

use super::elsewhere::USED;
use crate::model::claim::Field;
use crate::model::finding::{Confidence, Family, Finding, Severity};
use crate::model::token::{OwnerState, Token, TokenState};
use crate::model::verdict::{Action, Advice, ScopeState, ScopeVerdict, UseState, UseVerdict, Visibility};

/// Advises on one token.
#[must_use]
pub fn advise(token: &Token, usage: &UseVerdict, scope: &[ScopeVerdict], findings: &[&Finding]) -> Advice {
    let say = |action, reason: &str| Advice::new(action, reason);
    // Only claims joined by id or unique prefix carry the advice to revoke; a weaker join is a question.
    let revoke = |fields: &[Field], reason: &str, question: &str| {
        let certain = token.certainty(fields) == Confidence::High;
        let (action, reason) = if certain { (Action::Revoke, reason) } else { (Action::AskOwner, question) };
        Advice { action, reason: reason.to_owned(), rests_on: fields.to_vec() }
    };
    let used_after = findings.iter().any(|f| f.slug == "used-after-its-end");
    // A leak has no contrary claim, and a weaker one on the end does not silence it.
    let is_ended = token.is_over() && token.certainty(&[Field::Revoked]) == Confidence::High;
    let owner_gone = matches!(token.owner_state, OwnerState::Removed | OwnerState::Disabled);
    let owner_question = owner_question(token);
    let reasons: [(bool, &[Field], &str, &str); 4] = [
        (
            token.state == TokenState::Revoked && used_after,
            &[Field::Revoked],
            "It was used after it was revoked: make sure that it no longer works, and review what it did.",
            "An event that names it by owner and name says that it was revoked, and it was used after that: ask which token was meant.",
        ),
        (
            token.leaked_at.is_some() && !is_ended,
            &[Field::Leaked],
            "It was found in a public place.",
            "An event that names it by owner and name says that it was found in a public place: ask which token was meant, and revoke that one.",
        ),
        (
            !token.is_over() && owner_gone,
            &[Field::Owner, Field::OwnerState],
            "Its owner can no longer sign in; the token works again if access returns.",
            &owner_question,
        ),
        (
            !token.is_over() && usage.verdict == UseState::RuledOut,
            &[Field::Owner, Field::Reach],
            "Usage records of the whole judged span show no PAT call by its owner.",
            "Usage records show no PAT call by its owner, but owner or reach is not known for certain: ask whether it is needed.",
        ),
    ];
    // A question on one reason does not hide another reason that is certain.
    let mut advised: Vec<Advice> =
        reasons.into_iter().filter(|r| r.0).map(|(_, fields, say, ask)| revoke(fields, say, ask)).collect();
    advised.sort_by_key(|advice| advice.action != Action::Revoke);
    if let Some(first) = advised.into_iter().next() {
        return first;
    }
    if token.is_over() && used_after {
        return say(
            Action::AskOwner,
            "It was used after its end date: an extension that is not known, or another token.",
        );
    }
    let grave = findings.iter().any(|f| f.family == Family::Anomaly && f.severity >= Severity::High);
    if token.is_over() && grave {
        return say(Action::Watch, "It is out of force; review what it did before that.");
    }
    if token.is_over() {
        return say(Action::None, "It is out of force.");
    }
    let anomaly = findings.iter().any(|f| f.family == Family::Anomaly && f.severity >= Severity::Medium);
    if anomaly {
        return say(Action::AskOwner, "Its behaviour changed: ask the owner whether this was them.");
    }
    if usage.verdict == UseState::NotObserved {
        return say(
            Action::AskOwner,
            "No audited event in the covered days; reads and pushes would not have been seen, so ask whether it is needed.",
        );
    }
    let not_seen = |v: Visibility| scope.iter().any(|s| s.state == ScopeState::NotSeen && s.visibility == v);
    let silent = not_seen(Visibility::Full) || not_seen(Visibility::Mostly);
    if silent && token.reaches_unseen_orgs {
        return say(
            Action::AskOwner,
            "It holds scopes whose use was not seen here, and reaches organisations outside this run: confirm the reduced list with the owner.",
        );
    }
    if not_seen(Visibility::Full) {
        return say(Action::Reduce, "It holds scopes of which every use is audited, and no use was seen.");
    }
    if not_seen(Visibility::Mostly) {
        return say(
            Action::AskOwner,
            "It holds scopes whose use is mostly audited and was not seen: confirm the reduced list with the owner.",
        );
    }
    if token.is_full_access() && usage.events == 0 {
        return say(
            Action::AskOwner,
            "It has full access, and no audited event shows what it does: ask the owner.",
        );
    }
    if token.is_full_access() {
        return say(
            Action::AskOwner,
            "It has full access: start from the scopes that its audited events needed, and ask what else it does.",
        );
    }
    if usage.verdict == UseState::NotJudged {
        return say(Action::Watch, "There is not enough evidence to judge it.");
    }
    say(Action::None, "Nothing stands out.")
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
        return "Its owner seems to have lost access, but the match is not by id: confirm who owns it and whether they left.".to_owned();
    }
    let more = shown.len().saturating_sub(MAX_SHOWN);
    shown.truncate(MAX_SHOWN);
    if more > 0 {
        shown.push(format!("{more} more such facts are known"));
    }
    format!(
        "Its owner lost access to one organisation, but {}. A revoke ends the token everywhere: ask whether it is still needed.",
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
        advise(token, &used, &answer.rows, found).action
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
            advise(&token, &usage::judge(&token, &used, Some(&held), None, 30), &[], &[])
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
}
