//! What may be said of tokens, projects and detections, on inputs that people have (`tests/cases`).

use crate::support::{Log, ORG_ID, OTHER_ORG_ID, OWNER, Place, Ran, guid, inventory, pat, root};
use serde_json::Value;
use std::collections::BTreeSet;

fn case(name: &str) -> String {
    root().join("tests/cases").join(name).display().to_string()
}

fn ran(place: &Place, args: &[&str]) -> Ran {
    let ran = place.run(args);
    assert_eq!(ran.code, 0, "{args:?}: {}", ran.stderr);
    ran
}

fn findings(place: &Place, args: &[&str]) -> Vec<Value> {
    let json = ran(place, &[&["check", "--format", "json"], args].concat()).json();
    assert_eq!(json["not_run"], Value::Array(Vec::new()));
    json["findings"].as_array().expect("findings").clone()
}

#[test]
fn an_unscoped_class_means_full_access_without_a_list() {
    let (place, file) = (Place::new(), case("every-mechanism.jsonl"));
    let sql = "SELECT DISTINCT class FROM events WHERE kind = 'pat' ORDER BY class";
    let classes = ran(&place, &["query", sql, "--from", &file, "--format", "csv"]).stdout;
    let classes: Vec<&str> = classes.lines().skip(1).collect();
    assert_eq!(classes, ["PAT", "PAT_Global", "PAT_Unscoped", "PAT_UnscopedGlobal"]);
    let tokens = ran(&place, &["tokens", "--from", &file, "--format", "json"]).json();
    assert_eq!(tokens["tokens"].as_array().expect("tokens").len(), 4);
    let full = findings(&place, &["--from", &file, "--select", "PAT-S003"]);
    let subjects: BTreeSet<&str> = full.iter().filter_map(|f| f["subject"]["id"].as_str()).collect();
    assert_eq!(subjects.len(), 2, "{full:?}");
    assert!(
        subjects.iter().all(|id| id.starts_with("e0555b84") || id.starts_with("7b1fa5fa")),
        "{subjects:?}"
    );
    // A class says so of every organisation at once, and a list may know better.
    assert!(full.iter().all(|f| f["confidence"] == "medium"), "{full:?}");
    let global = findings(&place, &["--from", &file, "--select", "PAT-S004"]);
    assert_eq!(global.len(), 2);
    assert!(global.iter().all(|f| f["confidence"] == "medium"), "{global:?}");
}

#[test]
fn reads_of_the_audit_log_are_not_called_changes() {
    let (place, folder) = (Place::new(), case("log-reader"));
    let tokens = ran(&place, &["tokens", "--from", &folder, "--format", "json"]).json();
    let token = &tokens["tokens"][0];
    assert_eq!((&token["use"]["verdict"], &token["use"]["events"]), (&"observed".into(), &60.into()));
    let id = token["token_id"].as_str().expect("id");
    let report = ran(&place, &["report", "--from", &folder, "--output", "out"]);
    assert_eq!(report.code, 0);
    let read = |name: &str| std::fs::read_to_string(place.path("out").join(name)).expect(name);
    let mut said = vec![read("summary.md"), read("index.html"), read("tokens.json")];
    for format in ["text", "markdown", "html", "json"] {
        let ran = place.run(&["token", id, "--from", &folder, "--format", format]);
        if ran.code == 0 {
            said.push(ran.stdout);
        }
    }
    assert!(said.len() >= 5, "the dossier was printed");
    for text in said {
        let lower = text.to_lowercase();
        for wrong in ["audited change", "60 changes", "of its changes", "changes by this token"] {
            assert!(!lower.contains(wrong), "\"{wrong}\" in: {text}");
        }
    }
}

