//! The rules of the design that hold between several files: usage records, snapshots, several organisations, and
//! events that name their token by owner and name.
//!
//! Where the rules of a verdict are tested:
//!
//! | rule | test |
//! |---|---|
//! | attribution exact, by prefix, ambiguous, under 16 digits, unknown; own tokens first | `analysis::attribution`, `verdicts` |
//! | a Token.* event is no use; name in force; one candidate; several | `analysis::ledger`, `rules` |
//! | coverage: basis, missing day, auditing or stream off, quiet span, covered days | `analysis::coverage` |
//! | use: the order, days in the token's life, confidence by basis and sight, shared class | `analysis::usage`, `verdicts` |
//! | usage records: declared span, owner by id, one organisation, any class, contradicted | `analysis::usage`, `rules` |
//! | scope: origin, orphan, cascade, inclusion, several scopes, certainty, unknown actions | `analysis::scope`, `verdicts` |
//! | beyond the grant: documented, never `Security.*`, grant in force, unknown grant | `analysis::scope`, `rules` |
//! | proposals: safe, to confirm, full access, unknown grant, other organisations | `analysis::proposal`, `analysis::scope` |
//! | state: complete and partial lists, later snapshots, keys and authorisations | `analysis::tokens`, `verdicts`, `rules` |
//! | people: list against event, return, shared names, administrators | `analysis::people` |
//! | used after the end, after the owner left | `tests/detections/PAT-A010` and its neighbours |
//! | everything at once, on random organisations | `analysis::properties` |

use crate::support::{Log, ORG_ID, OTHER_ORG_ID, OWNER, Place, guid, inventory, pat, usage};
use serde_json::{Value, json};

fn one<'a>(tokens: &'a Value, org: &str, id: &str) -> &'a Value {
    let mut rows = tokens["tokens"].as_array().expect("tokens").iter();
    rows.find(|t| t["token_id"] == id && t["org"] == org)
        .unwrap_or_else(|| panic!("{id} of {org} in {tokens}"))
}

fn json_of(place: &Place, args: &[&str]) -> Value {
    let ran = place.run(args);
    assert_eq!(ran.code, 0, "{args:?}: {}", ran.stderr);
    ran.json()
}

/// Imports the log and the list, then usage records with or without a declaration, and returns the verdict.
fn with_usage(records: &[Value], declared: bool) -> (String, String) {
    let place = Place::new();
    let id = guid(1);
    let mut log = Log::default();
    log.office(60);
    place.write("in/audit.json", log.page());
    place.write("in/inventory.json", inventory(&[pat(&id, "x", "vso.code")]));
    place.write("usage.json", json!({ "value": records }).to_string());
    assert_eq!(place.run(&["import", "in"]).code, 0);
    let mut args = vec!["import", "usage.json", "--kind", "usage", "--org", "contoso"];
    if declared {
        args.extend(["--covers", "2026-01-01..2026-03-01"]);
    }
    let ran = place.run(&args);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let tokens = json_of(&place, &["tokens", "--format", "json"]);
    assert_eq!(tokens["coverage"][0]["basis"], "inferred", "a span of usage records says nothing of the log");
    let used = &one(&tokens, "contoso", &id)["use"];
    (used["verdict"].as_str().expect("text").to_owned(), used["reason"].as_str().expect("text").to_owned())
}

#[test]
fn usage_records_tell_possible_from_ruled_out() {
    let day =
        |mechanism: &str, user: &str| usage(user, mechanism, "2026-02-01T08:00:00Z", "2026-02-01T08:05:00Z");
    let (verdict, reason) = with_usage(&[day("AAD_Cookie", OWNER)], true);
    assert_eq!(verdict, "ruled-out", "{reason}");
    assert!(
        reason
            .starts_with("No PAT call by ann@contoso.example in the Usage records of contoso, 2026-01-01 to"),
        "{reason}"
    );
    let (verdict, reason) = with_usage(&[day("PAT", OWNER)], true);
    assert_eq!(verdict, "possible", "{reason}");
    // A first and a last record are no declaration of what lies between them.
    let ends = [
        usage(OWNER, "AAD_Cookie", "2026-01-01T00:00:00Z", "2026-01-01T00:05:00Z"),
        usage(OWNER, "AAD_Cookie", "2026-03-01T23:55:00Z", "2026-03-02T00:00:00Z"),
    ];
    assert_eq!(with_usage(&ends, false).0, "not-observed");
}

