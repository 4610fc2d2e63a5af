//! `pull` and `doctor` when things go wrong: faults that pass cost time only, refusals say what is missing, and
//! nothing secret is ever shown.

use crate::live::{Fake, ORG, all_text, difference, events, now, organisation, pull, secret};
use crate::support::{DEADLINE, Place, Ran, ended, lines_of};
use patwatch::model::time::{DAY, format_time};
use patwatch::source::azure_devops::error::Purpose;
use patwatch::source::azure_devops::fake::{Envelope, FakeOptions, FakeOrganisation, FaultKind, Refusal};
use std::time::Duration;

/// Three answers in ten fail, pages repeat entries, come empty, out of order and with stray backslashes.
pub fn troubled(seed: u64) -> FakeOptions {
    FakeOptions {
        envelope: Envelope::Alternating,
        audit_page: 60,
        list_page: 3,
        fault_rate: 0.3,
        faults: FaultKind::TRANSIENT.to_vec(),
        retry_after: 0.05,
        slow_piece: Duration::from_millis(20),
        duplicates: 0.3,
        stray_escapes: 0.05,
        empty_pages: 0.1,
        out_of_order: true,
        byte_order_mark: true,
        seed,
        ..FakeOptions::default()
    }
}

#[test]
fn thirty_percent_faults_cost_time_and_nothing_else() {
    let place = Place::new();
    let end = now();
    let rows = events(1_500, 12, end);
    let until = format_time(end);
    let more = ["-vv", "--since", "13d", "--until", &until, "--keep-raw", "raw"];
    // The stray backslash is part of the text that the service sends, so the calm server sends none.
    let calm = Fake::start(
        vec![organisation(&rows, 6)],
        FakeOptions { stray_escapes: 0.0, ..FakeOptions::default() },
    );
    let ran = place.run_with(&calm.variables(), &pull("calm", &more));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let seed = 11;
    println!("seed {seed}");
    let fake =
        Fake::start(vec![organisation(&rows, 6)], FakeOptions { stray_escapes: 0.0, ..troubled(seed) });
    let ran = place.run_with(&fake.variables(), &pull("troubled", &more));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(fake.server.faults() > 8, "{} faults", fake.server.faults());
    assert_eq!(fake.server.most_at_once(), 1);
    assert!(ran.stderr.contains("waiting "), "{}", ran.stderr);
    assert_eq!(difference(&place.path("calm"), &place.path("troubled")), None);
    assert_eq!(place.run(&["--lake", "troubled", "lake", "verify"]).code, 0);
    nothing_secret(&place, &[&ran]);
}

#[test]
fn a_stray_backslash_costs_no_event() {
    let place = Place::new();
    let end = now();
    let options = FakeOptions { stray_escapes: 0.5, audit_page: 20, ..FakeOptions::default() };
    let fake = Fake::start(vec![organisation(&events(100, 3, end), 1)], options);
    let ran = place.run_with(&fake.variables(), &pull("lake", &["--since", "4d"]));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains("100 new events"), "{}", ran.stderr);
    let query = [
        "--lake",
        "lake",
        "query",
        "SELECT details FROM events WHERE details LIKE '[Fabrikam]%'",
        "--format",
        "json",
    ];
    let found = place.run(&query).json();
    let rows = found.as_array().or(found["rows"].as_array()).expect("rows").len();
    assert!((20..80).contains(&rows), "{rows}");
}

/// The secret in none of its forms, in nothing that was printed or written.
fn nothing_secret(place: &Place, runs: &[&Ran]) {
    let basic = base64(&format!(":{}", secret()));
    let mut text = all_text(&place.path("."));
    for ran in runs {
        text.push_str(&ran.stdout);
        text.push_str(&ran.stderr);
    }
    for form in [secret(), basic, base64(&secret())] {
        assert!(!text.contains(&form), "a secret is shown");
    }
}

fn base64(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}

