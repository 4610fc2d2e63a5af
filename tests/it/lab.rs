//! The laboratory through the program: what it makes reads back, and what it scores adds up.

use crate::support::{Place, Ran, root};
use serde_json::Value;
use std::collections::BTreeMap;

fn simulated(place: &Place, folder: &str, more: &[&str]) -> u64 {
    let mut args = vec!["simulate", "--seed", "3", "--tokens", "24", "--days", "45", "--output", folder];
    args.extend(more);
    let ran = place.run(&args);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let words: Vec<&str> = ran.stderr.split(' ').collect();
    let at = words.iter().position(|w| w.starts_with("events")).expect("events");
    words[at - 1].parse().expect("a number")
}

/// Sums of kept and rejected records over the inputs whose names begin with `stem`.
fn counts(ran: &Ran, stem: &str) -> (u64, u64) {
    let (mut kept, mut rejected) = (0, 0);
    for line in ran.stdout.lines().chain(ran.stderr.lines()).filter(|l| l.starts_with(stem)) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let before = |what: &str| -> u64 {
            let at = words.iter().position(|w| w.trim_end_matches(';') == what).expect("a count");
            words[at - 1].parse().expect("a number")
        };
        kept += before("kept");
        rejected += before("rejected");
    }
    (kept, rejected)
}

#[test]
fn every_shape_reads_back_whole() {
    let place = Place::new();
    for shape in ["api", "log-analytics", "export", "csv", "event-grid", "splunk"] {
        let events = simulated(&place, shape, &["--shapes", shape, "--usage"]);
        let ran = place.run(&["--lake", &format!("lake-{shape}"), "import", shape]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert_eq!(counts(&ran, "audit"), (events, 0), "{shape}: {}", ran.stdout);
        let (usage, rejected) = counts(&ran, "usage");
        assert!(usage > 100 && rejected == 0, "{}", ran.stdout);
    }
    let ran = place.run(&["simulate", "--shapes", "parquet", "--output", "x"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("there is no shape"), "{}", ran.stderr);
}

#[test]
fn usage_records_show_what_the_labels_say() {
    let place = Place::new();
    let data = root().join("tests/labelled-data");
    let truth: Value =
        serde_json::from_slice(&std::fs::read(data.join("truth.json")).expect("truth")).expect("json");
    let data = data.display().to_string();
    // Usage records declare no span by their rows: who exported them says which days they hold.
    let span = "2026-08-03..2026-10-31";
    let listed = place
        .run(&["tokens", "--from", &data, "--covers", span, "--usage-covers", span, "--format", "json"])
        .json();
    let verdicts: BTreeMap<&str, &str> = listed["tokens"]
        .as_array()
        .expect("tokens")
        .iter()
        .map(|t| (t["token_id"].as_str().expect("id"), t["use"]["verdict"].as_str().expect("verdict")))
        .collect();
    let mut unused = 0;
    for label in truth.as_array().expect("labels").iter().filter(|l| l["family"] == "use") {
        let verdict = verdicts[label["token_id"].as_str().expect("id")];
        if label["scenario"] == "unused-by-usage-records" {
            unused += 1;
            assert_eq!(verdict, "ruled-out", "{label}");
        } else {
            assert_eq!(verdict, "not-observed", "{label}");
        }
    }
    assert!(unused > 0);
    assert!(verdicts.values().any(|v| *v == "possible"), "readers show in Usage records");
}

#[test]
fn evaluates_seeds_beside_a_baseline() {
    let place = Place::new();
    let sentinel = format!("Sentinel={}", root().join("tests/baselines/sentinel").display());
    let args = [
        "evaluate",
        "--seeds",
        "1",
        "--first-seed",
        "4",
        "--tokens",
        "24",
        "--days",
        "60",
        "--keep",
        "kept",
        "--baseline",
        &sentinel,
        "--format",
        "json",
        "--chart",
        "score.svg",
    ];
    let ran = place.run(&args);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let score = ran.json();
    assert_eq!((&score["runs"], &score["not_run"]), (&1.into(), &Value::Array(Vec::new())));
    let theirs = &score["baselines"][0];
    assert_eq!(theirs["name"], "Sentinel");
    let alerts = |s: &Value| s["alerts_per_day_per_1000"]["mean"].as_f64().expect("a rate");
    assert!(alerts(&theirs["summary"]) > alerts(&score), "it alerts on ordinary automation");
    assert!(std::fs::read_to_string(place.path("score.svg")).expect("chart").contains("Sentinel"));
    // What was kept scores the same when it is read from the files.
    let again = place.run(&[
        "evaluate",
        "--truth",
        "kept/4/org/truth.json",
        "--findings",
        "kept/4/findings.json",
        "--baseline",
        "Sentinel=kept/4/Sentinel.json",
        "--format",
        "json",
    ]);
    assert_eq!(again.json()["overall"], score["overall"], "{}", again.stderr);
    let wrong = place.run(&["evaluate", "--seeds", "1", "--baseline", "nothing"]);
    assert!(wrong.code == 2 && wrong.stderr.contains("NAME=PATH"), "{}", wrong.stderr);
}
