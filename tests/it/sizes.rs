//! The pack at many sizes: the number of rows and threads changes neither what runs nor what is found.
//!
//! `cargo test --test it sizes` takes ten sizes, `PATWATCH_SIZES=all cargo test --test it sizes` every size from 1 to 64; with
//! `--release` they test that profile. `tests/benches/peers/sizes.py` then compares the findings with DuckDB's.

use crate::copies::{Copies, Expected, Placing, engine_of, hits};
use crate::support::{Place, ended_with_errors, root};
use patwatch::engine::{Pack, run::run_pack, schema};
use patwatch::model::finding::Finding;
use patwatch::model::time::format_time;
use rayon::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

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

/// Numbers of copies of each hit: around what splits into threads, and the ends.
const SIZES: [usize; 10] = [1, 2, 3, 5, 8, 12, 16, 24, 33, 64];

/// Threads of the runs that are compared.
const PACK_THREADS: [&str; 4] = ["1", "2", "4", "16"];

/// Detections over the findings of others: their hit names findings, and is run apart from the rest.
const OVER_FINDINGS: &str = "PAT-A031";

/// Rules that weigh what else happens in the organisation, or that are about it: copies in one organisation change each
/// other's findings. DuckDB is the judge there.
const NEIGHBOURS: [&str; 6] = ["PAT-A009", "PAT-A035", "PAT-P029", "PAT-P035", "PAT-P036", "PAT-U002"];

/// One run of the pack over copies of hits.
struct Run {
    folder: PathBuf,
    times: usize,
    placing: Placing,
    over_findings: bool,
}

impl Run {
    fn copies(&self) -> Copies {
        let hits = hits();
        let hits = hits.iter().filter(|(id, _)| (*id == OVER_FINDINGS) == self.over_findings);
        Copies::of(hits, self.times, self.placing)
    }

    /// The detections to run; none for all.
    fn select(&self) -> Vec<String> {
        if self.over_findings { vec![OVER_FINDINGS.to_owned()] } else { Vec::new() }
    }

    fn answer_file(&self, threads: &str) -> PathBuf {
        self.folder.join(format!("findings-{threads}.json"))
    }
}

/// With every size each is placed in both ways, otherwise by turns.
fn runs() -> Vec<Run> {
    let asked = std::env::var("PATWATCH_SIZES").unwrap_or_default();
    let sizes: Vec<usize> = if asked == "all" { (1..=64).collect() } else { SIZES.to_vec() };
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("sizes");
    let mut runs = Vec::new();
    for (turn, times) in sizes.into_iter().enumerate() {
        let mut add = |name: &str, placing, over_findings| {
            runs.push(Run { folder: folder.join(format!("{name}-{times}")), times, placing, over_findings });
        };
        if asked == "all" || turn % 2 == 0 {
            add("one-org", Placing::OneOrg, false);
        }
        if asked == "all" || turn % 2 == 1 {
            add("org-each", Placing::OrgEach, false);
        }
        add("findings", Placing::OneOrg, true);
    }
    runs
}

