//! The pack at many sizes: the number of rows and threads changes neither what runs nor what is found.

use crate::support::{Place, root};
use serde_json::Value;

/// Threads that Polars may use. It reads their number once per process, so each needs a run of the program.
const THREADS: [&str; 4] = ["1", "2", "4", "8"];

#[test]
fn eight_browser_tokens_give_eight_findings_with_any_number_of_threads() {
    let place = Place::new();
    let file = root().join("tests/cases/browser-tokens-8.jsonl");
    let file = file.to_str().expect("text");
    let mut answers: Vec<Value> = Vec::new();
    for threads in THREADS {
        let ran = place
            .run_with(&[("POLARS_MAX_THREADS", threads)], &["check", "--from", file, "--format", "json"]);
        assert_eq!(ran.code, 0, "{threads} threads: {}", ran.stderr);
        let answer = ran.json();
        assert_eq!(answer["not_run"], serde_json::json!([]), "{threads} threads");
        let findings = answer["findings"].as_array().expect("findings");
        let browser = findings.iter().filter(|f| f["detection"] == "PAT-A015").count();
        assert_eq!(browser, 8, "{threads} threads");
        answers.push(answer["findings"].clone());
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "the findings are those of one thread");
}
