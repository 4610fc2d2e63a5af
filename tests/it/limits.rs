//! Ad hoc queries and packs of the user: what they may take, and that nobody else pays for one that takes too much.

use crate::support::{DEADLINE, Log, Place, Ran, ended, guid, inventory, pat, root};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Far more rows than any machine holds: a thousand million.
const GREEDY: &str = "WITH a AS (SELECT org, event_id FROM events) SELECT MAX(CONCAT(x.event_id, y.event_id, z.event_id)) AS most FROM a AS x CROSS JOIN a AS y CROSS JOIN a AS z";

/// A place with a log of a thousand events and a list of two tokens.
fn place() -> Place {
    let place = Place::new();
    let mut log = Log::default();
    log.office(20);
    for n in 0..1_000 {
        let time = format!("2026-01-{:02}T{:02}:{:02}:00Z", 1 + n % 20, n % 24, n % 60);
        let mechanism = format!("PAT authorizationId: {}", guid(1 + n % 2));
        log.add(&time, "Git.RepositoryCreated", &mechanism, json!({"RepoName": "r"}));
    }
    place.write("in/audit.json", log.page());
    place.write(
        "in/inventory.json",
        inventory(&[pat(&guid(1), "a", "vso.code"), pat(&guid(2), "b", "app_token")]),
    );
    place.write("tmp/.keep", "");
    place
}

/// Writes a detection into the folder `pack`.
fn detection(place: &Place, id: &str, tables: &str, select: &str) {
    place.write(
        &format!("pack/hygiene/{}.sql", id.to_lowercase()),
        format!(
            "--! id = \"{id}\"\n--! title = \"T\"\n--! severity = \"low\"\n--! confidence = \"low\"\n--! subject = \"token\"\n--! tables = {tables}\n--! message = \"M\"\n--! fix = \"F\"\n--! rationale = \"R\"\n{select}\n"
        ),
    );
}

fn check(place: &Place, args: &[&str]) -> Ran {
    let tmp = place.path("tmp").display().to_string();
    place.run_with(&[("TMPDIR", &tmp)], &[&["check", "--from", "in", "--format", "json"], args].concat())
}

/// Ids of the detections that did not run, and their reasons.
fn not_run(ran: &Ran) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let of = ran.json();
    let failed = of["not_run"].as_array().expect("not_run").iter().filter(|n| n["failed"] == json!(true));
    failed.map(|n| (text(&n["detection"]), text(&n["reason"]))).collect()
}

/// Findings without those of packs of the user.
fn of_patwatch(ran: &Ran) -> Vec<Value> {
    let all = ran.json();
    let ours = |f: &&Value| f["detection"].as_str().is_some_and(|id| id.starts_with("PAT-"));
    all["findings"].as_array().expect("findings").iter().filter(ours).cloned().collect()
}

fn of_user(ran: &Ran) -> BTreeSet<(String, String)> {
    let all = ran.json();
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let found = all["findings"].as_array().expect("findings").iter();
    let theirs = found.filter(|f| f["detection"].as_str().is_some_and(|id| id.starts_with("MY-")));
    theirs.map(|f| (text(&f["detection"]), text(&f["subject"]["id"]))).collect()
}

fn nothing_left(place: &Place) {
    let left: Vec<_> =
        std::fs::read_dir(place.path("tmp")).expect("folder").flatten().map(|e| e.path()).collect();
    assert_eq!(left, [place.path("tmp/.keep")]);
}