#[test]
fn what_comes_after_the_instant_of_the_run_does_not_exist() {
    let place = Place::new();
    let (early, late) = (guid(1), guid(2));
    let mut log = Log::default();
    log.office(60);
    place.write("audit.json", log.page());
    place.write("old.json", inventory(&[pat(&early, "a", "vso.code")]));
    place.write("new.json", inventory(&[pat(&late, "b", "vso.code")]));
    assert_eq!(place.run(&["import", "audit.json"]).code, 0);
    for (file, taken) in [("old.json", "2026-02-05T00:00:00Z"), ("new.json", "2026-02-20T00:00:00Z")] {
        assert_eq!(place.run(&["import", file, "--org", "contoso", "--taken", taken]).code, 0);
    }
    let ids = |args: &[&str]| -> Vec<String> {
        let tokens = json_of(&place, args);
        let rows = tokens["tokens"].as_array().expect("tokens").iter();
        rows.map(|t| t["token_id"].as_str().expect("id").to_owned()).collect()
    };
    assert_eq!(ids(&["tokens", "--format", "json", "--as-of", "2026-02-10"]), std::slice::from_ref(&early));
    // The latest list of their owner no longer has the first one: it stays, and no list calls it active any more.
    let tokens = json_of(&place, &["tokens", "--format", "json"]);
    assert_eq!(one(&tokens, "contoso", &early)["state"], "unknown");
    assert_eq!(one(&tokens, "contoso", &late)["state"], "active");
}

#[test]
fn a_token_of_two_organisations_is_judged_by_what_it_did_in_both() {
    let place = Place::new();
    let id = guid(1);
    let mut here = Log::default();
    here.office(60);
    let mut there = Log::default();
    there.office(60);
    there.add(
        "2026-02-20T10:00:00Z",
        "Library.VariableGroupModified",
        &format!("PAT authorizationId: {id}"),
        json!({}),
    );
    place.write("in/a.json", here.page());
    place.write("in/b.json", there.elsewhere().page());
    let mut both = pat(&id, "x", "vso.variablegroups_manage");
    both["targetAccounts"] = json!([ORG_ID, OTHER_ORG_ID]);
    place.write("list.json", inventory(&[both]));
    assert_eq!(place.run(&["import", "in"]).code, 0);
    assert_eq!(place.run(&["import", "list.json", "--org", "contoso"]).code, 0);
    let tokens = json_of(&place, &["tokens", "--format", "json"]);
    let (home, away) = (one(&tokens, "contoso", &id), one(&tokens, "fabrikam", &id));
    assert_eq!(away["use"]["verdict"], "observed");
    assert_eq!(home["use"]["verdict"], "not-observed");
    let reason = home["use"]["reason"].as_str().expect("text");
    assert!(reason.contains("seen in fabrikam"), "{reason}");
    assert_eq!(home["scope"][0]["state"], "used", "one secret: its grant is judged by both");
    assert_eq!(home["proposed_scopes"], json!(["vso.variablegroups_manage"]));
    let alone = json_of(&place, &["tokens", "--format", "json", "--org", "contoso"]);
    let home = one(&alone, "contoso", &id);
    let reason = home["use"]["reason"].as_str().expect("text");
    assert!(reason.contains("seen in fabrikam"), "--org limits what is judged, not what is known: {reason}");
    assert_eq!(home["proposed_scopes"], json!(["vso.variablegroups_manage"]), "not safe to lower");
    assert_eq!(home, one(&tokens, "contoso", &id), "judged alone as with all others");
}

