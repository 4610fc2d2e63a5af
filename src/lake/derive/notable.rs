//! `notable`: events of every action but the very frequent ones, with the keys of their `data` as columns.
//!
//! Detections and the ledger read these columns, so that no query parses JSON.

use crate::lake::LakeError;
use crate::lake::day::DayRow;
use crate::lake::frame::Frame;
use crate::model::time::day_of;
use hashbrown::HashMap;
use serde_json::Value;
use std::path::Path;

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
    ("d_feed_changes", &["feedchanges"]),
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
pub fn target(data: &str) -> String {
    for key in TARGETS {
        let Some(at) = memchr::memmem::find(data.as_bytes(), key.as_bytes()) else { continue };
        let rest = data[at + key.len()..].trim_start().trim_start_matches(':').trim_start();
        let value = match rest.strip_prefix('"') {
            Some(text) => text.split('"').next().unwrap_or_default(),
            None => rest.split([',', '}']).next().unwrap_or_default().trim(),
        };
        if !value.is_empty() && value != "null" {
            return value.to_ascii_lowercase();
        }
    }
    String::new()
}

/// Returns the keys of a `data` object, lower case without underscores, with their values as text.
#[must_use]
pub fn keys(data: &str) -> HashMap<String, String> {
    let Ok(Value::Object(object)) = serde_json::from_str::<Value>(data) else { return HashMap::new() };
    object
        .into_iter()
        .map(|(key, value)| (key.replace('_', "").to_ascii_lowercase(), text_of(&value)))
        .filter(|(_, value)| !value.is_empty())
        .collect()
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
pub fn write(path: &Path, org: &str, rows: &[DayRow<'_>]) -> Result<(), LakeError> {
    let mut rows: Vec<&DayRow<'_>> = rows.iter().filter(|r| !FREQUENT.contains(&r.row.action)).collect();
    rows.sort_by_key(|r| (r.row.time, r.row.event_id));
    let data: Vec<HashMap<String, String>> = rows.iter().map(|r| keys(r.row.data)).collect();
    let mut frame = Frame::new(rows.len())
        .text("org", rows.iter().map(|_| org))
        .text("event_id", rows.iter().map(|r| r.row.event_id))
        .time("time", rows.iter().map(|r| Some(r.row.time)))
        .date("date", rows.iter().map(|r| Some(day_of(r.row.time))))
        .flag("service_actor", rows.iter().map(|r| Some(r.service_actor)))
        .flag("origin", rows.iter().map(|r| Some(r.origin())));
    macro_rules! text {
        ($($name:literal: $get:expr),+ $(,)?) => {
            $( frame = frame.text($name, rows.iter().map($get)); )+
        };
    }
    text! {
        "action": |r| r.row.action,
        "category": |r| r.row.category,
        "actor": |r| r.actor,
        "actor_id": |r| r.row.actor_id,
        "actor_cuid": |r| r.row.actor_cuid,
        "actor_name": |r| r.row.actor_name,
        "kind": |r| r.kind.as_str(),
        "class": |r| r.class,
        "credential": |r| r.credential,
        "correlation_id": |r| r.row.correlation_id,
        "address": |r| r.row.address,
        "network": |r| r.network,
        "client": |r| r.client,
        "user_agent": |r| r.row.user_agent,
        "project": |r| r.row.project,
        "project_id": |r| r.row.project_id,
        "details": |r| r.row.details,
    }
    for (column, names) in KEYS {
        let value = |d: &'_ HashMap<String, String>| -> Option<String> {
            names.iter().find_map(|name| d.get(*name)).cloned()
        };
        let values: Vec<String> = data.iter().map(|d| value(d).unwrap_or_default()).collect();
        frame = frame.text(column, values.iter().map(String::as_str));
    }
    // What was searched for may stand anywhere in the data, whose shape differs from index to index.
    let searched = |r: &&DayRow<'_>| r.row.action.starts_with("Search.");
    frame = frame.text("d_search", rows.iter().map(|r| if searched(r) { r.row.data } else { "" }));
    frame.write(path)?;
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
        let keys = keys(r#"{"Scopes":["vso.code","vso.build"],"valid_to":"2026-01-01","N":null,"B":true}"#);
        assert_eq!(keys["scopes"], "vso.code vso.build");
        assert_eq!(keys["validto"], "2026-01-01");
        assert_eq!(keys["b"], "true");
        assert!(!keys.contains_key("n"));
    }
}
