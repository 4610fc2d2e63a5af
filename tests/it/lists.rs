//! What lists and declared spans may claim: pages of one user, lists of several organisations, spans of damaged files.

use crate::support::{Log, ORG_ID, OTHER_ORG_ID, OWNER, Place, Ran, guid, inventory, pat};
use serde_json::{Value, json};

const ANN: &str = OWNER;
const BEN: &str = "0d5e1c1a-7a11-6c1a-9b1f-6b8a1f0c0002";

fn index(place: &Place, lake: &str) -> Value {
    let text = std::fs::read(place.path(&format!("{lake}/index.json"))).expect("an index");
    serde_json::from_slice(&text).expect("JSON")
}

fn ok(ran: Ran) -> Ran {
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    ran
}

fn of(owner: &str, n: u64) -> Value {
    let mut token = pat(&guid(n), &format!("token {n}"), "vso.code");
    token["userId"] = json!(owner);
    token
}

/// The tokens of an organisation, by id, with their state.
fn tokens(place: &Place, org: &str) -> Vec<(String, String)> {
    let tokens = ok(place.run(&["tokens", "--format", "json", "--org", org])).json();
    let rows = tokens["tokens"].as_array().expect("tokens").iter();
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let mut found: Vec<_> = rows.map(|t| (text(&t["token_id"]), text(&t["state"]))).collect();
    found.sort_unstable();
    found
}

fn ids(numbers: &[u64]) -> Vec<String> {
    let mut ids: Vec<String> = numbers.iter().map(|n| guid(*n)).collect();
    ids.sort_unstable();
    ids
}

fn listed(place: &Place, org: &str) -> Vec<String> {
    tokens(place, org).into_iter().map(|(id, _)| id).collect()
}

fn population(place: &Place, org: &str) -> Value {
    ok(place.run(&["report", "--output", "out", "--org", org]));
    let text = std::fs::read(place.path("out/manifest.json")).expect("a manifest");
    std::fs::remove_dir_all(place.path("out")).expect("removed");
    let manifest: Value = serde_json::from_slice(&text).expect("JSON");
    manifest["population"][0].clone()
}

fn users(names: &[&str]) -> String {
    let user = |id: &&str| {
        json!({ "id": id, "user": { "principalName": format!("{id}@contoso.example"), "subjectKind": "user" },
            "accessLevel": { "status": "active" } })
    };
    json!({ "members": names.iter().map(user).collect::<Vec<_>>(), "continuationToken": null }).to_string()
}

