//! Bad input: each a clear error that names file, place and mend, never a panic, with the right exit code.

use crate::support::{DEADLINE, Log, Place, ended, guid, inventory, pat};
use serde_json::json;

fn flate(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(bytes).expect("memory");
    gzip.finish().expect("memory")
}

fn log() -> Log {
    let mut log = Log::default();
    log.office(3);
    log
}

#[test]
fn unknown_kinds_are_named_and_the_rest_is_imported() {
    let place = Place::new();
    place.write("in/audit.json", log().page());
    place.write("in/other.json", r#"{"swagger":"2.0","paths":{}}"#);
    let ran = place.run(&["import", "in"]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.stderr.contains("other.json") && ran.stderr.contains("swagger"), "{}", ran.stderr);
    assert!(ran.stderr.contains("9 read = 9 kept + 0 duplicate + 0 rejected"), "{}", ran.stderr);
    let again = place.run(&["import", "in/audit.json"]);
    assert_eq!(again.code, 0);
    assert!(again.stderr.contains("9 read = 0 kept + 9 duplicate + 0 rejected"), "{}", again.stderr);
}

#[test]
fn a_page_cut_in_half_keeps_its_whole_records() {
    let place = Place::new();
    let page = log().page();
    place.write("half.json", &page[..page.len() / 2]);
    let ran = place.run(&["import", "half.json"]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.stderr.contains("half.json"), "{}", ran.stderr);
    let zipped = flate(page.as_bytes());
    place.write("cut.json.gz", &zipped[..zipped.len() - 40]);
    let ran = place.run(&["--lake", "l2", "import", "cut.json.gz"]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.stderr.contains("cut.json.gz: the gzip stream ends early;"), "{}", ran.stderr);
    assert!(ran.stderr.contains("records were read before that place. Copy or download"), "{}", ran.stderr);
}

#[test]
fn a_foreign_csv_an_empty_folder_and_a_missing_file_are_refused_with_a_mend() {
    let place = Place::new();
    place.write("foreign.csv", "Date,Amount\n2026-01-01,3\n");
    let ran = place.run(&["import", "foreign.csv"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("foreign.csv") && ran.stderr.contains("Amount"), "{}", ran.stderr);
    std::fs::create_dir(place.path("empty")).expect("folder");
    let ran = place.run(&["import", "empty"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("empty"), "{}", ran.stderr);
    let ran = place.run(&["import", "nowhere.json"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("nowhere.json"), "{}", ran.stderr);
    // What is there is imported all the same.
    place.write("audit.json", log().page());
    let ran = place.run(&["import", "nowhere.json", "audit.json", "empty"]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.stderr.contains("nowhere.json does not exist") && ran.stderr.contains("empty holds no file"));
    assert!(place.run(&["lake", "show"]).stdout.contains("contoso: "), "{}", ran.stderr);
}

#[test]
fn rejected_records_are_counted_by_reason_and_strict_makes_them_count() {
    let place = Place::new();
    let mut log = log();
    let mut nameless = log.events[0].clone();
    nameless["actionId"] = json!(null);
    nameless["id"] = json!("1;2;aaaaaaaa-1111-4222-8333-000000000001");
    log.events.push(nameless);
    place.write("audit.json", log.page());
    let ran = place.run(&["import", "audit.json"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains("1 no action"), "{}", ran.stderr);
    assert!(ran.stderr.contains("10 read = 9 kept + 0 duplicate + 1 rejected"), "{}", ran.stderr);
    assert_eq!(place.run(&["--lake", "l2", "import", "--strict", "audit.json"]).code, 2);
}

#[test]
fn unknown_names_are_usage_errors() {
    let place = Place::new();
    place.write("audit.json", log().page());
    for (args, word) in [
        (vec!["check", "--from", "audit.json", "--select", "PAT-X999"], "PAT-X999"),
        (vec!["check", "--from", "audit.json", "--format", "pdf"], "sarif"),
        (vec!["chart", "pie", "--output", "x.png", "--from", "audit.json"], "activity"),
        (vec!["token", "nobody", "--from", "audit.json"], "nobody"),
        (vec!["check", "--from", "audit.json", "--org", "fabrikam"], "contoso"),
        (vec!["check"], "import"),
        (vec!["query", "SELECT * FROM read_parquet('/etc/passwd')", "--from", "audit.json"], "read_parquet"),
        (vec!["query", "SELECT nonsense FROM events", "--from", "audit.json"], "nonsense"),
        (vec!["import", "audit.json", "--org", "fabrikam"], "fabrikam"),
        (vec!["check", "--from", "audit.json", "--window", "soon"], "90d"),
    ] {
        let ran = place.run(&args);
        assert_eq!(ran.code, 2, "{args:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(word), "{args:?}: {}", ran.stderr);
        assert!(ran.stdout.is_empty(), "{args:?}: {}", ran.stdout);
    }
}

#[test]
fn a_pack_with_an_unknown_column_fails_alone() {
    let place = Place::new();
    place.write("audit.json", log().page());
    place.write(
        "pack/hygiene/broken.sql",
        "--! id = \"MY-H001\"\n--! title = \"Broken\"\n--! severity = \"low\"\n--! confidence = \"low\"\n--! subject = \"token\"\n--! tables = [\"tokens\"]\n--! message = \"{name}\"\n--! fix = \"none\"\n--! rationale = \"a test\"\nSELECT org, token_id AS subject, no_such_column FROM tokens\n",
    );
    let ran = place.run(&["check", "--from", "audit.json", "--queries", "pack", "--format", "json"]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.stderr.contains("no_such_column"), "{}", ran.stderr);
}

#[test]
fn a_list_that_names_no_organisation_asks_for_it() {
    let place = Place::new();
    place.write("inventory.json", inventory(&[pat(&guid(1), "a", "vso.code")]));
    let ran = place.run(&["import", "inventory.json"]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.stderr.contains("--org"), "{}", ran.stderr);
    let ran = place.run(&["--lake", "l2", "import", "inventory.json", "--org", "contoso"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
}

#[test]
fn a_token_in_the_wrong_place_is_not_repeated() {
    let place = Place::new();
    let (old, capital) = ("abcd2345".repeat(7)[..52].to_owned(), "ABCD2345".repeat(7)[..52].to_owned());
    let new = format!("{}JQQJ99{}AZDO{}", "a1B2".repeat(13), "c3D4".repeat(5)[..18].to_owned(), "Wx9z");
    for token in [old, capital, new] {
        for args in [
            vec![token.as_str()],
            vec!["token", "--color", &token],
            vec!["token", "a", &token],
            vec!["check", "--format", &token],
            vec!["check", &token],
            vec!["token", &token],
        ] {
            let ran = place.run(&args);
            assert_eq!(ran.code, 2, "{args:?}");
            assert!(!ran.stderr.contains(&token) && !ran.stdout.contains(&token), "{}", ran.stderr);
            let of_clap = args.len() != 2 || args[0] == "check";
            assert!(!of_clap || ran.stderr.contains("[redacted]"), "{args:?}: {}", ran.stderr);
        }
    }
    // What is no secret is still shown.
    assert!(place.run(&["check", "--format", "colour"]).stderr.contains("colour"));
}

#[test]
fn a_folder_of_detections_without_one_is_an_error() {
    let place = Place::new();
    place.write("audit.json", log().page());
    std::fs::create_dir_all(place.path("pack/hygiene")).expect("folder");
    let ran = place.run(&["check", "--from", "audit.json", "--queries", "pack"]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.stderr.contains("pack") && ran.stderr.contains("no .sql file"), "{}", ran.stderr);
}

#[test]
fn text_that_is_not_utf8_is_named_with_its_first_line() {
    let place = Place::new();
    let mut log = log();
    log.events[4]["actorDisplayName"] = json!("Zo\u{eb} M\u{fc}ller");
    let lines: String = log.events.iter().map(|event| format!("{event}\n")).collect();
    let western: Vec<u8> = lines.chars().map(|c| u8::try_from(u32::from(c)).expect("Latin-1")).collect();
    place.write("western.ndjson", western);
    let ran = place.run(&["import", "western.ndjson"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(
        ran.stderr
            .contains("western.ndjson: it is not UTF-8, so it was read as Windows-1252 (first at line 5)"),
        "{}",
        ran.stderr
    );
    let names = place.run(&["query", "SELECT actor_name FROM events", "--format", "csv"]).stdout;
    assert!(names.contains("Zo\u{eb} M\u{fc}ller") && !names.contains('\u{fffd}'), "{names}");
}

#[test]
fn rejected_records_come_with_what_to_do() {
    let place = Place::new();
    place.write("audit.csv", "Id,Timestamp,ActionId,ScopeDisplayName\n86fbe369-3f5d-4f52-9ab0-000000000001,1/2/2026 10:00,Git.X,c\n");
    let ran = place.run(&["import", "audit.csv"]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(
        ran.stderr.contains("order of day and month unknown: export the file with dates as"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_query_too_long_for_any_stack_is_refused() {
    let place = Place::new();
    place.write("audit.json", log().page());
    for (times, begin, link) in
        [(10_000, "SELECT 1", "+1"), (1_000, "SELECT org FROM events WHERE org = 'a'", " OR org LIKE 'b%'")]
    {
        place.write(
            "q.sql",
            format!("{begin}{} {}", link.repeat(times), if link == "+1" { "AS n FROM events" } else { "" }),
        );
        let ran = place.run(&["query", "-f", "q.sql", "--from", "audit.json"]);
        assert_eq!(ran.code, 2, "{}", ran.stderr);
        assert!(ran.stderr.contains("at most"), "{}", ran.stderr);
    }
    place.write(
        "pack/hygiene/long.sql",
        format!("--! id = \"MY-H001\"\n--! title = \"Long\"\n--! severity = \"low\"\n--! confidence = \"low\"\n--! subject = \"token\"\n--! tables = [\"tokens\"]\n--! message = \"{{name}}\"\n--! fix = \"none\"\n--! rationale = \"a test\"\nSELECT org, token_id AS subject, 1{} AS n FROM tokens\n", "+1".repeat(10_000)),
    );
    let ran = place.run(&["check", "--from", "audit.json", "--queries", "pack"]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.stderr.contains("long.sql:1: ") && ran.stderr.contains("at most"), "{}", ran.stderr);
}

#[test]
fn a_panic_of_the_engine_shows_no_trace() {
    let place = Place::new();
    place.write("audit.json", log().page());
    let query = "SELECT time + INTERVAL '1 fortnight' AS t FROM events";
    let ran = place.run_with(&[("RUST_BACKTRACE", "1")], &["query", query, "--from", "audit.json"]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.stderr.contains("fortnight"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("backtrace") && !ran.stderr.contains("panicked"), "{}", ran.stderr);
}

#[test]
fn a_time_after_the_last_year_is_refused_and_one_in_the_future_is_told() {
    let place = Place::new();
    let mut log = log();
    let usual = place.write("audit.json", log.page());
    let ran = place.run(&["check", "--from", "audit.json"]);
    assert!(!ran.stderr.contains("stands at"), "{}", ran.stderr);
    log.add("9999-12-31T23:59:59-01:00", "Git.RepositoryCreated", "PAT", json!({}));
    log.events.last_mut().expect("one")["id"] = json!(guid(77));
    std::fs::write(&usual, log.page()).expect("file");
    let ran = place.run(&["check", "--from", "audit.json"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains("1 no time"), "{}", ran.stderr);
    log.events.pop();
    log.add("9036-01-01T00:00:00Z", "Git.RepositoryCreated", "PAT", json!({}));
    std::fs::write(&usual, log.page()).expect("file");
    let ran = place.run(&["check", "--from", "audit.json"]);
    assert!(ran.stderr.contains("warning: this run stands at 9036-01-01"), "{}", ran.stderr);
    assert!(ran.stderr.contains("--as-of 2026-01-03"), "{}", ran.stderr);
    let ran = place.run(&["check", "--from", "audit.json", "--as-of", "2026-01-03"]);
    assert!(!ran.stderr.contains("stands at"), "{}", ran.stderr);
    let ran = place.run(&["check", "--from", "audit.json", "--as-of", "2026-01-03T00:00:00-99:00"]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    let ran = place.run(&["import", "audit.json", "--covers", "0001-01-01..9999-12-31"]);
    assert!(ran.stderr.contains("ends in the future"), "{}", ran.stderr);
}

#[test]
fn an_exception_for_a_detection_that_is_none_is_told() {
    let place = Place::new();
    place.write("audit.json", log().page());
    let exception = |detection: &str| {
        place.write("patwatch.toml", format!("[[exception]]\ndetection = \"{detection}\"\nsubject = \"x\"\nowner = \"a\"\nreason = \"b\"\nend_date = \"2027-01-01\"\n"));
        place.run(&["check", "--from", "audit.json"])
    };
    for known in ["PAT-H001", "hygiene"] {
        let ran = exception(known);
        assert!(!ran.stderr.contains("no detection or family"), "{}", ran.stderr);
        assert!(
            ran.stderr.contains("names \"x\", which is no token"),
            "the subject is nobody: {}",
            ran.stderr
        );
    }
    assert!(exception("pat-h001").stderr.contains("no detection or family"));
    let ran = exception("PAT-X999");
    assert!(
        ran.stderr.contains("PAT-X999") && ran.stderr.contains("no detection or family"),
        "{}",
        ran.stderr
    );
    assert_eq!(ran.code, 0);
}

#[cfg(unix)]
#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let place = Place::new();
    let mut log = Log::default();
    log.office(40);
    place.write("in/audit.json", log.page());
    let many: Vec<_> = (1..400).map(|n| pat(&guid(n), "a", "app_token")).collect();
    place.write("in/inventory.json", inventory(&many));
    for format in ["csv", "json", "table"] {
        let mut child = std::process::Command::new(assert_cmd::cargo::cargo_bin("patwatch"))
            .current_dir(place.path(""))
            .args(["check", "--from", "in", "--format", format])
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::null())
            .spawn()
            .expect("starts");
        drop(child.stdout.take());
        assert_eq!(ended(&mut child, DEADLINE).code(), Some(0), "{format}");
    }
}

#[test]
fn an_instant_outside_the_log_is_refused_with_the_days_of_each_organisation() {
    let place = Place::new();
    for (name, end) in [("alder", 1), ("birch", 2)] {
        let at = format!("2026-0{end}-15T10:00:00Z");
        let mut log = Log::default();
        log.add(&at, "Git.RepositoryCreated", "PAT", json!({}));
        for event in &mut log.events {
            event["scopeDisplayName"] = json!(format!("{name} (Organization)"));
            event["scopeId"] = json!(guid(900 + end));
        }
        place.write(&format!("in/{name}.json"), log.page());
    }
    assert_eq!(place.run(&["import", "in"]).code, 0);
    let check = |as_of: &str| place.run(&["check", "--as-of", as_of, "--window", "13w"]);
    for outside in ["2031-01-01", "2025-12-31", "2026-01-15 09:59"] {
        let ran = check(outside);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{outside}: {}", ran.stderr);
        for known in ["alder goes from 2026-01-15 to 2026-01-15", "birch goes from 2026-02-15 to 2026-02-15"]
        {
            assert!(ran.stderr.contains(known), "{}", ran.stderr);
        }
    }
    // One that ends earlier than the others is no error, nor is it alone.
    let inside = check("2026-05-01 05:00");
    assert_eq!(inside.code, 0, "{}", inside.stderr);
    let alone = place.run(&["check", "--org", "alder", "--as-of", "2026-05-01", "--window", "13w"]);
    assert_eq!(alone.code, 0, "{}", alone.stderr);
}
