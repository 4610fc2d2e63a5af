//! The analysis from end to end: rows and lists in, judged tokens out.
//!
//! In: an engine that holds the whole history up to the run's instant, inventories, users and usage records, and
//! what the index says of each day. Out: an [`Analysis`], which the detections see as tables and the report shows.

use super::attribution::{Attribution, Credential, How, Known, attribute};
use super::coverage::{Held, judge as judge_coverage};
use super::facts::{self, CredentialUse, EventIds, Folds, ProofFold};
use super::ledger::{self, Ledger, Listed, Unclear};
use super::people::People;
use super::scope::{self, Proof};
use super::tokens::{self, Inventory, Sources};
use super::usage::{self, OwnerUsage, Seen};
use crate::engine::{Engine, EngineError};
use crate::model::coverage::Coverage;
use crate::model::finding::MAX_EVENT_IDS;
use crate::model::identity::person_key;
use crate::model::inventory::{UsageRow, UserRow};
use crate::model::mechanism::{Mechanism, MechanismKind};
use crate::model::policy::Policy;
use crate::model::time::{Micros, Span, Window};
use crate::model::token::Token;
use crate::model::verdict::UseVerdict;
use std::collections::{BTreeMap, BTreeSet};

/// What the analysis needs beside the engine.
#[derive(Debug, Default)]
pub struct Inputs<'a> {
    /// Organisations to judge.
    pub orgs: Vec<String>,
    /// The latest inventories.
    pub inventories: BTreeMap<String, Inventory>,
    /// Users.
    pub users: BTreeMap<String, Vec<UserRow>>,
    /// Usage records, with the spans that they declare.
    pub usage: BTreeMap<String, (Vec<Span>, Vec<UsageRow>)>,
    /// Organisation ids to names.
    pub scopes: BTreeMap<String, String>,
    /// Days and covers.
    pub held: BTreeMap<String, Held<'a>>,
    /// How much is asked for.
    pub depth: Depth,
}

/// How much of the analysis a command needs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    /// Which credential is which token.
    Attribution,
    /// Verdicts, with the newest event of each: what detections look at.
    Verdicts,
    /// All that a dossier shows: event ids, and activity by day, place and tool.
    #[default]
    Dossiers,
}

/// One token with its answers, before detections have run.
#[derive(Debug, Clone)]
pub struct Judged {
    /// The token.
    pub token: Token,
    /// Is it used?
    pub usage: UseVerdict,
    /// Is it wider than its use?
    pub scope: scope::Answer,
    /// The creating event, where the ledger has it.
    pub created: Option<crate::model::token::LifeEvent>,
    /// How often its end date moved.
    pub extended: u64,
}

/// Everything that the analysis found.
#[derive(Debug, Default)]
pub struct Analysis {
    /// Tokens, by organisation and id.
    pub tokens: Vec<Judged>,
    /// What became of each PAT credential, with its events.
    pub credentials: Vec<(Attribution, Vec<CredentialUse>)>,
    /// Coverage by organisation.
    pub coverage: Vec<Coverage>,
    /// People by organisation.
    pub people: BTreeMap<String, People>,
    /// Token events that fit several tokens.
    pub unclear: Vec<Unclear>,
    /// PAT activity inside the window, with the token where there is one.
    pub folds: Folds,
}