#[test]
fn each_refusal_says_what_is_missing_and_how_to_get_it() {
    let place = Place::new();
    let pca = "Project Collection Administrators";
    let cases: [(Purpose, Refusal, &[&str]); 15] = [
        (
            Purpose::Audit,
            Refusal::SignInPage,
            &["answered 203 with a sign-in page", "vso.auditlog", "expired"],
        ),
        (
            Purpose::Audit,
            Refusal::SignInRedirect,
            &["answered 302", "visualstudio.com", "not followed", "vso.auditlog"],
        ),
        (Purpose::Audit, Refusal::Html, &["answered 200 with a sign-in page", "vso.auditlog"]),
        (Purpose::Audit, Refusal::Unauthorized, &["(401)", "expired or revoked", "vso.auditlog"]),
        (Purpose::Audit, Refusal::Forbidden, &["(403)", "\"View audit log\" = Allow", "vso.auditlog"]),
        (Purpose::Audit, Refusal::NotFound, &["(404)", "linked to Microsoft Entra", "Log Audit Events"]),
        (Purpose::Audit, Refusal::NotAMember, &["TF400813", "Organization settings > Users"]),
        (Purpose::Audit, Refusal::BadRequest, &["(400)", "VS403357"]),
        (Purpose::Audit, Refusal::Throttled, &["TF400733", "run again later"]),
        (Purpose::TokenAdmin, Refusal::Forbidden, &["(403)", "vso.tokenadministration", pca]),
        (Purpose::TokenAdmin, Refusal::Unauthorized, &["(401)", "vso.tokenadministration"]),
        (Purpose::Graph, Refusal::Unauthorized, &["(401)", "vso.graph"]),
        (Purpose::Graph, Refusal::Forbidden, &["(403)", "Project-Scoped Users", "vso.graph"]),
        (Purpose::Entitlements, Refusal::Forbidden, &["(403)", "vso.memberentitlementmanagement", pca]),
        (Purpose::Graph, Refusal::NotFound, &["(404)", "organisation's name"]),
    ];
    let mut runs = Vec::new();
    for (purpose, refusal, words) in cases {
        let options = FakeOptions {
            refusals: vec![(purpose, refusal)],
            retry_after: 86_400.0,
            ..FakeOptions::default()
        };
        let fake = Fake::start(vec![organisation(&events(10, 1, now()), 2)], options);
        // Hosts of their own, as the real services are: one that wants to be left alone for long is, and the others
        // are asked meanwhile.
        let apart: Vec<(&str, String)> = fake
            .variables()
            .into_iter()
            .map(|(name, value)| {
                let audit = name == "PATWATCH_AUDIT_URL";
                (name, if audit { value.to_owned() } else { value.replace("127.0.0.1", "localhost") })
            })
            .collect();
        let apart: Vec<(&str, &str)> = apart.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let ran = place.run_with(&apart, &pull("lake", &["-vv", "--since", "1d"]));
        // User states are an addition; everything else was asked for.
        let code = if purpose == Purpose::Entitlements { 0 } else { 2 };
        assert_eq!(ran.code, code, "{purpose:?} {refusal:?}: {}", ran.stderr);
        for word in words {
            assert!(ran.stderr.contains(word), "{purpose:?} {refusal:?} lacks {word}: {}", ran.stderr);
        }
        assert!(ran.stderr.contains("hint: "), "{}", ran.stderr);
        assert!(fake.server.requests().len() < 20, "{}", fake.server.requests().len());
        runs.push(ran);
    }
    // A wrong credential, and nobody there.
    let fake = Fake::start(
        vec![organisation(&[], 1)],
        FakeOptions { pats: vec!["other".to_owned()], ..FakeOptions::default() },
    );
    let ran = place.run_with(&fake.variables(), &pull("lake", &["--since", "1d"]));
    assert!(ran.code == 2 && ran.stderr.contains("(401)"), "{}", ran.stderr);
    runs.push(ran);
    let mut variables = fake.variables();
    variables.retain(|(name, _)| *name != "AZURE_DEVOPS_EXT_PAT");
    let ran = place.run_with(&variables, &pull("lake", &[]));
    assert!(ran.code == 2 && ran.stderr.contains("AZURE_DEVOPS_EXT_PAT is not set"), "{}", ran.stderr);
    let ran = place.run_with(
        &[("PATWATCH_AUDIT_URL", "http://example.org"), ("AZURE_DEVOPS_EXT_PAT", "x")],
        &pull("lake", &[]),
    );
    assert!(ran.code == 2 && ran.stderr.contains("PATWATCH_AUDIT_URL cannot be used"), "{}", ran.stderr);
    nothing_secret(&place, &runs.iter().collect::<Vec<_>>());
}

