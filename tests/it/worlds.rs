//! Small random organisations through the whole program: what concerns one of them must not depend on which others are
//! judged with it, on an unrelated one, or on an empty page.
//!
//! Ten organisations share a lake and are judged by one run, since the start of the program costs much: six runs a lake, 50
//! organisations in all. `PATWATCH_WORLDS=1000 cargo test --release --test it worlds::` runs more of them.

use crate::support::{Place, guid};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Organisations of one lake.
const ORGS: usize = 10;
const AGENTS: [&str; 3] = ["curl/8.4.0", "git/2.40", "Mozilla/5.0 Firefox/120.0"];
const SCOPES: [&str; 3] = ["app_token", "vso.code_manage vso.build", "vso.variablegroups_manage"];
const AS_OF: &str = "2026-03-31T23:59:59Z";

struct Files {
    events: Vec<Value>,
    lists: BTreeMap<usize, Vec<Value>>,
}

fn scope_id(org: usize) -> String {
    guid(900_000 + org as u64)
}

fn person(n: usize) -> String {
    format!("0d5e1c1a-7a11-6c1a-9b1f-{n:012x}")
}

fn event(n: usize, org: usize, day: u32, actor: usize, action: &str, mechanism: &str, data: Value) -> Value {
    let id = format!("{n:08x}-2222-4222-8333-{org:012x}");
    json!({
        "id": format!("2518505060978539161;00000064-0000-8888-8000-000000000000;{id}"),
        "correlationId": id, "activityId": guid(7),
        "actorCUID": person(actor).replacen("-6", "-7", 1), "actorUserId": person(actor),
        "actorUPN": format!("person{actor}@x.example"), "actorDisplayName": format!("Person {}", actor % 3),
        "authenticationMechanism": mechanism,
        "timestamp": format!("2026-{:02}-{:02}T{:02}:{:02}:00.0000000Z", 1 + day / 28, 1 + day % 28, n % 24, n % 60),
        "scopeType": "organization", "scopeDisplayName": format!("org{org} (Organization)"), "scopeId": scope_id(org),
        "projectId": guid(50 + (n % 3) as u64), "projectName": format!("project {}", n % 3),
        "ipAddress": format!("203.0.{}.9", 100 + n % 5), "userAgent": AGENTS[n % 3],
        "actionId": action, "data": data, "details": action, "area": action.split('.').next(),
        "category": "modify", "categoryDisplayName": "Modify",
    })
}

fn files(seed: u64) -> Files {
    let mut dice = ChaCha8Rng::seed_from_u64(seed);
    let mut files = Files { events: Vec::new(), lists: BTreeMap::new() };
    let actions = [
        "Git.RepositoryCreated",
        "Pipelines.PipelineModified",
        "Security.ModifyPermission",
        "Library.VariableGroupModified",
    ];
    let mut n = 0;
    for org in 0..ORGS {
        // People at work, so that the log covers the window.
        for day in 0..84 {
            for hour in [1, 9, 17] {
                n = n / 24 * 24 + 24 + hour;
                files.events.push(event(n, org, day, 7, "Project.AreaPath.Create", "AAD_Cookie", json!({})));
            }
        }
        for token in 0..3 {
            let (id, owner) = (guid((org * 10 + token) as u64 + 1), dice.random_range(0..5));
            let target = match dice.random_range(0..3) {
                0 => Value::Null,
                1 => json!([scope_id(org), scope_id((org + 1) % ORGS)]),
                _ => json!([scope_id(org)]),
            };
            files.lists.entry(org).or_default().push(json!({
                "clientId": "00000000-0000-0000-0000-000000000000", "authorizationId": id, "userId": person(owner),
                "validFrom": "2025-12-01T00:00:00", "validTo": "2026-11-30T00:00:00", "displayName": format!("token {token}"),
                "scope": SCOPES[token % 3],
                "targetAccounts": target, "isValid": true, "isPublic": false,
            }));
            for _ in 0..dice.random_range(0..6) {
                // Here, or where it is a guest; sometimes with a part of its id alone.
                let at = if dice.random_bool(0.4) { dice.random_range(0..ORGS) } else { org };
                let (class, shown) =
                    [("PAT", 36), ("PAT_Unscoped", 34), ("PAT_UnscopedGlobal", 28)][dice.random_range(0..3)];
                let mechanism = format!("{class} authorizationId: {}", &id[..shown]);
                n += 1;
                let action = actions[dice.random_range(0..actions.len())];
                files.events.push(event(
                    n,
                    at,
                    dice.random_range(0..84),
                    owner,
                    action,
                    &mechanism,
                    json!({}),
                ));
            }
            if dice.random_bool(0.3) {
                let what = ["Token.PatPublicDiscoveryEvent", "Token.PatRevokeEvent", "Token.PatUpdateEvent"];
                let mut data = json!({ "DisplayName": format!("token {token}"), "OwnerName": format!("person{owner}@x.example") });
                if dice.random_bool(0.6) {
                    data["AuthorizationId"] = json!(id);
                }
                n += 1;
                let at = if dice.random_bool(0.3) { (org + 1) % ORGS } else { org };
                let action = what[dice.random_range(0..3)];
                files.events.push(event(n, at, dice.random_range(0..84), 7, action, "AAD_Cookie", data));
            }
        }
        if dice.random_bool(0.5) {
            n += 1;
            let data = json!({ "UserIdentifier": person(dice.random_range(0..5)), "AccessLevel": "Basic" });
            files.events.push(event(
                n,
                org,
                dice.random_range(0..84),
                7,
                "Licensing.Removed",
                "AAD_Cookie",
                data,
            ));
        }
    }
    files
}

