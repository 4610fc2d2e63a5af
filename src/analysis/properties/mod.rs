//! What must hold on every organisation: properties of the verdicts over random small ones.
//!
//! Each case makes one organisation of a few tokens in memory, judges it, changes one thing and judges it again. What
//! must hold of claims, over several organisations that share people and tokens, is in `claims`.

mod claims;
mod organisations;

use crate::analysis::coverage::{Held, HeldDay, Switch};
use crate::analysis::facts::Shown;
use crate::analysis::inventory::List;
use crate::analysis::run::{Analysis, Depth, Gathered, Inputs, decide};
use crate::analysis::uses::CredentialUse;
use crate::model::catalogue::catalogue;
use crate::model::coverage::Basis;
use crate::model::inventory::{InventoryRow, Targets, UsageRow};
use crate::model::policy::Policy;
use crate::model::time::{DAY, HOUR, Micros, Span, Window};
use crate::model::verdict::{ScopeState, UseState, Visibility};
use proptest::prelude::*;
use std::collections::BTreeMap;

const ORG: &str = "o";
const DAYS: i32 = 60;

/// One event with a PAT: which token, how much of its id shows, when, what, and whether it began its cascade.
#[derive(Debug, Clone)]
struct Act {
    token: usize,
    shown: usize,
    hour: i64,
    action: String,
    origin: bool,
}

#[derive(Debug, Clone)]
struct Org {
    scopes: Vec<Vec<String>>,
    acts: Vec<Act>,
    usage: Vec<(usize, &'static str, i64)>,
    /// Days that the usage records declare, from the first on.
    declared: Option<i64>,
    off: Vec<(i64, i64)>,
}

/// Ids that share their first 16 digits in pairs, so that a cut credential can be ambiguous.
fn id(n: usize) -> String {
    format!("aaaaaaaa-0000-4000-8000-{:012x}", (n / 2) << 40 | n)
}

/// The first two tokens have one owner, the others each their own.
fn owner(n: usize) -> String {
    format!("bbbbbbbb-0000-6000-8000-{:012x}", if n < 2 { 0 } else { n })
}

fn actions() -> Vec<String> {
    let mut all: Vec<String> = catalogue().actions.keys().cloned().collect();
    all.push("Brand.New".to_owned());
    all
}

fn act(tokens: usize) -> impl Strategy<Value = Act> {
    let shown = prop::sample::select(vec![36, 34, 28, 12]);
    (0..tokens, shown, 0..i64::from(DAYS) * 24, prop::sample::select(actions()), prop::bool::weighted(0.8))
        .prop_map(|(token, shown, hour, action, origin)| Act { token, shown, hour, action, origin })
}

fn org() -> impl Strategy<Value = Org> {
    let scopes: Vec<String> = catalogue().scopes.keys().cloned().collect();
    let grant = prop::collection::btree_set(prop::sample::select(scopes), 1..5);
    let class = prop::sample::select(vec!["PAT", "PAT_Unscoped", "AAD_Cookie"]);
    (
        prop::collection::vec(grant.prop_map(|g| g.into_iter().collect()), 2..5),
        prop::collection::vec(act(4), 0..6),
        prop::collection::vec((0_usize..4, class, 0..i64::from(DAYS)), 0..4),
        prop::option::of(prop::sample::select(vec![20, 45, i64::from(DAYS)])),
        prop::collection::vec((0..i64::from(DAYS), 1_i64..20), 0..2),
    )
        .prop_map(|(scopes, acts, usage, declared, off): (Vec<Vec<String>>, Vec<Act>, _, _, _)| {
            let acts = acts.into_iter().map(|a| Act { token: a.token % scopes.len(), ..a }).collect();
            Org { scopes, acts, usage, declared, off }
        })
}

fn gathered(org: &Org) -> Gathered {
    let mut told = Gathered::default();
    for (n, act) in org.acts.iter().enumerate() {
        let (time, visible) = (act.hour * HOUR, id(act.token)[..act.shown].to_owned());
        let stamp = (time, format!("e{n}").as_str().into());
        let (origins, orphans) =
            if act.origin { (vec![stamp.clone()], vec![]) } else { (vec![], vec![stamp.clone()]) };
        told.events.told.push(Shown {
            key: (ORG.to_owned(), visible.clone()),
            newest: vec![stamp],
            actions: BTreeMap::from([(act.action.clone(), (origins, orphans))]),
        });
        told.uses.push(CredentialUse {
            org: ORG.to_owned(),
            credential: visible,
            class: "PAT".to_owned(),
            actor: format!("person{}@x", act.token),
            actor_id: owner(act.token),
            n_ever: 1,
            n: 1,
            first_time: time,
            last_time: time,
            last_in_window: Some(time),
        });
    }
    let mut off = org.off.clone();
    off.sort_unstable();
    for (from, days) in &off {
        let switch = |time: Micros, on| Switch { time, on, stream: false };
        told.switches
            .entry(ORG.to_owned())
            .or_default()
            .extend([switch(from * DAY, false), switch((from + days) * DAY, true)]);
    }
    told
}

fn inputs(org: &Org) -> Inputs<'static> {
    let rows = org.scopes.iter().enumerate().map(|(n, scopes)| InventoryRow {
        token_id: id(n),
        name: Some(format!("token {n}")),
        scopes: Some(scopes.join(" ")),
        targets: Targets::Listed(vec!["s".to_owned()]),
        valid_from: Some(0),
        valid_to: Some(400 * DAY),
        user_id: Some(owner(n)),
        is_valid: Some(true),
        ..InventoryRow::default()
    });
    let list =
        List { taken: i64::from(DAYS) * DAY - 1, complete: true, rows: rows.collect(), ..List::default() };
    let whole = Span { from: 0, to: i64::from(DAYS) * DAY };
    let days = (0..DAYS).map(|day| HeldDay {
        day,
        rows: 9,
        first_time: i64::from(day) * DAY,
        last_time: i64::from(day + 1) * DAY - 1,
        shapes: 1,
        hours: vec![0; 24],
        areas: ["Git", "Token", "Project"].map(str::to_owned).to_vec(),
    });
    let held =
        Held { org: ORG, days: days.collect(), covers: vec![(whole, Basis::Pulled)], ..Held::default() };
    let mut usage = BTreeMap::new();
    if let Some(days) = org.declared {
        let rows = org.usage.iter().map(|(n, mechanism, day)| UsageRow {
            user_id: owner(*n),
            start: day * DAY,
            end: day * DAY + HOUR,
            mechanism: (*mechanism).to_owned(),
            count: 1,
            ..UsageRow::default()
        });
        usage.insert(ORG.to_owned(), (vec![Span { from: 0, to: days * DAY }], rows.collect()));
    }
    Inputs {
        orgs: vec![ORG.to_owned()],
        inventories: BTreeMap::from([(ORG.to_owned(), list.into())]),
        usage,
        scopes: BTreeMap::from([("s".to_owned(), ORG.to_owned())]),
        held: BTreeMap::from([(ORG.to_owned(), held)]),
        ..Inputs::default()
    }
}

