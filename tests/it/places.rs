//! Context that the user hands in: own networks and databases of places, from the file to the finding.

use crate::mmdb::{Field, database};
use crate::support::{Log, Place, guid, inventory, pat};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

const HOME: &str = "203.0.113.0/24";
const AWAY: &str = "198.51.100.0/24";

fn country(code: &'static str) -> Field {
    Field::Map(vec![("country", Field::Map(vec![("iso_code", Field::Text(code))]))])
}

fn operator(number: u32, name: &'static str) -> Field {
    Field::Map(vec![
        ("autonomous_system_number", Field::Number(number)),
        ("autonomous_system_organization", Field::Text(name)),
    ])
}

/// A token that works at home for weeks, and one day elsewhere with another client.
fn organisation() -> (Place, String) {
    let place = Place::new();
    let token = guid(1);
    let mut log = Log::default();
    log.office(80);
    for day in 1..60 {
        let date = crate::support::chrono_day(day);
        log.add(
            &format!("{date}T09:00:00Z"),
            "Git.RepositoryRenamed",
            &format!("PAT_Unscoped authorizationId: {token}"),
            json!({}),
        );
    }
    let date = crate::support::chrono_day(65);
    log.add(
        &format!("{date}T09:10:00Z"),
        "Git.RepositoryRenamed",
        &format!("PAT_Unscoped authorizationId: {token}"),
        json!({}),
    );
    let stranger = log.events.last_mut().expect("an event");
    stranger["ipAddress"] = json!("198.51.100.7");
    stranger["userAgent"] = json!("python-requests/2.32.0");
    place.write("in/audit.json", log.page());
    place.write("in/pats.json", inventory(&[pat(&token, "deploy", "vso.code_manage")]));
    place.write(
        "countries.mmdb",
        database(
            "Test-Country",
            &[(HOME, country("FR")), (AWAY, country("BR")), ("2001:db8::/32", country("SE"))],
        ),
    );
    place.write(
        "operators.mmdb",
        database(
            "Test-ASN",
            &[(HOME, operator(64_500, "Example Networks")), (AWAY, operator(64_501, "Exemplo"))],
        ),
    );
    (place, token)
}

fn first_place(place: &Place, more: &[&str]) -> Value {
    let args = [&["check", "--from", "in", "--select", "PAT-A001", "--format", "json"], more].concat();
    let ran = place.run(&args);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let found = ran.json()["findings"].clone();
    assert_eq!(found.as_array().map(Vec::len), Some(1), "{found}");
    found[0].clone()
}

#[test]
fn a_place_weighs_what_the_context_says() {
    let (place, _) = organisation();
    let plain = first_place(&place, &[]);
    assert_eq!(plain["severity"], "high");
    let message = plain["message"].as_str().expect("text");
    assert!(message.contains("from the network 198.51.100.0/24 with the client"), "{message}");

    let placed = first_place(&place, &["--geo", "countries.mmdb", "--geo", "operators.mmdb"]);
    let message = placed["message"].as_str().expect("text");
    assert!(message.contains("198.51.100.0/24 (Exemplo, BR, where the token never was)"), "{message}");
    assert_eq!(placed["fingerprint"], plain["fingerprint"], "context changes the weight, not the finding");

    place.write("patwatch.toml", "networks = [\"198.51.100.0/25\"]\n");
    let own = first_place(&place, &[]);
    assert_eq!(own["severity"], "low");
    let message = own["message"].as_str().expect("text");
    assert!(message.contains("(one of the organisation's own networks)"), "{message}");
    place.write("patwatch.toml", "networks = [\"198.51.100.128/25\"]\n");
    assert_eq!(first_place(&place, &[])["severity"], "high", "the address is outside");
}