/// Runs the analysis.
///
/// # Errors
/// When a query fails.
pub fn run(
    engine: &Engine,
    inputs: &mut Inputs<'_>,
    window: Window,
    policy: &Policy,
) -> Result<Analysis, EngineError> {
    let uses = facts::credentials(engine, window)?;
    let people = people(engine, inputs)?;
    let switches = facts::switches(engine)?;
    let mut coverage = Vec::new();
    for org in &inputs.orgs {
        let mut held = inputs.held.remove(org).unwrap_or_default();
        held.org = org;
        held.switches = switches.get(org).cloned().unwrap_or_default();
        coverage.push(judge_coverage(&held, window));
    }
    let listed = listed(inputs, &people);
    let (ledger, unclear) = ledger::build(facts::token_events(engine)?, &listed);
    let credentials = credentials(&uses);
    let attributions = attribute(&known(inputs, &ledger, &people), &credentials);
    let mut sources = Sources {
        inventories: std::mem::take(&mut inputs.inventories),
        ledger,
        people,
        scopes: std::mem::take(&mut inputs.scopes),
        attributions: &attributions,
        as_of: window.as_of,
        ..Sources::default()
    };
    hints(&mut sources, &attributions, &uses);
    let tokens: Vec<Token> =
        tokens::merge(&sources).into_iter().filter(|t| inputs.orgs.contains(&t.org)).collect();
    let index: BTreeMap<(&str, &str), usize> =
        tokens.iter().enumerate().map(|(i, t)| ((t.org.as_str(), t.token_id.as_str()), i)).collect();
    let token_of: BTreeMap<(&str, &str), usize> = attributions
        .iter()
        .filter_map(|a| {
            let at = index.get(&(a.org.as_str(), a.token_id.as_deref()?))?;
            Some(((a.org.as_str(), a.visible.as_str()), *at))
        })
        .collect();
    let mut judged = Vec::new();
    let mut folds = Folds::default();
    if inputs.depth > Depth::Attribution {
        let all_seen = seen(&tokens, &attributions, &uses, &token_of, &index);
        let found = facts::proofs(engine)?;
        let dossiers = inputs.depth == Depth::Dossiers;
        let ids = dossiers.then(|| facts::event_ids(engine, window, &uses, &found)).transpose()?;
        let (proofs, ids) = proofs(&found, ids.unwrap_or_default(), &token_of, tokens.len());
        judged = judge(inputs, &sources, &tokens, &coverage, (&all_seen, &proofs, &ids), policy);
        if dossiers {
            folds =
                facts::folds(engine, window, |org, credential| token_of.get(&(org, credential)).copied())?;
        }
    }
    let mut by_key: BTreeMap<(String, String), Vec<CredentialUse>> = BTreeMap::new();
    for one in uses {
        by_key.entry((one.org.clone(), one.credential.clone())).or_default().push(one);
    }
    let credentials = attributions
        .iter()
        .map(|a| (a.clone(), by_key.remove(&(a.org.clone(), a.visible.clone())).unwrap_or_default()))
        .collect();
    let people = std::mem::take(&mut sources.people);
    inputs.inventories = std::mem::take(&mut sources.inventories);
    Ok(Analysis { tokens: judged, credentials, coverage, people, unclear, folds })
}

/// Judges every token; `facts` are what was seen of each, what that proves, and its newest event ids.
fn judge(
    inputs: &Inputs<'_>,
    sources: &Sources<'_>,
    tokens: &[Token],
    coverage: &[Coverage],
    facts: (&[Seen], &[Vec<Proof>], &[Vec<String>]),
    policy: &Policy,
) -> Vec<Judged> {
    let (all_seen, proofs, ids) = facts;
    let mut judged = Vec::with_capacity(tokens.len());
    for (i, token) in tokens.iter().enumerate() {
        let covered = coverage.iter().find(|c| c.org == token.org);
        let owner_usage = inputs.usage.get(&token.org).map(|(spans, rows)| {
            let mut usage = owner_usage(token, spans, rows, tokens);
            let same = |t: &Token| t.org == token.org && t.owner_id.is_some() && t.owner_id == token.owner_id;
            let audited = tokens.iter().zip(all_seen).any(|(t, s)| same(t) && s.events > 0);
            usage.contradicted = usage.calls == 0 && audited;
            usage
        });
        let mut seen = all_seen[i].clone();
        seen.event_ids.clone_from(&ids[i]);
        let usage = usage::judge(token, &seen, covered, owner_usage.as_ref(), policy.min_covered_days);
        let enough = i64::from(usage.covered_days) >= policy.min_covered_days && seen.ambiguous.is_empty();
        let scope = scope::judge(token, &proofs[i], covered, enough);
        let entry = sources.ledger.get(&(token.org.clone(), token.token_id.clone()));
        let created = entry.and_then(|e| e.created.clone());
        let extended = entry.map_or(0, |e| e.extended);
        judged.push(Judged { token: token.clone(), usage, scope, created, extended });
    }
    judged
}

fn people(engine: &Engine, inputs: &Inputs<'_>) -> Result<BTreeMap<String, People>, EngineError> {
    let actors = facts::actors(engine)?;
    let changes = facts::access_changes(engine)?;
    Ok(inputs
        .orgs
        .iter()
        .map(|org| {
            let users = inputs.users.get(org).map_or(&[][..], Vec::as_slice);
            let actors: Vec<(String, String, String)> = actors
                .iter()
                .filter(|(o, ..)| o == org)
                .map(|(_, id, label)| {
                    let upn = if label.contains('@') { label.clone() } else { String::new() };
                    (id.clone(), upn, if label.contains('@') { String::new() } else { label.clone() })
                })
                .collect();
            let changes = changes.get(org).map_or(&[][..], Vec::as_slice);
            (org.clone(), People::build(users, &actors, changes))
        })
        .collect())
}

