//! `notable`: events of every action but the very frequent ones, with the keys of their `data` as columns.
//!
//! Detections and the ledger read these columns, so that no query parses JSON.

use super::members::members;
use super::variables;
use crate::lake::LakeError;
use crate::lake::day::{DayRow, Sorted};
use crate::lake::frame::Frame;
use crate::model::time::day_of;
use hashbrown::HashMap;
use serde_json::Value;
use std::borrow::Cow;
use std::path::Path;
use std::sync::LazyLock;

/// Actions that machines raise by the thousand and no detection looks at one by one.
const FREQUENT: &[&str] = &[
    "AuditLog.AccessLog",
    "Library.ServiceConnectionExecuted",
    "CheckSuite.Completed",
    "Pipelines.RunRetained",
    "Pipelines.RunUnretained",
    "Pipelines.DeploymentJobCompleted",
    "Release.DeploymentCompleted",
    "Release.DeploymentsCompleted",
];

/// Columns and the keys of `data` that fill them, tried in order, ignoring case and underscores.
///
/// Keys with a source: audit-actions table, column `data_keys`; those of Token.* events come from a production
/// parser of another product (facts, section 2) and are read tolerantly.
pub const KEYS: &[(&str, &[&str])] = &[
    ("d_authorization_id", &["authorizationid", "patid", "tokenid"]),
    ("d_display_name", &["displayname", "patname", "tokenname"]),
    ("d_owner_id", &["ownerid", "targetuserid", "userid"]),
    ("d_owner_name", &["ownername", "ownerdetails", "ownerupn", "targetuser", "owner"]),
    ("d_scopes", &["scopes", "scope"]),
    ("d_valid_from", &["validfrom"]),
    ("d_valid_to", &["validto", "expirationdate"]),
    ("d_target_accounts", &["targetaccounts"]),
    ("d_all_orgs", &["allorgs", "isglobal", "global"]),
    ("d_operation", &["operationtype"]),
    ("d_token_type", &["tokentype"]),
    ("d_group_name", &["groupname"]),
    ("d_group_id", &["groupid"]),
    ("d_member_id", &["memberid"]),
    ("d_member_name", &["memberdisplayname", "membername"]),
    ("d_policy_name", &["policyname", "policy", "policyid", "policytypedisplayname"]),
    ("d_policy_value", &["policyvalue", "value", "newvalue"]),
    ("d_previous_value", &["policypreviousvalue", "previousvalue", "oldvalue", "previouspolicyvalue"]),
    ("d_consumer_type", &["consumertype", "streamconsumertype"]),
    ("d_extension", &["extensionname", "extensionid"]),
    ("d_publisher", &["publishername", "publisher"]),
    ("d_pool_id", &["agentpoolid", "poolid"]),
    ("d_pool_name", &["agentpoolname", "poolname"]),
    ("d_agent_cloud_id", &["agentcloudid"]),
    ("d_agent_name", &["agentname"]),
    ("d_os", &["osdescription", "agentosdescription", "os"]),
    ("d_pipeline_id", &["pipelineid", "definitionid"]),
    ("d_pipeline_name", &["pipelinename", "definitionname"]),
    ("d_release_id", &["releaseid", "releasename"]),
    ("d_repo_id", &["repoid", "repositoryid"]),
    ("d_repo_name", &["reponame", "repositoryname"]),
    ("d_connection_id", &["connectionid"]),
    ("d_connection_name", &["connectionname"]),
    ("d_feed_name", &["feedname"]),
    ("d_feed_changes", &["upstreamsadded", "feedchanges"]),
    ("d_setting", &["settingname", "setting", "retentionsetting", "type"]),
    ("d_old_value", &["oldvalue", "previousvalue"]),
    ("d_new_value", &["newvalue", "value"]),
    ("d_variable_group_id", &["variablegroupid"]),
    ("d_variable_group_name", &["variablegroupname"]),
    ("d_variables", &["variables"]),
    ("d_group_type", &["variablegrouptype", "grouptype", "type"]),
    ("d_visibility", &["projectvisibility", "visibility", "newvisibility"]),
    ("d_previous_visibility", &["previousprojectvisibility", "previousvisibility", "oldvisibility"]),
    ("d_permission", &["permissionname", "permissionnames", "changedpermission", "permissions"]),
    ("d_namespace", &["namespacename", "namespaceid"]),
    ("d_access_level", &["accesslevel"]),
    ("d_summary", &["eventsummary", "updates"]),
    ("d_user", &["useridentifier", "username", "userupn", "targetuser", "subjectdisplayname"]),
];

/// Keys that name the thing an event touched, most telling first.
const TARGETS: &[&str] = &[
    "\"RepoId\"",
    "\"RepoName\"",
    "\"PipelineId\"",
    "\"PipelineName\"",
    "\"ConnectionId\"",
    "\"ConnectionName\"",
    "\"FeedName\"",
    "\"VariableGroupId\"",
    "\"VariableGroupName\"",
    "\"AgentPoolName\"",
    "\"GroupName\"",
    "\"ExtensionName\"",
    "\"ProjectName\"",
];

