//! What the analysis asks the engine: one query a question, each turned into plain values.
//!
//! In: an engine with the lake's folds up to the run's instant. Out: credentials, proofs, token events and the
//! events that change access or switch the log. Raw events are read for the ids in dossiers alone.

use super::coverage::Switch;
use super::ledger::TokenEvent;
use super::people::AccessChange;
use crate::engine::newest::{Key, Stamped, Wish};
use crate::engine::rows::{Cell, Rows};
use crate::engine::{Engine, EngineError};
use crate::model::finding::MAX_EVENT_IDS;
use crate::model::time::{Micros, Window, day_text};
use std::collections::{BTreeMap, BTreeSet};

/// A PAT credential with who used it, before it is joined to a token.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CredentialUse {
    /// Organisation.
    pub org: String,
    /// Visible part.
    pub credential: String,
    /// Mechanism class.
    pub class: String,
    /// Label of the actor.
    pub actor: String,
    /// Storage key of the actor.
    pub actor_id: String,
    /// Events that the lake holds.
    pub n_ever: i64,
    /// Events inside the window.
    pub n: i64,
    /// First event.
    pub first_time: Micros,
    /// Last event.
    pub last_time: Micros,
    /// Last event inside the window.
    pub last_in_window: Option<Micros>,
}

/// What the events of one credential and action prove, inside the window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProofFold {
    /// Organisation and credential.
    pub key: (String, String),
    /// Action id.
    pub action: String,
    /// Whether these are orphans; else origins.
    pub orphan: bool,
    /// Events.
    pub n: u64,
    /// Time and id of the newest.
    pub newest: Stamped,
}

/// PAT activity inside the window, one row a fold; texts are numbers of `names`.
#[derive(Debug, Default)]
pub struct Folds {
    /// Every text that occurs.
    pub names: Vec<String>,
    /// The folds.
    pub rows: Vec<Fold>,
}

/// One fold of PAT activity inside the window. A number that `names` lacks stands for no text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fold {
    /// The token, where there is one.
    pub token: Option<usize>,
    /// Day.
    pub day: i32,
    /// Action.
    pub action: u32,
    /// Network.
    pub network: u32,
    /// Client.
    pub client: u32,
    /// Project.
    pub project: u32,
    /// Events.
    pub n: i64,
    /// Hours of the day with an event.
    pub hour_bits: i64,
}

/// A reader of columns by name.
struct Reader<'a> {
    rows: &'a Rows,
}

impl Reader<'_> {
    fn text(&self, i: usize, name: &str) -> String {
        self.rows.text(i, name).unwrap_or_default().to_owned()
    }

    fn int(&self, i: usize, name: &str) -> i64 {
        self.rows.int(i, name).unwrap_or_default()
    }

    fn time(&self, i: usize, name: &str) -> Option<Micros> {
        self.rows.get(i, name).as_time()
    }

    fn flag(&self, i: usize, name: &str) -> bool {
        matches!(self.rows.get(i, name), Cell::Bool(true))
    }
}

