//! `pull` against a real server that plays the four services: the same lake as from files, and no more asked for
//! than is new.

use crate::live::{
    Fake, ORG, all_text, difference, event, events, index, now, organisation, parquet, pull, secret,
};
use crate::support::{Place, guid};
use patwatch::model::time::{DAY, HOUR, SECOND, day_text, format_time, parse_time};
use patwatch::source::azure_devops::error::Purpose;
use patwatch::source::azure_devops::fake::{Clock, Envelope, FakeOptions, FakeOrganisation, Refusal};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

#[test]
fn a_pull_gives_what_an_import_gives_and_asks_only_for_what_is_new() {
    let place = Place::new();
    let end = now();
    let rows = events(1_200, 20, end);
    let options = FakeOptions {
        audit_page: 25,
        list_page: 3,
        envelope: Envelope::Alternating,
        ..FakeOptions::default()
    };
    let fake = Fake::start(vec![organisation(&rows, 8)], options);
    let until = format_time(end - DAY);
    let args = pull("pulled", &["-vv", "--since", "25d", "--keep-raw", "raw"]);
    let first = place.run_with(&fake.variables(), &[&args[..], &["--until", &until]].concat());
    assert_eq!(first.code, 0, "{}", first.stderr);
    let asked = fake.windows().len();
    let second = place.run_with(&fake.variables(), &args);
    assert_eq!(second.code, 0, "{}", second.stderr);
    assert!(second.stderr.contains("60 new events, 12 tokens, 8 users"), "{}", second.stderr);
    // Nothing before the overlap is asked for a second time.
    let overlap = end - DAY - 7 * HOUR;
    let again = fake.windows().split_off(asked);
    assert!(again.iter().all(|from| parse_time(from).expect("time") > overlap), "{again:?}");
    assert!(again.len() < 10, "{again:?}");
    assert_eq!(fake.server.most_at_once(), 1);

    place.write("audit.ndjson", rows.join("\n"));
    let imported = place.run(&["--lake", "imported", "import", "audit.ndjson"]);
    assert_eq!(imported.code, 0, "{}", imported.stderr);
    let lists = ["inventory", "users"];
    let events_only = |lake: &str| {
        let mut files = parquet(&place.path(lake));
        files.retain(|name, _| !lists.iter().any(|list| name.starts_with(list)));
        files
    };
    assert!(events_only("pulled") == events_only("imported"), "the lakes differ");
    assert!(events_only("pulled").len() > 60);
    let query = [
        "query",
        "SELECT event_id, time, credential, details FROM events ORDER BY event_id",
        "--format",
        "json",
    ];
    let of = |lake| place.run(&[&["--lake", lake], &query[..]].concat()).json();
    assert_eq!(of("pulled"), of("imported"));

    // One span, however many runs; and every list is on record as an input.
    let index = index(&place.path("pulled"));
    assert_eq!(index["covers"].as_array().map(Vec::len), Some(1), "{}", index["covers"]);
    let inputs: Vec<&Value> = index["runs"]
        .as_array()
        .expect("runs")
        .iter()
        .flat_map(|r| r["inputs"].as_array().expect("inputs"))
        .collect();
    for kind in ["audit", "users", "tokens", "entitlements"] {
        assert!(inputs.iter().any(|i| i["name"].as_str().is_some_and(|n| n.contains(kind))), "{kind}");
    }
    for input in inputs {
        let of = |name: &str| input[name].as_u64().expect(name);
        assert_eq!(of("read"), of("kept") + of("duplicate") + of("rejected"), "{input}");
    }
    assert_eq!(place.run(&["--lake", "pulled", "lake", "verify"]).code, 0);
    // The inventory belongs to the run that stands at the end of the coverage.
    let tokens = place.run(&["--lake", "pulled", "tokens", "--format", "json"]).json();
    assert_eq!(tokens["coverage"][0]["basis"], "pulled");
    let listed =
        tokens["tokens"].as_array().expect("tokens").iter().filter(|t| t["name"] == "token 7-2").count();
    assert_eq!(listed, 1, "{tokens}");

    // An auditor can check the extract, and read it again.
    let manifest = std::fs::read_to_string(place.path("raw/manifest.ndjson")).expect("manifest");
    let mut ends = 0;
    for line in manifest.lines() {
        let line: Value = serde_json::from_str(line).expect("line");
        let file = place.path("raw").join(line["file"].as_str().expect("file"));
        let bytes = std::fs::read(&file).expect("answer");
        assert_eq!(line["bytes"], bytes.len());
        let hash: String = Sha256::digest(&bytes).iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(line["sha256"], hash);
        assert_eq!(line["status"], 200);
        let request = line["request"].as_str().expect("request");
        assert!(request.starts_with(&fake.server.url()) && request.contains(ORG), "{request}");
        if line["kind"] == "audit" {
            ends += usize::from(String::from_utf8_lossy(&bytes).contains("\"hasMore\":false"));
            assert!(
                request.contains("skipAggregation=true")
                    && line["from"].is_string()
                    && line["to"].is_string()
            );
        }
    }
    assert_eq!(manifest.lines().count(), fake.server.requests().len());
    assert!(ends >= 26, "{ends}");
    let raw = place.run(&["--lake", "again", "import", "raw", "--org", ORG]);
    assert_eq!(raw.code, 0, "{}", raw.stderr);
    assert!(events_only("again") == events_only("imported"), "the answers kept hold something else");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode =
            |name: &str| std::fs::metadata(place.path(name)).expect("file").permissions().mode() & 0o777;
        assert_eq!((mode("raw"), mode("raw/manifest.ndjson")), (0o700, 0o600));
    }
    for text in
        [&first.stderr, &second.stderr, &all_text(&place.path("raw")), &all_text(&place.path("pulled"))]
    {
        assert!(!text.contains(&secret()), "the secret is shown");
    }
}