fn judged(org: &Org) -> Analysis {
    analysed(gathered(org), inputs(org))
}

fn analysed(told: Gathered, mut inputs: Inputs<'_>) -> Analysis {
    let window = Window::ending(i64::from(DAYS) * DAY - 1, 90);
    decide(told, &mut inputs, window, &Policy::default(), Depth::Verdicts)
}

fn verdicts(analysis: &Analysis) -> BTreeMap<String, UseState> {
    analysis.tokens.iter().map(|t| (t.token.token_id.clone(), t.usage.verdict)).collect()
}

/// What every single answer must keep.
fn sound(analysis: &Analysis) -> Result<(), TestCaseError> {
    let known = catalogue();
    for judged in &analysis.tokens {
        let (token, usage, scope) = (&judged.token, &judged.usage, &judged.scope);
        prop_assert_eq!(usage.verdict == UseState::Observed, usage.events > 0);
        let said = usage.reason.to_lowercase();
        prop_assert!(!said.contains("unused"), "{}", said);
        let Some(granted) = &token.scopes else { continue };
        for (safe, proposal) in [(true, &scope.proposed), (false, &scope.reduced)] {
            let Some(proposal) = proposal else {
                prop_assert!(token.is_full_access());
                continue;
            };
            let gives = |need: &String| proposal.iter().any(|p| known.gives(p, need));
            prop_assert!(proposal.iter().all(|p| granted.iter().any(|g| known.gives(g, p))), "never wider");
            for row in scope.rows.iter().filter(|r| granted.contains(&r.scope)) {
                if matches!(row.state, ScopeState::Used | ScopeState::CannotBeSeen) {
                    prop_assert!(proposal.contains(&row.scope), "{:?} dropped {}", proposal, row.scope);
                }
                // Nor anything that a granted scope includes and whose use would not have been seen.
                for included in known.scopes.get(&row.scope).into_iter().flat_map(|i| &i.includes) {
                    let unseen = match known.visibility(included) {
                        Visibility::Full => false,
                        Visibility::Mostly => safe,
                        _ => true,
                    };
                    prop_assert!(!unseen || gives(included), "{:?} lost {}", proposal, included);
                }
            }
            // What the events needed and the grant gives, the proposal still gives.
            for action in scope.rows.iter().flat_map(|r| &r.actions) {
                let Some(info) = known.action(&action.0) else { continue };
                let needed = info.any_of.iter().any(|n| granted.iter().any(|g| known.gives(g, n)));
                prop_assert!(!needed || info.any_of.iter().any(gives), "{:?} breaks {}", proposal, action.0);
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(160))]

    #[test]
    fn no_proposal_drops_what_is_needed_or_cannot_be_seen(org in org()) {
        sound(&judged(&org))?;
    }

    #[test]
    fn more_events_never_leave_observed(org in org(), more in prop::collection::vec(act(4), 1..4)) {
        let before = judged(&org);
        let mut grown = org.clone();
        grown.acts.extend(more.into_iter().map(|a| Act { token: a.token % org.scopes.len(), ..a }));
        let after = judged(&grown);
        sound(&after)?;
        let then = verdicts(&after);
        for (id, verdict) in verdicts(&before) {
            prop_assert!(verdict != UseState::Observed || then[&id] == UseState::Observed, "{}", id);
        }
    }

    #[test]
    fn gaps_and_candidates_move_only_towards_not_judged(
        org in org(), from in 0..i64::from(DAYS), days in 1_i64..60, token in 0_usize..2, gap in any::<bool>(),
    ) {
        let before = judged(&org);
        let mut worse = org.clone();
        if gap {
            worse.off.push((from, days));
            worse.off.sort_unstable();
        } else {
            // Twelve digits could be either of a pair, and are too few to be one for certain.
            let action = "Git.RepositoryCreated".to_owned();
            worse.acts.push(Act { token, shown: 12, hour: from * 24, action, origin: true });
        }
        // Switches are told one after the other; spans that overlap are no input of this test.
        let apart = worse.off.windows(2).all(|w| w[0].0 + w[0].1 < w[1].0);
        prop_assume!(apart);
        let then = verdicts(&judged(&worse));
        for (id, verdict) in verdicts(&before) {
            let allowed = then[&id] == verdict
                || then[&id] == UseState::NotJudged && verdict != UseState::Observed;
            prop_assert!(allowed, "{}: {} became {}", id, verdict, then[&id]);
        }
    }

    #[test]
    fn usage_records_move_only_what_is_silent(
        org in org(), record in (0_usize..4, prop::sample::select(vec!["PAT", "PAT_Unscoped", "AAD_Cookie"]), 0..i64::from(DAYS)),
    ) {
        let mut without = org.clone();
        without.usage.clear();
        without.declared = None;
        let mut with = org;
        with.usage.push(record);
        with.declared = with.declared.or(Some(i64::from(DAYS)));
        let (before, after) = (verdicts(&judged(&without)), judged(&with));
        sound(&after)?;
        for (id, verdict) in verdicts(&after) {
            let silent = [UseState::NotObserved, UseState::Possible, UseState::RuledOut];
            prop_assert!(verdict == before[&id] || silent.contains(&verdict) && silent.contains(&before[&id]));
        }
    }

    #[test]
    fn the_order_of_what_is_told_changes_nothing(org in org(), seed in any::<u64>()) {
        let mut told = gathered(&org);
        let mut listed = inputs(&org);
        let turn = |n: usize| usize::try_from(seed % 97).unwrap_or(0) % n.max(1);
        let n = told.events.told.len();
        told.events.told.rotate_left(turn(n));
        told.uses.rotate_left(turn(n));
        told.uses.reverse();
        if let Some(inventory) = listed.inventories.get_mut(ORG) {
            inventory.lists.iter_mut().for_each(|list| list.rows.reverse());
        }
        if let Some((_, rows)) = listed.usage.get_mut(ORG) {
            rows.reverse();
        }
        let say = |a: &Analysis| a.tokens.iter().map(|t| format!("{t:?}")).collect::<Vec<_>>();
        prop_assert_eq!(say(&judged(&org)), say(&analysed(told, listed)));
    }
}