#[test]
fn an_event_that_fits_two_tokens_is_a_finding_on_the_user_and_changes_nothing() {
    let place = Place::new();
    let (a, b) = (guid(1), guid(2));
    let mut log = Log::default();
    log.office(60);
    log.add(
        "2026-02-20T10:00:00Z",
        "Token.PatRevokeEvent",
        "UserAuthToken",
        json!({ "DisplayName": "deploy" }),
    );
    log.add(
        "2026-02-21T10:00:00Z",
        "Token.PatRevokeEvent",
        "UserAuthToken",
        json!({ "DisplayName": "single" }),
    );
    place.write("in/audit.json", log.page());
    let single = guid(3);
    let list =
        [pat(&a, "deploy", "vso.code"), pat(&b, "deploy", "vso.build"), pat(&single, "single", "vso.code")];
    place.write("in/list.json", inventory(&list));
    // The list is older than the events.
    assert_eq!(place.run(&["import", "in/audit.json"]).code, 0);
    let ran = place.run(&["import", "in/list.json", "--org", "contoso", "--taken", "2026-02-01T00:00:00Z"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let tokens = json_of(&place, &["tokens", "--format", "json"]);
    for id in [&a, &b] {
        assert_eq!(one(&tokens, "contoso", id)["state"], "active");
    }
    let revoked = one(&tokens, "contoso", &single);
    assert_eq!(
        (revoked["state"].as_str(), revoked["joined_by_name"].as_bool()),
        (Some("revoked"), Some(true))
    );
    let found = json_of(&place, &["check", "--format", "json", "--select", "unclear-token-event"]);
    let found = found["findings"].as_array().expect("findings");
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0]["subject"]["kind"].as_str(), found[0]["subject"]["id"].as_str()),
        (Some("user"), Some("ann@contoso.example"))
    );
    let candidates = found[0]["evidence"]["candidate_ids"].as_str().expect("text");
    assert!(candidates.contains(&a) && candidates.contains(&b), "{candidates}");
}