#[test]
fn what_is_not_a_terminal_gets_plain_lines_and_quiet_gets_none() {
    let place = Place::new();
    let fake = Fake::start(vec![organisation(&events(40, 3, now()), 3)], FakeOptions::default());
    let plain = place.run_with(&fake.variables(), &pull("plain", &["--since", "3d"]));
    let day = day_text(i32::try_from((now() - DAY) / DAY).expect("day"));
    assert!(plain.stderr.contains(&format!("contoso: {day} read (2/4 days, ")), "{}", plain.stderr);
    assert!(!plain.stderr.contains('\u{1b}') && !plain.stderr.contains('\r'), "{}", plain.stderr);
    assert_eq!(plain.stdout, "");
    let quiet = place.run_with(&fake.variables(), &pull("quiet", &["-q", "--since", "3d"]));
    assert_eq!((quiet.code, quiet.stderr.as_str()), (0, ""));
}

#[test]
fn the_edges_of_the_span() {
    let place = Place::new();
    let end = now();
    let mut rows = events(60, 10, end - 89 * DAY);
    rows.extend((0..10).map(|n| event(5_000 + n, end - SECOND - i64::try_from(n).expect("n") * 5 * HOUR)));
    let other = FakeOrganisation { name: "fabrikam".to_owned(), ..FakeOrganisation::default() };
    let fake = Fake::start(vec![organisation(&rows, 2), other], FakeOptions::default());
    // More than the service keeps: warned, asked for, kept, not called whole.
    let long = place.run_with(&fake.variables(), &pull("long", &["--since", "100d"]));
    assert_eq!(long.code, 0, "{}", long.stderr);
    assert!(long.stderr.contains("warning: the service keeps 90 days"), "{}", long.stderr);
    let covers = index(&place.path("long"))["covers"].clone();
    let from = covers[0]["span"]["from"].as_i64().expect("from");
    assert!((from - (end - 90 * DAY)).abs() < HOUR, "{covers}");
    assert!(
        parquet(&place.path("long"))
            .keys()
            .any(|name| { name.contains(&day_text(i32::try_from((end - 95 * DAY) / DAY).expect("day"))) })
    );

    // Several organisations: one that is not there does not stop the others, nor does naming one twice.
    let several = place.run_with(
        &fake.variables(),
        &pull("several", &["--org", "nowhere", "--org", "Contoso", "--org", "fabrikam", "--since", "2d"]),
    );
    assert_eq!(several.code, 2, "{}", several.stderr);
    assert!(several.stderr.contains("error: nowhere: the audit log: not found (404)"), "{}", several.stderr);
    assert!(
        several.stderr.contains("contoso: ") && several.stderr.contains("fabrikam: 0 new events"),
        "{}",
        several.stderr
    );
    assert_eq!(several.stderr.matches("contoso: 3 days to ask for").count(), 1, "{}", several.stderr);

    for wrong in [["--since", "0d"], ["--since", "ever"], ["--until", "noon"]] {
        let ran = place.run_with(&fake.variables(), &pull("wrong", &wrong));
        assert_eq!(ran.code, 2);
        assert!(ran.stderr.contains("hint: write it as"), "{}", ran.stderr);
    }
}