/// Returns what an event touched: the value of the first target key in its `data`, found as text, since this
/// runs over every event of a PAT.
#[must_use]
pub fn target(data: &str) -> Cow<'_, str> {
    // One pass over the quotes finds where each key stands first: a search for each key costs many times more.
    let mut places = [usize::MAX; TARGETS.len()];
    for at in memchr::memchr_iter(b'"', data.as_bytes()) {
        let rest = &data.as_bytes()[at..];
        // No target key begins with another letter.
        if !rest.get(1).is_some_and(|letter| b"RPCFVAGE".contains(letter)) {
            continue;
        }
        if let Some(key) = TARGETS.iter().position(|key| rest.starts_with(key.as_bytes())) {
            places[key] = places[key].min(at);
        }
    }
    for (key, at) in TARGETS.iter().zip(places).filter(|(_, at)| *at != usize::MAX) {
        let rest = data[at + key.len()..].trim_start().trim_start_matches(':').trim_start();
        let value = match rest.strip_prefix('"') {
            Some(text) => text.split('"').next().unwrap_or_default(),
            None => rest.split([',', '}']).next().unwrap_or_default().trim(),
        };
        if !value.is_empty() && value != "null" {
            return if value.bytes().any(|b| b.is_ascii_uppercase()) {
                value.to_ascii_lowercase().into()
            } else {
                value.into()
            };
        }
    }
    Cow::Borrowed("")
}

/// Columns that a key may fill, each with its place in the order in which the column's keys are tried.
type Slots = &'static [(usize, usize)];

/// Columns by key, lower case without underscores.
static SLOTS: LazyLock<HashMap<&'static str, Vec<(usize, usize)>>> = LazyLock::new(|| {
    let mut slots: HashMap<&'static str, Vec<(usize, usize)>> = HashMap::new();
    for (column, (_, names)) in KEYS.iter().enumerate() {
        for (place, name) in names.iter().enumerate() {
            slots.entry(name).or_default().push((column, place));
        }
    }
    slots
});

/// The cells of [`KEYS`]' columns, filled event by event. Few events fill a column, so only those are kept.
struct Cells<'a> {
    /// Filled cells by row.
    columns: Vec<Vec<(usize, Cow<'a, str>)>>,
    /// The place of the key that filled the cell at hand.
    places: Vec<usize>,
    rows: usize,
    /// What was found for the keys met so far: events of one action have the same.
    known: HashMap<&'a str, Option<Slots>>,
}

impl<'a> Cells<'a> {
    fn new() -> Self {
        Self {
            columns: vec![Vec::new(); KEYS.len()],
            places: vec![0; KEYS.len()],
            rows: 0,
            known: HashMap::new(),
        }
    }

    /// Adds the row of an event. Data that is no object fills nothing; of a broken one counts nothing either.
    fn add(&mut self, data: &'a str) {
        self.rows += 1;
        self.places.fill(usize::MAX);
        let sound = members(data, |key, value| {
            let Some(slots) = *self.known.entry(key).or_insert_with(|| slots_of(key)) else { return };
            let text = text_in(value);
            if !text.is_empty() {
                self.set(slots, text);
            }
        });
        if !sound {
            let row = self.rows - 1;
            for column in &mut self.columns {
                column.pop_if(|(filled, _)| *filled == row);
            }
        }
    }

    fn set(&mut self, slots: Slots, text: Cow<'a, str>) {
        for &(column, place) in slots {
            if place > self.places[column] {
                continue;
            }
            self.places[column] = place;
            let (row, cells) = (self.rows - 1, &mut self.columns[column]);
            match cells.last_mut().filter(|(filled, _)| *filled == row) {
                Some((_, cell)) => cell.clone_from(&text),
                None => cells.push((row, text.clone())),
            }
        }
    }
}

/// Looks a key up, whatever its casing and underscores; it comes as it stands between its quotes.
fn slots_of(key: &str) -> Option<Slots> {
    let unescaped: Cow<'_, str> = if key.contains('\\') {
        serde_json::from_str::<String>(&format!("\"{key}\"")).ok()?.into()
    } else {
        key.into()
    };
    let mut bare = [0_u8; 32];
    let mut len = 0;
    for byte in unescaped.bytes().filter(|b| *b != b'_') {
        // Longer than any key that is looked for.
        *bare.get_mut(len)? = byte.to_ascii_lowercase();
        len += 1;
    }
    let bare = std::str::from_utf8(&bare[..len]).ok();
    bare.and_then(|bare| SLOTS.get(bare)).map(Vec::as_slice)
}

/// The text of a value as it stands in JSON.
fn text_in(raw: &str) -> Cow<'_, str> {
    let inner = raw.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    match inner {
        Some(text) if !text.contains('\\') => Cow::Borrowed(text),
        _ if matches!(raw, "true" | "false") => Cow::Borrowed(raw),
        _ => Cow::Owned(serde_json::from_str::<Value>(raw).map(|value| text_of(&value)).unwrap_or_default()),
    }
}