/// Owners by every text that names them.
fn owner_texts(
    people: &BTreeMap<String, People>,
    org: &str,
    texts: impl Iterator<Item = String>,
) -> Vec<String> {
    let mut all = BTreeSet::new();
    for text in texts {
        if let Some(person) = people.get(org).and_then(|p| p.find(&text)) {
            all.extend(person.id.clone());
            all.extend([person.label.to_lowercase(), person.name.to_lowercase()]);
        }
        all.extend(person_key(&text));
        all.insert(text.to_lowercase());
    }
    all.into_iter().filter(|t| !t.is_empty()).collect()
}

fn listed(inputs: &Inputs<'_>, people: &BTreeMap<String, People>) -> Vec<Listed> {
    inputs
        .inventories
        .iter()
        .flat_map(|(org, inventory)| {
            inventory.rows.iter().map(move |row| Listed {
                org: org.clone(),
                token_id: row.token_id.clone(),
                name: row.name.clone().unwrap_or_default(),
                owner: owner_texts(people, org, row.user_id.iter().chain(row.owner()).cloned()),
                valid_from: row.valid_from,
            })
        })
        .collect()
}

fn known(inputs: &Inputs<'_>, ledger: &Ledger, people: &BTreeMap<String, People>) -> Vec<Known> {
    let mut known: BTreeMap<(String, String), Known> = BTreeMap::new();
    for (org, inventory) in &inputs.inventories {
        for row in &inventory.rows {
            let targets = row.target_accounts.iter().flatten();
            known.insert(
                (org.clone(), row.token_id.clone()),
                Known {
                    org: org.clone(),
                    token_id: row.token_id.clone(),
                    owner: owner_texts(people, org, row.user_id.iter().chain(row.owner()).cloned()),
                    all_orgs: row.target_accounts.is_none(),
                    targets: targets.filter_map(|t| inputs.scopes.get(t)).cloned().collect(),
                },
            );
        }
    }
    for ((org, token_id), entry) in ledger {
        known.entry((org.clone(), token_id.clone())).or_insert_with(|| Known {
            org: org.clone(),
            token_id: token_id.clone(),
            owner: owner_texts(people, org, entry.owner_id.iter().chain(&entry.owner).cloned()),
            all_orgs: entry.all_orgs == Some(true),
            targets: BTreeSet::new(),
        });
    }
    known.into_values().collect()
}

fn credentials(uses: &[CredentialUse]) -> Vec<Credential> {
    let mut by_key: BTreeMap<(&str, &str), BTreeSet<String>> = BTreeMap::new();
    for one in uses {
        let actors = by_key.entry((&one.org, &one.credential)).or_default();
        actors.extend(
            [one.actor_id.to_lowercase(), one.actor.to_lowercase()].into_iter().filter(|a| !a.is_empty()),
        );
        actors.extend(person_key(&one.actor_id));
    }
    by_key
        .into_iter()
        .map(|((org, visible), actors)| Credential {
            org: org.to_owned(),
            visible: visible.to_owned(),
            actors,
        })
        .collect()
}

/// What the mechanism's class and actor say of a token that nothing else describes.
fn hints(sources: &mut Sources<'_>, attributions: &[Attribution], uses: &[CredentialUse]) {
    let tokens: BTreeMap<(&str, &str), &str> = attributions
        .iter()
        .filter_map(|a| Some(((a.org.as_str(), a.visible.as_str()), a.token_id.as_deref()?)))
        .collect();
    for one in uses {
        let Some(token_id) = tokens.get(&(one.org.as_str(), one.credential.as_str())) else { continue };
        let key = (one.org.clone(), (*token_id).to_owned());
        let class = Mechanism { class: &one.class, kind: MechanismKind::Pat, credential: "" };
        let hint = sources.hints.entry(key.clone()).or_default();
        hint.0 |= class.full_scope_hint();
        hint.1 |= class.all_orgs_hint();
        sources.actors.entry(key).or_insert_with(|| (one.actor_id.clone(), one.actor.clone()));
    }
}

