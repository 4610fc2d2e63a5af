//! A detection that fails is said first in every output for people, and never looks like one that found nothing.

use crate::support::{Log, Place, Ran, guid};
use serde_json::json;

const BANNER: &str = "1 detection failed. What it looks for is missing from this report.";

/// A place with a log, and a pack whose only detection passes the lint and fails on the first row.
fn place() -> Place {
    let place = Place::new();
    let mut log = Log::default();
    log.add(
        "2026-02-01T10:00:00Z",
        "Git.RepositoryCreated",
        &format!("PAT authorizationId: {}", guid(1)),
        json!({}),
    );
    place.write("audit.json", log.page());
    place.write(
        "pack/hygiene/broken.sql",
        "--! id = \"MY-H001\"\n--! title = \"Broken on purpose\"\n--! severity = \"low\"\n--! confidence = \"low\"\n\
         --! subject = \"token\"\n--! tables = [\"tokens\"]\n--! message = \"The token '{name}' of {owner}.\"\n--! fix = \"None.\"\n\
         --! rationale = \"A test.\"\n\
         SELECT org, token_id AS subject, valid_from AS first_time, valid_to AS last_time, 0 AS count, 'dreadful' AS severity FROM tokens\n",
    );
    place
}

fn run(place: &Place, command: &[&str]) -> Ran {
    let ran = place.run(&[command, &["--from", "audit.json", "--queries", "pack"]].concat());
    assert_eq!(ran.code, 2, "{command:?}: {}", ran.stderr);
    assert!(ran.stderr.contains("MY-H001 did not run: Its query failed."), "{command:?}: {}", ran.stderr);
    ran
}

/// What every output says of it, in this order.
fn says(text: &str) {
    let mut at = 0;
    for part in [
        BANNER,
        "MY-H001 Broken on purpose",
        "Its query failed.",
        "Fix the query in",
        "broken.sql",
        "The engine says: ",
        "dreadful",
    ] {
        at += text[at..].find(part).unwrap_or_else(|| panic!("{part:?} is not where it belongs in:\n{text}"));
    }
}

#[test]
fn a_failed_detection_stands_above_the_findings_of_a_terminal() {
    let place = place();
    for command in [&["check"][..], &["check", "--format", "markdown"], &["tokens"]] {
        let ran = run(&place, command);
        let text = ran.stdout.replace(['*', '`', '\\'], "").replace('\n', " ");
        assert!(text.trim_start().starts_with("1 detection failed."), "{command:?}: {}", ran.stdout);
        says(&text);
    }
    let json = run(&place, &["check", "--format", "json"]).json();
    assert_eq!(
        (&json["not_run"][0]["detection"], &json["not_run"][0]["failed"]),
        (&json!("MY-H001"), &json!(true))
    );
    let dossier = run(&place, &["token", &guid(1)]);
    says(&dossier.stdout.replace('\n', " "));
    let json = run(&place, &["token", &guid(1), "--format", "json"]).json();
    assert_eq!(json["not_run"][0]["detection"], "MY-H001");
}

#[test]
fn a_failed_detection_heads_the_page_and_the_summary() {
    let place = place();
    run(&place, &["report", "--output", "bundle"]);
    let page = std::fs::read_to_string(place.path("bundle/index.html")).expect("a page");
    let banner = page.find("<section id=\"failed\"").expect("a banner");
    assert!(banner < page.find("<section id=\"now\"").expect("what to do"), "the banner comes first");
    says(&page[banner..]);
    let summary = std::fs::read_to_string(place.path("bundle/summary.md")).expect("a summary");
    let heading = summary.find("## Detections that failed").expect("a heading");
    assert!(heading < summary.find("## What to do now").expect("what to do"), "{summary}");
    says(&summary[heading..].replace(['*', '`', '\\'], ""));
}

#[test]
fn commands_that_show_no_detections_end_with_2_as_well() {
    let place = place();
    run(&place, &["chart", "risk", "--output", "risk.svg"]);
    run(&place, &["review", "export", "review.csv"]);
    run(&place, &["query", "SELECT COUNT(*) AS n FROM findings"]);
    let explained = run(&place, &["explain", &guid(1), "MY-H001"]);
    assert!(
        explained.stdout.contains("not judged")
            && explained.stdout.contains("it did not run: Its query failed."),
        "{}",
        explained.stdout
    );
}

#[test]
fn nothing_is_said_of_failures_where_all_ran() {
    let place = place();
    let ran = place.run(&["check", "--from", "audit.json"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(
        !ran.stdout.contains("failed") && !ran.stderr.contains("did not run"),
        "{}{}",
        ran.stdout,
        ran.stderr
    );
}