fn text_of(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) if items.iter().all(Value::is_string) => {
            items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" ")
        }
        other => other.to_string(),
    }
}

/// Writes the table.
///
/// # Errors
/// When the file cannot be written.
pub fn write(path: &Path, org: &str, sorted: &Sorted<'_>, rows: &[DayRow<'_>]) -> Result<(), LakeError> {
    let mut rows: Vec<DayRow<'_>> =
        rows.iter().filter(|r| !FREQUENT.contains(&r.action())).copied().collect();
    rows.sort_by_key(|r| (r.time(), r.event_id()));
    let mut cells = Cells::new();
    for row in &rows {
        cells.add(row.data());
    }
    let frame = Frame::new(rows.len())
        .same_text("org", org)
        .unique_text("event_id", rows.iter().map(DayRow::event_id))
        .time("time", rows.iter().map(|r| Some(r.time())))
        .date("date", rows.iter().map(|r| Some(day_of(r.time()))))
        .flag("service_actor", rows.iter().map(|r| Some(r.service_actor())))
        .flag("origin", rows.iter().map(|r| Some(r.origin())));
    let names = ["action", "category", "actor", "actor_id", "actor_cuid", "actor_name"];
    let frame = sorted.add(frame, &names, &rows).text("kind", rows.iter().map(|r| r.kind().as_str()));
    let frame = sorted
        .add(frame, &["class", "credential"], &rows)
        .unique_text("correlation_id", rows.iter().map(DayRow::correlation_id));
    let names = ["address", "network", "client", "user_agent", "project", "project_id"];
    let mut frame = sorted.add(frame, &names, &rows).long_text("details", rows.iter().map(DayRow::details));
    for (i, (column, _)) in KEYS.iter().enumerate() {
        frame = frame.sparse_text(column, &cells.columns[i]);
    }
    // What was searched for may stand anywhere in the data, whose shape differs from index to index.
    let searched = |r: &DayRow<'_>| r.action().starts_with("Search.");
    let searches = rows.iter().enumerate().filter(|(_, r)| searched(r)).map(|(at, r)| (at, r.data()));
    frame = frame.sparse_text("d_search", &searches.filter(|(_, data)| !data.is_empty()).collect::<Vec<_>>());
    let variables = KEYS.iter().position(|(column, _)| *column == "d_variables");
    let held = variables.map(|at| cells.columns[at].as_slice()).unwrap_or_default();
    let clear = held.iter().map(|(row, text)| (*row, variables::clear_secrets(text)));
    let clear: Vec<(usize, String)> = clear.filter(|(_, secrets)| !secrets.is_empty()).collect();
    frame.sparse_text("d_clear_secrets", &clear).write(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_targets_and_keys() {
        assert_eq!(target(r#"{"RepoName" : "Web", "X":1}"#), "web");
        assert_eq!(target(r#"{"PipelineId":18}"#), "18");
        assert_eq!(target("{}"), "");
        assert_eq!(
            target(r#"{"PipelineName":"x","RepoId":null,"RepoName":"First","A":"RepoName"}"#),
            "first"
        );
        let first = |key: &&str| key.as_bytes()[1];
        assert!(
            TARGETS.iter().all(|key| b"RPCFVAGE".contains(&first(key))),
            "the letters are those of the keys"
        );
        let mut cells = Cells::new();
        let cell = |cells: &Cells<'_>, name: &str, row: usize| {
            let column = KEYS.iter().position(|(column, _)| *column == name).unwrap();
            let cell = cells.columns[column].iter().find(|(filled, _)| *filled == row);
            cell.map(|(_, text)| text.to_string()).unwrap_or_default()
        };
        cells.add(r#"{"Scopes":["vso.code","vso.build"],"valid_to":"2026-01-01","Value":null,"AllOrgs":true,"OS":"a\"b","Updates":[{"a": 1.0}]}"#);
        cells.add(r#"{"targetUser":"late","UserId":"x","ownerId":"o","PipelineId":18,"definition_id":19,"OldValue":"1","previousValue":"2"}"#);
        cells.add(r#"{"OwnerId":"a","Owner_Id":"b","Scopes":"cut"#);
        cells.add("[]");
        for (name, row, text) in [
            ("d_scopes", 0, "vso.code vso.build"),
            ("d_valid_to", 0, "2026-01-01"),
            ("d_new_value", 0, ""),
            ("d_all_orgs", 0, "true"),
            ("d_os", 0, "a\"b"),
            ("d_summary", 0, r#"[{"a":1.0}]"#),
            ("d_owner_id", 1, "o"),
            ("d_owner_name", 1, "late"),
            ("d_pipeline_id", 1, "18"),
            ("d_old_value", 1, "1"),
            ("d_previous_value", 1, "2"),
            ("d_owner_id", 2, ""),
            ("d_scopes", 2, ""),
            ("d_scopes", 3, ""),
        ] {
            assert_eq!(cell(&cells, name, row), text, "{name} of {row}");
        }
        assert!(KEYS.iter().flat_map(|(_, names)| *names).all(|name| name.len() <= 32));
    }
}