fn seen(
    tokens: &[Token],
    attributions: &[Attribution],
    uses: &[CredentialUse],
    token_of: &BTreeMap<(&str, &str), usize>,
    index: &BTreeMap<(&str, &str), usize>,
) -> Vec<Seen> {
    let mut seen = vec![Seen::default(); tokens.len()];
    let mut in_window: BTreeSet<(&str, &str)> = BTreeSet::new();
    for one in uses {
        let key = (one.org.as_str(), one.credential.as_str());
        if one.n > 0 {
            in_window.insert(key);
        }
        let Some(at) = token_of.get(&key) else { continue };
        seen[*at].events += u64::try_from(one.n).unwrap_or(0);
        seen[*at].last_ever = seen[*at].last_ever.max(Some(one.last_time));
        seen[*at].last_in_window = seen[*at].last_in_window.max(one.last_in_window);
    }
    for attribution in attributions.iter().filter(|a| a.how == How::Ambiguous) {
        // Only what was used inside the window can be this token's use inside the window.
        if !in_window.contains(&(attribution.org.as_str(), attribution.visible.as_str())) {
            continue;
        }
        for candidate in &attribution.candidates {
            if let Some(at) = index.get(&(attribution.org.as_str(), candidate.as_str())) {
                let shown =
                    if attribution.visible.is_empty() { "(no id shown)" } else { &attribution.visible };
                seen[*at].ambiguous.push(shown.to_owned());
            }
        }
    }
    seen
}

/// Proofs and newest event ids by token. Without ids each proof holds its newest event.
fn proofs(
    folds: &[ProofFold],
    ids: EventIds,
    token_of: &BTreeMap<(&str, &str), usize>,
    tokens: usize,
) -> (Vec<Vec<Proof>>, Vec<Vec<String>>) {
    let mut by_action: Vec<BTreeMap<&str, Proof>> = vec![BTreeMap::new(); tokens];
    let mut lists = ids.proofs.into_iter();
    for fold in folds {
        let events = lists.next().unwrap_or_else(|| vec![fold.newest.clone()]);
        let Some(&at) = token_of.get(&(fold.key.0.as_str(), fold.key.1.as_str())) else { continue };
        let proof = by_action[at].entry(&fold.action).or_default();
        fold.action.clone_into(&mut proof.action);
        proof.events += fold.n;
        if fold.orphan { proof.orphans.extend(events) } else { proof.origins.extend(events) }
    }
    let mut newest: Vec<Vec<(Micros, String)>> = vec![Vec::new(); tokens];
    for ((org, credential), events) in ids.all {
        if let Some(&at) = token_of.get(&(org.as_str(), credential.as_str())) {
            newest[at].extend(events);
        }
    }
    // A token may show under several credentials.
    let ids = newest.into_iter().map(|mut events| {
        events.sort_unstable_by(|a, b| b.cmp(a));
        events.into_iter().map(|(_, id)| id).take(MAX_EVENT_IDS).collect()
    });
    let ids = ids.collect();
    (by_action.into_iter().map(|actions| actions.into_values().collect()).collect(), ids)
}

/// What usage records say of a token's owner.
fn owner_usage(token: &Token, spans: &[Span], rows: &[UsageRow], tokens: &[Token]) -> OwnerUsage {
    let owner_key = token.owner_id.as_deref().and_then(person_key);
    let mine = |row: &&UsageRow| {
        let by_id = owner_key.is_some() && person_key(&row.user_id) == owner_key;
        by_id
            || row.user_id.is_empty()
                && token.owner.as_deref().is_some_and(|o| o.eq_ignore_ascii_case(row.user.trim()))
    };
    let full = token.is_full_access();
    let same_class = |class: &Mechanism<'_>| {
        class.full_scope_hint() == full && token.all_orgs.is_none_or(|all| class.all_orgs_hint() == all)
    };
    let mut usage = OwnerUsage { spans: spans.to_vec(), by_id: owner_key.is_some(), ..OwnerUsage::default() };
    // Records that name users without ids cannot rule anything out for anybody.
    if rows.iter().any(|r| r.user_id.is_empty()) {
        usage.by_id = false;
    }
    for row in rows.iter().filter(mine) {
        let mechanism = Mechanism::parse(&row.mechanism);
        if mechanism.kind != MechanismKind::Pat {
            continue;
        }
        usage.calls += u64::try_from(row.count.max(1)).unwrap_or(1);
        if same_class(&mechanism) {
            usage.calls_of_class += u64::try_from(row.count.max(1)).unwrap_or(1);
        }
    }
    let sharing = tokens
        .iter()
        .filter(|t| {
            t.org == token.org && t.owner_id.is_some() && t.owner_id == token.owner_id && !t.is_over()
        })
        .filter(|t| t.is_full_access() == full && t.all_orgs == token.all_orgs);
    usage.sharing = sharing.count() as u64;
    usage
}
