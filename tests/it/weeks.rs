//! Two weeks of four organisations, each week in a fresh lake as on a hosted agent, with decisions from a file: what the
//! second week says is new is what changed, and nothing else.

use crate::support::{Place, Ran};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

const WEEKS: [&str; 2] = ["2026-10-24", "2026-10-31"];
const ORGS: [&str; 4] = ["alder", "birch", "cedar", "dogwood"];

type Key = (String, String);

/// Four organisations with the lists of both weeks.
fn simulate(place: &Place) {
    for (org, seed) in ORGS.iter().zip(["61", "62", "63", "64"]) {
        let days = WEEKS.join(",");
        let size = ["--seed", seed, "--tokens", "12", "--days", "60", "--list-days", &days];
        let ran = place.run(&[&["simulate", "--name", org, "--output", org], &size[..]].concat());
        assert_eq!(ran.code, 0, "{}", ran.stderr);
    }
}

/// The report of a week, from a lake that holds nothing but the log and the lists of that week.
fn report(place: &Place, week: &str, more: &[&str]) -> Ran {
    let lake = format!("lake-{week}");
    let mut read = vec!["import".to_owned(), "-q".to_owned(), "--lake".to_owned(), lake.clone()];
    for org in ORGS {
        let lists = format!("{org}/lists-{week}");
        read.extend(["--org".to_owned(), format!("{org}={lists}"), lists]);
        let files = std::fs::read_dir(place.path(org)).expect("folder").flatten();
        let names = files.map(|file| file.file_name().to_string_lossy().into_owned());
        read.extend(names.filter(|name| name.starts_with("audit")).map(|name| format!("{org}/{name}")));
    }
    read.extend(["--taken".to_owned(), week.to_owned()]);
    let ran = place.run(&read.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let output = format!("week-{week}");
    place.run(&[&["report", "--lake", &lake, "--as-of", week, "--output", &output], more].concat())
}

fn rows(place: &Place, file: &str, list: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(place.path(file)).unwrap_or_else(|e| panic!("{file}: {e}"));
    let value: Value = serde_json::from_str(&text).expect("JSON");
    value[list].as_array().unwrap_or_else(|| panic!("no {list} in {file}")).clone()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn is_grave(finding: &Value) -> bool {
    finding["suppressed"].is_null() && ["high", "critical"].contains(&text(&finding["severity"]).as_str())
}

/// What one week says, read off its bundle alone.
struct Week {
    advice: BTreeMap<Key, String>,
    grave: BTreeMap<String, Key>,
}

impl Week {
    fn of(place: &Place, week: &str) -> Self {
        let tokens = rows(place, &format!("week-{week}/tokens.json"), "tokens");
        let findings = rows(place, &format!("week-{week}/findings.json"), "findings");
        let key = |org: &Value, id: &Value| (text(org), text(id));
        Self {
            advice: tokens
                .iter()
                .map(|t| (key(&t["org"], &t["token_id"]), text(&t["advice"]["action"])))
                .collect(),
            grave: findings
                .iter()
                .filter(|f| is_grave(f))
                .map(|f| (text(&f["fingerprint"]), key(&f["org"], &f["subject"]["id"])))
                .collect(),
        }
    }

    /// Tokens whose advice asks for something that it did not ask for before, or that have a new high or critical finding.
    fn needs_since(&self, before: &Self) -> BTreeSet<Key> {
        let wants = |action: &str| ["revoke", "reduce", "ask the owner"].contains(&action);
        let advised =
            self.advice.iter().filter(|(key, now)| wants(now) && before.advice.get(key) != Some(now));
        let found = self.grave.iter().filter(|(print, _)| !before.grave.contains_key(*print));
        let of_tokens = found.map(|(_, key)| key).filter(|key| self.advice.contains_key(key));
        advised.map(|(key, _)| key).chain(of_tokens).cloned().collect()
    }
}

/// Decides three tokens of the first week's sheet that wait for an answer, and writes the sheet.
fn decide(place: &Place, week: &str) {
    let ran =
        place.run(&["review", "export", "--lake", &format!("lake-{week}"), "--as-of", week, "sheet.csv"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let sheet = std::fs::read(place.path("sheet.csv")).expect("a sheet");
    let mut reader = csv::Reader::from_reader(sheet.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&sheet));
    let head = reader.headers().expect("a head").clone();
    let column = |name: &str| head.iter().position(|h| h == name).unwrap_or_else(|| panic!("no {name}"));
    let mut decided = 0;
    let mut writer = csv::Writer::from_path(place.path("decided.csv")).expect("a file");
    writer.write_record(&head).expect("written");
    for row in reader.records() {
        let mut cells: Vec<String> = row.expect("a row").iter().map(str::to_owned).collect();
        if decided < 3 && cells[column("advice")].starts_with("ask") {
            decided += 1;
            for (name, value) in
                [("decision", "keep"), ("reviewer", "rhea"), ("decided_on", week), ("reason", "known job")]
            {
                value.clone_into(&mut cells[column(name)]);
            }
        }
        writer.write_record(&cells).expect("written");
    }
    writer.flush().expect("written");
    assert_eq!(decided, 3, "three tokens to ask about");
}

#[test]
fn the_second_week_names_what_changed_and_nothing_else() {
    let place = Place::new();
    simulate(&place);
    let first = report(&place, WEEKS[0], &["--fail-on-new", "high"]);
    assert_eq!(first.code, 1, "without an earlier bundle every finding is new: {}", first.stderr);
    decide(&place, WEEKS[0]);
    let earlier = format!("week-{}", WEEKS[0]);
    let gate = ["--compare", &earlier, "--decisions", "decided.csv", "--fail-on-new", "high"];
    let second = report(&place, WEEKS[1], &gate);
    let (before, now) = (Week::of(&place, WEEKS[0]), Week::of(&place, WEEKS[1]));
    let expected = now.needs_since(&before);
    assert!(
        !expected.is_empty() && expected.len() < now.advice.len() / 3,
        "a week changes little: {expected:?}"
    );

    let changes = rows(&place, &format!("week-{}/changes.json", WEEKS[1]), "tokens");
    let named: BTreeSet<Key> = changes
        .iter()
        .filter(|change| !change["needs"].is_null())
        .map(|change| (text(&change["org"]), text(&change["token_id"])))
        .collect();
    assert_eq!(named, expected);

    // Page, summary and terminal begin with the same sentence.
    let sentence = second.stderr.lines().find(|line| line.starts_with("Since ")).expect("a sentence");
    assert!(sentence.starts_with(&format!("Since {}: {} token", WEEKS[0], expected.len())), "{sentence}");
    let new_grave = now.grave.keys().filter(|print| !before.grave.contains_key(*print)).count();
    let counted = if new_grave == 0 { "no new high".to_owned() } else { format!("{new_grave} new high") };
    assert!(sentence.contains(&counted), "{counted}: {sentence}");
    let read = |file: &str| {
        std::fs::read_to_string(place.path(&format!("week-{}/{file}", WEEKS[1]))).expect("a file")
    };
    let start = sentence.split(" (").next().expect("a start");
    assert!(
        read("summary.md").lines().take(4).any(|line| line.contains(start)),
        "the summary begins with it"
    );
    assert!(read("index.html").contains(start), "the page has it");

    // The gate is red for new findings alone, and green where there is none.
    assert_eq!(second.code, i32::from(new_grave > 0), "{}", second.stderr);
    let same = format!("week-{}", WEEKS[1]);
    let lake = format!("lake-{}", WEEKS[1]);
    let again = place.run(&[
        "check",
        "--lake",
        &lake,
        "--as-of",
        WEEKS[1],
        "--compare",
        &same,
        "--decisions",
        "decided.csv",
        "--fail-on-new",
        "info",
    ]);
    assert_eq!(again.code, 0, "nothing is new against itself: {}", again.stderr);
}