fn read<T>(
    engine: &Engine,
    sql: &str,
    make: impl Fn(&Reader<'_>, usize) -> T,
) -> Result<Vec<T>, EngineError> {
    let rows = engine.query(sql)?;
    let reader = Reader { rows: &rows };
    Ok((0..rows.len()).map(|i| make(&reader, i)).collect())
}

/// PAT credentials with their users.
///
/// # Errors
/// When the query fails.
pub fn credentials(engine: &Engine, window: Window) -> Result<Vec<CredentialUse>, EngineError> {
    let from = day_text(window.first_day()) + "T00:00:00";
    let sql = format!(
        "SELECT org, credential, class, actor, actor_id, SUM(n) AS n_ever,
                SUM(CASE WHEN last_time >= TIMESTAMP '{from}' THEN n ELSE 0 END) AS n_window,
                MIN(first_time) AS first_time, MAX(last_time) AS last_time,
                MAX(CASE WHEN last_time >= TIMESTAMP '{from}' THEN last_time ELSE NULL END) AS last_in_window
         FROM lake_uses WHERE kind = 'pat'
         GROUP BY org, credential, class, actor, actor_id
         ORDER BY org, credential, class, actor, actor_id"
    );
    read(engine, &sql, |r, i| CredentialUse {
        org: r.text(i, "org"),
        credential: r.text(i, "credential"),
        class: r.text(i, "class"),
        actor: r.text(i, "actor"),
        actor_id: r.text(i, "actor_id"),
        n_ever: r.int(i, "n_ever"),
        n: r.int(i, "n_window"),
        first_time: r.time(i, "first_time").unwrap_or_default(),
        last_time: r.time(i, "last_time").unwrap_or_default(),
        last_in_window: r.time(i, "last_in_window"),
    })
}

/// What PAT events inside the window prove. The events themselves are not read: a fold keeps their number and the
/// newest of them, which is all that a verdict needs.
///
/// # Errors
/// When the query fails.
pub fn proofs(engine: &Engine) -> Result<Vec<ProofFold>, EngineError> {
    read(
        engine,
        "SELECT org, credential, action, orphan, SUM(n) AS n, MAX(newest) AS newest FROM lake_proof
         GROUP BY org, credential, action, orphan ORDER BY org, credential, action, orphan",
        |r, i| ProofFold {
            key: (r.text(i, "org"), r.text(i, "credential")),
            action: r.text(i, "action"),
            orphan: r.flag(i, "orphan"),
            n: u64::try_from(r.int(i, "n")).unwrap_or(0),
            newest: stamped(&r.text(i, "newest")),
        },
    )
}

/// Takes a stamp apart: sixteen digits of microseconds, then the id.
fn stamped(text: &str) -> Stamped {
    let (time, id) = text.split_at_checked(16).unwrap_or(("", text));
    (time.parse().unwrap_or_default(), id.to_owned())
}

/// The newest event ids for the dossiers: of each credential, and of each credential and action its origins and
/// orphans. In the order of `proofs`.
#[derive(Debug, Default)]
pub struct EventIds {
    /// By organisation and credential, whatever the event proves.
    pub all: BTreeMap<(String, String), Vec<Stamped>>,
    /// One list a row of the proofs.
    pub proofs: Vec<Vec<Stamped>>,
}

/// Reads the newest event ids from the raw events.
///
/// # Errors
/// When the events cannot be read.
pub fn event_ids(
    engine: &Engine,
    window: Window,
    uses: &[CredentialUse],
    proofs: &[ProofFold],
) -> Result<EventIds, EngineError> {
    let pat = BTreeMap::from([("kind".to_owned(), BTreeSet::from(["pat".to_owned()]))]);
    let wish = |org: &str, credential: &str, matches, origins| Wish {
        org: org.to_owned(),
        key: credential.to_owned(),
        from: window.from,
        to: window.as_of,
        matches,
        origins,
    };
    let used: BTreeSet<(&str, &str)> = uses
        .iter()
        .filter(|u| u.n > 0 && !u.credential.is_empty())
        .map(|u| (u.org.as_str(), u.credential.as_str()))
        .collect();
    let mut wishes: Vec<Wish> = used.iter().map(|(org, c)| wish(org, c, pat.clone(), false)).collect();
    for proof in proofs.iter().filter(|p| !p.orphan) {
        let mut matches = pat.clone();
        matches.insert("action".to_owned(), BTreeSet::from([proof.action.clone()]));
        wishes.push(wish(&proof.key.0, &proof.key.1, matches, true));
    }
    let mut found = engine.newest(Key::Credential, &wishes)?.into_iter();
    let all = used.iter().map(|(o, c)| ((*o).to_owned(), (*c).to_owned())).zip(found.by_ref()).collect();
    let mut orphans: BTreeMap<(String, String, String), Vec<Stamped>> = BTreeMap::new();
    let sql = "SELECT org, credential, action, newest FROM lake_orphans WHERE orphan = TRUE
               ORDER BY newest DESC NULLS LAST";
    for (key, event) in read(engine, sql, |r, i| {
        ((r.text(i, "org"), r.text(i, "credential"), r.text(i, "action")), stamped(&r.text(i, "newest")))
    })? {
        let list = orphans.entry(key).or_default();
        if list.len() < MAX_EVENT_IDS {
            list.push(event);
        }
    }
    let lists = proofs.iter().map(|p| {
        if p.orphan {
            let key = (p.key.0.clone(), p.key.1.clone(), p.action.clone());
            orphans.remove(&key).unwrap_or_default()
        } else {
            found.next().unwrap_or_default()
        }
    });
    Ok(EventIds { all, proofs: lists.collect() })
}

/// PAT activity inside the window; `token_of` tells the token of an organisation's credential.
///
/// # Errors
/// When the query fails.
pub fn folds(
    engine: &Engine,
    window: Window,
    token_of: impl Fn(&str, &str) -> Option<usize>,
) -> Result<Folds, EngineError> {
    let from = day_text(window.first_day()) + "T00:00:00";
    let sql = format!(
        "SELECT org, credential, date, action, network, client, project, n, hour_bits FROM activity
         WHERE kind = 'pat' AND last_time >= TIMESTAMP '{from}'"
    );
    let coded = engine.coded(&sql)?;
    let mut tokens = std::collections::HashMap::new();
    let mut rows = Vec::with_capacity(coded.len());
    for i in 0..coded.len() {
        let (org, credential) = (coded.code(i, "org"), coded.code(i, "credential"));
        let token = *tokens
            .entry((org, credential))
            .or_insert_with(|| token_of(coded.name(org), coded.name(credential)));
        rows.push(Fold {
            token,
            day: i32::try_from(coded.int(i, "date")).unwrap_or_default(),
            action: coded.code(i, "action"),
            network: coded.code(i, "network"),
            client: coded.code(i, "client"),
            project: coded.code(i, "project"),
            n: coded.int(i, "n"),
            hour_bits: coded.int(i, "hour_bits"),
        });
    }
    Ok(Folds { names: coded.names, rows })
}

/// Events by day and mechanism kind inside the window.
///
/// # Errors
/// When the query fails.
pub fn kinds(engine: &Engine, window: Window) -> Result<Vec<(i32, String, i64)>, EngineError> {
    let from = day_text(window.first_day()) + "T00:00:00";
    let sql = format!(
        "SELECT date, kind, SUM(n) AS n FROM actors WHERE last_time >= TIMESTAMP '{from}' GROUP BY date, kind ORDER BY date, kind"
    );
    read(engine, &sql, |r, i| {
        let day = r.time(i, "date").map(crate::model::time::day_of).unwrap_or_default();
        (day, r.text(i, "kind"), r.int(i, "n"))
    })
}

/// `Token.*` events, all that the lake holds.
///
/// # Errors
/// When the query fails.
pub fn token_events(engine: &Engine) -> Result<Vec<TokenEvent>, EngineError> {
    read(
        engine,
        "SELECT org, event_id, time, action, actor, actor_id, service_actor, network, client, details, d_authorization_id,
                d_display_name, d_owner_id, d_owner_name, d_scopes, d_valid_from, d_valid_to, d_target_accounts, d_all_orgs
         FROM lake_changes WHERE action LIKE 'Token.%' ORDER BY time, event_id",
        |r, i| TokenEvent {
            org: r.text(i, "org"),
            event_id: r.text(i, "event_id"),
            time: r.time(i, "time").unwrap_or_default(),
            action: r.text(i, "action"),
            actor: r.text(i, "actor"),
            actor_id: r.text(i, "actor_id"),
            service_actor: r.flag(i, "service_actor"),
            network: r.text(i, "network"),
            client: r.text(i, "client"),
            details: r.text(i, "details"),
            token_id: r.text(i, "d_authorization_id"),
            name: r.text(i, "d_display_name"),
            owner_id: r.text(i, "d_owner_id"),
            owner: r.text(i, "d_owner_name"),
            scopes: r.text(i, "d_scopes"),
            valid_from: r.text(i, "d_valid_from"),
            valid_to: r.text(i, "d_valid_to"),
            targets: r.text(i, "d_target_accounts"),
            all_orgs: r.text(i, "d_all_orgs"),
        },
    )
}

/// Actors as events show them: (organisation, storage key, label, display name).
///
/// # Errors
/// When the query fails.
pub fn actors(engine: &Engine) -> Result<Vec<(String, String, String)>, EngineError> {
    read(
        engine,
        "SELECT org, actor_id, actor FROM lake_uses WHERE service_actor = FALSE GROUP BY org, actor_id, actor
         ORDER BY org, actor_id, actor",
        |r, i| (r.text(i, "org"), r.text(i, "actor_id"), r.text(i, "actor")),
    )
}

/// Events that take access from a person or give it back, by organisation.
///
/// # Errors
/// When the query fails.
pub fn access_changes(engine: &Engine) -> Result<BTreeMap<String, Vec<AccessChange>>, EngineError> {
    let rows = read(
        engine,
        "SELECT org, time, action, d_user, d_member_id, d_member_name, d_group_name FROM lake_changes
         WHERE action = 'Licensing.Removed' OR action = 'Licensing.Assigned'
            OR ((action = 'Group.UpdateGroupMembership.Remove' OR action = 'Group.UpdateGroupMembership.Add')
                AND d_group_name LIKE '%Project Collection Valid Users')
         ORDER BY time",
        |r, i| {
            let action = r.text(i, "action");
            let names = ["d_user", "d_member_id", "d_member_name"].map(|c| r.text(i, c));
            let change = AccessChange {
                time: r.time(i, "time").unwrap_or_default(),
                taken: action.ends_with("Removed") || action.ends_with("Remove"),
                names: names.into_iter().filter(|n| !n.is_empty()).collect(),
            };
            (r.text(i, "org"), change)
        },
    )?;
    let mut by_org: BTreeMap<String, Vec<AccessChange>> = BTreeMap::new();
    for (org, change) in rows {
        by_org.entry(org).or_default().push(change);
    }
    Ok(by_org)
}

/// Events that switch auditing or a stream, by organisation.
///
/// Switching auditing shows as a policy change (facts, section 8, inferred), so names are matched loosely.
///
/// # Errors
/// When the query fails.
pub fn switches(engine: &Engine) -> Result<BTreeMap<String, Vec<Switch>>, EngineError> {
    let rows = read(
        engine,
        "SELECT org, time, action, d_policy_name, d_policy_value, details FROM lake_changes
         WHERE action LIKE 'AuditLog.Stream%' OR action = 'OrganizationPolicy.PolicyValueUpdated' ORDER BY time",
        |r, i| {
            let action = r.text(i, "action");
            let time = r.time(i, "time").unwrap_or_default();
            let switch = match action.as_str() {
                "AuditLog.StreamDisabledByUser" | "AuditLog.StreamDisabledBySystem" | "AuditLog.StreamDeleted" => {
                    Some(Switch { time, on: false, stream: true })
                }
                "AuditLog.StreamEnabled" | "AuditLog.StreamCreated" => Some(Switch { time, on: true, stream: true }),
                "OrganizationPolicy.PolicyValueUpdated" => {
                    let name = r.text(i, "d_policy_name").to_lowercase();
                    let named = name.contains("logauditevents") || name.contains("log audit events");
                    let value = r.text(i, "d_policy_value").to_lowercase();
                    named.then_some(Switch { time, on: matches!(value.as_str(), "true" | "on" | "1" | "enabled"), stream: false })
                }
                _ => None,
            };
            (r.text(i, "org"), switch)
        },
    )?;
    let mut by_org: BTreeMap<String, Vec<Switch>> = BTreeMap::new();
    for (org, switch) in rows {
        by_org.entry(org).or_default().extend(switch);
    }
    Ok(by_org)
}
