//! From a finding to an action: a token found by what one has, its timeline, the request that revokes it.

use crate::support::{Place, root};

fn sample(place: &Place, args: &[&str]) -> crate::support::Ran {
    let from = root().join("sample-data");
    place.run(&[args, &["--from", from.to_str().expect("UTF-8")]].concat())
}

#[test]
fn a_token_of_the_sample_is_found_listed_and_followed() {
    let place = Place::new();
    let from = root().join("sample-data");
    let imported = place.run(&["import", from.to_str().expect("UTF-8")]);
    assert_eq!(imported.code, 0, "{}", imported.stderr);
    let tokens = place.run(&["tokens", "--format", "json", "--sort", "risk"]).json();
    let rows = tokens["tokens"].as_array().expect("tokens");
    let seen = |t: &&serde_json::Value| {
        t["use"]["verdict"] == "observed" && t["token_id"].as_str().is_some_and(|id| id.len() == 36)
    };
    let token = rows.iter().find(seen).expect("a token with events");
    let (id, owner) = (token["token_id"].as_str().expect("id"), token["owner"].as_str().expect("owner"));

    // Choice, order and limit.
    let few = place.run(&["tokens", "--format", "json", "--owner", owner, "--limit", "1"]).json();
    assert_eq!(few["tokens"].as_array().expect("tokens").len(), 1);
    assert_eq!(few["tokens"][0]["owner"], owner);
    let revoke = place.run(&["tokens", "--format", "json", "--advice", "revoke"]).json();
    assert!(revoke["tokens"].as_array().expect("tokens").iter().all(|t| t["advice"]["action"] == "revoke"));

    // A pasted mechanism finds it; nothing and one digit find nothing.
    let pasted = place.run(&["token", &format!("PAT authorizationId: {id}")]);
    assert!(pasted.code == 0 && pasted.stdout.contains(id), "{}", pasted.stderr);
    assert_eq!(place.run(&["token", ""]).code, 2);
    assert_eq!(place.run(&["timeline", " "]).code, 2);

    // Every event of the timeline is the token's or about it, oldest first, with its data.
    let events = place.run(&["timeline", id, "--format", "ndjson"]);
    assert_eq!(events.code, 0, "{}", events.stderr);
    let lines: Vec<serde_json::Value> =
        events.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert!(!lines.is_empty());
    assert!(lines.windows(2).all(|w| w[0]["time"].as_str() <= w[1]["time"].as_str()));
    let own: Vec<_> = lines.iter().filter(|l| l["token"].as_str().is_some_and(|t| t.contains(id))).collect();
    assert!(!own.is_empty());
    assert!(own.iter().any(|l| l["data"].is_object()), "{}", own[0]);
    let event = own[0]["event_id"].as_str().expect("id");
    let address = own[0]["address"].as_str().expect("address");

    // The address leads to the same event, and so does its network.
    for place_of in [address.to_owned(), format!("{address}/24")] {
        let there = place.run(&["timeline", &place_of, "--format", "csv"]);
        assert!(there.code == 0 && there.stdout.contains(event), "{place_of}: {}", there.stderr);
    }
    // A span that ends before an event leaves it out.
    let time = own[0]["time"].as_str().expect("time");
    let later = place.run(&["timeline", id, "--since", "2026-01-01", "--until", "2026-01-02"]);
    assert!(!later.stdout.contains(event), "{time}");
    // What happened around an event says why it is shown, and contains the event itself.
    let around = place.run(&["timeline", id, "--around", event, "1h", "--format", "markdown"]);
    assert!(around.code == 0 && around.stdout.contains("why") && around.stdout.contains(event));
    assert_eq!(place.run(&["timeline", id, "--around", "no-such-event", "1h"]).code, 2);
    // Without colour no escape leaves the program.
    assert!(!place.run(&["timeline", owner]).stdout.contains('\u{1b}'));

    // The hour of the event names the token as active.
    let at = place.run(&["tokens", "--at", time, "--format", "json"]).json();
    assert!(at["tokens"].as_array().expect("tokens").iter().any(|t| t["token_id"] == id));

    // The request names the token and says that nothing was changed.
    let request = place.run(&["revoke", id]);
    assert_eq!(request.code, 0, "{}", request.stderr);
    for text in ["changes nothing", "az rest", &format!("[{{\"authorizationId\":\"{id}\"}}]"), "right:"] {
        assert!(request.stdout.contains(text), "{text}: {}", request.stdout);
    }
    assert_eq!(place.run(&["revoke", "nobody-has-this"]).code, 2);
}

#[test]
fn an_unknown_address_is_named_in_the_error() {
    let ran = sample(&Place::new(), &["token", "198.18.77.1"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("198.18.77.1"), "{}", ran.stderr);
}