#[test]
fn the_table_tells_what_is_known_and_the_manifest_from_where() {
    let (place, _) = organisation();
    place.write("patwatch.toml", "networks = [\"203.0.113.0/24\"]\ngeo = [\"operators.mmdb\"]\n");
    let args = ["query", "SELECT * FROM places ORDER BY network", "--from", "in", "--format", "json"];
    let ran = place.run(&[&args[..], &["--geo", "countries.mmdb"]].concat());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let rows = ran.json();
    let rows = rows.get("rows").unwrap_or(&rows);
    assert_eq!(
        rows,
        &json!([
            {"org": "contoso", "network": AWAY, "own": false, "country": "BR", "asn": 64_501, "as_name": "Exemplo", "addresses": 1},
            {"org": "contoso", "network": HOME, "own": true, "country": "FR", "asn": 64_500, "as_name": "Example Networks", "addresses": 1},
        ])
    );

    let ran = place.run(&["report", "--from", "in", "--output", "out", "--geo", "countries.mmdb"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let manifest: Value =
        serde_json::from_slice(&std::fs::read(place.path("out/manifest.json")).expect("file")).expect("JSON");
    let bytes = std::fs::read(place.path("countries.mmdb")).expect("file");
    let hash: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    let inputs = manifest["inputs"].as_array().expect("inputs");
    let of = |name: &str| inputs.iter().find(|i| i["name"] == name).unwrap_or_else(|| panic!("no {name}"));
    assert_eq!(of("countries.mmdb")["sha256"], json!(hash));
    assert_eq!(of("operators.mmdb")["kind"], "places");
    // Without context the table is there, and empty.
    std::fs::remove_file(place.path("patwatch.toml")).expect("removed");
    let ran = place.run(&args);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let rows = ran.json();
    assert_eq!(rows.get("rows").unwrap_or(&rows), &json!([]));
}

#[test]
fn addresses_of_another_organisation_change_nothing_here() {
    let (place, _) = organisation();
    let alone = first_place(&place, &["--geo", "countries.mmdb"]);
    // The same network, of which the other organisation shows an address elsewhere.
    let mut other = Log::default();
    other.add(
        "2026-03-01T09:00:00Z",
        "Git.RepositoryRenamed",
        &format!("PAT authorizationId: {}", guid(9)),
        json!({}),
    );
    other.events[0]["ipAddress"] = json!("198.51.100.200");
    place.write("in/other.json", other.elsewhere().page());
    place.write(
        "countries.mmdb",
        database(
            "Test-Country",
            &[
                (HOME, country("FR")),
                ("198.51.100.0/25", country("BR")),
                ("198.51.100.128/25", country("SE")),
            ],
        ),
    );
    let all = first_place(&place, &["--geo", "countries.mmdb"]);
    assert_eq!(all["message"], alone["message"]);
    let ran = place.run(&[
        "query",
        "SELECT org, network, country FROM places WHERE network = '198.51.100.0/24' ORDER BY org",
        "--from",
        "in",
        "--geo",
        "countries.mmdb",
        "--format",
        "json",
    ]);
    let rows = ran.json();
    assert_eq!(
        rows.get("rows").unwrap_or(&rows),
        &json!([
            {"org": "contoso", "network": AWAY, "country": "BR"},
            {"org": "fabrikam", "network": AWAY, "country": "SE"},
        ])
    );
}

#[test]
fn a_file_that_is_no_such_database_is_refused() {
    let (place, _) = organisation();
    place.write("text.mmdb", "not a database");
    let whole = std::fs::read(place.path("countries.mmdb")).expect("file");
    place.write("cut.mmdb", &whole[..whole.len() / 2]);
    let domains = Field::Map(vec![("domain", Field::Text("example.com"))]);
    place.write("domains.mmdb", database("Test-Domain", &[(HOME, domains)]));
    for (file, why) in [
        ("missing.mmdb", "cannot read missing.mmdb"),
        ("text.mmdb", "text.mmdb is no database in MaxMind's format"),
        ("cut.mmdb", "cut.mmdb is no database in MaxMind's format"),
        ("domains.mmdb", "domains.mmdb (Test-Domain) tells neither countries nor ASNs"),
    ] {
        let ran = place.run(&["check", "--from", "in", "--geo", file]);
        assert_eq!(ran.code, 2, "{file}");
        assert!(ran.stderr.contains(why) && ran.stderr.contains("hint"), "{file}: {}", ran.stderr);
    }
}
