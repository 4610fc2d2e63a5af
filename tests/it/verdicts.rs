//! Hand-made organisations, one a rule, and the verdict that the rule states.

use crate::support::{Log, ORG_ID, Place, chrono_day, guid, inventory, pat};
use serde_json::{Value, json};

fn tokens(place: &Place, extra: &[&str]) -> Value {
    let mut args = vec!["tokens", "--from", "in", "--format", "json"];
    args.extend(extra);
    let ran = place.run(&args);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    ran.json()
}

fn one<'a>(tokens: &'a Value, id: &str) -> &'a Value {
    tokens["tokens"]
        .as_array()
        .expect("tokens")
        .iter()
        .find(|t| t["token_id"] == id)
        .unwrap_or_else(|| panic!("{id} in {tokens}"))
}

fn state<'a>(token: &'a Value, scope: &str) -> &'a str {
    let rows = token["scope"].as_array().expect("rows");
    rows.iter().find(|r| r["scope"] == scope).map_or("absent", |r| r["state"].as_str().expect("text"))
}

#[test]
fn cut_credentials_join_by_prefix_and_sessions_are_no_pats() {
    let place = Place::new();
    let (full, session) = (guid(1), guid(2));
    let mut log = Log::default();
    log.office(60);
    let seen = log.add(
        "2026-02-20T10:00:00Z",
        "Git.RepositoryCreated",
        &format!("PAT_UnscopedGlobal authorizationId: {}", &full[..28]),
        json!({}),
    );
    log.add(
        "2026-02-20T11:00:00Z",
        "Git.RepositoryCreated",
        &format!("SessionToken_Unscoped authorizationId: {}", &session[..25]),
        json!({}),
    );
    place.write("in/audit.json", log.page());
    let mut global = pat(&full, "deploy", "app_token");
    global["targetAccounts"] = Value::Null;
    place.write("in/inventory.json", inventory(&[global, pat(&session, "other", "vso.code")]));
    let tokens = tokens(&place, &[]);
    let token = one(&tokens, &full);
    assert_eq!(token["use"]["verdict"], "observed");
    assert_eq!(token["use"]["event_ids"], json!([seen]));
    assert_eq!(token["all_orgs"], true);
    assert_eq!(token["owner"], "ann@contoso.example");
    assert_eq!(token["known_from"], json!(["inventory", "events"]));
    assert_eq!(token["observed_scopes"], json!(["vso.code_manage"]));
    assert_eq!(token["proposed_scopes"], Value::Null);
    assert_eq!(one(&tokens, &session)["use"]["verdict"], "not-observed");
    assert_eq!(tokens["tokens"].as_array().expect("tokens").len(), 2);
}

#[test]
fn an_ambiguous_credential_blocks_silence_but_not_observation() {
    let place = Place::new();
    let a = "aaaaaaaa-1111-4222-8333-0000aaaa0001";
    let b = "aaaaaaaa-1111-4222-8333-0000aaaa0002";
    let mut log = Log::default();
    log.office(60);
    log.add(
        "2026-02-20T10:00:00Z",
        "Git.RepositoryCreated",
        &format!("PAT_UnscopedGlobal authorizationId: {}", &a[..28]),
        json!({}),
    );
    log.add("2026-02-20T11:00:00Z", "Git.RepositoryCreated", &format!("PAT authorizationId: {b}"), json!({}));
    place.write("in/audit.json", log.page());
    place.write(
        "in/inventory.json",
        inventory(&[pat(a, "a", "vso.variablegroups_manage"), pat(b, "b", "vso.code_manage")]),
    );
    let tokens = tokens(&place, &[]);
    assert_eq!(one(&tokens, a)["use"]["verdict"], "not-judged");
    assert_eq!(one(&tokens, a)["proposed_scopes"], json!(["vso.variablegroups_manage"]));
    assert_eq!(one(&tokens, b)["use"]["verdict"], "observed");
    assert_eq!(tokens["unattributed"][0]["candidates"], json!([a, b]));
    assert_eq!(tokens["unattributed"][0]["events"], 1);
}