#[test]
fn a_page_of_one_user_replaces_the_tokens_of_that_user_alone() {
    let place = Place::new();
    let mut log = Log::default();
    log.office(60);
    place.write("audit.json", log.page());
    place.write("lists/ann.json", inventory(&[of(ANN, 1), of(ANN, 2)]));
    place.write("lists/ben.json", inventory(&[of(BEN, 3), of(BEN, 4)]));
    place.write("users.json", users(&[ANN, BEN]));
    ok(place.run(&["import", "audit.json", "users.json"]));
    ok(place.run(&["import", "lists", "--taken", "2026-02-10T00:00:00Z"]));
    assert_eq!(listed(&place, "contoso"), ids(&[1, 2, 3, 4]));
    assert_eq!(population(&place, "contoso")["complete"], true, "it covers both users");

    // A page of Graph users does not say whether more follow, so it is not everybody unless the user says so.
    let user = |id: &str| json!({"descriptor": format!("aad.{id}"), "principalName": format!("{id}@contoso.example"), "storageKey": id});
    place.write("graph.json", json!({"count": 2, "value": [user(ANN), user(BEN)]}).to_string());
    for (lake, more, complete) in [("g1", None, false), ("g2", Some("--users-complete"), true)] {
        let args = ["--lake", lake, "import", "audit.json", "graph.json", "lists"];
        let ran = ok(place.run(&args.iter().copied().chain(more).collect::<Vec<_>>()));
        assert_eq!(ran.stderr.contains("--users-complete"), !complete, "{}", ran.stderr);
        ok(place.run(&["--lake", lake, "report", "--output", "out"]));
        let manifest = std::fs::read(place.path("out/manifest.json")).expect("a manifest");
        std::fs::remove_dir_all(place.path("out")).expect("removed");
        let manifest: Value = serde_json::from_slice(&manifest).expect("JSON");
        assert_eq!(manifest["population"][0]["complete"], complete, "{manifest}");
    }

    // A page that says that more follow takes nothing away.
    let mut open: Value = serde_json::from_str(&inventory(&[of(ANN, 2)])).expect("JSON");
    open["continuationToken"] = json!("more");
    place.write("open.json", open.to_string());
    ok(place.run(&["import", "open.json", "--org", "contoso", "--taken", "2026-02-15T00:00:00Z"]));
    assert_eq!(listed(&place, "contoso"), ids(&[1, 2, 3, 4]));

    // The last page of Ann is about Ann's tokens, and not a list of the organisation.
    place.write("ann.json", inventory(&[of(ANN, 2), of(ANN, 5)]));
    ok(place.run(&["import", "ann.json", "--org", "contoso", "--taken", "2026-02-20T00:00:00Z"]));
    let states = tokens(&place, "contoso");
    // The token that her page leaves out does not disappear; that it is active, no list says any more.
    assert_eq!(states.iter().map(|(id, _)| id.clone()).collect::<Vec<_>>(), ids(&[1, 2, 3, 4, 5]));
    let active = |(id, state): &(String, String)| (state == "active") == (*id != guid(1));
    assert!(states.iter().all(active), "{states:?}");
    let counted = population(&place, "contoso");
    assert_eq!((&counted["tokens"], &counted["users_listed"]), (&json!(4), &json!(2)), "{counted}");
    let lists = index(&place, "patwatch-lake");
    let mut lists = lists["snapshots"].as_array().expect("lists").iter().filter(|s| s["kind"] == "inventory");
    assert!(lists.clone().all(|s| s["complete"] == false), "no page says so");
    assert_eq!(lists.next_back().expect("a list")["complete_for"].as_array().map(Vec::len), Some(1));

    // Own tokens are what a filter let through, so they replace nothing.
    let own = json!({ "patTokens": [{ "authorizationId": guid(2), "displayName": "x", "scope": "vso.code",
        "targetAccounts": [ORG_ID], "validTo": "2026-12-31T00:00:00" }], "continuationToken": "" });
    place.write("own.json", own.to_string());
    ok(place.run(&["import", "own.json", "--org", "contoso", "--taken", "2026-02-25T00:00:00Z"]));
    assert_eq!(listed(&place, "contoso"), ids(&[1, 2, 3, 4, 5]));
}

#[test]
fn a_list_with_a_token_of_another_organisation_is_partial_there() {
    let place = Place::new();
    let (mut here, mut there) = (Log::default(), Log::default());
    here.office(60);
    there.office(60);
    place.write("a.json", here.page());
    place.write("b.json", there.elsewhere().page());
    let away = |n| {
        let mut token = of(ANN, n);
        token["targetAccounts"] = json!([OTHER_ORG_ID]);
        token
    };
    place.write("there.json", inventory(&[away(1), away(2)]));
    place.write("mixed.json", inventory(&[of(ANN, 3), away(1)]));
    ok(place.run(&["import", "a.json", "b.json"]));
    ok(place.run(&["import", "there.json", "--org", "fabrikam", "--taken", "2026-02-10T00:00:00Z"]));
    ok(place.run(&["import", "mixed.json", "--org", "contoso", "--taken", "2026-02-20T00:00:00Z"]));
    assert_eq!(listed(&place, "fabrikam"), ids(&[1, 2]), "the list of contoso takes nothing from it");
    assert_eq!(listed(&place, "contoso"), ids(&[3]));
    let index = index(&place, "patwatch-lake");
    for list in index["snapshots"].as_array().expect("lists") {
        let own = list["org"] == "contoso" || list["taken"].as_i64() < Some(1_771_000_000_000_000);
        assert_eq!(list.get("complete_for").is_some(), own, "{list}");
    }
}

fn covers(place: &Place, lake: &str) -> Vec<(String, String, String)> {
    let day = |time: &Value| {
        patwatch::model::time::format_time(time.as_i64().expect("time")).get(..10).expect("a day").to_owned()
    };
    let index = index(place, lake);
    let covers = index["covers"].as_array().expect("covers").iter();
    covers
        .map(|c| {
            let org = c["org"].as_str().expect("text").to_owned();
            (org, day(&c["span"]["from"]), day(&c["span"]["to"]))
        })
        .collect()
}