#[test]
fn a_project_is_known_by_its_id() {
    let count = |place: &Place, table: &str, n: &str| {
        let sql = format!("SELECT project, {n} AS n FROM {table} GROUP BY project ORDER BY project");
        ran(place, &["query", &sql, "--format", "csv"])
            .stdout
            .lines()
            .skip(1)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let place = Place::new();
    let imported = ran(&place, &["import", &case("project-name-missing.json")]);
    assert!(
        imported.stdout.contains("40 kept") || imported.stderr.contains("40 kept"),
        "{}",
        imported.stdout
    );
    assert_eq!(count(&place, "events", "COUNT(*)"), ["ocp,40"]);
    assert_eq!(count(&place, "activity", "SUM(n)"), ["ocp,40"]);
    assert_eq!(findings(&place, &["--select", "PAT-A021"]), Vec::<Value>::new());
    // A renamed project is the same project: events keep the name they came with, counts do not.
    let place = Place::new();
    ran(&place, &["import", &case("project-renamed.json")]);
    assert_eq!(count(&place, "activity", "SUM(n)"), ["ocp,40"]);
    assert_eq!(count(&place, "events", "COUNT(*)"), ["ocp,30", "ocp-platform,10"]);
    assert_eq!(findings(&place, &["--select", "PAT-A021"]), Vec::<Value>::new());
    // The same in two imports, day by day as a pull brings them.
    let place = Place::new();
    let events: Vec<Value> =
        serde_json::from_slice(&std::fs::read(case("project-renamed.json")).expect("case")).expect("JSON");
    for (name, part) in [("old.json", &events[..30]), ("new.json", &events[30..])] {
        let file = place.write(name, serde_json::to_vec(part).expect("JSON"));
        ran(&place, &["import", &file.display().to_string()]);
    }
    assert_eq!(count(&place, "activity", "SUM(n)"), ["ocp,40"]);
    assert_eq!(findings(&place, &["--select", "PAT-A021"]), Vec::<Value>::new());
    // Nothing is new when the same files come again, and verify finds nothing to repair.
    ran(&place, &["import", &place.path("new.json").display().to_string()]);
    assert_eq!(count(&place, "activity", "SUM(n)"), ["ocp,40"]);
    ran(&place, &["lake", "verify"]);
}

#[test]
fn a_detection_whose_fields_never_occur_is_blind_and_says_so() {
    let place = Place::new();
    // One seed in four leaves the variables out of events about variable groups.
    for (seed, blind) in [("3", true), ("5", false)] {
        let org = format!("org-{seed}");
        let args = ["simulate", "--seed", seed, "--tokens", "60", "--days", "60", "--output", &org];
        assert_eq!(place.run(&args).code, 0);
        let found = place.run(&["check", "--from", &org, "--format", "json"]);
        let rows = found.json()["blind"].as_array().expect("blind").clone();
        let of = |id: &str| rows.iter().find(|b| b["detection"] == id).cloned();
        assert_eq!(of("PAT-P014").is_some(), blind, "{rows:?}");
        assert_eq!(of("PAT-P029").is_some(), blind, "{rows:?}");
        if let Some(row) = of("PAT-P014") {
            assert_eq!(row["fields"], serde_json::json!(["d_variables"]));
            assert!(row["events"].as_u64().expect("events") >= 20);
            let shown = place.run(&["check", "--from", &org, "--select", "PAT-P014"]).stdout;
            let shown = shown.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(shown.contains("PAT-P014 is blind in"), "{shown}");
        }
    }
}

/// The PATs of one person who left Contoso: one for all organisations, one for both by name, one for Contoso alone.
fn tokens_of_who_left() -> [String; 3] {
    [1, 2, 3].map(guid)
}

/// A lake of Contoso, which the owner left, and of Fabrikam, whose log has the events that `there` adds.
fn left_one_organisation(there: impl FnOnce(&mut Log)) -> Place {
    let place = Place::new();
    let ids = tokens_of_who_left();
    let (mut here, mut away) = (Log::default(), Log::default());
    let colleague = |log: &mut Log| {
        log.office(60);
        for event in &mut log.events {
            for (key, n) in [("actorUserId", 70), ("actorCUID", 71)] {
                event[key] = guid(n).into();
            }
            event["actorUPN"] = "bo@contoso.example".into();
            event["actorDisplayName"] = "Bo".into();
        }
    };
    colleague(&mut here);
    colleague(&mut away);
    here.add("2026-01-10T08:00:00.0000000Z", "Project.AreaPath.Create", "AAD_Cookie", serde_json::json!({}));
    let data = serde_json::json!({ "UserIdentifier": OWNER, "AccessLevel": "Basic" });
    here.add("2026-02-01T08:00:00.0000000Z", "Licensing.Removed", "AAD_Cookie", data);
    let removal = here.events.last_mut().expect("the removal");
    for (key, value) in
        [("actorUserId", guid(70)), ("actorCUID", guid(71)), ("actorUPN", "bo@contoso.example".into())]
    {
        removal[key] = value.into();
    }
    there(&mut away);
    let mut rows = ids.clone().map(|id| pat(&id, &format!("token {}", &id[..4]), "vso.code"));
    rows[0]["targetAccounts"] = Value::Null;
    rows[1]["targetAccounts"] = serde_json::json!([ORG_ID, OTHER_ORG_ID]);
    place.write("in/contoso.json", here.page());
    place.write("in/fabrikam.json", away.elsewhere().page());
    place.write("in/pats.json", inventory(&rows));
    ran(
        &place,
        &["import", "in/contoso.json", "in/fabrikam.json", "--org", "contoso=in/pats.json", "in/pats.json"],
    );
    place
}

/// What is advised on each of the three in Contoso, in a run over all organisations, which a run over Contoso agrees with.
fn advised_on_who_left(place: &Place) -> Vec<(String, String)> {
    let of = |more: &[&str]| {
        let tokens = ran(place, &[&["tokens", "--format", "json"], more].concat()).json();
        let rows = tokens["tokens"].as_array().expect("tokens").clone();
        let row = |id: &String| {
            let row =
                rows.iter().find(|t| t["org"] == "contoso" && t["token_id"] == **id).expect("the token");
            let text = |name: &str| row["advice"][name].as_str().expect(name).to_owned();
            (text("action"), text("reason"))
        };
        tokens_of_who_left().iter().map(row).collect::<Vec<_>>()
    };
    let all = of(&[]);
    assert_eq!(all, of(&["--org", "contoso"]), "--org limits what is judged, not what is known");
    all
}

#[test]
fn a_token_of_an_owner_who_has_access_elsewhere_is_a_question() {
    let gone = advised_on_who_left(&left_one_organisation(|_| {}));
    assert!(gone.iter().all(|advised| advised.0 == "revoke"), "{gone:?}");
    let signed_in = left_one_organisation(|log| {
        log.add(
            "2026-01-15T08:00:00.0000000Z",
            "Project.AreaPath.Create",
            "AAD_Cookie",
            serde_json::json!({}),
        );
    });
    let advised = advised_on_who_left(&signed_in);
    let actions: Vec<&str> = advised.iter().map(|a| a.0.as_str()).collect();
    assert_eq!(actions, ["ask the owner", "ask the owner", "revoke"]);
    for (_, reason) in &advised[..2] {
        assert!(reason.contains("its owner has access to fabrikam"), "{reason}");
    }
    let gone: Vec<Value> = findings(&signed_in, &["--select", "PAT-H004", "--org", "contoso"]);
    let confidences: Vec<&str> = gone.iter().filter_map(|f| f["confidence"].as_str()).collect();
    assert_eq!(confidences.iter().filter(|c| **c == "high").count(), 1, "{gone:?}");
}

#[test]
fn a_token_that_is_used_elsewhere_after_its_owner_left_is_a_question() {
    let used = |time: &'static str| {
        left_one_organisation(move |log| {
            let mechanism = format!("PAT authorizationId: {}", tokens_of_who_left()[0]);
            log.add(time, "Git.RepositoryCreated", &mechanism, serde_json::json!({}));
        })
    };
    let later = advised_on_who_left(&used("2026-02-10T08:00:00.0000000Z"));
    assert_eq!((later[0].0.as_str(), later[1].0.as_str()), ("ask the owner", "revoke"));
    assert!(later[0].1.contains("it was used in fabrikam after that"), "{}", later[0].1);
    let before = advised_on_who_left(&used("2026-01-15T08:00:00.0000000Z"));
    assert_eq!(before[0].0, "revoke", "{}", before[0].1);
}