/// Three hours behind this machine.
fn slow_clock() -> i64 {
    now() - 3 * HOUR
}

#[test]
fn a_clock_that_differs_loses_no_event_and_hides_no_inventory() {
    let place = Place::new();
    let rows = events(100, 3, now());
    let slow = FakeOptions { clock: Some(Clock::Runs(slow_clock)), ..FakeOptions::default() };
    // What the slow service has not seen yet is not in its log.
    let late: Vec<String> = rows.iter().filter(|row| time_of(row) <= slow_clock()).cloned().collect();
    assert!(late.len() < rows.len());
    let fake = Fake::start(vec![organisation(&late, 4)], slow);
    let first = place.run_with(&fake.variables(), &pull("lake", &["--since", "4d"]));
    assert_eq!(first.code, 0, "{}", first.stderr);
    let to = index(&place.path("lake"))["covers"][0]["span"]["to"].as_i64().expect("to");
    assert!(to <= slow_clock() && to > slow_clock() - HOUR, "held is what the service knew");
    let tokens = place.run(&["--lake", "lake", "tokens", "--format", "json"]).json();
    assert!(
        tokens["tokens"].as_array().expect("tokens").iter().any(|t| t["name"] == "token 3-0"),
        "{tokens}"
    );
    drop(fake);
    let fake = Fake::start(vec![organisation(&rows, 4)], FakeOptions::default());
    let second = place.run_with(&fake.variables(), &pull("lake", &["--since", "4d"]));
    let missed = rows.len() - late.len();
    assert!(second.stderr.contains(&format!("{missed} new events")), "{}", second.stderr);
}

fn time_of(row: &str) -> i64 {
    let row: Value = serde_json::from_str(row).expect("row");
    parse_time(row["timestamp"].as_str().expect("time")).expect("time")
}