#[test]
fn a_detection_that_takes_too_much_is_the_only_one_that_did_not_run() {
    let place = place();
    let alone = check(&place, &[]);
    assert_eq!(alone.code, 0, "{}", alone.stderr);
    detection(&place, "MY-H001", "[\"tokens\"]", "SELECT org, token_id AS subject FROM tokens");
    let greedy = GREEDY.replace("MAX(", "'o' AS org, 't' AS subject, MAX(");
    detection(&place, "MY-H002", "[\"events\"]", &greedy);
    detection(
        &place,
        "MY-H003",
        "[\"tokens\"]",
        "SELECT org, token_id AS subject FROM tokens WHERE name = 'b'",
    );
    let ran = check(&place, &["--queries", "pack", "--memory-limit", "1GB"]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    let failed = not_run(&ran);
    assert_eq!(failed.len(), 1, "{failed:?}");
    assert_eq!(failed[0].0, "MY-H002");
    assert!(
        failed[0].1.contains("more than 1GB of memory") && failed[0].1.contains("--memory-limit"),
        "{failed:?}"
    );
    assert!(ran.stderr.contains("MY-H002 did not run: "), "{}", ran.stderr);
    assert_eq!(of_patwatch(&ran), of_patwatch(&alone));
    let expected = [("MY-H001", guid(1)), ("MY-H001", guid(2)), ("MY-H003", guid(2))];
    assert_eq!(of_user(&ran), expected.map(|(id, token)| (id.to_owned(), token)).into());
    nothing_left(&place);
    // Under a time limit, from the configuration.
    place.write("patwatch.toml", "[limits]\ntime = \"5s\"\nmemory = \"64GB\"\n");
    // Cheap in memory, and minutes of work: two dozen numberings of a million rows.
    let branch =
        |n| format!("SELECT ROW_NUMBER() OVER (PARTITION BY CONCAT(u, '{n}', v) ORDER BY v) AS r FROM b");
    let slow = format!(
        "WITH a AS (SELECT org, event_id FROM events), b AS (SELECT x.event_id AS u, y.event_id AS v FROM a AS x CROSS JOIN a AS y) SELECT 'o' AS org, 't' AS subject, MAX(r) AS most FROM ({}) AS t",
        (0..24).map(branch).collect::<Vec<_>>().join(" UNION ALL ")
    );
    detection(&place, "MY-H002", "[\"events\"]", &slow);
    let ran = check(&place, &["--queries", "pack"]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    let failed = not_run(&ran);
    assert_eq!(failed.len(), 1, "{failed:?}");
    assert!(failed[0].1.contains("longer than 5s") && failed[0].1.contains("--time-limit"), "{failed:?}");
    assert_eq!(of_patwatch(&ran), of_patwatch(&alone));
    assert_eq!(of_user(&ran).len(), 3);
    nothing_left(&place);
}

#[test]
fn a_query_that_takes_too_much_is_stopped() {
    let place = place();
    let tmp = place.path("tmp").display().to_string();
    let run = |limit: &[&str]| {
        place.run_with(&[("TMPDIR", &tmp)], &[&["query", GREEDY, "--from", "in"], limit].concat())
    };
    let cases: [(&[&str], &str); 2] = [
        (&["--memory-limit", "600MB"], "needed more than 600MB of memory"),
        (&["--time-limit", "1ms", "--memory-limit", "64GB"], "took longer than 1ms"),
    ];
    for (limit, said) in cases {
        let ran = run(limit);
        assert_eq!(ran.code, 2, "{}", ran.stderr);
        assert!(ran.stdout.is_empty(), "{}", ran.stdout);
        assert!(ran.stderr.contains(said) && ran.stderr.contains(limit[0]), "{}", ran.stderr);
        nothing_left(&place);
    }
    let ran = run(&["--time-limit", "soon"]);
    assert!(ran.code == 2 && ran.stderr.contains("90s"), "{}", ran.stderr);
    let ran = place.run(&["query", "SELECT COUNT(*) AS n FROM events", "--from", "in", "--format", "csv"]);
    assert_eq!((ran.code, ran.stdout.replace('\r', "").as_str()), (0, "n\n1060\n"), "{}", ran.stderr);
}

#[test]
fn a_pack_of_ones_own_finds_what_the_pack_finds() {
    let place = Place::new();
    let mut copied = Vec::new();
    // Some detections of each family under another id, so that each runs here and in the other process; one of them
    // reads what others found.
    let folder = root().join("queries/detections");
    for family in std::fs::read_dir(&folder).expect("folder").flatten() {
        let mut files: Vec<_> =
            std::fs::read_dir(family.path()).expect("folder").flatten().map(|e| e.path()).collect();
        files.sort_unstable();
        for (at, file) in files.iter().enumerate() {
            let text = std::fs::read_to_string(file).expect("file");
            if at % 6 == 0 || text.contains("--! counts") {
                let name = file.strip_prefix(&folder).expect("below").display().to_string();
                place.write(&format!("pack/{name}"), text.replacen("\"PAT-", "\"MY-", 1));
                copied.push(
                    text.split("\"PAT-").nth(1).and_then(|id| id.split('"').next()).expect("id").to_owned(),
                );
            }
        }
    }
    let from = root().join("sample-data").display().to_string();
    let ran = place.run(&["check", "--from", &from, "--queries", "pack", "--format", "json"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(not_run(&ran), []);
    let all = ran.json();
    let of = |prefix: &str| -> Vec<String> {
        let found = all["findings"].as_array().expect("findings").iter();
        let mut found: Vec<String> = found
            .filter_map(|f| {
                let mut f = f.clone();
                let id = f["detection"]
                    .as_str()?
                    .strip_prefix(prefix)
                    .filter(|id| copied.contains(&(*id).to_owned()))?;
                let id = id.to_owned();
                f["detection"] = json!(id);
                f.as_object_mut()?.remove("fingerprint");
                Some(f.to_string())
            })
            .collect();
        found.sort_unstable();
        found
    };
    let (ours, theirs) = (of("PAT-"), of("MY-"));
    assert!(copied.len() > 8 && ours.len() > 10, "{}, {}", copied.len(), ours.len());
    for (ours, theirs) in ours.iter().zip(&theirs) {
        assert_eq!(ours, theirs);
    }
    assert_eq!(ours.len(), theirs.len());
}

#[test]
fn rows_that_are_no_findings_are_a_fault_of_their_detection() {
    let place = place();
    for (id, count) in [("MY-H001", "-1"), ("MY-H002", "NULL"), ("MY-H003", "3")] {
        let select = format!("SELECT org, token_id AS subject, CAST({count} AS BIGINT) AS count FROM tokens");
        detection(&place, id, "[\"tokens\"]", &select);
    }
    let many = "SELECT x.org AS org, y.event_id AS subject FROM events AS x CROSS JOIN events AS y";
    detection(&place, "MY-H004", "[\"events\"]", many);
    let ran = check(&place, &["--queries", "pack"]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    let failed = not_run(&ran);
    assert_eq!(
        failed.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>(),
        ["MY-H001", "MY-H002", "MY-H004"]
    );
    assert!(failed[2].1.contains("gives 1123600 rows") && failed[2].1.contains("aggregate"), "{failed:?}");
    assert!(
        failed[0].1.contains("the count -1") && failed[1].1.contains("a count that is null"),
        "{failed:?}"
    );
    assert_eq!(of_user(&ran).len(), 2);
}

#[test]
fn a_pack_that_the_lint_refuses_does_not_run() {
    let place = place();
    detection(
        &place,
        "MY-H001",
        "[\"tokens\", \"users\"]",
        "SELECT org, token_id AS subject FROM tokens\nORDER BY n_events DESC",
    );
    let ran = check(&place, &["--queries", "pack"]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.stdout.is_empty());
    let linted = place.run(&["detections", "lint", "pack"]);
    assert_eq!(linted.code, 2);
    let problems: Vec<&str> = linted.stderr.lines().filter(|line| line.contains("my-h001.sql:")).collect();
    assert_eq!(problems.len(), 2, "{}", linted.stderr);
    for problem in problems {
        assert!(ran.stderr.contains(problem), "{problem}\n{}", ran.stderr);
    }
    assert!(ran.stderr.contains("my-h001.sql:11: ") && ran.stderr.contains("NULLS LAST"), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("my-h001.sql:6: ") && ran.stderr.contains("Drop it from `tables`"),
        "{}",
        ran.stderr
    );
}

#[test]
fn names_are_found_in_any_case() {
    let place = place();
    let rows = |sql: &str| {
        let ran = place.run(&["query", sql, "--from", "in", "--format", "csv"]);
        assert_eq!(ran.code, 0, "{sql}: {}", ran.stderr);
        ran.stdout.replace('\r', "")
    };
    let expected = rows("SELECT org, COUNT(*) AS n FROM events GROUP BY org");
    for sql in [
        "SELECT ORG, COUNT(*) AS n FROM EVENTS GROUP BY ORG",
        "select E.Org, count(*) as n from Events as E group by e.org",
        "SELECT \"org\", COUNT(*) AS n FROM \"events\" GROUP BY \"org\"",
        "WITH T AS (SELECT ORG AS org FROM EVENTS) SELECT org, COUNT(*) AS n FROM t GROUP BY ORG",
    ] {
        assert_eq!(rows(sql), expected, "{sql}");
    }
    assert_eq!(
        rows("SELECT * FROM EVENTS ORDER BY TIME LIMIT 3"),
        rows("SELECT * FROM events ORDER BY time LIMIT 3")
    );
    assert_eq!(rows("SELECT POLICY.MIN_COVERED_DAYS AS d FROM POLICY"), "d\n30\n");
    let ran = place.run(&["query", "SELECT * FROM \"EVENTS\"", "--from", "in"]);
    assert!(ran.code == 2 && ran.stderr.contains("Write events."), "{}", ran.stderr);
}

#[test]
fn the_other_process_ends_with_whoever_started_it() {
    let place = place();
    let child = std::process::Command::new(assert_cmd::cargo::cargo_bin("patwatch"))
        .current_dir(place.path(""))
        .arg("run-detections")
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::null())
        .spawn();
    let mut child = child.expect("starts");
    drop(child.stdin.take());
    assert_eq!(ended(&mut child, DEADLINE).code(), Some(0));
    let help = place.run(&["--help"]);
    assert!(!help.stdout.contains("run-detections"), "{}", help.stdout);
}