#[test]
fn the_pack_runs_alike_at_every_size_and_with_any_number_of_threads() {
    let runs = runs();
    let root = runs[0].folder.parent().expect("a folder");
    let _ = std::fs::remove_dir_all(root);
    let write = |run: &Run| {
        std::fs::create_dir_all(&run.folder).expect("made");
        let mut copies = run.copies();
        copies.write(&run.folder);
        copies.expected
    };
    let expected: Vec<Vec<Expected>> = runs.par_iter().map(write).collect();
    write_schema(root);
    // Polars reads the number of threads once per process, so that each needs a process of its own.
    let start = |threads| {
        Command::new(std::env::current_exe().expect("the program"))
            .args(["--exact", "sizes::run_of_the_pack", "--ignored", "--nocapture"])
            .env("POLARS_MAX_THREADS", threads)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("started")
    };
    let started: Vec<Child> = PACK_THREADS.into_iter().map(start).collect();
    for (child, threads) in started.into_iter().zip(PACK_THREADS) {
        // With every size a run takes hours.
        let (status, errors) = ended_with_errors(child, std::time::Duration::from_secs(6 * 3600));
        assert!(status.success(), "{threads} threads: {errors}");
    }
    let mut faults: Vec<String> = Vec::new();
    for (run, expected) in runs.iter().zip(expected) {
        let name = run.folder.file_name().expect("a name").to_string_lossy();
        let first = std::fs::read_to_string(run.answer_file(PACK_THREADS[0])).expect("an answer");
        for threads in PACK_THREADS {
            let text = std::fs::read_to_string(run.answer_file(threads)).expect("an answer");
            let answer: Value = serde_json::from_str(&text).expect("JSON");
            if answer["not_run"] != json!([]) {
                faults.push(format!("{name}, {threads} threads: not run: {}", answer["not_run"]));
            } else if text != first {
                faults.push(format!("{name}: {threads} threads give other findings than one"));
            }
        }
        let answer: Value = serde_json::from_str(&first).expect("JSON");
        faults.extend(missing(run, &answer, expected).into_iter().map(|fault| format!("{name}: {fault}")));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// The copies that do not give exactly the findings of their hit.
fn missing(run: &Run, answer: &Value, expected: Vec<Expected>) -> Vec<String> {
    let mut found: BTreeMap<(&str, &str, &str), usize> = BTreeMap::new();
    for finding in answer["findings"].as_array().expect("findings") {
        let text = |cell: &'static str| finding[cell].as_str().expect("a text");
        let subject = finding["subject"]["id"].as_str().expect("a text");
        *found.entry((text("detection"), text("org"), subject)).or_default() += 1;
    }
    let mut wanted: BTreeMap<(&str, &str, &str), usize> = BTreeMap::new();
    for (detection, org, subject) in &expected {
        *wanted.entry((detection, org, subject)).or_default() += 1;
    }
    let judged = |detection: &str| run.placing == Placing::OrgEach || !NEIGHBOURS.contains(&detection);
    let wrong = wanted.into_iter().filter(|(key, wanted)| judged(key.0) && found.get(key) != Some(wanted));
    wrong.map(|(key, wanted)| format!("{key:?}: {:?} findings, not {wanted}", found.get(&key))).collect()
}

/// Tables, columns and thresholds for engines of other makers.
fn write_schema(root: &Path) {
    let columns = |def: &schema::TableDef| -> Value {
        def.columns
            .iter()
            .map(|c| (c.name.to_owned(), json!(c.kind.as_str())))
            .collect::<serde_json::Map<_, _>>()
            .into()
    };
    let tables: serde_json::Map<String, Value> =
        schema::tables().iter().map(|def| (def.name.to_owned(), columns(def))).collect();
    std::fs::write(root.join("schema.json"), json!(tables).to_string()).expect("written");
    let engine = engine_of(&root.join("nothing"));
    let rows = engine.query("SELECT * FROM policy").expect("runs");
    let policy: serde_json::Map<String, Value> =
        rows.columns.iter().zip(&rows.cells).map(|(c, cells)| (c.name.clone(), cells[0].to_json())).collect();
    std::fs::write(root.join("policy.ndjson"), json!(policy).to_string()).expect("written");
}

/// Not a test of its own: the test above starts it with a number of threads, after it wrote the tables.
#[test]
#[ignore = "a process of the test above"]
fn run_of_the_pack() {
    let threads = std::env::var("POLARS_MAX_THREADS").expect("a number of threads");
    let pack = Pack::builtin().expect("a pack");
    for run in runs() {
        let engine = engine_of(&run.folder);
        let (findings, not_run) = run_pack(&engine, &pack, &run.select());
        let not_run: Vec<String> = not_run.iter().map(|n| format!("{}: {}", n.detection, n.reason)).collect();
        let answer = json!({
            "select": run.select(), "not_run": not_run, "findings": findings.iter().map(shown).collect::<Vec<_>>(),
        });
        std::fs::write(run.answer_file(&threads), answer.to_string()).expect("written");
    }
}

fn shown(f: &Finding) -> Value {
    json!({
        "detection": f.detection, "slug": f.slug, "family": f.family.as_str(), "org": f.org, "severity": f.severity.as_str(),
        "confidence": f.confidence.as_str(), "subject": {"kind": f.subject.kind.as_str(), "id": f.subject.id},
        "first_time": f.first_time.map(format_time), "last_time": f.last_time.map(format_time), "count": f.count,
        "message": f.message, "evidence": f.evidence, "fingerprint": f.fingerprint,
        "event_ids": f.event_ids.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}