#[test]
fn a_list_that_is_not_whole_is_marked_partial() {
    let place = Place::new();
    let mut org = organisation(&events(30, 2, now()), 5);
    // A user whose list the service does not find.
    org.users[3].row["descriptor"] = json!("aad.not/there");
    org.usage = Some(
        (0..5)
            .map(|n| {
                let start = now() - (3 + n) * DAY;
                json!({
                    "vsid": org.entitlements[usize::try_from(n).expect("n")]["id"], "user": format!("user{n}@contoso.example"),
                    "startTime": format_time(start), "endTime": format_time(start + 300 * SECOND), "count": 3,
                    "authenticationMechanism": "PAT", "command": "Git.GetRefs", "status": "200",
                    "ipAddress": "203.0.113.1", "userAgent": "git/2.40", "application": "Git",
                })
            })
            .collect(),
    );
    let whole = organisation(&events(30, 2, now()), 5);
    let whole = FakeOrganisation { usage: org.usage.clone(), ..whole };
    let snapshot = |lake: &str, kind: &str| -> Value {
        let index = index(&place.path(lake));
        let found =
            index["snapshots"].as_array().expect("snapshots").iter().find(|s| s["kind"] == kind).cloned();
        found.unwrap_or_else(|| panic!("no {kind} in {lake}"))
    };
    let fake = Fake::start(vec![org], FakeOptions::default());
    let ran = place.run_with(&fake.variables(), &pull("part", &["--since", "2d", "--usage"]));
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(
        ran.stderr.contains("the inventory is partial, the tokens of 1 of 5 users are not listed"),
        "{}",
        ran.stderr
    );
    let part = snapshot("part", "inventory");
    assert_eq!(
        (&part["complete"], &part["users_listed"], &part["users_failed"]),
        (&json!(false), &json!(4), &json!(1))
    );
    // Somebody's tokens are unknown, so their owner was perhaps not asked about: the records rule nothing out.
    assert_eq!(snapshot("part", "usage")["span"], Value::Null);

    let fake = Fake::start(vec![whole], FakeOptions::default());
    let ran = place.run_with(&fake.variables(), &pull("whole", &["--since", "2d", "--usage"]));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains("5 usage records"), "{}", ran.stderr);
    assert_eq!(snapshot("whole", "inventory")["complete"], true);
    // From the first record on: how long the service keeps them is not documented.
    let usage = snapshot("whole", "usage");
    let from = usage["span"]["from"].as_i64().expect("from");
    assert!((from - (now() - 7 * DAY)).abs() < HOUR, "{usage}");

    // Gone: a warning, and the rest is pulled.
    let gone = FakeOptions { refusals: vec![(Purpose::Usage, Refusal::NotFound)], ..FakeOptions::default() };
    let fake = Fake::start(vec![organisation(&events(30, 2, now()), 5)], gone);
    let ran = place.run_with(&fake.variables(), &pull("gone", &["--since", "2d", "--usage"]));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(
        ran.stderr.contains("undocumented, best effort") && ran.stderr.contains("rule nothing out"),
        "{}",
        ran.stderr
    );
}

/// A stand-in for the Azure CLI that hands out numbered tokens.
#[cfg(unix)]
pub fn azure_cli(place: &Place) -> String {
    use std::os::unix::fs::PermissionsExt as _;
    let counter = place.path("signed-in");
    let script = format!(
        "#!/bin/sh\nn=$(cat {0} 2>/dev/null || echo 0)\nn=$((n+1))\necho $n > {0}\n\
         echo '{{\"accessToken\":\"eyJhbGciOiJub25lIn0.eyJuIjoi'$n'.c2ln\",\"expires_on\":'$(($(date +%s)+3600))',\"tokenType\":\"Bearer\"}}'\n",
        counter.display()
    );
    let path = place.write("bin/az", script);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("mode");
    format!("{}:/usr/bin:/bin", place.path("bin").display())
}

