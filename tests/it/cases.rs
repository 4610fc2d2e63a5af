//! Inputs that people really have, one file a kind, and what must come out of each.

use crate::support::{Log, Place, Ran};
use serde_json::{Value, json};
use std::path::Path;

const TOKEN: &str = "7ee384a0-21f3-5dd2-9f52-e0f950a19c73";

/// A place with a case of `tests/cases` copied into it.
fn case(names: &[&str]) -> Place {
    let place = Place::new();
    for name in names {
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases").join(name);
        place.write(name, std::fs::read(from).expect("case"));
    }
    place
}

fn import(place: &Place, names: &[&str]) -> Ran {
    place.run(&[&["--lake", "lake", "import"], names].concat())
}

fn query(place: &Place, sql: &str) -> Vec<Value> {
    let ran = place.run(&["--lake", "lake", "query", "--format", "json", sql]);
    assert_eq!(ran.code, 0, "{sql}: {}", ran.stderr);
    ran.json().as_array().expect("rows").clone()
}

/// The times of all events in order, and the number of those that the token made.
fn events(place: &Place) -> (Vec<String>, usize) {
    let rows = query(place, "SELECT time, mechanism FROM events ORDER BY time, event_id");
    let text = |row: &Value, key: &str| row[key].as_str().unwrap_or_default().to_owned();
    let of_token = rows.iter().filter(|row| text(row, "mechanism").contains(TOKEN)).count();
    (rows.iter().map(|row| text(row, "time")).collect(), of_token)
}

#[test]
fn events_in_other_spellings_and_envelopes_are_kept() {
    for name in [
        "python-sdk-snake-case.jsonl",
        "log-analytics-type-suffixes.ndjson",
        "log-analytics-type-suffixes.csv",
        "filebeat-message.ndjson",
        "splunk-search-export.json",
        "powershell-type-line.csv",
    ] {
        let place = case(&[name]);
        let ran = import(&place, &[name]);
        assert_eq!(ran.code, 0, "{name}: {}", ran.stderr);
        assert!(ran.stderr.contains("3 read = 3 kept + 0 duplicate + 0 rejected"), "{name}: {}", ran.stderr);
        let (times, of_token) = events(&place);
        let days: Vec<&str> = times.iter().map(|time| &time[..10]).collect();
        assert_eq!(days, ["2026-10-05", "2026-10-05", "2026-10-06"], "{name}");
        assert_eq!(of_token, 2, "{name}");
        let facts = query(
            &place,
            "SELECT org, action, area, category, address, user_agent, actor_upn, project, data FROM events \
             ORDER BY time",
        );
        assert_eq!(facts[0]["org"], "contoso", "{name}");
        assert_eq!(facts[0]["action"], "Git.RepositoryCreated", "{name}");
        assert_eq!(facts[0]["area"], "Git", "{name}");
        assert_eq!(facts[0]["category"], "create", "{name}");
        assert_eq!(facts[0]["address"], "203.0.113.20", "{name}");
        assert_eq!(facts[0]["user_agent"], "python-requests/2.32", "{name}");
        assert_eq!(facts[0]["actor_upn"], "ada@contoso.example", "{name}");
        assert_eq!(facts[0]["project"], "Billing", "{name}");
        // Windows PowerShell writes the name of the data's class and its members, not JSON.
        let expected = if name == "powershell-type-line.csv" {
            "RepoName=billing-api"
        } else {
            r#""RepoName":"billing-api""#
        };
        assert!(
            facts[0]["data"].as_str().is_some_and(|data| data.contains(expected)),
            "{name}: {}",
            facts[0]
        );
    }
}

#[test]
fn times_of_the_python_sdk_are_exact() {
    let place = case(&["python-sdk-snake-case.jsonl"]);
    import(&place, &["python-sdk-snake-case.jsonl"]);
    assert_eq!(
        events(&place).0,
        ["2026-10-05T09:12:33.146083Z", "2026-10-05T09:20:01.500Z", "2026-10-06T07:00:00.250Z"]
            .map(|time| time.to_owned())
    );
}

#[test]
fn printed_python_objects_are_refused_with_the_way_to_write_json() {
    for command in ["import", "check", "report"] {
        let place = case(&["python-repr.log"]);
        let args: &[&str] = match command {
            "import" => &["import", "python-repr.log"],
            "check" => &["check", "--from", "python-repr.log"],
            _ => &["report", "--output", "out", "--from", "python-repr.log"],
        };
        let ran = place.run(args);
        assert_eq!(ran.code, 2, "{command}: {}", ran.stderr);
        for word in ["not JSON", "as_dict", "json.dumps", "python-repr.log"] {
            assert!(ran.stderr.contains(word), "{command}, {word}: {}", ran.stderr);
        }
        assert!(!ran.stderr.contains(" 3 kept"), "{}", ran.stderr);
    }
}

#[test]
fn files_with_the_day_first_move_no_event() {
    for name in ["excel-en-gb.csv", "portal-en-gb.csv"] {
        let place = case(&[name]);
        let ran = import(&place, &[name]);
        assert_eq!(ran.code, 0, "{name}: {}", ran.stderr);
        let (times, _) = events(&place);
        let days: Vec<&str> = times.iter().map(|time| &time[..10]).collect();
        assert_eq!(days, ["2025-12-19", "2025-12-20", "2025-12-31", "2026-01-05"], "{name}: {}", ran.stderr);
    }
}

fn token<'a>(tokens: &'a Value, id: &str) -> &'a Value {
    let all = tokens["tokens"].as_array().expect("tokens");
    all.iter().find(|token| token["token_id"] == id).unwrap_or_else(|| panic!("{id} in {tokens}"))
}

