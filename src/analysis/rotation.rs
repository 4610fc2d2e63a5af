//! Generations: which tokens replaced which.
//!
//! In: the tokens of a run. Out: one [`Lineage`] a token. Rotation through the API makes a new token and revokes
//! the old one, so the id changes and nothing names the link (facts, section 7); what links two tokens is the same
//! owner and scopes, a near name, and that one begins as the other ends.

use super::ledger::Change;
use crate::model::identity::person_key;
use crate::model::lineage::{Generation, Lineage};
use crate::model::noun::counted;
use crate::model::time::{DAY, Micros};
use crate::model::token::{Token, TokenState};
use std::collections::BTreeMap;

/// Longest time that two generations are taken to live side by side while users move over.
const OVERLAP: Micros = 30 * DAY;
/// Longest time that nothing may be in force between the two.
const PAUSE: Micros = 14 * DAY;
/// A successor that begins this near to the end of its predecessor could be a regeneration that changed the id.
const AT_ONCE: Micros = 60_000_000;

/// Links the tokens of a run; the answer has a row for each, in their order.
#[must_use]
pub fn link(tokens: &[Token], as_of: Micros) -> Vec<Lineage> {
    let mut next: Vec<Option<usize>> = vec![None; tokens.len()];
    let mut previous: Vec<Option<usize>> = vec![None; tokens.len()];
    for mut members in families(tokens).into_values() {
        members.sort_by_key(|i| (tokens[*i].valid_from, tokens[*i].token_id.clone()));
        for (n, &new) in members.iter().enumerate() {
            let fits = |old: &&usize| next[**old].is_none() && follows(&tokens[**old], &tokens[new]);
            // The nearest end before it: of two that fit, the one that was replaced last.
            let old =
                members[..n].iter().filter(fits).max_by_key(|old| (end(&tokens[**old]), **old)).copied();
            if let Some(old) = old {
                next[old] = Some(new);
                previous[new] = Some(old);
            }
        }
    }
    (0..tokens.len()).map(|i| lineage(tokens, i, &next, &previous, as_of)).collect()
}

/// Tokens that could be generations of each other: same organisation, owner, stem of the name, scopes and reach.
fn families(tokens: &[Token]) -> BTreeMap<(String, String, String, String, bool), Vec<usize>> {
    let mut families: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for (i, token) in tokens.iter().enumerate() {
        let owner = token.owner_id.as_deref().and_then(person_key).or_else(|| token.owner.clone());
        let (Some(owner), Some(name), Some(scopes)) = (owner, &token.name, &token.scopes) else { continue };
        if token.valid_from.is_none() {
            continue;
        }
        let all = token.all_orgs == Some(true);
        families.entry((token.org.clone(), owner, stem(name), scopes.join(" "), all)).or_default().push(i);
    }
    families
}

/// A name without what people add when they rotate: numbers, dates, versions, "new".
fn stem(name: &str) -> String {
    let lower = name.to_lowercase();
    let mut words: Vec<&str> =
        lower.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).collect();
    let added = |word: &str| {
        let digits = word.strip_prefix('v').or_else(|| word.strip_prefix('q')).unwrap_or(word);
        digits.chars().all(|c| c.is_ascii_digit())
            || matches!(word, "new" | "old" | "copy" | "rotated" | "renewed" | "bis" | "next")
    };
    while words.len() > 1 && words.last().is_some_and(|w| added(w)) {
        words.pop();
    }
    let stem = words.join(" ");
    let bare = stem.trim_end_matches(|c: char| c.is_ascii_digit());
    if bare.chars().filter(|c| c.is_alphabetic()).count() > 1 { bare.to_owned() } else { stem }
}

fn end(token: &Token) -> Option<Micros> {
    [token.valid_to, token.revoked_at].into_iter().flatten().min()
}

/// Whether `new` begins as `old` ends.
fn follows(old: &Token, new: &Token) -> bool {
    let (Some(end), Some(from), Some(begun)) = (end(old), new.valid_from, old.valid_from) else {
        return false;
    };
    begun < from && end - OVERLAP <= from && from <= end + PAUSE
}