#[test]
fn grants_follow_the_events_and_generations_the_dates() {
    let place = Place::new();
    let (old, new) = (guid(1), guid(2));
    let mut log = Log::default();
    log.office(60);
    let data = |id: &str, name: &str, scopes: &str, from: &str, to: &str| {
        json!({ "AuthorizationId": id, "DisplayName": name, "OwnerId": OWNER, "Scopes": [scopes], "ValidFrom": from,
            "ValidTo": to, "TargetAccounts": [ORG_ID] })
    };
    log.add(
        "2026-01-02T10:00:00Z",
        "Token.PatCreateEvent",
        "UserAuthToken",
        data(&old, "deploy-prod", "vso.code", "2026-01-02T10:00:00Z", "2026-02-10T00:00:00Z"),
    );
    let pool = |log: &mut Log, time: &str, id: &str| {
        log.add(time, "Library.AgentPoolCreated", &format!("PAT authorizationId: {id}"), json!({}))
    };
    let early = pool(&mut log, "2026-01-05T10:00:00Z", &old);
    log.add(
        "2026-01-10T10:00:00Z",
        "Token.PatUpdateEvent",
        "UserAuthToken",
        data(&old, "deploy-prod", "vso.agentpools_manage", "2026-01-02T10:00:00Z", "2026-02-10T00:00:00Z"),
    );
    pool(&mut log, "2026-01-15T10:00:00Z", &old);
    log.add(
        "2026-02-05T10:00:00Z",
        "Token.PatCreateEvent",
        "UserAuthToken",
        data(
            &new,
            "deploy-prod (2026)",
            "vso.agentpools_manage",
            "2026-02-05T10:00:00Z",
            "2026-05-05T00:00:00Z",
        ),
    );
    place.write("in/audit.json", log.page());
    assert_eq!(place.run(&["import", "in"]).code, 0);
    let tokens = json_of(&place, &["tokens", "--format", "json"]);
    let first = one(&tokens, "contoso", &old);
    let beyond: Vec<&Value> =
        first["scope"].as_array().expect("rows").iter().filter(|r| r["state"] == "beyond-grant").collect();
    assert_eq!(beyond.len(), 1);
    assert_eq!(beyond[0]["event_ids"], json!([early]), "only the one before the scopes were widened");
    let second = one(&tokens, "contoso", &new);
    assert_eq!(
        (second["rotation"]["generation"].as_u64(), second["rotation"]["last_rotation"].as_str()),
        (Some(2), Some("2026-02-05T10:00:00Z"))
    );
    assert_eq!(second["rotation"]["generations"][1]["overlap_days"], 4);

    // The dossier tells the escalation, in every format; a part that fits two tokens lists them.
    let text = place.run(&["token", &old]).stdout;
    assert!(text.contains("widened by"), "{text}");
    let html = place.run(&["token", &old[..8], "--format", "html"]);
    assert!(
        html.stdout.starts_with("<!doctype html>") && html.stdout.contains("vso.agentpools_manage"),
        "{}",
        html.stderr
    );
    let dossier = json_of(&place, &["token", "deploy-prod (2026)", "--format", "json"]);
    assert_eq!(dossier["update"]["proposed"]["body"]["authorizationId"], json!(new));
    assert_eq!(dossier["update"]["proposed"]["body"]["allOrgs"], json!(false));
    let both = place.run(&["token", "deploy"]);
    assert_eq!(both.code, 0);
    assert!(both.stdout.contains(&old) && both.stdout.contains(&new), "{}", both.stdout);
    let both = place.run(&["token", "deploy", "--format", "json"]);
    assert_eq!(both.code, 2, "a program asked for one");
    assert!(both.stderr.contains(&old) && both.stderr.contains(&new), "{}", both.stderr);
    assert_eq!((place.run(&["token", "5"]).code, place.run(&["token", ""]).code), (2, 2));
    assert_eq!(place.run(&["token", "nothing-like-it"]).code, 2);
    let explained = place.run(&["explain", &old, "beyond-grant"]);
    assert!(
        explained.stdout.contains("PAT-S005") && explained.stdout.contains("what it looked at"),
        "{}",
        explained.stdout
    );
}

/// One call that cascades is one act: it makes neither a burst nor a sweep. What follows no known origin counts.
#[test]
fn what_a_call_drags_along_is_no_burst() {
    let place = Place::new();
    let mut log = Log::default();
    log.office(3);
    let mechanism = format!("PAT_Unscoped authorizationId: {}", guid(1));
    let origin = log.add("2026-01-02T10:00:00Z", "Project.CreateQueued", &mechanism, json!({}));
    for (second, correlation) in (1..=12).map(|n| (n, origin.clone())).chain([(20, guid(77)), (21, guid(78))])
    {
        log.add(
            &format!("2026-01-02T10:00:{second:02}Z"),
            "Git.RepositoryCreated",
            &mechanism,
            json!({
                "RepoId": guid(500 + second), "RepoName": format!("repo-{second}"),
            }),
        );
        let event = log.events.last_mut().expect("an event");
        event["correlationId"] = json!(correlation);
        event["projectId"] = json!(guid(900 + second));
        event["projectName"] = json!(format!("project-{second}"));
    }
    place.write("in/audit.json", log.page());
    let sql = "SELECT n, origins, peak_10m, peak_projects_10m, peak_targets_10m FROM token_day WHERE credential IS NOT NULL";
    let ran = place.run(&["query", sql, "--from", "in", "--format", "json"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let rows = ran.json();
    let rows = rows.get("rows").unwrap_or(&rows);
    assert_eq!(
        rows,
        &json!([{"n": 15, "origins": 1, "peak_10m": 3, "peak_projects_10m": 2, "peak_targets_10m": 2}])
    );
}
