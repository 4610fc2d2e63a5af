//! The sample's report: every file of the bundle, the same bytes twice, shapes as the contract has them.

use crate::support::{Place, root};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder_now) = open.pop() {
        for entry in std::fs::read_dir(folder_now).expect("folder").flatten() {
            if entry.path().is_dir() {
                open.push(entry.path());
            } else {
                let name = entry.path().strip_prefix(folder).expect("inside").to_string_lossy().into_owned();
                found.insert(name, std::fs::read(entry.path()).expect("file"));
            }
        }
    }
    found
}

#[test]
fn the_sample_report_is_whole_repeatable_and_fits_the_contract() {
    let place = Place::new();
    let sample = root().join("sample-data");
    let sample = sample.to_str().expect("path");
    for output in ["one", "two"] {
        let ran = place.run(&["report", "--from", sample, "--output", output]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
    }
    let (one, two) = (files(&place.path("one")), files(&place.path("two")));
    assert_eq!(one.keys().collect::<Vec<_>>(), two.keys().collect::<Vec<_>>());
    for (name, bytes) in &one {
        assert!(bytes == &two[name], "{name} differs between two runs");
    }
    for name in [
        "index.html",
        "summary.md",
        "findings.json",
        "findings.csv",
        "tokens.json",
        "tokens.csv",
        "review.csv",
        "decisions.csv",
        "scorecard.csv",
        "charts/review.svg",
        "findings.sarif",
        "population.csv",
        "response.csv",
        "controls.csv",
        "SHA256SUMS",
        "manifest.json",
    ] {
        assert!(one.contains_key(name), "{name} is missing");
    }
    assert!(one.keys().filter(|n| n.ends_with(".png")).count() >= 4);
    let findings: Value = serde_json::from_slice(&one["findings.json"]).expect("JSON");
    let tokens: Value = serde_json::from_slice(&one["tokens.json"]).expect("JSON");
    assert_eq!(findings["not_run"], serde_json::json!([]));
    assert!(findings["findings"].as_array().is_some_and(|f| !f.is_empty()));
    let verdicts: Vec<&str> = tokens["tokens"]
        .as_array()
        .expect("tokens")
        .iter()
        .filter_map(|t| t["use"]["verdict"].as_str())
        .collect();
    for verdict in ["observed", "not-observed", "not-judged"] {
        assert!(verdicts.contains(&verdict), "no token of the sample is {verdict}");
    }
    let manifest: Value = serde_json::from_slice(&one["manifest.json"]).expect("JSON");
    for input in manifest["inputs"].as_array().expect("inputs") {
        let n = |key: &str| input[key].as_u64().unwrap_or_default();
        assert_eq!(n("read"), n("kept") + n("duplicate") + n("rejected"), "{input}");
    }
    // The sample is read once, so every file stands once: sums over the inputs must not count twice.
    let mut hashes: Vec<&str> =
        manifest["inputs"].as_array().expect("inputs").iter().filter_map(|i| i["sha256"].as_str()).collect();
    let listed = hashes.len();
    hashes.sort_unstable();
    hashes.dedup();
    assert_eq!(hashes.len(), listed, "an input is listed twice");
    let contract = root().join("../shared/contract");
    if !contract.exists() {
        println!("skipped: {} is not here", contract.display());
        return;
    }
    for (name, value) in [("findings", &findings), ("tokens", &tokens)] {
        let text = std::fs::read_to_string(contract.join(format!("{name}.schema.json"))).expect("schema");
        let schema: Value = serde_json::from_str(&text).expect("JSON");
        let validator = jsonschema::validator_for(&schema).expect("schema");
        let faults: Vec<String> =
            validator.iter_errors(value).map(|e| format!("{}: {e}", e.instance_path)).collect();
        assert!(faults.is_empty(), "{name}: {}", faults.join("\n"));
    }
}

#[test]
fn check_and_report_give_the_same_findings_and_fail_on_sets_the_code() {
    let place = Place::new();
    let sample = root().join("sample-data");
    let sample = sample.to_str().expect("path");
    let ran = place.run(&["check", "--from", sample, "--format", "json", "--fail-on", "info"]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    let count = ran.json()["counts"]["findings"].as_u64().expect("count");
    assert!(count > 0);
    let lake = place.run(&["import", sample]);
    assert_eq!(lake.code, 0, "{}", lake.stderr);
    let again = place.run(&["check", "--format", "json"]);
    assert_eq!(again.code, 0, "{}", again.stderr);
    assert_eq!(again.json()["counts"]["findings"].as_u64(), Some(count));
}
