//! A lake that was damaged, renamed, refused or killed in the middle, as users meet it.

use crate::live::{copy, parquet};
use crate::support::{DEADLINE, Log, Place, Ran, ended, guid, inventory, pat};
use rand::{Rng as _, SeedableRng as _};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::Instant;

fn log(days: u32) -> Log {
    let mut log = Log::default();
    log.office(days);
    log
}

/// The same events and a later one, under another name of the same organisation.
fn renamed(days: u32) -> Log {
    let mut log = log(days);
    log.add("2026-03-01T10:00:00Z", "Git.RepositoryCreated", "PAT", json!({}));
    for event in &mut log.events {
        event["scopeDisplayName"] = json!("Newname (Organization)");
    }
    log
}

fn run(place: &Place, lake: &str, args: &[&str]) -> Ran {
    place.run(&[&["--lake", lake], args].concat())
}

fn rows(place: &Place, lake: &str) -> Vec<(String, u64)> {
    let sql = "SELECT org, COUNT(*) AS n FROM events GROUP BY org ORDER BY org";
    let ran = run(place, lake, &["query", sql, "--window", "400d", "--format", "csv"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let line = |line: &str| line.split_once(',').map(|(org, n)| (org.to_owned(), n.parse().expect("number")));
    ran.stdout.lines().skip(1).filter_map(line).collect()
}

#[test]
fn a_refused_rename_loses_no_day() {
    let place = Place::new();
    place.write("audit.json", log(20).page());
    assert_eq!(run(&place, "l", &["import", "audit.json", "--org", "contoso"]).code, 0);
    let before = parquet(&place.path("l"));
    let mut log = renamed(2);
    place.write("new.json", log.page());
    log.events.push(log.events[0].clone());
    log.events.last_mut().expect("event")["id"] = json!(guid(9_001));
    for (key, value) in [("scopeId", json!(null)), ("scopeDisplayName", json!(null))] {
        log.events.last_mut().expect("event")[key] = value;
    }
    place.write("mixed.json", log.page());
    for file in ["new.json", "mixed.json"] {
        let ran = run(&place, "l", &["import", file, "--org", "contoso"]);
        assert_eq!(ran.code, 2, "{}", ran.stderr);
        assert!(ran.stderr.contains("newname") && ran.stderr.contains("--org"), "{}", ran.stderr);
        assert!(parquet(&place.path("l")) == before, "{file}: no file changed");
    }
    assert_eq!(rows(&place, "l"), [("contoso".to_owned(), 60)]);
}

#[test]
fn an_import_killed_at_any_moment_is_repeated_to_the_same_lake() {
    let place = Place::new();
    place.write("audit.json", log(60).page());
    place.write("new.json", renamed(60).page());
    assert_eq!(run(&place, "base", &["import", "audit.json"]).code, 0);
    copy(&place.path("base"), &place.path("calm"));
    let started = Instant::now();
    assert_eq!(run(&place, "calm", &["import", "new.json"]).code, 0);
    let whole = started.elapsed();
    assert_eq!(rows(&place, "calm"), [("newname".to_owned(), 181)]);
    let calm = parquet(&place.path("calm"));
    for seed in 0..12 {
        let mut dice = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
        let lake = format!("killed-{seed}");
        copy(&place.path("base"), &place.path(&lake));
        let mut child = std::process::Command::new(assert_cmd::cargo::cargo_bin("patwatch"))
            .current_dir(place.path("."))
            .args(["--lake", &lake, "import", "new.json", "-q"])
            .stderr(std::process::Stdio::null())
            .spawn()
            .expect("spawn");
        std::thread::sleep(whole.mul_f64(dice.random_range(0.0..1.0)));
        child.kill().expect("kill");
        ended(&mut child, DEADLINE);
        let [(_, events)] = rows(&place, &lake)[..] else { panic!("seed {seed}: one organisation") };
        assert!([180, 181].contains(&events), "seed {seed}: {events} events");
        if seed % 3 == 0 {
            let verified = run(&place, &lake, &["lake", "verify"]);
            assert_eq!(verified.code, 0, "seed {seed}: {}", verified.stderr);
        }
        let again = run(&place, &lake, &["import", "new.json"]);
        assert_eq!(again.code, 0, "seed {seed}: {}", again.stderr);
        let found = parquet(&place.path(&lake));
        assert_eq!(found.keys().collect::<Vec<_>>(), calm.keys().collect::<Vec<_>>(), "seed {seed}");
        assert!(found == calm, "seed {seed}");
        let left = std::fs::read_dir(place.path(&lake)).expect("folder").flatten();
        assert!(
            left.into_iter().all(|e| !e.file_name().to_string_lossy().starts_with(".staging")),
            "seed {seed}"
        );
    }
}

#[test]
fn a_record_without_a_place_is_named_and_the_rest_is_kept() {
    let place = Place::new();
    let mut log = log(3);
    let mut add = |id: u64, scope: Value, name: Value| {
        let mut event = log.events[0].clone();
        event["id"] = json!(guid(id));
        (event["scopeId"], event["scopeDisplayName"]) = (scope, name);
        log.events.push(event);
    };
    add(9_001, json!(guid(5)), json!("Fabrikam (Organization)"));
    add(9_002, json!(null), json!(null));
    add(9_003, json!(guid(6)), json!("x".repeat(300)));
    place.write("audit.json", log.page());
    let ran = run(&place, "l", &["import", "audit.json"]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.stderr.contains("12 read = 10 kept + 0 duplicate + 2 rejected"), "{}", ran.stderr);
    assert!(ran.stderr.contains(&guid(9_002)) && ran.stderr.contains("--org"), "{}", ran.stderr);
    assert!(ran.stderr.contains(&guid(9_003)) && ran.stderr.contains("300 characters"), "{}", ran.stderr);
    assert_eq!(rows(&place, "l"), [("contoso".to_owned(), 9), ("fabrikam".to_owned(), 1)]);
    // Where nothing names an organisation the mend is told as ever.
    let mut log = self::log(1);
    for event in &mut log.events {
        (event["scopeId"], event["scopeDisplayName"]) = (json!(null), json!(null));
    }
    place.write("nameless.json", log.page());
    for args in [&["import", "nameless.json"][..], &["check", "--from", "nameless.json"]] {
        let ran = run(&place, "l2", args);
        assert_eq!(ran.code, 2, "{args:?}: {}", ran.stderr);
        assert!(ran.stderr.contains("--org"), "{args:?}: {}", ran.stderr);
    }
}

/// The first file below a folder.
fn first(folder: &Path) -> PathBuf {
    let entries = std::fs::read_dir(folder).expect("folder").flatten().map(|entry| entry.path());
    let path = entries.min().expect("a file");
    if path.is_dir() { first(&path) } else { path }
}

#[test]
fn damage_is_named_and_verify_mends_or_tells() {
    let place = Place::new();
    let mut log = log(5);
    log.add("2026-01-03T10:00:00Z", "Token.PatCreateEvent", "", json!({"DisplayName": "a"}));
    place.write("audit.json", log.page());
    place.write("inventory.json", inventory(&[pat(&guid(1), "a", "vso.code")]));
    let import = ["import", "audit.json", "inventory.json", "--org", "contoso"];
    assert_eq!(run(&place, "l", &import).code, 0);
    for table in ["changes", "uses", "actors", "orphans"] {
        let path = first(&place.path("l").join(table));
        std::fs::write(&path, "").expect("damage");
        let file = path.file_name().expect("name").to_string_lossy().into_owned();
        let checked = run(&place, "l", &["check"]);
        assert_eq!(checked.code, 2, "{table}: {}", checked.stderr);
        assert!(
            checked.stderr.contains(&file) && checked.stderr.contains("lake verify"),
            "{}",
            checked.stderr
        );
        let verified = run(&place, "l", &["lake", "verify"]);
        assert_eq!(verified.code, 0, "{}", verified.stderr);
        assert!(
            verified.stderr.contains(&file) && verified.stderr.contains("1 mended"),
            "{}",
            verified.stderr
        );
        assert_eq!(run(&place, "l", &["check"]).code, 0);
    }
    // A list is lost, and comes back by importing it again.
    std::fs::write(first(&place.path("l/inventory")), "").expect("damage");
    let verified = run(&place, "l", &["lake", "verify"]);
    assert_eq!(verified.code, 2, "{}", verified.stderr);
    assert!(verified.stderr.contains("inventory/org=contoso/taken="), "{}", verified.stderr);
    let again = run(&place, "l", &import);
    assert!(again.stderr.contains("1 read = 1 kept"), "{}", again.stderr);
    // Likewise a day.
    let day = first(&place.path("l/events"));
    std::fs::write(&day, "damage").expect("damage");
    assert_eq!(run(&place, "l", &["lake", "verify"]).code, 2);
    assert!(!day.exists());
    let again = run(&place, "l", &import);
    assert_eq!(again.code, 0, "{}", again.stderr);
    assert!(again.stderr.contains("16 read = 3 kept + 13 duplicate + 0 rejected"), "{}", again.stderr);
    // An index that is gone is no empty lake.
    std::fs::remove_file(place.path("l/index.json")).expect("index");
    for args in [&["check"][..], &["tokens"], &import, &["lake", "show"]] {
        let ran = run(&place, "l", args);
        assert_eq!(ran.code, 2, "{args:?}: {}", ran.stderr);
        assert!(ran.stderr.contains("lake verify"), "{args:?}: {}", ran.stderr);
    }
    let verified = run(&place, "l", &["lake", "verify"]);
    assert!(verified.code == 2 && verified.stderr.contains("ingest runs"), "{}", verified.stderr);
    assert_eq!(run(&place, "l", &["lake", "verify"]).code, 0);
    assert_eq!(rows(&place, "l"), [("contoso".to_owned(), 16)]);
}
