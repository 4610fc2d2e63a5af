//! What must hold of claims, over random organisations that share people and tokens.
//!
//! Each case judges a world, weakens or adds one source, and judges it again. `PATWATCH_WORLDS=50000 cargo test --release
//! --lib properties::claims` runs more of them than the tests do by themselves, `PATWATCH_SEED=N` others.

use super::organisations::{Access, By, Change, DAYS, ORGS, Page, World, analysed, page, world};
use crate::analysis::advice::{LastPlace, advise};
use crate::analysis::run::{Analysis, Judged};
use crate::analysis::tests_support::finding;
use crate::model::claim::{Field, Standing};
use crate::model::finding::{Confidence, Finding};
use crate::model::time::DAY;
use crate::model::token::{OwnerState, TokenState};
use crate::model::verdict::{Action, Advice, UseState};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

fn cases() -> ProptestConfig {
    let worlds = std::env::var("PATWATCH_WORLDS").ok().and_then(|n| n.parse().ok()).unwrap_or(2_000);
    // The same worlds in every run, so that a change is judged by them and not by chance; another seed makes others.
    let seed = std::env::var("PATWATCH_SEED").ok().and_then(|n| n.parse().ok()).unwrap_or(18);
    ProptestConfig {
        max_global_rejects: worlds * 40,
        rng_seed: proptest::test_runner::RngSeed::Fixed(seed),
        failure_persistence: None,
        ..ProptestConfig::with_cases(worlds)
    }
}

/// The advice on each token, with the finding that use after the end makes.
fn advice(analysis: &Analysis) -> BTreeMap<(String, String), Advice> {
    analysis.tokens.iter().map(|j| ((j.token.org.clone(), j.token.token_id.clone()), advice_on(j))).collect()
}

fn advice_on(judged: &Judged) -> Advice {
    let after = Finding { slug: "used-after-its-end".into(), ..finding() };
    let late = judged.token.revoked_at.zip(judged.usage.last_observed).is_some_and(|(end, last)| last > end);
    let found: Vec<&Finding> = if late { vec![&after] } else { Vec::new() };
    advise(&judged.token, &judged.usage, &judged.scope.rows, &found, &LastPlace::default())
}

fn say(judged: &Judged) -> String {
    format!("{judged:?} {:?}", advice_on(judged))
}

fn ids(analysis: &Analysis) -> BTreeSet<(String, String)> {
    analysis.tokens.iter().map(|j| (j.token.org.clone(), j.token.token_id.clone())).collect()
}

/// Tokens that are advised to be revoked.
fn revoked(analysis: &Analysis) -> BTreeSet<(String, String)> {
    advice(analysis).into_iter().filter(|(_, a)| a.action == Action::Revoke).map(|(key, _)| key).collect()
}

