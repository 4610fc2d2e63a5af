//! The lake looked after: days pruned, where it may lie.

use crate::support::{Place, root};

/// What `query` says of the days held.
fn days(place: &Place) -> String {
    let sql = "SELECT org, COUNT(*) AS n, MIN(time) AS earliest FROM events GROUP BY org";
    let ran = place.run(&["query", sql, "--window", "3650d", "--format", "csv"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    ran.stdout
}

#[test]
fn pruned_days_go_are_recorded_and_come_back() {
    let place = Place::new();
    let sample = root().join("sample-data").display().to_string();
    assert_eq!(place.run(&["import", &sample]).code, 0);
    let whole = days(&place);
    let told = place.run(&["lake", "prune", "--before", "2026-10-01T12:00:00Z", "--dry-run"]);
    assert!(told.code == 0 && told.stderr.contains("would be deleted"), "{}", told.stderr);
    assert_eq!(days(&place), whole);
    let ran = place.run(&["lake", "prune", "--before", "2026-10-01T12:00:00Z"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(days(&place).contains("2026-10-01T"), "{}", days(&place));
    let shown = place.run(&["lake", "show"]).stdout;
    assert!(shown.contains("before 2026-10-01 were pruned"), "{shown}");
    // Coverage begins with what is left, and the report tells why.
    let coverage = place.run(&["query", "SELECT MIN(from_time) AS t FROM coverage", "--format", "csv"]);
    assert!(coverage.stdout.contains("2026-10-01"), "{} {}", coverage.stdout, coverage.stderr);
    assert_eq!(place.run(&["check", "--fail-on", "critical"]).code, 1);
    assert_eq!(place.run(&["report", "--output", "report"]).code, 0);
    let manifest = std::fs::read_to_string(place.path("report/manifest.json")).expect("manifest");
    assert!(manifest.contains("prune before 2026-10-01"), "{manifest}");
    assert_eq!(place.run(&["lake", "verify"]).code, 0);
    assert_eq!(place.run(&["import", &sample]).code, 0);
    assert_eq!(days(&place), whole);
    let ran = place.run(&["lake", "prune", "--before", "soon"]);
    assert!(ran.code == 2 && ran.stderr.contains("--before"), "{}", ran.stderr);
}

#[test]
fn a_url_is_no_folder() {
    let place = Place::new();
    place.write("audit.json", "[]");
    let url = "https://account.blob.core.windows.net/lake?sig=SECRET";
    let ran = place.run(&["--lake", url, "import", "audit.json"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("azcopy sync") && !ran.stderr.contains("SECRET"), "{}", ran.stderr);
    assert!(!place.path("https:").exists());
    let url = format!("file://{}", place.path("lake").display());
    let ran = place.run(&["--lake", &url, "lake", "show"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
}