#[cfg(unix)]
#[test]
fn a_person_without_rights_gets_the_own_tokens_and_a_token_that_expires_is_renewed() {
    let place = Place::new();
    let path = azure_cli(&place);
    let options = FakeOptions {
        audit_page: 10,
        refusals: vec![(Purpose::TokenAdmin, Refusal::Forbidden)],
        credential_lasts: Some(7),
        bearers: (1..100).map(|n| format!("eyJhbGciOiJub25lIn0.eyJuIjoi{n}.c2ln")).collect(),
        ..FakeOptions::default()
    };
    let fake = Fake::start(vec![organisation(&events(200, 4, now()), 3)], options);
    let mut variables = fake.variables();
    variables.retain(|(name, _)| *name != "AZURE_DEVOPS_EXT_PAT");
    variables.push(("PATH", &path));
    let ran = place.run_with(
        &variables,
        &["-vv", "--lake", "lake", "pull", "--org", ORG, "--since", "5d", "--keep-raw", "raw"],
    );
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains("200 new events, 1 token"), "{}", ran.stderr);
    assert!(ran.stderr.contains("only your own tokens are listed"), "{}", ran.stderr);
    assert!(ran.stderr.contains("Project Collection Administrators"), "{}", ran.stderr);
    let show = place.run(&["--lake", "lake", "lake", "show"]);
    assert!(show.stdout.contains("inventory of 1 row, partial"), "{}", show.stdout);
    let signed_in: u32 =
        std::fs::read_to_string(place.path("signed-in")).expect("count").trim().parse().expect("n");
    assert!(signed_in >= 4, "{signed_in}");
    let tokens = place.run(&["--lake", "lake", "tokens", "--format", "json"]).json();
    let mine =
        tokens["tokens"].as_array().expect("tokens").iter().find(|t| t["token_id"] == guid(77)).cloned();
    // A partial list calls nothing active.
    assert_eq!(mine.expect("own token")["state"], "unknown");
    let shown = ran.stderr + &ran.stdout + &all_text(&place.path("lake")) + &all_text(&place.path("raw"));
    assert!(!shown.contains("eyJhbGciOiJub25lIn0"), "a token is shown");
}

#[test]
fn the_same_lake_whatever_the_page_size() {
    let place = Place::new();
    let end = now();
    let fake = Fake::start(
        vec![organisation(&events(300, 4, end), 3)],
        FakeOptions { audit_page: 100_000, ..FakeOptions::default() },
    );
    let until = format_time(end);
    for (lake, size) in [("small", "7"), ("large", "5000")] {
        let ran = place.run_with(
            &fake.variables(),
            &pull(lake, &["--since", "5d", "--until", &until, "--batch-size", size]),
        );
        assert_eq!(ran.code, 0, "{}", ran.stderr);
    }
    assert_eq!(difference(&place.path("small"), &place.path("large")), None);
}

#[test]
fn a_day_with_a_record_that_cannot_be_read_is_a_gap_and_asked_for_again() {
    let place = Place::new();
    let end = parse_time(&day_text(patwatch::model::time::day_of(now()))).expect("midnight");
    let mut rows = events(60, 6, end);
    // About three days ago.
    let mut blank: Value = serde_json::from_str(&rows[30]).expect("JSON");
    let time = parse_time(blank["timestamp"].as_str().expect("text")).expect("time");
    blank["actionId"] = json!("");
    rows[30] = blank.to_string();
    let fake = Fake::start(vec![organisation(&rows, 2)], FakeOptions::default());
    let args = pull("lake", &["--since", "5d"]);
    let ran = place.run_with(&fake.variables(), &args);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(
        ran.stderr.contains("the day counts as a gap, and the next pull asks for it again"),
        "{}",
        ran.stderr
    );
    let whole = |index: &Value| {
        let spans = index["covers"].as_array().expect("covers").iter().map(|c| &c["span"]);
        spans.filter(|s| s["from"].as_i64() <= Some(time) && Some(time) < s["to"].as_i64()).count()
    };
    let pulled = index(&place.path("lake"));
    assert_eq!(whole(&pulled), 0, "{}", pulled["covers"]);
    assert_eq!(pulled["lost"].as_array().map(Vec::len), Some(1), "{}", pulled["lost"]);
    let days = "SELECT reason FROM gaps";
    let gaps = place.run(&["--lake", "lake", "query", days, "--format", "json"]);
    assert!(gaps.stdout.contains("could not be read"), "{}", gaps.stdout);

    // Once the service gives it, the day is whole.
    let fake = Fake::start(vec![organisation(&events(60, 6, end), 2)], FakeOptions::default());
    let ran = place.run_with(&fake.variables(), &args);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let pulled = index(&place.path("lake"));
    assert_eq!((whole(&pulled), pulled.get("lost")), (1, None), "{}", pulled["covers"]);
}