fn cover(org: &str, from: &str, to: &str) -> (String, String, String) {
    (org.to_owned(), from.to_owned(), to.to_owned())
}

/// The log as a stream of rows, oldest first.
fn rows(log: &Log) -> Vec<String> {
    log.events.iter().map(Value::to_string).collect()
}

#[test]
fn a_declared_span_is_about_the_organisations_of_its_import() {
    let place = Place::new();
    let mut globex = Log::default();
    globex.office(3);
    place.write("globex.json", globex.elsewhere().page());
    place.write("empty.json", r#"{"decoratedAuditLogEntries":[],"continuationToken":null,"hasMore":false}"#);
    ok(place.run(&["import", "globex.json"]));
    let span = ["--covers", "2026-01-01..2026-01-10"];
    ok(place.run(&[&["import", "empty.json", "--org", "acme"], &span[..]].concat()));
    assert_eq!(covers(&place, "patwatch-lake"), [cover("acme", "2026-01-01", "2026-01-11")]);
    // Nothing says whose page it is: two organisations are known now.
    let mut acme = Log::default();
    acme.office(1);
    acme.events.iter_mut().for_each(|e| {
        e["scopeDisplayName"] = json!("acme (Organization)");
        e["scopeId"] = json!("94749de6-1eeb-4239-a0e7-59d27e5e5ef4");
    });
    place.write("acme.json", acme.page());
    ok(place.run(&["import", "acme.json"]));
    let ran = place.run(&[&["import", "empty.json"], &span[..]].concat());
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("--covers") && ran.stderr.contains("--org"), "{}", ran.stderr);
    assert_eq!(covers(&place, "patwatch-lake").len(), 1);
}

#[test]
fn what_follows_a_cut_is_not_covered() {
    use std::io::Write as _;
    let place = Place::new();
    let mut log = Log::default();
    log.office(20);
    let text = rows(&log).join("\n");
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    gzip.write_all(text.as_bytes()).expect("memory");
    let whole = gzip.finish().expect("memory");
    // Half of a stored stream is half of the text: ten days, the last of them in part.
    place.write("cut.ndjson.gz", &whole[..whole.len() / 2 + 20]);
    let args = ["import", "cut.ndjson.gz", "--covers", "2026-01-01..2026-01-20"];
    let ran = place.run(&args);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.stderr.contains("ends early") && ran.stderr.contains("to 2026-01-20"), "{}", ran.stderr);
    let held = covers(&place, "patwatch-lake");
    assert_eq!(held.len(), 1, "{held:?}");
    assert!(held[0].2.as_str() <= "2026-01-11" && held[0].2.as_str() >= "2026-01-09", "{held:?}");
    // The whole file heals it.
    place.write("cut.ndjson.gz", &whole);
    ok(place.run(&args));
    assert_eq!(index(&place, "patwatch-lake").get("lost"), None);
    assert!(covers(&place, "patwatch-lake").contains(&cover("contoso", "2026-01-01", "2026-01-21")));
}

