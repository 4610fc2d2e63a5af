//! What the analysis asks the engine: one query a question, or one pass over a table where it is millions of rows,
//! each turned into plain values.
//!
//! In: an engine that holds everything up to the run's instant. Out: credentials, proofs, token events and
//! the events that change access or switch the log.

use super::coverage::Switch;
use super::ledger::TokenEvent;
use super::people::{AccessChange, Actor, GroupChange, SignIn};
use crate::engine::calls::{Calls, Proves};
use crate::engine::days::Table;
use crate::engine::rows::{Cell, Rows};
use crate::engine::{Engine, EngineError};
use crate::model::event_id::Stamp;
use crate::model::finding::MAX_EVENT_IDS;
use crate::model::names::Names;
use crate::model::time::{Micros, Window, day_text};
use hashbrown::{HashMap, HashSet};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Origins, then orphans.
pub type Lists = (Vec<Stamp>, Vec<Stamp>);

/// What the PAT events of one credential show inside the window, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shown {
    /// Organisation and credential.
    pub key: (String, String),
    /// The newest events, as many as a verdict lists.
    pub newest: Vec<Stamp>,
    /// By action: origins, then orphans. Events that follow an origin which the lake holds prove nothing.
    pub actions: BTreeMap<String, Lists>,
}

impl Shown {
    /// Joins another credential of the same token.
    pub fn join(&mut self, other: Self) {
        let merge = |list: &mut Vec<Stamp>, more: Vec<Stamp>| {
            if list.is_empty() {
                *list = more;
            } else if !more.is_empty() {
                list.extend(more);
                list.sort_unstable_by(|a, b| b.cmp(a));
            }
        };
        merge(&mut self.newest, other.newest);
        self.newest.truncate(MAX_EVENT_IDS);
        for (action, (origins, orphans)) in other.actions {
            let own = self.actions.entry(action).or_default();
            merge(&mut own.0, origins);
            merge(&mut own.1, orphans);
        }
    }
}

/// One fold of PAT activity inside the window; texts are numbers of [`Folds::names`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fold {
    /// Position in [`Folds::keys`].
    pub key: u32,
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
    pub hour_bits: u32,
}

/// PAT activity inside the window.
#[derive(Debug, Clone, Default)]
pub struct Folds {
    /// Texts of the folds.
    pub names: Names,
    /// Organisations and credentials.
    pub keys: Vec<(String, String)>,
    /// The folds, the newest day first.
    pub rows: Vec<Fold>,
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

/// Keys of organisation and credential, numbered over many files.
#[derive(Debug, Default)]
struct Keys {
    numbers: HashMap<(u32, u32), u32>,
    names: Names,
    keys: Vec<(String, String)>,
}

impl Keys {
    fn number(&mut self, org: &str, credential: &str) -> u32 {
        let key = (self.names.number(org), self.names.number(credential));
        *self.numbers.entry(key).or_insert_with(|| {
            self.keys.push((org.to_owned(), credential.to_owned()));
            u32::try_from(self.keys.len() - 1).unwrap_or(u32::MAX)
        })
    }
}

/// PAT events inside the window, of which each token's are gone through when it is judged.
#[derive(Debug, Default, Clone)]
pub struct PatEvents {
    /// As the engine holds them.
    pub held: Option<Arc<Calls>>,
    /// What was told without an engine, by credential.
    pub told: Vec<Shown>,
}

impl PatEvents {
    /// The newest events of some credentials, as many as a verdict lists.
    #[must_use]
    pub fn newest(&self, keys: &[(&str, &str)]) -> Vec<Stamp> {
        let Some(calls) = &self.held else { return self.told(keys).newest };
        let rows = calls.rows(keys.iter().copied()).into_iter().filter(|at| calls.is_pat(*at));
        rows.take(MAX_EVENT_IDS).map(|at| (calls.time(at), calls.id(at).clone())).collect()
    }

    /// What the events of some credentials prove, by action: origins, then orphans, each the newest first.
    #[must_use]
    pub fn proofs(&self, keys: &[(&str, &str)]) -> BTreeMap<String, Lists> {
        let Some(calls) = &self.held else { return self.told(keys).actions };
        let mut lists: HashMap<u32, Lists> = HashMap::new();
        for at in calls.rows(keys.iter().copied()).into_iter().filter(|at| calls.is_pat(*at)) {
            let Some(proves) = calls.proves(at) else { continue };
            let (origins, orphans) = lists.entry(calls.action(at)).or_default();
            let list = if proves == Proves::Origin { origins } else { orphans };
            list.push((calls.time(at), calls.id(at).clone()));
        }
        lists.into_iter().map(|(action, lists)| (calls.text(action).to_owned(), lists)).collect()
    }

