//! What changed since an earlier bundle: nothing counts as resolved for want of evidence, what is new is named, and the
//! gate of a pipeline follows it.

use crate::support::{Log, Place, guid, inventory, pat};
use serde_json::{Value, json};
use std::path::Path;

/// The number before a word of the sentence on what is new.
fn counted(stderr: &str, word: &str) -> usize {
    let sentence =
        stderr.lines().find(|line| line.starts_with("Since ")).unwrap_or_else(|| panic!("{stderr}"));
    let before = sentence.split(word).next().expect("a part");
    let digits = before.trim_end().rsplit(|c: char| !c.is_ascii_digit()).next().expect("a number");
    digits.parse().unwrap_or_else(|_| panic!("no number before {word}: {sentence}"))
}

/// Which files of a folder are kept.
type Keep<'a> = Box<dyn Fn(&str) -> bool + 'a>;

fn copy(from: &Path, to: &Path, keep: &dyn Fn(&str) -> bool) {
    std::fs::create_dir_all(to).expect("folder");
    for entry in std::fs::read_dir(from).expect("folder").flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.path().is_file() && keep(&name) {
            std::fs::copy(entry.path(), to.join(name)).expect("copied");
        }
    }
}

/// Takes each class of evidence away from the second run over the same files: whatever that run no longer finds, it must
/// not call resolved.
#[test]
fn what_is_missing_for_want_of_evidence_is_never_resolved() {
    let place = Place::new();
    let made = place.run(&["simulate", "--tokens", "20", "--days", "45", "--usage", "--output", "all"]);
    assert_eq!(made.code, 0, "{}", made.stderr);
    let first = place.run(&["report", "--from", "all", "--output", "first"]);
    assert_eq!(first.code, 0, "{}", first.stderr);
    let found: Value =
        serde_json::from_slice(&std::fs::read(place.path("first/findings.json")).expect("findings"))
            .expect("JSON");
    let as_of = found["as_of"].as_str().expect("an instant").to_owned();
    let names: Vec<String> = std::fs::read_dir(place.path("all"))
        .expect("folder")
        .flatten()
        .map(|e| e.file_name().to_string_lossy().into_owned())
        .collect();
    let first_of = |start: &str| {
        let mut fits: Vec<&String> = names.iter().filter(|n| n.starts_with(start)).collect();
        fits.sort();
        fits.first().unwrap_or_else(|| panic!("no {start} among {names:?}")).to_string()
    };
    let (page, log) = (first_of("inventory"), first_of("audit"));
    let without: [(&str, Keep<'_>); 6] = [
        ("lists", Box::new(|n| !n.starts_with("inventory"))),
        ("a page of a list", Box::new(|n| n != page)),
        ("users", Box::new(|n| !n.starts_with("users"))),
        ("entitlements", Box::new(|n| !n.starts_with("entitlements"))),
        ("usage records", Box::new(|n| !n.starts_with("usage"))),
        ("a file of the log", Box::new(|n| n != log)),
    ];
    let mut not_compared = Vec::new();
    for (at, (what, keep)) in without.iter().enumerate() {
        let folder = format!("less-{at}");
        copy(&place.path("all"), &place.path(&folder), keep);
        let args = ["check", "--from", &folder, "--as-of", &as_of, "--compare", "first", "--format", "json"];
        let ran = place.run(&args);
        assert_eq!(counted(&ran.stderr, "resolved"), 0, "without {what}: {}", ran.stderr);
        assert!(!ran.stderr.contains("nothing any more"), "without {what}: {}", ran.stderr);
        if ran.stderr.contains("Not compared: ") {
            not_compared.push(*what);
        }
        if ["lists", "entitlements", "usage records"].contains(what) {
            assert!(ran.stderr.contains(": This run has no "), "without {what}: {}", ran.stderr);
        }
    }
    assert!(not_compared.contains(&"lists") && not_compared.len() > 1, "{not_compared:?}");
    for more in [["--window", "20d"], ["--as-of", "2026-10-10"], ["--select", "use"]] {
        let mut args = vec!["check", "--from", "all", "--compare", "first", "--format", "json"];
        args.extend(more);
        let ran = place.run(&args);
        assert_eq!(counted(&ran.stderr, "resolved"), 0, "with {more:?}: {}", ran.stderr);
    }
}

const LAKE_LIST: &str = "2026-02-10T00:00:00Z";

fn lists() -> Value {
    json!([
        pat(&guid(1), "deploy-prod", "vso.code_manage"),
        pat(&guid(2), "old laptop", "vso.auditstreams_manage"),
        pat(&guid(3), "full", "app_token"),
    ])
}

/// A lake with sixty days of office work, a token that is used, and two that were not seen.
fn lake(place: &Place) {
    let mut log = Log::default();
    log.office(60);
    let used = format!("PAT authorizationId: {}", guid(1));
    log.add("2026-02-20T10:00:00Z", "Git.RepositoryCreated", &used, json!({ "RepoName": "r" }));
    place.write("in/audit.json", log.page());
    place.write("in/inventory.json", inventory(lists().as_array().expect("pats")));
    let ran = place.run(&["import", "in", "--taken", LAKE_LIST]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
}

#[test]
fn the_gate_is_green_until_something_new_comes_up_and_red_when_the_log_is_old() {
    let place = Place::new();
    lake(&place);
    let first = place.run(&["report", "--output", "first"]);
    assert_eq!(first.code, 0, "{}", first.stderr);

    let manifest = std::fs::read(place.path("first/manifest.json")).expect("manifest");
    let over = place.run(&["report", "--output", "./first", "--compare", "first"]);
    assert_eq!(over.code, 2);
    assert!(over.stderr.contains("would overwrite the bundle"), "{}", over.stderr);
    assert_eq!(std::fs::read(place.path("first/manifest.json")).expect("manifest"), manifest);

    let check = |more: &[&str]| {
        let mut args = vec!["check", "--format", "json", "--compare", "first"];
        args.extend(more);
        place.run(&args)
    };
    assert_eq!(check(&["--fail-on", "low"]).code, 1);
    let green = check(&["--fail-on-new", "info"]);
    assert_eq!(green.code, 0, "{}", green.stderr);
    let sentence = "no token needs anything new, no new high or critical finding, 0 resolved";
    assert!(green.stderr.contains(sentence), "{}", green.stderr);
    let without = place.run(&["check", "--format", "json", "--fail-on-new", "low"]);
    assert_eq!(without.code, 1, "without --compare every finding is new");

    // The wall clock changes the exit code and stderr, and no byte of the results.
    let fresh = check(&["--max-age", "3d", "--now", "2026-03-02T00:00:00Z"]);
    let old = check(&["--max-age", "3d", "--now", "2026-03-08T00:00:00Z"]);
    assert_eq!((fresh.code, old.code), (0, 2), "{}", old.stderr);
    assert!(old.stderr.contains("contoso (ends 2026-03-01"), "{}", old.stderr);
    assert_eq!(fresh.stdout, old.stdout);
    for bad in [["--max-age", "soon"], ["--now", "2026-03-02"]] {
        assert_eq!(check(&bad).code, 2, "{bad:?}");
    }

    // One token is found in public, and another is revoked.
    let mut log = Log { events: vec![Value::Null; 900] };
    let leak = json!({ "AuthorizationId": guid(3), "DisplayName": "full", "OwnerId": crate::support::OWNER });
    log.add("2026-03-02T09:00:00Z", "Token.PatPublicDiscoveryEvent", "AAD_Cookie", leak);
    let revoke = json!({ "AuthorizationId": guid(2), "DisplayName": "old laptop" });
    log.add("2026-03-02T10:00:00Z", "Token.PatRevokeEvent", "AAD_Cookie", revoke);
    log.events.retain(|e| !e.is_null());
    place.write("late/audit.json", log.page());
    assert_eq!(place.run(&["import", "late"]).code, 0);
    let red = check(&["--fail-on-new", "high"]);
    assert_eq!(red.code, 1, "{}", red.stderr);
    let last = red.stderr.lines().last().expect("a line");
    assert!(
        last.starts_with("failed by --fail-on-new high: PAT-") && last.contains("on full of contoso"),
        "{last}"
    );
    assert!(red.stderr.contains("1 token needs something new (1 revoke)"), "{}", red.stderr);
    assert!(counted(&red.stderr, "resolved") > 0, "the findings on the revoked token: {}", red.stderr);

    let second = place.run(&[
        "report",
        "--output",
        "second",
        "--compare",
        "first",
        "--max-age",
        "3d",
        "--now",
        "2026-03-03",
    ]);
    assert_eq!(second.code, 0, "{}", second.stderr);
    let last = second.stderr.lines().last().expect("a line");
    assert!(last.starts_with("Since 2026-03-01: 1 token needs something new (1 revoke)"), "{last}");
    let summary = std::fs::read_to_string(place.path("second/summary.md")).expect("summary");
    let head = summary.lines().nth(2).expect("a third line");
    assert!(head.contains("Since 2026-03-01: 1 token needs something new"), "{head}");
    assert!(summary.contains("new: full"), "{summary}");
    let page = std::fs::read_to_string(place.path("second/index.html")).expect("page");
    assert!(page.contains("Since 2026-03-01: 1 token needs something new (1 revoke)"));
    let read = |name: &str| -> Value {
        serde_json::from_slice(&std::fs::read(place.path(name)).expect("a file")).expect("JSON")
    };
    let changes = read("second/changes.json");
    assert_eq!(changes["tokens"][0]["token_id"], guid(3), "what needs something new comes first");
    assert_eq!(changes["tokens"][0]["needs"], "revoke");
    assert_eq!(changes["news"]["tokens"], 1);
    assert!(!read("second/manifest.json")["command_line"].to_string().contains("--now"));
}

#[test]
fn findings_of_another_pack_are_counted_apart_and_are_not_new() {
    let place = Place::new();
    lake(&place);
    assert_eq!(place.run(&["report", "--output", "first"]).code, 0);
    let sql = "--! id = \"OWN-001\"\n--! title = \"Any token\"\n--! severity = \"high\"\n--! confidence = \"high\"\n\
--! subject = \"token\"\n--! tables = [\"tokens\"]\n--! message = \"{name}\"\n--! fix = \"Look.\"\n\
--! rationale = \"A test.\"\n--! references = [\"https://learn.microsoft.com/azure\"]\n--! controls = [\"CIS 5.3\"]\n\
SELECT org, token_id AS subject, 0 AS count FROM tokens\n";
    place.write("own/hygiene/any-token.sql", sql);
    place.write("other.toml", "[policy]\nmax_lifetime_days = 30\n");
    let ran = place.run(&[
        "--config",
        "other.toml",
        "check",
        "--format",
        "json",
        "--queries",
        "own",
        "--compare",
        "first",
        "--fail-on-new",
        "low",
    ]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains("Not counted as new: "), "{}", ran.stderr);
    assert!(ran.stderr.contains("The detections differ") && ran.stderr.contains("The configuration differs"));
    assert!(ran.stderr.contains("no token needs anything new, no new high"), "{}", ran.stderr);
}

#[test]
fn what_is_switched_off_graded_or_not_shown_is_listed_and_the_gate_still_counts_it() {
    let place = Place::new();
    lake(&place);
    let plain = place.run(&["check", "--format", "json"]);
    let plain: Value = serde_json::from_str(&plain.stdout).expect("JSON");
    let of = |value: &Value, id: &str| -> Vec<String> {
        let found = value["findings"].as_array().expect("findings").iter().filter(|f| f["detection"] == id);
        found.map(|f| f["severity"].as_str().unwrap_or_default().to_owned()).collect()
    };
    let ids: std::collections::BTreeSet<&str> = plain["findings"]
        .as_array()
        .expect("findings")
        .iter()
        .filter_map(|f| f["detection"].as_str())
        .collect();
    let mut ids = ids.into_iter();
    let (off, graded) = (ids.next().expect("one"), ids.next().expect("two"));
    place.write(
        "patwatch.toml",
        format!(
            "[detections]\noff = [\"{off}\", \"PAT-Z999\"]\nseverity = {{ \"{graded}\" = \"critical\" }}\n\
[[exception]]\ndetection = \"{graded}\"\nsubject = \"nobody has this\"\nowner = \"a\"\nreason = \"b\"\nend_date = \"2027-01-01\"\n"
        ),
    );
    let ran = place.run(&["report", "--output", "r", "--severity", "critical", "--fail-on", "low"]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("PAT-Z999") && ran.stderr.contains("nobody has this"), "{}", ran.stderr);
    let read = |name: &str| std::fs::read_to_string(place.path(name)).expect("a file");
    let findings: Value = serde_json::from_str(&read("r/findings.json")).expect("JSON");
    assert!(of(&findings, off).is_empty());
    assert!(!of(&findings, graded).is_empty() && of(&findings, graded).iter().all(|s| s == "critical"));
    assert!(findings["findings"].as_array().expect("findings").iter().all(|f| f["severity"] == "critical"));
    assert_eq!(findings["not_looked_at"]["off"], json!([off]));
    let manifest: Value = serde_json::from_str(&read("r/manifest.json")).expect("JSON");
    assert_eq!(manifest["not_looked_at"]["least_severity"], "critical");
    assert!(manifest["not_looked_at"]["not_shown"].as_u64() > Some(0));
    for name in ["r/index.html", "r/summary.md"] {
        let text = read(name);
        assert!(text.contains("below severity critical"), "{name}");
        assert!(text.contains("switches off"), "{name}");
    }
    let none = place.run(&["check", "--format", "json", "--severity", "critical", "--fail-on", "critical"]);
    assert_eq!(none.code, 1, "{}", none.stderr);
}