#[test]
fn days_of_rejected_records_are_gaps_of_a_declared_span() {
    let place = Place::new();
    let mut log = Log::default();
    log.office(40);
    let mut lines = rows(&log);
    // One record without a readable time between the 10th and the 12th, and one of the 20th without an action.
    let mut blank = log.events[3 * 10 + 1].clone();
    blank["timestamp"] = json!("yesterday");
    blank["id"] = json!(guid(77));
    lines[3 * 10] = "{}".to_owned();
    lines[3 * 10 + 1] = blank.to_string();
    lines[3 * 10 + 2] = "{}".to_owned();
    let mut idle = log.events[3 * 19].clone();
    idle["actionId"] = json!("");
    lines[3 * 19] = idle.to_string();
    place.write("audit.ndjson", lines.join("\n"));
    let mut there = Log::default();
    there.office(40);
    place.write("there.json", there.elsewhere().page());
    let ran = place.run(&["import", "audit.ndjson", "there.json", "--covers", "2026-01-01..2026-02-09"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(
        ran.stderr.contains("4 records could not be read")
            && ran.stderr.contains("2026-01-10 to 2026-01-12, 2026-01-20;"),
        "{}",
        ran.stderr
    );
    let held = [
        cover("contoso", "2026-01-01", "2026-01-10"),
        cover("contoso", "2026-01-13", "2026-01-20"),
        cover("contoso", "2026-01-21", "2026-02-10"),
        cover("fabrikam", "2026-01-01", "2026-02-10"),
    ];
    assert_eq!(covers(&place, "patwatch-lake"), held);
    let gaps = ok(place.run(&["query", "SELECT reason FROM gaps", "--format", "json"]));
    assert!(gaps.stdout.contains("could not be read"), "{}", gaps.stdout);
    let coverage =
        ok(place.run(&["query", "SELECT covered_days FROM coverage ORDER BY org", "--format", "json"]))
            .json();
    let rows = coverage.get("rows").unwrap_or(&coverage);
    assert_eq!(rows[0]["covered_days"], 36, "40 days without the four");
    assert_eq!(rows[1]["covered_days"], 40, "the other file lost nothing");
}

#[test]
fn usage_records_declare_a_span_only_where_all_of_them_were_read() {
    let place = Place::new();
    let mut log = Log::default();
    log.office(3);
    place.write("audit.json", log.page());
    ok(place.run(&["import", "audit.json"]));
    let call = crate::support::usage(ANN, "PAT", "2026-01-02T10:00:00Z", "2026-01-02T10:05:00Z");
    let mut broken = call.clone();
    broken["startTime"] = json!("soon");
    place.write("usage.ndjson", format!("{call}\n{broken}\n"));
    let args = ["import", "usage.ndjson", "--org", "contoso", "--usage-covers", "2026-01-01..2026-01-03"];
    let ran = place.run(&args);
    assert!(ran.stderr.contains("no span is declared for them"), "{}", ran.stderr);
    let spans = |place: &Place| -> Vec<bool> {
        let index = index(place, "patwatch-lake");
        let lists = index["snapshots"].as_array().expect("lists").iter();
        lists.filter(|s| s["kind"] == "usage").map(|s| s["span"].is_object()).collect()
    };
    assert_eq!(spans(&place), [false]);
    let mut second = call.clone();
    second["command"] = json!("Git.PushRefs");
    place.write("usage.ndjson", format!("{call}\n{second}\n"));
    ok(place.run(&args));
    assert!(spans(&place).contains(&true));
}

#[test]
fn a_path_gives_its_files_an_organisation() {
    let place = Place::new();
    let (mut here, mut there) = (Log::default(), Log::default());
    here.office(10);
    there.office(10);
    place.write("in/contoso/audit.json", here.page());
    place.write("in/fabrikam/audit.json", there.elsewhere().page());
    let global = |n| {
        let mut token = of(ANN, n);
        token["targetAccounts"] = Value::Null;
        token
    };
    place.write("in/contoso/pats.json", inventory(&[global(1)]));
    place.write("in/fabrikam/pats.json", inventory(&[global(2)]));
    place.write("in/contoso/users.json", users(&[ANN]));
    place.write("in/fabrikam/users.json", users(&[BEN]));
    let ran = place.run(&["--lake", "none", "import", "in"]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.stderr.contains("--org NAME=PATH"), "{}", ran.stderr);

    ok(place.run(&["import", "in", "--org", "contoso=in/contoso", "--org", "Fabrikam=in/fabrikam"]));
    assert_eq!(listed(&place, "contoso"), ids(&[1]));
    assert_eq!(listed(&place, "fabrikam"), ids(&[2]));
    let index = index(&place, "patwatch-lake");
    let lists = index["snapshots"].as_array().expect("lists");
    assert_eq!(lists.iter().filter(|s| s["kind"] == "users" && s["org"] == "fabrikam").count(), 1);

    // It fills in, and never overrides.
    let ran = place.run(&["--lake", "l2", "import", "in", "--org", "fabrikam=in/contoso"]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(
        ran.stderr.contains("names the organisation \"contoso\"")
            || ran.stderr.contains("name the organisation \"contoso\""),
        "{}",
        ran.stderr
    );
    // A plain name is for the other files, and a path without files is a slip.
    let both = ["--org", "contoso=in/contoso", "--org", "fabrikam"];
    ok(place.run(&[&["--lake", "l3", "import", "in"], &both[..]].concat()));
    let ran = place.run(&["--lake", "l4", "import", "in/contoso", "--org", "fabrikam=in/fabrikam"]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
}