#[test]
fn scopes_are_used_not_seen_or_cannot_be_seen() {
    let place = Place::new();
    let id = guid(1);
    let mut log = Log::default();
    log.office(60);
    log.add(
        "2026-02-20T10:00:00Z",
        "Library.VariableGroupCreated",
        &format!("PAT authorizationId: {id}"),
        json!({}),
    );
    // A cascade that the token's project creation set off proves nothing about security scopes.
    let origin = log.add(
        "2026-02-20T11:00:00Z",
        "Project.CreateQueued",
        &format!("PAT authorizationId: {id}"),
        json!({}),
    );
    log.add(
        "2026-02-20T11:00:01Z",
        "Security.ModifyPermission",
        &format!("PAT authorizationId: {id}"),
        json!({}),
    );
    let last = log.events.len() - 1;
    log.events[last]["correlationId"] = json!(origin);
    place.write("in/audit.json", log.page());
    let scopes = "vso.variablegroups_write vso.project_manage vso.security_manage vso.auditstreams_manage vso.work_write";
    place.write("in/inventory.json", inventory(&[pat(&id, "x", scopes)]));
    let tokens = tokens(&place, &[]);
    let token = one(&tokens, &id);
    assert_eq!(state(token, "vso.variablegroups_write"), "used");
    assert_eq!(state(token, "vso.project_manage"), "used");
    assert_eq!(state(token, "vso.security_manage"), "not-seen");
    assert_eq!(state(token, "vso.auditstreams_manage"), "not-seen");
    assert_eq!(state(token, "vso.work_write"), "cannot-be-seen");
    let proposed: Vec<&str> =
        token["proposed_scopes"].as_array().expect("list").iter().filter_map(Value::as_str).collect();
    assert!(proposed.contains(&"vso.security_manage"), "mostly visible scopes stay in the safe proposal");
    assert!(proposed.contains(&"vso.work_write") && !proposed.contains(&"vso.auditstreams_manage"));
    let reduced = token["reduced_scopes"].as_array().expect("list");
    assert!(!reduced.contains(&json!("vso.security_manage")));
}

#[test]
fn beyond_the_grant_is_said_and_expired_tokens_keep_their_verdicts() {
    let place = Place::new();
    let (narrow, old) = (guid(1), guid(2));
    let mut log = Log::default();
    log.office(60);
    log.add(
        "2026-02-20T10:00:00Z",
        "Library.AgentPoolCreated",
        &format!("PAT authorizationId: {narrow}"),
        json!({}),
    );
    place.write("in/audit.json", log.page());
    let mut expired = pat(&old, "old", "vso.code");
    expired["validTo"] = json!("2026-02-01T00:00:00");
    let (mut key, mut oauth) = (pat(&guid(3), "key", "vso.code"), pat(&guid(4), "app", "vso.code"));
    key["isPublic"] = json!(true);
    oauth["clientId"] = json!(guid(9));
    place.write("in/inventory.json", inventory(&[pat(&narrow, "narrow", "vso.code"), expired, key, oauth]));
    let found =
        place.run(&["check", "--from", "in", "--format", "json", "--select", "use", "--select", "scope"]);
    let found = found.json();
    let of = |id: &str| {
        let all = found["findings"].as_array().expect("findings").iter();
        all.filter(|f| f["subject"]["id"] == id).map(|f| f["slug"].clone()).collect::<Vec<_>>()
    };
    assert!(of(&narrow).contains(&json!("beyond-grant")));
    assert_eq!(of(&old), Vec::<Value>::new(), "a token that is over has no use or scope findings");
    let tokens = tokens(&place, &[]);
    assert_eq!(tokens["tokens"].as_array().expect("tokens").len(), 2, "keys and authorisations are no PATs");
    assert_eq!(state(one(&tokens, &narrow), "vso.agentpools_manage"), "beyond-grant");
    let token = one(&tokens, &old);
    assert_eq!(
        (token["state"].as_str(), token["use"]["verdict"].as_str()),
        (Some("expired"), Some("not-observed"))
    );
}

