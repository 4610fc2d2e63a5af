//! What commands print for other programs and other days: pages, SQL, Parquet, completions.

use crate::support::{Place, root};
use polars::prelude::*;

fn sample() -> String {
    root().join("sample-data").display().to_string()
}

#[test]
fn parquet_keeps_the_types() {
    let place = Place::new();
    let sql = "SELECT org, token_id, MIN(time) AS earliest, MIN(date) AS day, COUNT(*) AS n, AVG(CASE WHEN origin THEN 1.5 ELSE 0.5 END) AS x, \
        MAX(token_id) IS NULL AS none FROM events WHERE token_id IS NOT NULL GROUP BY org, token_id";
    let sample = sample();
    let args = ["query", sql, "--from", &sample, "--format", "parquet", "--output", "rows.parquet"];
    let ran = place.run(&args);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let file = std::fs::File::open(place.path("rows.parquet")).expect("file");
    let frame = ParquetReader::new(file).finish().expect("Parquet");
    let types: Vec<DataType> = frame.columns().iter().map(|c| c.dtype().clone()).collect();
    let time = DataType::Datetime(TimeUnit::Microseconds, None);
    let text = DataType::String;
    let expected =
        [text.clone(), text, time, DataType::Date, DataType::Int64, DataType::Float64, DataType::Boolean];
    assert_eq!(types, expected);
    assert!(frame.height() > 10);
    // To stdout where it is no terminal; a list of names has no types to keep.
    assert!(place.run(&args[..6]).stdout.starts_with("PAR1"));
    assert_eq!(place.run(&["query", "--list", "--format", "parquet"]).code, 2);
}

#[test]
fn what_is_printed_is_true() {
    let place = Place::new();
    // A saved query prints the SQL that it runs.
    let shown = place.run(&["query", "--show", "token-timeline"]);
    assert!(shown.code == 0 && shown.stdout.contains("FROM notable"), "{}", shown.stdout);
    assert_eq!(place.run(&["query", "--show", "nothing"]).code, 2);
    // A detection prints as a file that passes its lint.
    let shown = place.run(&["detections", "show", "PAT-A003"]);
    place.write("pack/anomaly/mine.sql", shown.stdout);
    let lint = place.run(&["detections", "lint", "pack"]);
    assert_eq!(lint.code, 0, "{}", lint.stderr);
    // Every page that a page names is written.
    assert_eq!(place.run(&["man", "--output", "pages"]).code, 0);
    let mut named = 0;
    for entry in std::fs::read_dir(place.path("pages")).expect("folder").flatten() {
        let page = std::fs::read_to_string(entry.path()).expect("page").replace("\\-", "-");
        for word in page.split_whitespace().filter(|w| w.starts_with("patwatch-")) {
            if let Some(name) = word.strip_suffix("(1)") {
                assert!(place.path(&format!("pages/{name}.1")).exists(), "{name}");
                named += 1;
            }
        }
    }
    assert!(named > 20, "{named}");
    let page = place.run(&["man", "lake", "prune"]).stdout;
    assert!(page.contains("before") && page == place.run(&["man", "lake-prune"]).stdout);
    assert_eq!(place.run(&["man", "nothing"]).code, 2);
    // Completions offer the formats and not files.
    assert!(place.run(&["completions", "bash"]).stdout.contains("table csv json ndjson markdown parquet"));
    // Colour that is refused is left out of help too; the documented configuration works as it stands.
    assert!(!place.run(&["--color", "never", "--help"]).stdout.contains('\u{1b}'));
    assert!(place.run(&["--color=always", "--help"]).stdout.contains('\u{1b}'));
    let page = std::fs::read_to_string(root().join("docs/configuration.md")).expect("page");
    let config = page.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).expect("block");
    place.write("patwatch.toml", config);
    let sample = sample();
    let ran = place.run(&["check", "--select", "PAT-H001", "--from", &sample]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let ran = place.run(&["report", "--output", "patwatch.toml", "--from", &sample]);
    assert!(ran.code == 2 && ran.stderr.contains("patwatch.toml is a file"), "{}", ran.stderr);
    let ran = place.run(&["tokens", "--format", "json", "--from", &sample]);
    assert!(!ran.stdout.contains("-0.0"));
}

#[test]
fn explain_names_a_finding_on_a_user_that_the_token_took_part_in() {
    let place = Place::new();
    let sample = root().join("sample-data").display().to_string();
    let found = place.run(&["check", "--from", &sample, "--select", "PAT-P001", "--format", "json"]).json();
    let by_token = |f: &&serde_json::Value| f["evidence"]["token_id"].is_string();
    let finding = found["findings"].as_array().expect("findings").iter().find(by_token).expect("by a token");
    let id = finding["evidence"]["token_id"].as_str().expect("id");
    let ran = place.run(&["explain", id, "PAT-P001", "--from", &sample]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stdout.contains(": flagged, in a finding on something else"), "{}", ran.stdout);
    assert!(ran.stdout.contains(finding["message"].as_str().expect("message")), "{}", ran.stdout);
}

#[test]
fn explain_shows_the_rows_that_it_counts() {
    let place = Place::new();
    let sample = sample();
    let findings =
        place.run(&["check", "--format", "json", "--select", "PAT-A003", "--from", &sample]).json();
    let hit = &findings["findings"][0];
    let id = hit["subject"]["id"].as_str().expect("id");
    let ran = place.run(&["explain", id, "PAT-A003", "--from", &sample]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    // The row of the action in question stands first among those of the token.
    let action = hit["evidence"]["action"].as_str().expect("action");
    let seen = ran.stdout.split("    seen: ").nth(1).expect("rows of seen");
    let (told, rows) = seen.split_once('\n').expect("rows");
    assert!(told.contains(", 3 of them:"), "{told}");
    let shown: Vec<&str> = rows.lines().take_while(|line| line.starts_with("      ")).collect();
    assert!(shown.len() == 3 && shown[0].contains(action), "{shown:?}");
}