/// How the fake behaves, its log, the exit code, the check that fails, and words of its mend.
type Case<'a> = (FakeOptions, &'a [String], i32, &'static str, &'static [&'static str]);

#[test]
fn the_doctor_names_what_is_missing_with_its_exit_code() {
    let place = Place::new();
    let ask = |options: FakeOptions, rows: &[String]| -> Ran {
        let fake = Fake::start(vec![organisation(rows, 2)], options);
        place.run_with(&fake.variables(), &["-vv", "doctor", "--org", ORG, "--auth", "pat"])
    };
    let rows = events(10, 1, now());
    let good = ask(FakeOptions::default(), &rows);
    assert_eq!(good.code, 0, "{}", good.stdout);
    for name in [
        "lake",
        "sign-in",
        "audit log",
        "auditing",
        "users (Graph)",
        "token administration",
        "user entitlements",
    ] {
        let line = good.stdout.lines().find(|line| line.contains(name));
        assert!(line.is_some_and(|line| line.starts_with("ok ")), "{name}: {}", good.stdout);
    }
    let refused =
        |purpose, refusal| FakeOptions { refusals: vec![(purpose, refusal)], ..FakeOptions::default() };
    let cases: [Case<'_>; 7] = [
        (
            refused(Purpose::Audit, Refusal::Forbidden),
            &rows,
            2,
            "audit log",
            &["\"View audit log\" = Allow", "vso.auditlog"],
        ),
        (
            FakeOptions::default(),
            &[],
            2,
            "auditing",
            &["Organization settings > Policies > Log Audit Events"],
        ),
        (refused(Purpose::Graph, Refusal::Unauthorized), &rows, 2, "users (Graph)", &["vso.graph"]),
        (
            refused(Purpose::TokenAdmin, Refusal::Forbidden),
            &rows,
            2,
            "token administration",
            &["vso.tokenadministration"],
        ),
        (
            refused(Purpose::Entitlements, Refusal::Forbidden),
            &rows,
            0,
            "user entitlements (not needed",
            &["vso.memberentitlementmanagement"],
        ),
        (
            refused(Purpose::Audit, Refusal::NotAMember),
            &rows,
            2,
            "audit log",
            &["Organization settings > Users"],
        ),
        (
            FakeOptions { pats: vec!["other".to_owned()], ..FakeOptions::default() },
            &rows,
            2,
            "sign-in",
            &["expired or revoked"],
        ),
    ];
    for (options, rows, code, name, words) in cases {
        let ran = ask(options, rows);
        assert_eq!(ran.code, code, "{name}: {}", ran.stdout);
        let line = ran.stdout.lines().find(|line| line.starts_with("missing") && line.contains(name));
        assert!(line.is_some(), "{name}: {}", ran.stdout);
        for word in words {
            assert!(ran.stdout.contains(word), "{name} lacks {word}: {}", ran.stdout);
        }
        nothing_secret(&place, &[&ran]);
    }
    // A lake that cannot be written, and none at all.
    let file = place.write("file", "no folder");
    let ran = place.run(&["--lake", &file.display().to_string(), "doctor"]);
    assert!(ran.code == 2 && ran.stdout.contains("missing  lake:"), "{}", ran.stdout);
    let ran = place.run(&["--lake", "new", "doctor"]);
    assert!(ran.code == 0 && !place.path("new").exists(), "{}", ran.stdout);
}

#[test]
fn the_fake_can_be_started_by_hand() {
    let place = Place::new();
    let made = place.run(&["simulate", "--seed", "3", "--tokens", "12", "--days", "45", "--output", "org"]);
    assert_eq!(made.code, 0, "{}", made.stderr);
    let mut server = std::process::Command::new(env!("CARGO_BIN_EXE_patwatch"))
        .args(["-q", "fake-services", "org", "--latency-ms", "0", "--faults", "0.05"])
        .current_dir(place.path("."))
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("start");
    let lines: Vec<String> = lines_of(server.stdout.take().expect("stdout"), 5)
        .into_iter()
        .map(|line| line.trim_start_matches("export ").to_owned())
        .collect();
    let variables: Vec<(&str, &str)> = lines.iter().filter_map(|line| line.split_once('=')).collect();
    assert_eq!(variables.len(), 5, "{lines:?}");
    let args = ["pull", "--org", "larkmoor-sample", "--auth", "pat", "--since", "60d"];
    let ran = place.run_with(&variables, &args);
    let doctor = place.run_with(&variables, &["doctor", "--org", "larkmoor-sample", "--auth", "pat"]);
    server.kill().expect("kill");
    ended(&mut server, DEADLINE);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(doctor.code, 0, "{}{}", doctor.stdout, doctor.stderr);
    // As many events and tokens as the files hold.
    let query =
        ["query", "SELECT COUNT(*) AS n, COUNT(DISTINCT action) AS a FROM events", "--format", "json"];
    let pulled = place.run(&query);
    let from = ["--from", "org"];
    let files = place.run(&[&query[..], &from].concat());
    assert_eq!(pulled.json(), files.json(), "{}", ran.stderr);
    let help = place.run(&["--help"]);
    assert!(!help.stdout.contains("fake-services"), "{}", help.stdout);
}

#[test]
fn a_day_that_cannot_be_read_is_left_for_the_next_run() {
    let place = Place::new();
    let end = now();
    let rows = events(60, 3, end);
    let options = FakeOptions { repeat_token: true, audit_page: 5, ..FakeOptions::default() };
    let fake = Fake::start(vec![organisation(&rows, 1)], options);
    let ran = place.run_with(&fake.variables(), &pull("lake", &["--since", "3d"]));
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.stderr.contains("the pages do not end"), "{}", ran.stderr);
    assert!(ran.stderr.contains("0 new events"), "nothing of a broken day is kept: {}", ran.stderr);
    drop(fake);
    let fake = Fake::start(vec![FakeOrganisation { ..organisation(&rows, 1) }], FakeOptions::default());
    let ran = place.run_with(&fake.variables(), &pull("lake", &["--since", "3d"]));
    let within = rows.len() - usize::from(now() - end > DAY);
    assert!(ran.code == 0 && ran.stderr.contains(&format!("{within} new events")), "{}", ran.stderr);
}
