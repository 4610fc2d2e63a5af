//! `pull` and `doctor` against a real server that plays the four services.

use crate::support::{Log, OWNER, Place, guid, pat};
use patwatch::model::time::{DAY, HOUR, format_time};
use patwatch::source::azure_devops::fake::{FakeFiles, FakeOptions, FakeOrganisation, FakeServer};
use serde_json::json;

/// A PAT of the present form that belongs to nobody.
fn secret() -> String {
    format!("{}AZDO4Tkk", "a1B2c3D4e5F6".repeat(7).get(..76).expect("length"))
}

#[test]
fn a_pull_gives_what_an_import_gives_and_asks_only_for_what_is_new() {
    let place = Place::new();
    let now = chrono::Utc::now().timestamp_micros();
    let id = guid(1);
    let mut log = Log::default();
    for day in 1..12 {
        for hour in [0, 5, 11] {
            log.add(
                &format_time(now - day * DAY - hour * HOUR),
                "Git.RepositoryCreated",
                &format!("PAT authorizationId: {id}"),
                json!({}),
            );
        }
    }
    let audit = place.write("audit.json", log.page());
    let descriptor = "aad.MGQ1ZTFjMWEtN2ExMS03YzFhLTliMWYtNmI4YTFmMGMwMDAx";
    let users = json!({ "value": [{ "subjectKind": "user", "descriptor": descriptor, "principalName": "ann@contoso.example", "displayName": "Ann" }] });
    let files = FakeFiles {
        audit: vec![audit],
        users: vec![place.write("users.json", users.to_string())],
        tokens: vec![place.write("tokens.json", json!([pat(&id, "deploy", "vso.code_manage")]).to_string())],
        ..FakeFiles::default()
    };
    let secret = secret();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("runtime");
    let options = FakeOptions { pats: vec![secret.clone()], audit_page: 4, ..FakeOptions::default() };
    let org = FakeOrganisation::load("contoso", &files).expect("load");
    let server = runtime.block_on(FakeServer::start(vec![org], options, 0)).expect("server");
    let url = server.url();
    let variables = [
        ("PATWATCH_AUDIT_URL", url.as_str()),
        ("PATWATCH_VSSPS_URL", &url),
        ("PATWATCH_VSAEX_URL", &url),
        ("PATWATCH_DEV_URL", &url),
        ("AZURE_DEVOPS_EXT_PAT", &secret),
    ];
    let pull = ["-vv", "pull", "--org", "contoso", "--auth", "pat", "--since", "20d", "--keep-raw", "raw"];
    let first = place.run_with(&variables, &pull);
    assert_eq!(first.code, 0, "{}", first.stderr);
    assert!(first.stderr.contains("33 new events, 1 tokens"), "{}", first.stderr);
    let second = place.run_with(&variables, &pull);
    assert_eq!(second.code, 0, "{}", second.stderr);
    assert!(second.stderr.contains("0 new events"), "{}", second.stderr);
    let asked = |text: &str| -> u32 {
        let line = text.lines().find(|l| l.ends_with("days to read")).expect("line");
        line.split_whitespace().nth(1).and_then(|n| n.parse().ok()).expect("number")
    };
    assert!(asked(&first.stderr) >= 20 && asked(&second.stderr) <= 3, "{}\n{}", first.stderr, second.stderr);

    let doctor = place.run_with(&variables, &["doctor", "--org", "contoso", "--auth", "pat"]);
    assert!(doctor.stdout.contains("audit"), "{}", doctor.stdout);
    for ran in [&first, &second, &doctor] {
        assert!(!ran.stderr.contains(&secret) && !ran.stdout.contains(&secret), "the secret is shown");
    }
    let refused = place.run_with(
        &[variables[0], variables[1], variables[2], variables[3], ("AZURE_DEVOPS_EXT_PAT", "wrong")],
        &pull,
    );
    assert_eq!(refused.code, 2);
    assert!(refused.stderr.contains("hint:"), "{}", refused.stderr);

    assert_eq!(place.run(&["--lake", "files", "import", "audit.json"]).code, 0);
    let query = [
        "query",
        "SELECT event_id, time, credential, actor_id FROM events ORDER BY event_id",
        "--format",
        "json",
    ];
    let pulled = place.run(&query);
    let imported = place.run(&[&["--lake", "files"], &query[..]].concat());
    assert_eq!(pulled.json(), imported.json(), "{} {}", pulled.stderr, imported.stderr);
    let tokens = place.run(&["tokens", "--format", "json"]).json();
    assert_eq!(tokens["coverage"][0]["basis"], "pulled");
    assert_eq!(tokens["tokens"][0]["owner_id"], OWNER);
}