fn lineage(
    tokens: &[Token],
    i: usize,
    next: &[Option<usize>],
    previous: &[Option<usize>],
    as_of: Micros,
) -> Lineage {
    let token = &tokens[i];
    let mut first = i;
    while let Some(older) = previous[first] {
        first = older;
    }
    let mut chain = vec![first];
    while let Some(newer) = chain.last().and_then(|last| next[*last]) {
        chain.push(newer);
    }
    let generation = |n: usize| {
        let (t, older) = (&tokens[chain[n]], n.checked_sub(1).map(|o| &tokens[chain[o]]));
        Generation {
            token_id: t.token_id.clone(),
            name: t.name.clone(),
            from: t.valid_from,
            to: end(t),
            overlap: older.and_then(end).zip(t.valid_from).map(|(end, from)| end - from),
        }
    };
    // A list can call a token invalid before its end, and no event tells since when: then how long it lived is open.
    let ended_unseen = token.state == TokenState::Revoked && token.revoked_at.is_none();
    let until = end(token).map_or(as_of, |end| end.min(as_of));
    let mut notes = Vec::new();
    let updates = token.life.iter().filter(|l| l.text.contains("or regenerated")).count();
    let created = token.life.iter().any(|l| Change::of(&l.action) == Some(Change::Created));
    if updates > 0 {
        notes.push(format!(
            "Its end date moved {}: extended, which keeps the secret, or regenerated, which changes it; the log does not say which.",
            counted(updates, "time")
        ));
    }
    if let Some(older) = previous[i]
        && let (Some(end), Some(from)) = (end(&tokens[older]), token.valid_from)
        && (end - from).abs() <= AT_ONCE
    {
        notes.push(
            "It began as its predecessor ended: a replacement, or a regeneration that changed the id; the log does not say which."
                .to_owned(),
        );
    }
    Lineage {
        at: chain.iter().position(|c| *c == i).unwrap_or_default(),
        generations: if chain.len() > 1 { (0..chain.len()).map(generation).collect() } else { Vec::new() },
        begun: token.valid_from,
        secret_since: token.valid_from.filter(|_| created && updates == 0),
        secret_days: token
            .valid_from
            .filter(|from| *from <= until && !ended_unseen)
            .map(|from| (until - from) / DAY),
        rotated: previous[i].is_some(),
        notes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::tests_support::token;
    use crate::model::token::LifeEvent;

    fn named(id: &str, name: &str, from: i64, to: i64) -> Token {
        Token {
            token_id: id.into(),
            name: Some(name.into()),
            valid_from: Some(from * DAY),
            valid_to: Some(to * DAY),
            ..token("vso.code")
        }
    }

    #[test]
    fn names_lose_what_rotation_adds() {
        for name in
            ["deploy-prod", "deploy-prod-2", "Deploy Prod (2026)", "deploy_prod v3", "deploy-prod-2026-03"]
        {
            assert_eq!(stem(name), "deploy prod", "{name}");
        }
        assert_eq!(stem("deploy2"), "deploy");
        assert_eq!(stem("2026"), "2026");
        assert_ne!(stem("deploy-prod"), stem("deploy-test"));
    }

    #[test]
    fn one_that_begins_as_the_other_ends_is_the_next_generation() {
        let tokens = [
            named("a", "deploy-prod", 0, 90),
            named("b", "deploy-prod-2", 80, 170),
            named("c", "deploy prod (2026)", 172, 260),
        ];
        let lines = link(&tokens, 200 * DAY);
        assert_eq!(lines[1].generations.len(), 3);
        assert_eq!((lines[1].at, lines[1].generations[1].overlap), (1, Some(10 * DAY)));
        assert_eq!(lines[2].generations[2].overlap, Some(-2 * DAY));
        assert_eq!((lines[2].rotated, lines[2].secret_days), (true, Some(28)));
        assert_eq!((lines[0].rotated, lines[0].secret_days), (false, Some(90)), "until its end");
    }

    #[test]
    fn tokens_side_by_side_or_of_other_scopes_and_owners_are_no_generations() {
        let first = named("a", "deploy", 0, 300);
        for other in [
            named("b", "deploy-2", 100, 400),
            named("b", "deploy-2", 320, 400),
            Token { scopes: Some(vec!["vso.build".into()]), ..named("b", "deploy-2", 290, 400) },
            Token {
                owner_id: Some("cccccccc-0000-1111-2222-333333333333".into()),
                ..named("b", "deploy-2", 290, 400)
            },
            named("b", "release", 290, 400),
        ] {
            let lines = link(&[first.clone(), other.clone()], 350 * DAY);
            assert!(lines.iter().all(|l| l.generations.is_empty()), "{other:?}");
        }
    }

    #[test]
    fn what_the_log_cannot_tell_apart_is_said() {
        let old = Token { revoked_at: Some(50 * DAY), ..named("a", "deploy", 0, 90) };
        let new = named("b", "deploy", 50, 140);
        let lines = link(&[old, new], 100 * DAY);
        assert!(lines[1].notes[0].contains("a regeneration that changed the id"), "{:?}", lines[1].notes);
    }

    #[test]
    fn the_age_of_a_secret_is_given_where_the_log_says_it() {
        let life = |action: &str, text: &str| LifeEvent {
            time: 0,
            event_id: "e".into(),
            action: action.into(),
            text: text.into(),
            actor: String::new(),
            network: String::new(),
            client: String::new(),
        };
        let since = |life: Vec<LifeEvent>| {
            let lines = link(&[Token { life, ..named("a", "deploy", 10, 300) }], 100 * DAY);
            assert_eq!(lines[0].begun, Some(10 * DAY));
            lines[0].secret_since
        };
        let created = life("Token.PatCreateEvent", "created");
        assert_eq!(since(vec![created.clone()]), Some(10 * DAY));
        assert_eq!(since(vec![]), None, "a list gives the creation, which survives every regeneration");
        let moved =
            life("Token.PatUpdateEvent", "updated; extended or regenerated: the log does not say which");
        assert_eq!(since(vec![created, moved]), None);
    }

    #[test]
    fn a_revoke_that_no_event_tells_leaves_the_length_of_life_open() {
        let silent = Token { state: TokenState::Revoked, ..named("a", "deploy", 0, 300) };
        assert_eq!(link(&[silent], 100 * DAY)[0].secret_days, None);
    }
}