/// Writes the files of a lake and imports them; `more` are further paths.
fn lake(place: &Place, seed: u64, name: &str, more: &[&str]) {
    let files = files(seed);
    let page =
        json!({ "decoratedAuditLogEntries": files.events, "continuationToken": "x", "hasMore": false });
    place.write("in/audit.json", page.to_string());
    let mut args: Vec<String> = ["--lake", name, "import"].map(str::to_owned).to_vec();
    args.push("in/audit.json".to_owned());
    for (org, rows) in &files.lists {
        let file = format!("in/list-{org}.json");
        place.write(&file, json!({ "value": rows, "continuationToken": null }).to_string());
        args.extend([file.clone(), "--org".to_owned(), format!("org{org}={file}")]);
    }
    args.extend(more.iter().map(|m| (*m).to_owned()));
    let ran = place.run(&args.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
}

/// Findings and tokens by organisation, as the program prints them.
fn answers(place: &Place, lake: &str, orgs: &[usize], name: &str) -> BTreeMap<String, Vec<String>> {
    let mut args = vec!["--lake", lake, "report", "--as-of", AS_OF, "--output", name];
    let names: Vec<String> = orgs.iter().map(|org| format!("org{org}")).collect();
    for org in &names {
        args.extend(["--org", org]);
    }
    let ran = place.run(&args);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let mut answers: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (file, list) in [("findings.json", "findings"), ("tokens.json", "tokens")] {
        let text = std::fs::read_to_string(place.path(name).join(file)).expect(file);
        let bundle: Value = serde_json::from_str(&text).expect(file);
        for row in bundle[list].as_array().expect(list) {
            answers.entry(row["org"].as_str().expect("org").to_owned()).or_default().push(row.to_string());
        }
    }
    answers.values_mut().for_each(|rows| rows.sort());
    answers
}

#[test]
fn an_organisation_is_judged_alike_with_all_others_some_or_none() {
    let worlds: u64 = std::env::var("PATWATCH_WORLDS").ok().and_then(|n| n.parse().ok()).unwrap_or(50);
    let start: u64 = std::env::var("PATWATCH_SEED").ok().and_then(|n| n.parse().ok()).unwrap_or(0);
    for seed in start..start + worlds.div_ceil(ORGS as u64) {
        let place = Place::new();
        let first = usize::try_from(seed).unwrap_or_default() % ORGS;
        let groups = [vec![first], vec![(first + 3) % ORGS, (first + 4) % ORGS]];
        // Two programs at a time, each in a folder of its own.
        let (all, some, with) = std::thread::scope(|scope| {
            let with = scope.spawn(|| with_a_stranger(seed));
            lake(&place, seed, "lake", &[]);
            let all = answers(&place, "lake", &[], "all");
            let some =
                groups.each_ref().map(|group| answers(&place, "lake", group, &format!("some-{}", group[0])));
            (all, some, with.join().expect("the lake with a stranger"))
        });
        assert!(all.values().map(Vec::len).sum::<usize>() > 3 * ORGS, "seed {seed} makes no findings");
        for (group, found) in groups.iter().zip(some) {
            assert!(!found.is_empty(), "seed {seed} makes no findings in {group:?}");
            for (org, rows) in found {
                assert_eq!(rows, all[&org], "seed {seed}, {org} of {group:?}");
            }
        }
        for (org, rows) in &all {
            assert_eq!(Some(rows), with.get(org), "seed {seed}: a stranger changes {org}");
        }
    }
}

/// The answers on the same files, an unrelated organisation and an empty page, which change nothing.
fn with_a_stranger(seed: u64) -> BTreeMap<String, Vec<String>> {
    let place = Place::new();
    let stranger = event(1, 77, 20, 7, "Project.AreaPath.Create", "AAD_Cookie", json!({}));
    place.write("more/stranger.json", json!({ "value": [stranger], "hasMore": false }).to_string());
    place.write("more/empty.json", json!({ "decoratedAuditLogEntries": [], "hasMore": false }).to_string());
    lake(&place, seed, "other", &["more/stranger.json", "more/empty.json"]);
    answers(&place, "other", &[], "with")
}
