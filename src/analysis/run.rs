//! The analysis from end to end: rows and lists in, judged tokens out.
//!
//! In: an engine that holds the whole history up to the run's instant, inventories, users and usage records, and
//! what the index says of each day. Out: an [`Analysis`], which the detections see as tables and the report shows.

use super::attribution::{Attribution, How, attribute};
use super::claims::Stated;
use super::claims::token::{Reach, Said, join_of_person};
use super::contrary::{self, ClassConflict, OtherUser};
use super::coverage::{Held, Switch, judge as judge_coverage};
use super::facts::{self, Fold, Folds, PatEvents};
use super::grants::{self, GrantChange};
use super::inventory::Inventory;
use super::ledger::{self, TokenEvent, Unclear};
use super::owner_usage::Records;
use super::people::{AccessChange, Actor, GroupChange, People, SignIn};
use super::scope::{self, Proof};
use super::tokens::{self, Sources};
use super::usage::{self, Seen};
use super::uses::{self, CredentialUse};
use super::whereabouts::{self, Whereabouts};
use super::{dependence, known, rotation};
use crate::engine::{Engine, EngineError};
use crate::model::claim::{Claim, Field, Join, Source};
use crate::model::coverage::Coverage;
use crate::model::identity::person_key;
use crate::model::inventory::{UsageRow, UserRow};
use crate::model::lineage::{Dependence, Lineage};
use crate::model::mechanism::{Mechanism, MechanismKind};
use crate::model::noun::counted;
use crate::model::policy::Policy;
use crate::model::time::{Micros, Span, Window};
use crate::model::token::Token;
use crate::model::verdict::UseVerdict;
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// What the analysis needs beside the engine.
#[derive(Debug, Default)]
pub struct Inputs<'a> {
    /// Organisations that the lake knows: claims about a token are gathered over all of them.
    pub orgs: Vec<String>,
    /// Those of them that are judged; none stands for all.
    pub judged: Vec<String>,
    /// Lists of PATs.
    pub inventories: BTreeMap<String, Inventory>,
    /// Users with the instant of their list where it has one, oldest first.
    pub users: BTreeMap<String, Vec<(Option<Micros>, UserRow)>>,
    /// Usage records, with the spans that they declare.
    pub usage: BTreeMap<String, (Vec<Span>, Vec<UsageRow>)>,
    /// Organisation ids to names.
    pub scopes: BTreeMap<String, String>,
    /// Days and covers.
    pub held: BTreeMap<String, Held<'a>>,
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
    /// Where and until when it was seen.
    pub whereabouts: Whereabouts,
    /// Its generations.
    pub lineage: Lineage,
    /// What seems to depend on it.
    pub dependence: Dependence,
    /// The grant and end that events tell, where the latest list says otherwise.
    pub differs: Option<String>,
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
    /// PAT activity inside the window.
    pub folds: Folds,
    /// The token of each key of the folds, where there is one.
    pub fold_tokens: Vec<Option<usize>>,
    /// Changes of grants that events show.
    pub grant_changes: Vec<GrantChange>,
    /// Uses of tokens by somebody who is not the owner.
    pub other_users: Vec<OtherUser>,
    /// Mechanism classes that name a wider grant than list and events do.
    pub class_conflicts: Vec<ClassConflict>,
}

/// What the engine tells: everything up to the run's instant, before it is judged.
#[derive(Debug, Default, Clone)]
pub struct Gathered {
    /// PAT credentials with their users.
    pub uses: Vec<CredentialUse>,
    /// PAT events inside the window.
    pub events: PatEvents,
    /// PAT activity inside the window.
    pub folds: Folds,
    /// `Token.*` events.
    pub token_events: Vec<TokenEvent>,
    /// Actors as events show them, by organisation.
    pub actors: Vec<(String, Actor)>,
    /// Events that people made with a sign-in of their own, by organisation.
    pub sign_ins: BTreeMap<String, Vec<SignIn>>,
    /// Display names by organisation and storage key: a licence may be taken from one, and a list of users need not
    /// hold who left.
    pub names: BTreeMap<(String, String), String>,
    /// Access taken or given back.
    pub access: BTreeMap<String, Vec<AccessChange>>,
    /// Who administrates what.
    pub groups: BTreeMap<String, Vec<GroupChange>>,
    /// The log or a stream switched off or on.
    pub switches: BTreeMap<String, Vec<Switch>>,
}