    fn told(&self, keys: &[(&str, &str)]) -> Shown {
        let mut all = Shown::default();
        for shown in self.told.iter().filter(|s| keys.contains(&(&s.key.0, &s.key.1))) {
            all.join(shown.clone());
        }
        all
    }
}

/// PAT activity inside the window.
///
/// # Errors
/// When a file cannot be read.
pub fn folds(engine: &Engine) -> Result<Folds, EngineError> {
    const TEXTS: [&str; 6] = ["org", "credential", "action", "network", "client", "project"];
    let columns =
        ["org", "credential", "action", "network", "client", "project", "kind", "date", "n", "hour_bits"];
    let make = |part: &Table| {
        let (texts, kinds) = (TEXTS.map(|name| part.texts(name)), part.texts("kind"));
        let [days, n, bits] = ["date", "n", "hour_bits"].map(|name| part.ints(name));
        let pat = kinds.code("pat");
        let rows: Vec<([u32; 6], Fold)> = (0..part.height())
            .filter(|row| Some(kinds.codes[*row]) == pat)
            .map(|row| {
                let [org, credential, action, network, client, project] =
                    texts.each_ref().map(|t| t.codes[row]);
                let day = i32::try_from(days[row]).unwrap_or_default();
                let hour_bits = u32::try_from(bits[row]).unwrap_or_default();
                let fold = Fold { key: 0, day, action, network, client, project, n: n[row], hour_bits };
                ([org, credential, action, network, client, project], fold)
            })
            .collect();
        (texts.map(|t| t.texts), rows)
    };
    let mut folds = Folds::default();
    let mut keys = Keys::default();
    engine.each_day("activity", &columns, make, |(texts, rows)| {
        let [orgs, credentials, ..] = &texts;
        let [_, _, actions, networks, clients, projects] =
            texts.each_ref().map(|texts| folds.names.numbers(texts));
        let mut last = None;
        folds.rows.reserve(rows.len());
        for ([org, credential, ..], fold) in rows {
            let key = match last {
                Some((pair, key)) if pair == (org, credential) => key,
                _ => keys.number(orgs.text(org), credentials.text(credential)),
            };
            last = Some(((org, credential), key));
            folds.rows.push(Fold {
                key,
                action: actions[fold.action as usize],
                network: networks[fold.network as usize],
                client: clients[fold.client as usize],
                project: projects[fold.project as usize],
                ..fold
            });
        }
    })?;
    folds.keys = keys.keys;
    Ok(folds)
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

/// Display names by organisation and storage key, as events of the window show them; users may be listed without a
/// name. Of several names of one person the greatest is taken.
///
/// # Errors
/// When a file cannot be read.
pub fn actor_names(engine: &Engine) -> Result<BTreeMap<(String, String), String>, EngineError> {
    let of_day = |part: &Table| {
        let texts = ["org", "actor_id", "actor_name"].map(|name| part.texts(name));
        let service = part.flags("service_actor");
        let known = |row: &usize| !service[*row] && texts[1].codes[*row] != 0 && texts[2].codes[*row] != 0;
        let rows: HashSet<[u32; 3]> =
            (0..part.height()).filter(known).map(|row| texts.each_ref().map(|t| t.codes[row])).collect();
        (texts.map(|t| t.texts), rows)
    };
    let (mut names, mut found) = (Names::default(), HashMap::new());
    let columns = ["org", "actor_id", "actor_name", "service_actor"];
    engine.each_day("actors", &columns, of_day, |(texts, rows)| {
        let [orgs, ids, shown] = texts.each_ref().map(|texts| names.numbers(texts));
        for [org, id, name] in rows {
            let name = shown[name as usize];
            let held = found.entry((orgs[org as usize], ids[id as usize])).or_insert(name);
            if names.text(*held) < names.text(name) {
                *held = name;
            }
        }
    })?;
    let text = |number| names.text(number).to_owned();
    Ok(found.into_iter().map(|((org, id), name)| ((text(org), text(id)), text(name))).collect())
}

/// Actors as events show them, by organisation, with the span in which they do.
///
/// # Errors
/// When the query fails.
pub fn actors(engine: &Engine) -> Result<Vec<(String, Actor)>, EngineError> {
    read(
        engine,
        "SELECT org, actor_id, actor, MIN(first_time) AS first_time, MAX(last_time) AS last_time FROM lake_uses
         WHERE service_actor = FALSE GROUP BY org, actor_id, actor ORDER BY org, actor_id, actor",
        |r, i| {
            let label = r.text(i, "actor");
            let (upn, name) = if label.contains('@') { (label, String::new()) } else { (String::new(), label) };
            let time = |name| r.time(i, name).unwrap_or_default();
            let span = (time("first_time"), time("last_time"));
            (r.text(i, "org"), Actor { id: r.text(i, "actor_id"), upn, name, span })
        },
    )
}

/// Events that people made with a sign-in of their own, by organisation: first and last of each fold of the lake.
///
/// # Errors
/// When the query fails.
pub fn sign_ins(engine: &Engine) -> Result<BTreeMap<String, Vec<SignIn>>, EngineError> {
    let rows = read(
        engine,
        "SELECT org, actor_id, actor, first_time, last_time FROM lake_uses
         WHERE service_actor = FALSE AND (kind = 'interactive' OR kind = 'entra')
         ORDER BY org, actor_id, actor, first_time, last_time",
        |r, i| {
            let time = |name| r.time(i, name).unwrap_or_default();
            let (first, last) = (time("first_time"), time("last_time"));
            (r.text(i, "org"), SignIn { id: r.text(i, "actor_id"), label: r.text(i, "actor"), first, last })
        },
    )?;
    Ok(by_org(rows))
}

fn by_org<T>(rows: Vec<(String, T)>) -> BTreeMap<String, Vec<T>> {
    let mut by_org: BTreeMap<String, Vec<T>> = BTreeMap::new();
    for (org, row) in rows {
        by_org.entry(org).or_default().push(row);
    }
    by_org
}

/// Events that take access from a person or give it back, by organisation.
///
/// # Errors
/// When the query fails.
pub fn access_changes(engine: &Engine) -> Result<BTreeMap<String, Vec<AccessChange>>, EngineError> {
    let rows = read(
        engine,
        "SELECT org, event_id, time, action, d_user, d_member_id, d_member_name, d_group_name FROM lake_changes
         WHERE action = 'Licensing.Removed' OR action = 'Licensing.Assigned'
            OR ((action = 'Group.UpdateGroupMembership.Remove' OR action = 'Group.UpdateGroupMembership.Add')
                AND d_group_name LIKE '%Project Collection Valid Users')
         ORDER BY time, event_id",
        |r, i| {
            let (action, org) = (r.text(i, "action"), r.text(i, "org"));
            let names = ["d_user", "d_member_id", "d_member_name"].map(|c| r.text(i, c));
            let change = AccessChange {
                time: r.time(i, "time").unwrap_or_default(),
                event_id: r.text(i, "event_id"),
                taken: action.ends_with("Removed") || action.ends_with("Remove"),
                names: names.into_iter().filter(|n| !n.is_empty()).collect(),
            };
            let counts = action.starts_with("Licensing.") || is_valid_users(&r.text(i, "d_group_name"), &org);
            (org, counts.then_some(change))
        },
    )?;
    Ok(by_org(rows.into_iter().filter_map(|(org, change)| Some((org, change?))).collect()))
}

/// Returns true for the organisation's own group of everybody with access; a project or a person may give another group a
/// name that ends alike.
fn is_valid_users(group: &str, org: &str) -> bool {
    let owner = group.trim().strip_prefix('[').and_then(|g| g.split_once("]\\"));
    owner.is_some_and(|(owner, name)| {
        name.eq_ignore_ascii_case("Project Collection Valid Users") && owner.to_lowercase() == org
    })
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
    Ok(by_org(rows))
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
                    // PAT-P007 reads the same names and values; a value that is not told switches nothing.
                    (named && !value.is_empty()).then_some(Switch { time, on: matches!(value.as_str(), "true" | "on" | "1" | "enabled"), stream: false })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_organisations_own_group_says_who_has_access() {
        assert!(is_valid_users(r"[Contoso]\Project Collection Valid Users", "contoso"));
        for group in [
            r"[Payments]\Project Collection Valid Users",
            r"[contoso]\Not Project Collection Valid Users",
            "Project Collection Valid Users",
            r"[contoso]\Old\Project Collection Valid Users",
        ] {
            assert!(!is_valid_users(group, "contoso"), "{group}");
        }
    }
}