/// How sure a world is of the fields that carry a revocation.
fn sure(analysis: &Analysis, of: (&str, &str), field: Field) -> Option<Confidence> {
    let judged = analysis.tokens.iter().find(|j| (j.token.org.as_str(), j.token.token_id.as_str()) == of)?;
    let t = &judged.token;
    let said = match field {
        Field::Leaked => t.leaked_at.is_some(),
        Field::Revoked => t.revoked_at.is_some(),
        _ => matches!(t.owner_state, OwnerState::Removed | OwnerState::Disabled),
    };
    let fields: &[Field] = if field == Field::OwnerState {
        &[Field::Owner, Field::OwnerState]
    } else {
        std::slice::from_ref(&field)
    };
    said.then(|| t.certainty(fields))
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn no_token_disappears_from_any_sequence_of_pages(world in world(), more in prop::collection::vec(page(), 1..4)) {
        let before = ids(&world.judged(&[]));
        let mut grown = world;
        grown.pages.extend(more);
        let after = ids(&grown.judged(&[]));
        // A token of which only the beginning of the id was visible is found again under its whole id, and a page may give
        // a cut credential to a token of the organisation itself; the token that it was taken for stays where it is listed.
        let is_there = |(_, id): &&(String, String)| after.iter().any(|(_, i)| i.starts_with(id.as_str()));
        let lost: Vec<_> = before.iter().filter(|key| !is_there(key)).collect();
        prop_assert!(lost.is_empty(), "{:?}", lost);
    }

    #[test]
    fn revoke_rests_on_ids_alone(world in world()) {
        for judged in &world.judged(&[]).tokens {
            let advice = advice_on(judged);
            if advice.action != Action::Revoke {
                continue;
            }
            prop_assert!(!advice.rests_on.is_empty());
            for field in &advice.rests_on {
                let certain = |c: &&crate::model::claim::Claim| {
                    c.field == *field && c.standing == Standing::Holds && c.join.certainty() == Confidence::High
                };
                prop_assert!(judged.token.claims.iter().any(|c| certain(&c)), "{}: {}", field, say(judged));
            }
        }
    }

    #[test]
    fn a_weaker_witness_never_makes_a_surer_answer(world in world(), which in 0_usize..64, how in 0_usize..4) {
        let mut weaker = world.clone();
        // Only what supports a revocation is weakened; what contradicts one stays.
        match how {
            0 => {
                let leaks: Vec<usize> = (0..world.changes.len())
                    .filter(|i| matches!(world.changes[*i].what, 2 | 3) && world.changes[*i].by == By::Id)
                    .collect();
                prop_assume!(!leaks.is_empty());
                weaker.changes[leaks[which % leaks.len()]].by = By::UserName;
            }
            1 => {
                let gone: Vec<usize> = (0..world.access.len())
                    .filter(|i| world.access[*i].what == 0 && world.access[*i].by == By::Id)
                    .collect();
                prop_assume!(!gone.is_empty());
                weaker.access[gone[which % gone.len()]].by = By::UserName;
            }
            2 => {
                let gone: Vec<usize> = (0..world.users.len())
                    .filter(|i| world.users[*i].state != OwnerState::Active && world.users[*i].day.is_some())
                    .collect();
                prop_assume!(!gone.is_empty());
                weaker.users[gone[which % gone.len()]].day = None;
            }
            _ => {
                let gone: Vec<usize> = (0..world.access.len()).filter(|i| world.access[*i].what == 0).collect();
                prop_assume!(!gone.is_empty());
                weaker.access.remove(gone[which % gone.len()]);
            }
        }
        let (before, after) = (world.judged(&[]), weaker.judged(&[]));
        // A cut credential may be another token's once its own is known by name alone; that makes a row of its own.
        for (org, id) in ids(&after).intersection(&ids(&before)) {
            let of = (org.as_str(), id.as_str());
            // An event that names no token by id may fit another one; that answer is never certain.
            let fields = if how == 0 { vec![Field::Leaked, Field::Revoked] } else { vec![Field::OwnerState] };
            for field in fields {
                let (then, now) = (sure(&before, of, field), sure(&after, of, field));
                let raised = now > then && now == Some(Confidence::High);
                prop_assert!(!raised, "{} of {:?}: {:?} became {:?}", field, of, then, now);
            }
        }
        let fresh: Vec<_> = revoked(&after).difference(&revoked(&before)).cloned().collect();
        // Without its revocation a token that was found in public is in force again, and then to be revoked.
        let in_force = |key: &(String, String)| {
            before.tokens.iter().any(|j| {
                (&j.token.org, &j.token.token_id) == (&key.0, &key.1) && j.token.state != TokenState::Revoked
            })
        };
        prop_assert!(!fresh.iter().any(in_force), "{:?}", fresh);
    }

    #[test]
    fn one_organisation_is_judged_as_all_are(world in world()) {
        let all = world.judged(&[]);
        let mut groups: Vec<Vec<&str>> = ORGS.iter().map(|org| vec![*org]).collect();
        groups.push(ORGS[..2].to_vec());
        for group in groups {
            let some = world.judged(&group);
            let here: Vec<String> =
                all.tokens.iter().filter(|j| group.contains(&j.token.org.as_str())).map(say).collect();
            prop_assert_eq!(here, some.tokens.iter().map(say).collect::<Vec<_>>());
            let unclear: Vec<_> = all.unclear.iter().filter(|u| group.contains(&u.org.as_str())).collect();
            prop_assert_eq!(unclear, some.unclear.iter().collect::<Vec<_>>());
        }
    }

    #[test]
    fn an_empty_page_changes_nothing(world in world(), org in 0..ORGS.len(), day in 1..DAYS) {
        let before: Vec<String> = world.judged(&[]).tokens.iter().map(say).collect();
        let told = world.gathered();
        let mut inputs = world.inputs(&[]);
        let empty = crate::analysis::inventory::List { taken: day * DAY, dated: true, ..Default::default() };
        match inputs.inventories.get_mut(ORGS[org]) {
            Some(inventory) => {
                let lists = std::mem::take(&mut inventory.lists);
                *inventory = crate::analysis::inventory::Inventory::of([lists, vec![empty]].concat());
            }
            None => drop(inputs.inventories.insert(ORGS[org].to_owned(), empty.into())),
        }
        prop_assert_eq!(before, analysed(told, inputs).tokens.iter().map(say).collect::<Vec<_>>());
    }

    #[test]
    fn every_revocation_falls_with_its_reason(world in world()) {
        let analysis = world.judged(&[]);
        for judged in &analysis.tokens {
            let advice = advice_on(judged);
            if advice.action != Action::Revoke {
                continue;
            }
            let mut without = world.clone();
            without.changes.retain(|c| !matches!(c.what, 2 | 3));
            without.access.retain(|a| a.what != 0);
            without.users.retain(|u| u.state == OwnerState::Active);
            without.declared = false;
            let key = (judged.token.org.clone(), judged.token.token_id.clone());
            let after = without.judged(&[]);
            if let Some(left) = super::claims::advice(&after).get(&key) {
                prop_assert!(left.action != Action::Revoke, "{:?} without a reason", left);
            }
        }
    }

    #[test]
    fn a_later_contrary_claim_takes_a_revocation_back(world in world()) {
        let analysis = world.judged(&[]);
        for judged in &analysis.tokens {
            let advice = advice_on(judged);
            let (token, mut contrary) = (&judged.token, world.clone());
            if advice.action != Action::Revoke || advice.rests_on == [Field::Leaked] {
                continue;
            }
            let n = (0..world.pats.len()).find(|n| super::organisations::token_id(*n) == token.token_id);
            let Some(n) = n else { continue };
            if advice.rests_on == [Field::Owner, Field::OwnerState] {
                let owner = |person: &usize| Some(super::organisations::person_id(*person)) == token.owner_id;
                let Some(person) = (0..world.pats.len()).find(owner) else { continue };
                for org in 0..ORGS.len() {
                    contrary.access.push(Access { org, person, day: DAYS - 1, what: 2, by: By::Id });
                    // A list that is dated after every event has the last word; here it is older.
                    contrary.users.retain(|u| u.day != Some(DAYS - 1));
                }
            } else if advice.rests_on == [Field::Revoked] {
                let extended = Change { token: n, day: DAYS - 1, what: 4, by: By::Id, abroad: false };
                contrary.changes.push(extended);
                contrary.changes.retain(|c| c.what != 2 || c.day < DAYS - 1);
            } else {
                prop_assert_eq!(judged.usage.verdict, UseState::RuledOut);
                let global = Change { token: n, day: DAYS - 1, what: 1, by: By::Id, abroad: false };
                contrary.changes.push(global);
            }
            let after = super::claims::advice(&contrary.judged(&[]));
            let now = &after[&(token.org.clone(), token.token_id.clone())];
            let same = now.action == Action::Revoke && now.rests_on == advice.rests_on;
            prop_assert!(!same, "{:?} became {:?}: {}", advice, now, say(judged));
        }
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn no_revocation_for_an_owner_who_has_access_where_the_token_reaches(world in world()) {
        let analysis = world.judged(&[]);
        for judged in &analysis.tokens {
            let (token, advice) = (&judged.token, advice_on(judged));
            if advice.action != Action::Revoke || advice.rests_on != [Field::Owner, Field::OwnerState] {
                continue;
            }
            let owner = token.owner_id.as_deref().expect("an owner by id");
            for org in ORGS.iter().filter(|org| **org != token.org) {
                let is_reached = token.all_orgs != Some(false) || token.other_orgs.iter().any(|o| o == org);
                let there = analysis.people[*org].find(owner).map(|person| person.state);
                prop_assert!(!is_reached || there != Some(OwnerState::Active), "{} in {}", say(judged), org);
                let row = analysis.tokens.iter().find(|j| (j.token.org.as_str(), &j.token.token_id) == (*org, &token.token_id));
                let used = row.filter(|j| j.usage.last_observed_ever > token.owner_gone_at);
                prop_assert!(used.is_none() || token.owner_gone_at.is_none(), "{} used in {}", say(judged), org);
            }
            // The same person, seen in another organisation that the token reaches, takes it back.
            let person = (0..world.pats.len()).find(|n| super::organisations::person_id(*n) == owner);
            let (Some(person), Some(true)) = (person, token.all_orgs) else { continue };
            let org = ORGS.iter().position(|org| *org != token.org).expect("another organisation");
            let mut contrary = world.clone();
            contrary.access.push(Access { org, person, day: DAYS - 1, what: 2, by: By::Id });
            contrary.users.retain(|u| u.org != org);
            let after = super::claims::advice(&contrary.judged(&[&token.org]));
            let now = &after[&(token.org.clone(), token.token_id.clone())];
            prop_assert!(now.rests_on != advice.rests_on || now.action == Action::AskOwner, "{now:?}: {}", say(judged));
        }
    }
}

/// The page of one user, imported after the list, takes nothing from anybody else.
#[test]
fn a_page_of_one_user_leaves_the_others() {
    let world = World {
        pats: (0..5)
            .map(|n| super::organisations::Pat {
                home: 0,
                owner: n % 4,
                name: n % 3,
                full: false,
                reach: super::organisations::For::Home,
            })
            .collect(),
        pages: vec![
            Page { org: 0, day: Some(10), complete: true, owner: None, valid: true, partial: false },
            Page { org: 0, day: Some(20), complete: false, owner: Some(1), valid: true, partial: false },
        ],
        changes: vec![],
        uses: vec![],
        access: vec![],
        users: vec![],
        records: vec![],
        declared: false,
    };
    let states: Vec<TokenState> = world.judged(&[]).tokens.iter().map(|j| j.token.state).collect();
    assert_eq!(states, [TokenState::Active; 5]);
}
