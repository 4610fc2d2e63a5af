//! The review cycle on hand-made organisations: the sheet goes out and comes back, decisions cover and end,
//! bundles are compared, and an anonymised bundle names nobody.

use crate::support::{Log, Place, guid, inventory, pat};
use serde_json::{Value, json};
use std::path::Path;

const LAST: &str = "2026-03-01";

/// A lake with sixty days of office work, a token that made a repository, and two that were not seen.
fn lake(place: &Place) {
    let mut log = Log::default();
    log.office(60);
    log.add(
        "2026-02-20T10:00:00Z",
        "Git.RepositoryCreated",
        &format!("PAT authorizationId: {}", guid(1)),
        json!({ "RepoName": "secret-repository" }),
    );
    place.write("in/audit.json", log.page());
    place.write(
        "in/inventory.json",
        inventory(&[
            pat(&guid(1), "deploy-prod", "vso.code_manage"),
            pat(&guid(2), "old laptop", "vso.auditstreams_manage"),
            pat(&guid(3), "=cmd|' /C calc'!A0", "vso.code"),
        ]),
    );
    // The list is older than every run below, so that each of them knows it.
    let ran = place.run(&["import", "in", "--taken", "2026-02-10T00:00:00Z"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
}

/// The sheet with decisions filled in, as a spreadsheet with semicolons would save it, columns turned round.
fn filled(path: &Path, decisions: &[(&str, [&str; 5])]) -> Vec<u8> {
    let mut reader = csv::Reader::from_path(path).expect("sheet");
    let head: Vec<String> = reader.headers().expect("head").iter().map(str::to_owned).collect();
    let at = |name: &str| head.iter().position(|h| h == name).expect("column");
    let mut out = csv::WriterBuilder::new().delimiter(b';').from_writer(b"\xef\xbb\xbf".to_vec());
    let turned = |row: &[String]| row.iter().rev().cloned().chain(["".to_owned()]).collect::<Vec<_>>();
    out.write_record(turned(&head)).expect("memory");
    for record in reader.records() {
        let mut row: Vec<String> = record.expect("row").iter().map(str::to_owned).collect();
        if let Some((_, cells)) = decisions.iter().find(|(id, _)| *id == row[at("token_id")]) {
            for (name, cell) in ["decision", "reviewer", "decided_on", "reason", "end_date"].iter().zip(cells)
            {
                row[at(name)] = (*cell).to_owned();
            }
        }
        out.write_record(turned(&row)).expect("memory");
    }
    out.into_inner().expect("memory")
}

fn token(tokens: &Value, n: u64) -> Value {
    let rows = tokens["tokens"].as_array().expect("tokens");
    rows.iter().find(|t| t["token_id"] == guid(n)).expect("the token").clone()
}

fn hidden(findings: &Value, n: u64) -> Vec<(String, bool)> {
    let rows = findings["findings"].as_array().expect("findings");
    rows.iter()
        .filter(|f| f["subject"]["id"] == guid(n))
        .map(|f| (f["family"].as_str().expect("family").to_owned(), !f["suppressed"].is_null()))
        .collect()
}

#[test]
fn decisions_come_back_cover_findings_and_end_with_the_state() {
    let place = Place::new();
    lake(&place);
    assert_eq!(place.run(&["review", "export", "sheet.csv"]).code, 0);
    let (one, two, three) = (guid(1), guid(2), guid(3));
    let back = filled(
        &place.path("sheet.csv"),
        &[
            (&one, ["keep", "Zoë", LAST, "asked; needed", ""]),
            (&two, ["revoke", "'=Zoë", LAST, "nobody knows it", ""]),
            (&three, ["exception", "Zoë", LAST, "migration", "31.12.26"]),
        ],
    );
    place.write("back.csv", back);
    let ran = place.run(&["review", "import", "back.csv"]);
    assert_eq!(ran.code, 2, "one row is bad: {}", ran.stderr);
    assert!(ran.stderr.contains("2 decisions taken (1 keep, 1 revoke)"), "{}", ran.stderr);
    assert!(ran.stderr.contains("back.csv:") && ran.stderr.contains("31.12.26"), "{}", ran.stderr);

    let check = place.run(&["check", "--format", "json"]).json();
    let all = hidden(&check, 2);
    assert!(!all.is_empty() && all.iter().all(|(_, hidden)| *hidden), "{all:?}");
    assert!(hidden(&check, 3).iter().all(|(_, hidden)| !hidden));
    let tokens = place.run(&["tokens", "--format", "json"]).json();
    let revoked = token(&tokens, 2);
    assert_eq!(revoked["decision"]["status"], "not done");
    assert_eq!(revoked["decision"]["reviewer"], "=Zoë");
    assert_eq!(revoked["advice"]["action"], "revoke");
    assert_eq!(token(&tokens, 1)["decision"]["holds"], true);

    // Before its day a decision does not exist.
    let before = place.run(&["tokens", "--format", "json", "--as-of", "2026-02-25"]).json();
    assert_eq!(token(&before, 2)["decision"], Value::Null);

    let ran = place.run(&["review", "export", "--revoke-list", "revoke"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let body = std::fs::read(place.path("revoke/revocations-contoso-001.json")).expect("body");
    let body: Value = serde_json::from_slice(&body).expect("JSON");
    assert_eq!(body, json!([{ "authorizationId": guid(2) }]));

    // A revoke event shows it done; a wider grant ends the decision on the other.
    let mut log = Log { events: vec![Value::Null; 900] };
    log.add(
        "2026-03-02T09:00:00Z",
        "Token.PatRevokeEvent",
        "AAD_Cookie",
        json!({ "AuthorizationId": guid(2) }),
    );
    log.events.retain(|e| !e.is_null());
    place.write("late/audit.json", log.page());
    place.write(
        "late/inventory.json",
        inventory(&[pat(&guid(1), "deploy-prod", "vso.code_full"), pat(&guid(3), "c", "vso.code")]),
    );
    let ran = place.run(&["import", "late", "--taken", "2026-03-02T08:59:00Z"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let tokens = place.run(&["tokens", "--format", "json"]).json();
    let done = token(&tokens, 2);
    assert_eq!(done["decision"]["status"], "done", "{done}");
    assert!(done["decision"]["note"].as_str().is_some_and(|n| n.contains("2026-03-02")));
    let ended = token(&tokens, 1);
    assert_eq!(ended["decision"]["status"], "ended");
    assert!(ended["decision"]["note"].as_str().is_some_and(|n| n.contains("scopes changed")), "{ended}");
}

#[test]
fn sheets_and_bundles_that_are_none_are_refused_with_a_reason() {
    let place = Place::new();
    place.write("other.csv", "a,b\n1,2\n");
    let ran = place.run(&["review", "import", "other.csv"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("no column \"token_id\""), "{}", ran.stderr);
    place.write("bundle/findings.json", "{}");
    place.write("in/audit.json", Log::default().page());
    // Cut off: the manifest comes last.
    place.write("half/findings.json", "{}");
    place.write("half/tokens.json", "{}");
    for (folder, word) in [
        ("nowhere", "is no folder"),
        ("in", "cannot read its findings.json"),
        ("bundle", "tokens.json"),
        ("half", "cannot read its manifest.json"),
    ] {
        lake_once(&place);
        let ran = place.run(&["report", "--output", "out", "--compare", folder]);
        assert_eq!(ran.code, 2, "{}", ran.stderr);
        assert!(ran.stderr.contains(word), "{}", ran.stderr);
    }
}

fn lake_once(place: &Place) {
    if !place.path("patwatch-lake").exists() {
        lake(place);
    }
}

#[test]
fn an_anonymised_bundle_names_nobody_and_says_what_changed() {
    let place = Place::new();
    lake(&place);
    place.write(
        "contoso.toml",
        "[[exception]]\ndetection = \"use\"\nsubject = \"11111111-1111-4222-8333-000000000009\"\nowner = \"Olga Reviewer\"\nreason = \"told Bernhard\"\nend_date = \"2026-12-31\"\n",
    );
    let first = place.run(&["report", "--output", "first", "--as-of", "2026-02-24"]);
    assert_eq!(first.code, 0, "{}", first.stderr);
    let key = [("PATWATCH_PSEUDONYM_KEY", "a key")];
    let args =
        ["--config", "contoso.toml", "report", "--output", "anon", "--anonymise", "--compare", "first"];
    let ran = place.run_with(&key, &args);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let secrets = [
        "contoso",
        "ann@",
        "deploy-prod",
        "old laptop",
        "secret-repository",
        "203.0.113",
        "olga",
        "bernhard",
        "0d5e1c1a-7a11",
        "cmd|",
        "audit.json",
        "inventory.json",
    ];
    let mut open = vec![place.path("anon")];
    let mut files = 0;
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).expect("folder").flatten() {
            if entry.path().is_dir() {
                open.push(entry.path());
                continue;
            }
            files += 1;
            let bytes = std::fs::read(entry.path()).expect("file");
            let text = String::from_utf8_lossy(&bytes).to_lowercase();
            for secret in secrets {
                assert!(!text.contains(secret), "{secret} in {}", entry.path().display());
            }
        }
    }
    assert!(files > 12, "{files} files");
    let changes: Value =
        serde_json::from_slice(&std::fs::read(place.path("anon/changes.json")).expect("changes"))
            .expect("JSON");
    assert_eq!(changes["earlier"]["as_of"], "2026-02-24T23:59:59.999999Z");
    let counts = &changes["counts"]["findings"];
    let n = |k: &str| counts[k].as_u64().expect("a count");
    let now: Value =
        serde_json::from_slice(&std::fs::read(place.path("anon/findings.json")).expect("findings"))
            .expect("JSON");
    assert_eq!(Some(n("new") + n("changed") + n("same")), now["findings"].as_array().map(|f| f.len() as u64));
    assert!(n("same") > 0, "{counts}");

    // Another key finds nothing again, and a run that names people cannot be compared with pseudonyms.
    let other = place.run_with(
        &[("PATWATCH_PSEUDONYM_KEY", "another")],
        &["report", "--output", "x", "--anonymise", "--compare", "anon"],
    );
    assert_eq!(other.code, 2);
    assert!(other.stderr.contains("another key"), "{}", other.stderr);
    let plain = place.run(&["report", "--output", "x", "--compare", "anon"]);
    assert!(plain.code == 2 && plain.stderr.contains("holds pseudonyms"), "{}", plain.stderr);
}

#[test]
fn a_proposal_that_was_followed_is_done_and_shifted_rows_are_refused() {
    let place = Place::new();
    let mut log = Log::default();
    log.office(60);
    place.write("next/audit.json", log.page());
    let endpoints = inventory(&[
        pat(&guid(1), "deploy-prod", "vso.code_manage"),
        pat(&guid(2), "endpoints", "vso.serviceendpoint_manage"),
        pat(&guid(3), "c", "vso.code"),
    ]);
    place.write("next/inventory.json", endpoints);
    assert_eq!(place.run(&["import", "next", "--taken", "2026-02-10T00:00:00Z"]).code, 0);
    assert_eq!(place.run(&["review", "export", "sheet.csv"]).code, 0);
    let mut reader = csv::Reader::from_path(place.path("sheet.csv")).expect("sheet");
    let head: Vec<String> = reader.headers().expect("head").iter().map(str::to_owned).collect();
    let at = |name: &str| head.iter().position(|h| h == name).expect("column");
    let rows: Vec<csv::StringRecord> = reader.records().map(|r| r.expect("row")).collect();
    let two = rows.iter().find(|r| r[at("token_id")] == guid(2)).expect("the row");
    // The grant can only be lowered to scopes that nobody granted by name.
    let (granted, reduced) = (&two[at("scopes")], &two[at("reduced_scopes")]);
    assert!(!reduced.is_empty() && granted != reduced, "{granted} to {reduced}");
    let back = filled(&place.path("sheet.csv"), &[(&guid(2), ["reduce", "Zoë", LAST, "too much", ""])]);
    place.write("back.csv", &back);
    let ran = place.run(&["review", "import", "back.csv"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let tokens = place.run(&["tokens", "--format", "json"]).json();
    assert_eq!(token(&tokens, 2)["decision"]["status"], "not done");

    let list = inventory(&[
        pat(&guid(1), "deploy-prod", "vso.code_manage"),
        pat(&guid(2), "endpoints", &reduced.replace(';', "")),
        pat(&guid(3), "c", "vso.code"),
    ]);
    place.write("late/inventory.json", list);
    assert_eq!(place.run(&["import", "late", "--taken", "2026-03-01T12:00:00Z"]).code, 0);
    let tokens = place.run(&["tokens", "--format", "json"]).json();
    let done = token(&tokens, 2);
    assert_eq!(done["decision"]["status"], "done", "{}", done["decision"]);
    assert_eq!(done["decision"]["changed"], json!(["scopes"]));

    // The mark belongs to its row: a column that was sorted by itself is found out.
    let text = String::from_utf8(back).expect("UTF-8");
    let mark = &two[at("state_mark")];
    let other = rows.iter().find(|r| r[at("token_id")] != guid(2)).expect("another");
    place.write("shifted.csv", text.replace(mark, &other[at("state_mark")]));
    let ran = place.run(&["review", "import", "shifted.csv"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("state_mark is that of another token"), "{}", ran.stderr);
}