/// How much of the analysis a command needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Which credential is which token, in a run over one organisation: no people and no coverage. Nothing that is left
    /// out decides whose a credential is there: other names of a person join events to tokens that are known anyway.
    Credentials,
    /// Which credential is which token, people and coverage: no token is described or judged.
    Attribution,
    /// Verdicts, but not who works with a token and which places hold it.
    Findings,
    /// Everything.
    Verdicts,
}

/// Asks the engines all that the analysis needs: `known` has the tables of every organisation of the lake, `engine` those
/// of the organisations that are judged.
///
/// # Errors
/// When a query fails.
pub fn gather(
    known: &Engine,
    engine: &Engine,
    window: Window,
    depth: Depth,
) -> Result<Gathered, EngineError> {
    let judging = matches!(depth, Depth::Findings | Depth::Verdicts);
    if depth == Depth::Credentials {
        // Each waits for files and keeps one thread busy at most for half of its time.
        let (uses, token_events) = std::thread::scope(|scope| {
            let events = scope.spawn(|| facts::token_events(known));
            let uses = uses::credentials(known, window);
            (uses, events.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        });
        return Ok(Gathered { uses: uses?, token_events: token_events?, ..Gathered::default() });
    }
    Ok(Gathered {
        uses: uses::credentials(known, window)?,
        events: PatEvents { held: if judging { Some(known.calls(&[])?) } else { None }, told: Vec::new() },
        folds: if depth == Depth::Verdicts { facts::folds(engine)? } else { Folds::default() },
        token_events: facts::token_events(known)?,
        actors: facts::actors(known)?,
        names: facts::actor_names(known)?,
        sign_ins: facts::sign_ins(known)?,
        access: facts::access_changes(known)?,
        groups: facts::group_changes(known)?,
        switches: facts::switches(known)?,
    })
}

/// Runs the analysis.
///
/// # Errors
/// When a query fails.
pub fn run(
    known: &Engine,
    engine: &Engine,
    inputs: &mut Inputs<'_>,
    window: Window,
    policy: &Policy,
    depth: Depth,
) -> Result<Analysis, EngineError> {
    Ok(decide(gather(known, engine, window, depth)?, inputs, window, policy, depth))
}

/// Judges what was gathered; a function of its inputs alone.
#[must_use]
pub fn decide(
    mut told: Gathered,
    inputs: &mut Inputs<'_>,
    window: Window,
    policy: &Policy,
    depth: Depth,
) -> Analysis {
    let (events, folds) = (std::mem::take(&mut told.events), std::mem::take(&mut told.folds));
    let uses = &told.uses;
    let attributing = matches!(depth, Depth::Credentials | Depth::Attribution);
    let people = if depth == Depth::Credentials { BTreeMap::new() } else { known::people(&told, inputs) };
    let mut coverage = Vec::new();
    for org in inputs.orgs.iter().filter(|_| depth != Depth::Credentials) {
        let mut held = inputs.held.remove(org).unwrap_or_default();
        held.org = org;
        held.switches = told.switches.get(org).cloned().unwrap_or_default();
        coverage.push(judge_coverage(&held, window));
    }
    let listed = known::listed(inputs, &people);
    let aliases = |org: &str, text: &str| known::owner_texts(&people, org, std::iter::once(text.to_owned()));
    let (ledger, unclear) = ledger::build(told.token_events.clone(), &listed, &aliases);
    let credentials = known::credentials(uses);
    let attributions = attribute(&known::known(inputs, &ledger, &people), &credentials);
    if attributing {
        let credentials = with_uses(&attributions, uses);
        let analysis = Analysis { credentials, coverage, people, unclear, ..Analysis::default() };
        return analysis.of_judged(&inputs.judged);
    }
    let mut sources = Sources {
        inventories: std::mem::take(&mut inputs.inventories),
        ledger,
        people,
        scopes: std::mem::take(&mut inputs.scopes),
        orgs: inputs.orgs.clone(),
        attributions: &attributions,
        as_of: window.as_of,
        ..Sources::default()
    };
    claims_of_use(&mut sources, &attributions, uses);
    let mut tokens: Vec<Token> =
        tokens::merge(&sources).into_iter().filter(|t| inputs.orgs.contains(&t.org)).collect();
    know_owners(&mut tokens, &sources.people, uses);
    claim_use(&mut tokens, &attributions, uses);
    let tokens = tokens;
    let index: BTreeMap<(&str, &str), usize> =
        tokens.iter().enumerate().map(|(i, t)| ((t.org.as_str(), t.token_id.as_str()), i)).collect();
    let token_of: BTreeMap<(&str, &str), usize> = attributions
        .iter()
        .filter_map(|a| {
            let at = index.get(&(a.org.as_str(), a.token_id.as_deref()?))?;
            Some(((a.org.as_str(), a.visible.as_str()), *at))
        })
        .collect();
    let all_seen = seen(&tokens, &attributions, uses, &token_of, &index);
    let mut keys: Vec<Vec<(&str, &str)>> = vec![Vec::new(); tokens.len()];
    for (key, at) in &token_of {
        keys[*at].push(*key);
    }
    let fold_tokens: Vec<Option<usize>> = folds
        .keys
        .iter()
        .map(|(org, credential)| token_of.get(&(org.as_str(), credential.as_str())).copied())
        .collect();
    let mut of_tokens: Vec<Vec<&Fold>> = vec![Vec::new(); tokens.len()];
    for fold in &folds.rows {
        if let Some(at) = fold_tokens[fold.key as usize] {
            of_tokens[at].push(fold);
        }
    }
    let siblings = siblings(&tokens);
    let covered = |org: &str| coverage.iter().find(|c| c.org == org);
    let records: BTreeMap<&str, Records<'_>> = inputs
        .usage
        .iter()
        .map(|(org, (spans, rows))| {
            let people = sources.people.get(org);
            (org.as_str(), Records::new(org, spans, rows, people, &tokens, uses, window))
        })
        .collect();
    let is_judged = |token: &Token| inputs.judged.is_empty() || inputs.judged.contains(&token.org);
    let judged: Vec<usize> = (0..tokens.len()).filter(|i| is_judged(&tokens[*i])).collect();
    let usages: Vec<UseVerdict> = judged
        .par_iter()
        .map(|i| {
            let (i, token) = (*i, &tokens[*i]);
            let owner_usage = records.get(token.org.as_str()).map(|records| records.of(token));
            let mut seen = all_seen[i].clone();
            seen.event_ids = events.newest(&keys[i]).into_iter().map(|(_, id)| id.to_string()).collect();
            for other in siblings[i].iter().copied().filter(|o| *o != i) {
                if all_seen[other].events > 0 {
                    seen.seen_in.push(tokens[other].org.clone());
                }
            }
            usage::judge(token, &seen, covered(&token.org), owner_usage.as_ref(), policy.min_covered_days)
        })
        .collect();
    let lineages = rotation::link(&tokens, window.as_of);
    let whereabouts = whereabouts::judge(&tokens, &all_seen, &siblings, &coverage, window.as_of);
    let one = |(i, usage): (usize, UseVerdict)| {
        let (token, lineage, whereabouts) = (&tokens[i], lineages[i].clone(), whereabouts[i].clone());
        // One secret, several organisations: a scope is judged by what it did in all of them.
        let rows = &siblings[i];
        let others = rows.iter().map(|r| &tokens[*r].org).chain(&token.other_orgs);
        let orgs: BTreeSet<&String> = others.filter(|org| **org != token.org).collect();
        let proof = |(action, (origins, orphans))| Proof { action, origins, orphans };
        let of_token: Vec<Proof> = rows.iter().flat_map(|r| events.proofs(&keys[*r])).map(proof).collect();
        let bounds = scope::Bounds {
            coverage: std::iter::once(&token.org).chain(orgs).map(|org| covered(org)).collect(),
            min_covered_days: policy.min_covered_days,
            ambiguous: rows.iter().any(|r| !all_seen[*r].ambiguous.is_empty()),
        };
        let scope = scope::judge(token, &of_token, &bounds);
        let entries = sources.entries(&token.org, &token.token_id);
        let created = entries.iter().find_map(|(_, e)| e.created.clone());
        let extended = entries.iter().map(|(_, e)| e.extended).sum();
        let dependence = dependence::judge(token, &of_tokens[i], &folds.names, window.as_of);
        let differs = tokens::differs(&sources, token);
        Judged {
            token: token.clone(),
            usage,
            scope,
            created,
            extended,
            whereabouts,
            lineage,
            dependence,
            differs,
        }
    };
    let place: BTreeMap<usize, usize> = judged.iter().enumerate().map(|(place, i)| (*i, place)).collect();
    let fold_tokens = fold_tokens.iter().map(|at| at.and_then(|i| place.get(&i).copied())).collect();
    let told = owners_told(&sources);
    let evidence = contrary::Evidence {
        tokens: &tokens,
        token_of: &token_of,
        uses,
        attributions: &attributions,
        people: &sources.people,
        owner_told: &tokens.iter().map(|t| told.contains(t.token_id.as_str())).collect::<Vec<_>>(),
    };
    let other_users = contrary::other_users(&evidence);
    let class_conflicts = contrary::class_conflicts(&evidence);
    // An event is a finding in the organisation whose log has it.
    let is_of_org = |c: &GrantChange| {
        let entry = sources.ledger.get(&(c.org.clone(), c.token_id.clone()));
        entry.is_some_and(|e| e.life.iter().any(|l| l.event_id == c.event_id))
    };
    let grant_changes = tokens.iter().flat_map(grants::changes).filter(is_of_org).collect();
    let tokens: Vec<Judged> = judged.into_par_iter().zip(usages).map(one).collect();
    drop((of_tokens, records));
    let credentials = with_uses(&attributions, uses);
    let people = std::mem::take(&mut sources.people);
    inputs.inventories = std::mem::take(&mut sources.inventories);
    let analysis = Analysis {
        tokens,
        credentials,
        coverage,
        people,
        unclear,
        folds,
        fold_tokens,
        grant_changes,
        other_users,
        class_conflicts,
    };
    analysis.of_judged(&inputs.judged)
}

/// Ids of the tokens whose owner a list or an event about them names; of the others only use says who owns them.
fn owners_told(sources: &Sources<'_>) -> BTreeSet<String> {
    let entries =
        sources.ledger.iter().filter(|(_, e)| !e.said.owners.is_empty() || !e.said.creators.is_empty());
    let rows = sources.inventories.values().flat_map(|i| i.lists.iter().flat_map(|l| &l.rows));
    let named = rows.filter(|r| r.user_id.is_some() || r.owner().is_some());
    entries.map(|((_, id), _)| id.clone()).chain(named.map(|r| r.token_id.clone())).collect()
}

impl Analysis {
    /// Leaves out what concerns organisations that are known and not judged; tokens are left out already.
    fn of_judged(mut self, orgs: &[String]) -> Self {
        if !orgs.is_empty() {
            self.credentials.retain(|(a, _)| orgs.contains(&a.org));
            self.coverage.retain(|c| orgs.contains(&c.org));
            self.people.retain(|org, _| orgs.contains(org));
            self.unclear.retain(|u| orgs.contains(&u.org));
            self.grant_changes.retain(|c| orgs.contains(&c.org));
            self.other_users.retain(|o| orgs.contains(&o.org));
            self.class_conflicts.retain(|c| orgs.contains(&c.org));
        }
        self
    }
}

/// Every credential with who used it.
fn with_uses(attributions: &[Attribution], uses: &[CredentialUse]) -> Vec<(Attribution, Vec<CredentialUse>)> {
    let mut by_key: BTreeMap<(&str, &str), Vec<CredentialUse>> = BTreeMap::new();
    for one in uses {
        by_key.entry((&one.org, &one.credential)).or_default().push(one.clone());
    }
    let with = |a| -> (Attribution, Vec<CredentialUse>) {
        let a: &Attribution = a;
        (a.clone(), by_key.remove(&(a.org.as_str(), a.visible.as_str())).unwrap_or_default())
    };
    attributions.iter().map(with).collect()
}

/// Rows of the same token in every organisation of the run, by row.
fn siblings(tokens: &[Token]) -> Vec<Vec<usize>> {
    let mut by_id: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (i, token) in tokens.iter().enumerate() {
        by_id.entry(&token.token_id).or_default().push(i);
    }
    tokens.iter().map(|t| by_id.get(t.token_id.as_str()).cloned().unwrap_or_default()).collect()
}

/// Adds what is known of each token's owner.
fn know_owners(tokens: &mut [Token], people: &BTreeMap<String, People>, uses: &[CredentialUse]) {
    let mut last_pat: BTreeMap<(&str, String), Micros> = BTreeMap::new();
    for one in uses {
        if let Some(key) = person_key(&one.actor_id) {
            let slot = last_pat.entry((&one.org, key)).or_insert(one.last_time);
            *slot = one.last_time.max(*slot);
        }
    }
    let owner = |t: &Token| Some((t.org.clone(), t.owner_id.as_deref().and_then(person_key)?));
    let mut in_force: BTreeMap<(String, String), u64> = BTreeMap::new();
    for token in tokens.iter().filter(|t| !t.is_over()) {
        if let Some(key) = owner(token) {
            *in_force.entry(key).or_default() += 1;
        }
    }
    for token in tokens.iter_mut() {
        let person = people.get(&token.org).and_then(|p| {
            Some((p, token.owner_id.iter().chain(&token.owner).find_map(|text| p.find(text))?))
        });
        if let Some((people, person)) = person {
            token.owner_facts.aliases = people.names_of(person);
            token.owner_facts.admin_of.clone_from(&person.admin_of);
            token.owner_facts.last_access = person.last_access;
        }
        if let Some((org, key)) = owner(token) {
            token.owner_facts.last_pat = last_pat.get(&(org.as_str(), key.clone())).copied();
            token.owner_facts.tokens = in_force.get(&(org, key)).copied().unwrap_or_default();
        }
    }
}

/// Notes which credentials were taken for each token, and how they were joined.
fn claim_use(tokens: &mut [Token], attributions: &[Attribution], uses: &[CredentialUse]) {
    let mut used: BTreeMap<(&str, &str), (i64, Micros)> = BTreeMap::new();
    for one in uses {
        let slot = used.entry((&one.org, &one.credential)).or_insert((0, one.last_time));
        *slot = (slot.0 + one.n_ever, slot.1.max(one.last_time));
    }
    let mut claims: BTreeMap<(&str, &str), Vec<Claim>> = BTreeMap::new();
    for attribution in attributions {
        let Some(token_id) = &attribution.token_id else { continue };
        let Some((n, last)) = used.get(&(attribution.org.as_str(), attribution.visible.as_str())) else {
            continue;
        };
        let value =
            format!("{} by the credential {}", counted(n.unsigned_abs(), "event"), attribution.visible);
        let join = if attribution.how == How::Exact { Join::Id } else { Join::UniquePrefix };
        let claim = Claim::new(Field::Use, value, Some(*last), Source::Event).joined(join);
        claims.entry((&attribution.org, token_id)).or_default().push(claim);
    }
    for token in tokens {
        token
            .claims
            .extend(claims.remove(&(token.org.as_str(), token.token_id.as_str())).unwrap_or_default());
        token.claims.sort();
    }
}

/// What the use of a token says of it: the class of its mechanism, and who acted, since a PAT acts as its owner.
fn claims_of_use(sources: &mut Sources<'_>, attributions: &[Attribution], uses: &[CredentialUse]) {
    let tokens: BTreeMap<(&str, &str), &Attribution> =
        attributions.iter().map(|a| ((a.org.as_str(), a.visible.as_str()), a)).collect();
    for one in uses {
        let Some(attribution) = tokens.get(&(one.org.as_str(), one.credential.as_str())) else { continue };
        let Some(token_id) = &attribution.token_id else { continue };
        let said: &mut Said = sources.uses.entry((one.org.clone(), token_id.clone())).or_default();
        let join = if attribution.how == How::Exact { Join::Id } else { Join::UniquePrefix };
        let time = Some(one.last_time);
        for text in [&one.actor_id, &one.actor].into_iter().filter(|text| !text.is_empty()) {
            let claim = Claim::new(Field::Owner, text.clone(), time, Source::Event);
            let claim = claim.joined(join_of_person(text).min(join));
            said.users.push(Stated { value: text.clone(), claim });
        }
        let class = Mechanism { class: &one.class, kind: MechanismKind::Pat, credential: "" };
        let hint =
            |field, value: &str| Claim::new(field, value, time, Source::MechanismClass).joined(Join::Class);
        if class.full_scope_hint() {
            let value = vec!["app_token".to_owned()];
            said.class_scopes.push(Stated { value, claim: hint(Field::Scopes, "app_token") });
        }
        if class.all_orgs_hint() {
            let claim = hint(Field::Reach, &Reach::All.words());
            said.class_reach.push(Stated { value: Reach::All, claim });
        }
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
        let shown = if attribution.visible.is_empty() { "(no id shown)" } else { &attribution.visible };
        for candidate in &attribution.candidates {
            match index.get(&(attribution.org.as_str(), candidate.as_str())) {
                Some(at) => seen[*at].ambiguous.push(shown.to_owned()),
                // A token of another organisation that reaches this one: its rows there cannot be judged either.
                None => {
                    for (at, _) in tokens.iter().enumerate().filter(|(_, t)| t.token_id == *candidate) {
                        seen[at].ambiguous.push(format!("{shown} in {}", attribution.org));
                    }
                }
            }
        }
    }
    seen
}