#[test]
fn a_list_without_a_target_column_leaves_the_reach_unknown() {
    let folder = "inventory-without-target";
    let names = [&format!("{folder}/audit.jsonl"), &format!("{folder}/input-no-target-column.csv")];
    let names = names.map(String::as_str);
    let place = case(&names);
    let ran = import(&place, &names);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let tokens = place.run(&["--lake", "lake", "tokens", "--format", "json"]).json();
    let token = token(&tokens, TOKEN);
    assert_eq!((&token["name"], &token["all_orgs"]), (&json!("deploy"), &Value::Null), "{token}");
    assert_eq!(token["scopes"], json!(["vso.code"]));
    let checked = place.run(&["--lake", "lake", "check", "--format", "json"]);
    assert!(!checked.stdout.contains("PAT-S004"), "{}", checked.stdout);
    let page = place.run(&["--lake", "lake", "token", TOKEN]);
    assert!(!page.stdout.contains("all organisations"), "{}", page.stdout);
}

#[test]
fn a_list_with_columns_in_portuguese_is_read_in_full() {
    let folder = "inventory-without-target";
    let names = [&format!("{folder}/audit.jsonl"), &format!("{folder}/input-inventario.csv")];
    let names = names.map(String::as_str);
    let place = case(&names);
    let ran = import(&place, &names);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let tokens = place.run(&["--lake", "lake", "tokens", "--format", "json"]).json();
    let facts = |id: &str| {
        let token = token(&tokens, id);
        json!([token["name"], token["scopes"], token["valid_from"], token["valid_to"], token["all_orgs"]])
    };
    assert_eq!(
        facts(TOKEN),
        json!([
            "build-agent",
            ["vso.build_execute", "vso.code"],
            "2026-01-15T08:00:00Z",
            "2027-01-10T08:00:00Z",
            false
        ])
    );
    assert_eq!(
        facts("a7b79939-ab1d-51ae-b630-081ab452d33f"),
        json!(["terraform", ["app_token"], "2026-03-01T08:00:00Z", "2026-12-20T08:00:00Z", false])
    );
    assert_eq!(
        facts("cecea981-1b37-5e95-b632-d37e6f705f89"),
        json!(["old-script", ["vso.work"], "2025-02-01T08:00:00Z", "2026-02-01T08:00:00Z", false])
    );
    assert_eq!(tokens["tokens"].as_array().expect("tokens").len(), 3);
    assert_eq!(token(&tokens, TOKEN)["owner"], "ada@contoso.example");
}

fn log() -> Log {
    let mut log = Log::default();
    log.office(3);
    log
}

#[test]
fn a_file_of_which_nothing_was_kept_is_no_success() {
    let mut nameless = log();
    nameless.events.iter_mut().for_each(|event| event["actionId"] = Value::Null);
    for command in [
        &["import", "in"][..],
        &["check", "--from", "in"],
        &["tokens", "--from", "in"],
        &["query", "SELECT 1 AS one FROM events", "--from", "in"],
        &["report", "--output", "out", "--from", "in"],
    ] {
        let place = Place::new();
        place.write("in/good.json", log().page());
        place.write("in/nameless.json", nameless.page());
        let ran = place.run(command);
        assert_eq!(ran.code, 2, "{command:?}: {}", ran.stderr);
        assert!(
            ran.stderr.contains("nameless.json: could not keep any of its records (9 no action)"),
            "{command:?}: {}",
            ran.stderr
        );
    }
    // What the lake has already was kept before.
    let place = Place::new();
    place.write("good.json", log().page());
    assert_eq!(place.run(&["import", "good.json"]).code, 0);
    assert_eq!(place.run(&["import", "good.json"]).code, 0);
}

#[test]
fn files_of_a_folder_that_cannot_be_read_are_named() {
    let place = Place::new();
    place.write("in/audit.json", log().page());
    place.write("in/notes.pdf", "x");
    let ran = place.run(&["import", "in"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains("notes.pdf is a document"), "{}", ran.stderr);
    for name in ["events.xlsx", "events.parquet", "events.zip"] {
        let path = place.write(&format!("in/{name}"), "x");
        let ran = place.run(&["import", "in"]);
        assert_eq!(ran.code, 2, "{name}: {}", ran.stderr);
        assert!(ran.stderr.contains(&format!("{name} was not imported: it is a")), "{name}: {}", ran.stderr);
        assert!(ran.stderr.contains("9 read ="), "{name}: {}", ran.stderr);
        std::fs::remove_file(path).expect("removes");
    }
}

#[test]
fn an_unclosed_quote_is_one_error_at_its_line() {
    let place = Place::new();
    let row = |n: u64| {
        format!(
            "{},2026-01-05T09:00:00Z,Git.RepositoryCreated,contoso (Organization),\"{{\"\"RepoName\"\":\"\"r\"\"}}\",x\n",
            crate::support::guid(n)
        )
    };
    let mut text = String::from("Id,Timestamp,ActionId,ScopeDisplayName,Data,Details\n");
    (0..100).for_each(|n| text += &row(n));
    text += &row(100).replace("}\",x", "},x");
    (101..60_000).for_each(|n| text += &row(n));
    place.write("audit.csv", text);
    let ran = place.run(&["import", "audit.csv"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains("line 102, record 101: a quote that is never closed"), "{}", ran.stderr);
    assert!(ran.stderr.contains("60000 read = 59999 kept + 0 duplicate + 1 rejected"), "{}", ran.stderr);
    assert_eq!(place.run(&["--lake", "l2", "import", "--strict", "audit.csv"]).code, 2);
}
