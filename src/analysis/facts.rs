//! What the analysis asks the engine: one query a question, each turned into plain values.
//!
//! In: an engine that holds everything up to the run's instant. Out: credentials, proofs, token events and
//! the events that change access or switch the log.

use super::coverage::Switch;
use super::ledger::TokenEvent;
use super::people::{AccessChange, GroupChange};
use crate::engine::rows::{Cell, Rows};
use crate::engine::{Engine, EngineError};
use crate::model::time::{Micros, Window, day_text};
use std::collections::BTreeMap;

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

/// One event made with a PAT, inside the window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatEvent {
    /// Organisation and credential.
    pub key: (String, String),
    /// Bare GUID.
    pub event_id: String,
    /// When.
    pub time: Micros,
    /// Action id.
    pub action: String,
    /// Began its cascade.
    pub origin: bool,
    /// Follows an origin that the lake holds, so it proves nothing.
    pub cascade: bool,
}

/// One fold of PAT activity inside the window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fold {
    /// Organisation and credential.
    pub key: (String, String),
    /// Day.
    pub day: i32,
    /// Action.
    pub action: String,
    /// Network.
    pub network: String,
    /// Client.
    pub client: String,
    /// Project.
    pub project: String,
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

/// PAT events inside the window, oldest first, with whether each is an origin, an orphan or a cascade event.
///
/// # Errors
/// When a query fails.
pub fn pat_events(engine: &Engine, window: Window) -> Result<Vec<PatEvent>, EngineError> {
    let from = day_text(window.first_day()) + "T00:00:00";
    // The lake has looked for the origin of every event that is none itself; what is left without one is listed.
    let orphans: std::collections::HashSet<String> =
        read(engine, "SELECT newest FROM lake_orphans WHERE orphan = TRUE", |r, i| {
            r.text(i, "newest").get(16..).unwrap_or_default().to_owned()
        })?
        .into_iter()
        .collect();
    let sql = format!(
        "SELECT org, credential, event_id, time, action, origin FROM events
         WHERE kind = 'pat' AND time >= TIMESTAMP '{from}' ORDER BY time, event_id"
    );
    let mut events = read(engine, &sql, |r, i| PatEvent {
        key: (r.text(i, "org"), r.text(i, "credential")),
        event_id: r.text(i, "event_id"),
        time: r.time(i, "time").unwrap_or_default(),
        action: r.text(i, "action"),
        origin: r.flag(i, "origin"),
        cascade: false,
    })?;
    for event in &mut events {
        event.cascade = !event.origin && !orphans.contains(&event.event_id);
    }
    Ok(events)
}

/// PAT activity inside the window.
///
/// # Errors
/// When the query fails.
pub fn folds(engine: &Engine, window: Window) -> Result<Vec<Fold>, EngineError> {
    let from = day_text(window.first_day()) + "T00:00:00";
    let sql = format!(
        "SELECT org, credential, date, action, network, client, project, n, hour_bits FROM activity
         WHERE kind = 'pat' AND last_time >= TIMESTAMP '{from}'"
    );
    read(engine, &sql, |r, i| Fold {
        key: (r.text(i, "org"), r.text(i, "credential")),
        day: r.time(i, "date").map(crate::model::time::day_of).unwrap_or_default(),
        action: r.text(i, "action"),
        network: r.text(i, "network"),
        client: r.text(i, "client"),
        project: r.text(i, "project"),
        n: r.int(i, "n"),
        hour_bits: r.int(i, "hour_bits"),
    })
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

/// Display names by organisation and storage key, as events show them; users may be listed without a name.
///
/// # Errors
/// When the query fails.
pub fn actor_names(engine: &Engine) -> Result<BTreeMap<(String, String), String>, EngineError> {
    let rows = read(
        engine,
        "SELECT org, actor_id, MAX(actor_name) AS name FROM notable
         WHERE service_actor = FALSE AND actor_id IS NOT NULL AND actor_name IS NOT NULL GROUP BY org, actor_id",
        |r, i| ((r.text(i, "org"), r.text(i, "actor_id")), r.text(i, "name")),
    )?;
    Ok(rows.into_iter().collect())
}

/// Actors as events show them: (organisation, storage key, label).
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

/// Events that put a person into a group of administrators or take one out, by organisation.
///
/// # Errors
/// When the query fails.
pub fn group_changes(engine: &Engine) -> Result<BTreeMap<String, Vec<GroupChange>>, EngineError> {
    let rows = read(
        engine,
        "SELECT org, time, action, d_user, d_member_id, d_member_name, d_group_name FROM lake_changes
         WHERE (action = 'Group.UpdateGroupMembership.Remove' OR action = 'Group.UpdateGroupMembership.Add')
            AND d_group_name LIKE '%Administrators'
         ORDER BY time",
        |r, i| {
            let names = ["d_user", "d_member_id", "d_member_name"].map(|c| r.text(i, c));
            let change = GroupChange {
                time: r.time(i, "time").unwrap_or_default(),
                added: r.text(i, "action").ends_with("Add"),
                group: r.text(i, "d_group_name"),
                names: names.into_iter().filter(|n| !n.is_empty()).collect(),
            };
            (r.text(i, "org"), change)
        },
    )?;
    let mut by_org: BTreeMap<String, Vec<GroupChange>> = BTreeMap::new();
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