#[test]
fn few_days_are_not_judged_and_gaps_do_not_block_observation() {
    let place = Place::new();
    let (silent, seen) = (guid(1), guid(2));
    let mut log = Log::default();
    log.office(20);
    log.add(
        "2026-01-10T10:00:00Z",
        "Git.RepositoryCreated",
        &format!("PAT authorizationId: {seen}"),
        json!({}),
    );
    place.write("in/audit.json", log.page());
    place.write(
        "in/inventory.json",
        inventory(&[pat(&silent, "silent", "vso.code"), pat(&seen, "seen", "vso.code_manage")]),
    );
    let tokens = tokens(&place, &[]);
    assert_eq!(one(&tokens, &silent)["use"]["verdict"], "not-judged");
    assert_eq!(one(&tokens, &silent)["use"]["covered_days"], 19);
    assert_eq!(one(&tokens, &seen)["use"]["verdict"], "observed");
    assert_eq!(tokens["coverage"][0]["basis"], "inferred");
}

#[test]
fn the_ledger_tells_of_tokens_that_no_list_holds() {
    let place = Place::new();
    let id = guid(1);
    let mut log = Log::default();
    log.office(60);
    let data = json!({ "AuthorizationId": id.to_uppercase(), "DisplayName": "ci", "OwnerId": crate::support::OWNER, "Scopes": ["vso.build", "vso.code"],
        "ValidFrom": "2026-01-05T10:00:00Z", "ValidTo": "2026-04-05T10:00:00Z", "TargetAccounts": [ORG_ID] });
    log.add("2026-01-05T10:00:00Z", "Token.PatCreateEvent", "UserAuthToken", data);
    log.add(
        "2026-01-25T10:00:00Z",
        "Token.PatRevokeEvent",
        "UserAuthToken",
        json!({ "AuthorizationId": id }),
    );
    place.write("in/audit.json", log.page());
    let all = tokens(&place, &[]);
    let token = one(&all, &id);
    assert_eq!(token["known_from"], json!(["ledger"]));
    assert_eq!(token["state"], "revoked");
    assert_eq!(token["name"], "ci");
    assert_eq!(token["all_orgs"], false);
    assert_eq!(token["valid_to"], "2026-04-05T10:00:00Z");
    assert_eq!(token["use"]["verdict"], "not-judged", "alive for 20 days");
    let before = tokens(&place, &["--as-of", &chrono_day(20)]);
    assert_eq!(one(&before, &id)["state"], "unknown", "later events do not exist to the run");
}

#[test]
fn shapes_and_order_change_nothing() {
    let place = Place::new();
    let id = guid(1);
    let mut log = Log::default();
    log.office(40);
    log.add(
        "2026-02-01T10:00:00.1234567+00:00",
        "Git.RepositoryCreated",
        &format!("PAT authorizationId: {id}"),
        json!({"RepoName": "a"}),
    );
    place.write("in/a.json", log.page());
    let lines: Vec<String> = log
        .events
        .iter()
        .map(|e| {
            let mut row = serde_json::Map::new();
            for (key, value) in e.as_object().expect("object") {
                let mut name = key.clone();
                name[..1].make_ascii_uppercase();
                row.insert(
                    if name == "ActionId" {
                        "OperationName".into()
                    } else if name == "Timestamp" {
                        "TimeGenerated".into()
                    } else {
                        name
                    },
                    value.clone(),
                );
            }
            let bare = row["Id"].as_str().expect("id").rsplit(';').next().expect("part").to_uppercase();
            row.insert("Id".into(), json!(bare));
            row.insert("Type".into(), json!("AzureDevOpsAuditing"));
            Value::Object(row).to_string()
        })
        .collect();
    place.write("in/b.ndjson", lines.join("\r\n"));
    let there = tokens(&place, &[]);
    assert_eq!(one(&there, &id)["use"]["events"], 1);
    let ran = place.run(&["tokens", "--from", "in/b.ndjson", "in/a.json", "--format", "json"]);
    assert_eq!(ran.json(), there);
    let ran = place.run(&["-v", "import", "in"]);
    assert!(ran.stderr.contains("121 read = 0 kept + 121 duplicate + 0 rejected"), "{}", ran.stderr);
}
