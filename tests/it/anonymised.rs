//! An anonymised bundle holds nothing of the organisation but numbers, times, digests and the ids of tokens and events.

use crate::support::{Log, OWNER, Place, guid, inventory, pat, root};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Every text file below a folder, by its path there.
fn texts(folder: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(at) = open.pop() {
        for entry in std::fs::read_dir(&at).expect("folder") {
            let path = entry.expect("entry").path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_none_or(|e| e != "png") {
                let name = path.strip_prefix(folder).expect("below").display().to_string();
                found.insert(name, std::fs::read_to_string(&path).expect("text"));
            }
        }
    }
    found
}

/// Words of a text in lower case: runs of letters, digits and what stands inside of names.
fn words(text: &str) -> impl Iterator<Item = String> {
    let inside = |c: char| c.is_alphanumeric() || "._-@".contains(c);
    text.split(move |c: char| !inside(c))
        .map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase())
        .filter(|word| word.len() > 1)
        .collect::<Vec<_>>()
        .into_iter()
}

/// Words of the pack, the catalogue, the templates, and of the sentences in the program.
fn own_words() -> BTreeSet<String> {
    let mut own = BTreeSet::new();
    let mut open = vec![root().join("queries"), root().join("src")];
    while let Some(at) = open.pop() {
        for entry in std::fs::read_dir(&at).expect("folder") {
            let path = entry.expect("entry").path();
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            if path.is_dir() {
                // These make up organisations of their own.
                if !["lab", "sample", "fake", "tests"].contains(&name.as_str()) {
                    open.push(path);
                }
                continue;
            }
            own.extend(words(name.trim_end_matches(".sql")));
            let text = std::fs::read_to_string(&path).expect("text");
            if !name.ends_with(".rs") {
                own.extend(words(&text));
                continue;
            }
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            for line in code.lines().filter(|line| !line.trim_start().starts_with("//")) {
                own.extend(line.split('"').flat_map(words));
            }
        }
    }
    own
}

/// Every text in the machine-readable files of a bundle.
fn values(bundle: &BTreeMap<String, String>) -> BTreeSet<String> {
    fn walk(value: &Value, out: &mut BTreeSet<String>) {
        match value {
            Value::String(text) => drop(out.insert(text.clone())),
            Value::Array(items) => items.iter().for_each(|v| walk(v, out)),
            Value::Object(fields) => fields.values().for_each(|v| walk(v, out)),
            _ => {}
        }
    }
    let mut out = BTreeSet::new();
    for (name, text) in bundle {
        if name.ends_with(".json") || name.ends_with(".sarif") {
            walk(&serde_json::from_str(text).expect("JSON"), &mut out);
        } else if name.ends_with(".csv") {
            for record in csv::Reader::from_reader(text.as_bytes()).records() {
                out.extend(record.expect("a record").iter().map(str::to_owned));
            }
        }
    }
    out
}

/// Ids of tokens and events, and cut ids of tokens, which stay.
fn ids(bundle: &BTreeMap<String, String>) -> BTreeSet<String> {
    fn walk(key: &str, value: &Value, out: &mut BTreeSet<String>) {
        let names_ids =
            key.contains("event") || key.contains("token_id") || key == "credential" || key == "candidates";
        match value {
            Value::String(text) if names_ids => out.extend(words(text)),
            Value::Array(items) => items.iter().for_each(|v| walk(key, v, out)),
            Value::Object(fields) => {
                if key == "subject" && fields.get("kind") == Some(&json!("token")) {
                    out.extend(fields["id"].as_str().map(str::to_lowercase));
                }
                fields.iter().for_each(|(k, v)| walk(k, v, out));
            }
            _ => {}
        }
    }
    let mut out = BTreeSet::new();
    for name in ["findings.json", "tokens.json"] {
        walk("", &serde_json::from_str(&bundle[name]).expect("JSON"), &mut out);
    }
    out
}

/// Numbers, times, digests and what is made of them.
fn is_plain(word: &str) -> bool {
    let digits = word.bytes().all(|b| b.is_ascii_digit() || b"._-tzdhk".contains(&b))
        && word.bytes().any(|b| b.is_ascii_digit());
    let digest =
        word.len() >= 12 && word.bytes().all(|b| b.is_ascii_hexdigit()) || word.starts_with("state-");
    digits || digest || word.starts_with("pat-")
}

/// Returns what of the plain bundle is in the other although nothing allows it.
fn leaks(plain: &BTreeMap<String, String>, other: &BTreeMap<String, String>) -> Vec<String> {
    let (own, ids) = (own_words(), ids(plain));
    let mut there = BTreeSet::new();
    for text in other.values() {
        there.extend(words(text));
    }
    let mut leaks: BTreeSet<String> = BTreeSet::new();
    for text in values(plain) {
        for word in words(&text) {
            let pieces =
                || word.split(['.', '_', '-', '@']).all(|piece| piece.len() < 2 || own.contains(piece));
            // A credential that the log cuts is the beginning of a token's id.
            let cut = || {
                word.len() >= 19 && ids.range(word.clone()..).next().is_some_and(|id| id.starts_with(&word))
            };
            let allowed = own.contains(&word)
                || ids.contains(&word)
                || is_plain(&word)
                || cut()
                || !is_guid(&word) && pieces();
            if !allowed && there.contains(&word) {
                leaks.insert(word);
            }
        }
    }
    leaks.into_iter().collect()
}

fn is_guid(word: &str) -> bool {
    word.len() == 36
        && word.bytes().filter(|b| *b == b'-').count() == 4
        && word.bytes().all(|b| b == b'-' || b.is_ascii_hexdigit())
}

fn bundles(place: &Place, from: &str) -> [BTreeMap<String, String>; 2] {
    let key = [("PATWATCH_PSEUDONYM_KEY", "key")];
    let lake = ["--lake", "lake"];
    assert_eq!(place.run(&[&lake[..], &["import", from]].concat()).code, 0);
    let plain = place.run(&[&lake[..], &["report", "--output", "plain"]].concat());
    assert_eq!(plain.code, 0, "{}", plain.stderr);
    let other = place.run_with(&key, &[&lake[..], &["report", "--output", "other", "--anonymise"]].concat());
    assert_eq!(other.code, 0, "{}", other.stderr);
    [texts(&place.path("plain")), texts(&place.path("other"))]
}

#[test]
fn nothing_of_the_sample_organisation_is_in_its_anonymised_bundle() {
    let place = Place::new();
    let [plain, other] = bundles(&place, &root().join("sample-data").display().to_string());
    assert_eq!(leaks(&plain, &other), Vec::<String>::new());
    assert!(leaks(&plain, &plain).len() > 30, "the test can fail");
}

#[test]
fn planted_names_are_in_no_byte_of_an_anonymised_bundle() {
    let place = Place::new();
    let mut planted: Vec<String> = Vec::new();
    let mut name = |kind: &str| {
        planted.push(format!("{kind}qz{:02}", planted.len()));
        planted[planted.len() - 1].clone()
    };
    let (oldcorp, newcorp) = (name("oldcorp"), name("newcorp"));
    let (old_upn, new_upn, display) = (name("olga"), name("olgamarried"), name("Olgan"));
    let token = guid(1);
    let mechanism = format!("PAT authorizationId: {token}");
    let mut log = Log::default();
    log.office(45);
    let half = log.events.len() / 2;
    let mut add = |day: u32, hour: u32, action: &str, mechanism: &str, data: Value| {
        log.add(&format!("{}T{hour:02}:20:00Z", crate::support::chrono_day(day)), action, mechanism, data);
    };
    let unknown_action = format!("Quokka.{}Deleted", name("Thing"));
    let former = [name("former-token"), name("older-token"), name("token-now")];
    for (day, called) in [(3, &former[1]), (20, &former[0]), (30, &former[2])] {
        let action = if day == 3 { "Token.PatCreateEvent" } else { "Token.PatUpdateEvent" };
        let scopes = if day == 3 {
            format!("vso.{} vso.code", name("zebrascope"))
        } else {
            "vso.code_manage".to_owned()
        };
        add(
            day,
            9,
            action,
            "AAD_Cookie",
            json!({
                "AuthorizationId": token, "DisplayName": called, "OwnerId": OWNER, "Scopes": scopes,
                "ValidTo": format!("2026-{:02}-01T00:00:00Z", 4 + day / 10),
            }),
        );
    }
    // Storage keys and other ids of people and things that are neither tokens nor events.
    let people: Vec<String> = (0..4).map(|n| guid(900 + n)).collect();
    let repo = guid(950);
    for day in 4..40 {
        add(day, 10, "Git.RepositoryCreated", &mechanism, json!({"RepoName": "r", "RepoId": repo}));
    }
    add(36, 11, &unknown_action, &mechanism, json!({}));
    add(
        36,
        12,
        "Extension.Installed",
        "AAD_Cookie",
        json!({"ExtensionName": name("ext"), "PublisherName": name("publisher")}),
    );
    add(
        36,
        13,
        "Library.VariableGroupModified",
        "AAD_Cookie",
        json!({"VariableGroupName": name("vargroup"), "Variables": {"dbPassword": {"value": "y1"}}}),
    );
    add(
        36,
        14,
        "Group.UpdateGroupMembership.Add",
        "AAD_Cookie",
        json!({
            "GroupName": format!("[{}]\\Project Collection Administrators", name("collection")), "MemberDisplayName": name("member"), "MemberId": people[0],
        }),
    );
    add(
        36,
        15,
        "Policy.PolicyConfigRemoved",
        &mechanism,
        json!({"PolicyTypeDisplayName": name("policy"), "RepoName": name("repo"), "RepoId": repo}),
    );
    add(36, 16, "Library.AgentPoolCreated", "AAD_Cookie", json!({"AgentPoolName": name("pool")}));
    add(
        36,
        17,
        "Library.AgentAdded",
        "AAD_Cookie",
        json!({"AgentPoolName": name("agentpool"), "AgentName": name("agent"), "OSDescription": name("os")}),
    );
    add(
        36,
        18,
        "Library.ServiceConnectionCreated",
        &mechanism,
        json!({"ConnectionName": name("connection"), "ConnectionType": name("contype")}),
    );
    add(36, 19, "Pipelines.PipelineDeleted", &mechanism, json!({"PipelineName": name("pipeline")}));
    add(
        36,
        20,
        "Git.RepositoryDeleted",
        &mechanism,
        json!({"RepoName": name("deletedrepo"), "RepoId": repo}),
    );
    add(
        36,
        21,
        "AuditLog.StreamDisabledByUser",
        "AAD_Cookie",
        json!({"ConsumerType": name("consumer"), "ConsumerId": people[1]}),
    );
    add(
        37,
        9,
        "Security.ModifyPermission",
        &mechanism,
        json!({
            "PermissionNames": name("permission"), "SubjectDisplayName": name("subject"), "SubjectDescriptor": format!("aad.{}", people[2].replace('-', "Yz")),
            "NamespaceName": "Git Repositories", "Token": format!("repoV2/{repo}"),
        }),
    );
    add(
        37,
        10,
        "Project.UpdateVisibilityCompleted",
        "AAD_Cookie",
        json!({"ProjectVisibility": "public", "PreviousProjectVisibility": "private", "ProjectName": name("publicproject")}),
    );
    add(
        37,
        11,
        "Token.PatCreateEvent",
        "AAD_Cookie",
        json!({"AuthorizationId": guid(5), "DisplayName": name("othertoken"), "OwnerId": people[3], "OwnerName": name("otherowner"), "Scopes": "app_token"}),
    );
    add(
        37,
        12,
        "Artifacts.Feed.ModifyUpstreams",
        &mechanism,
        json!({"FeedName": name("feed"), "UpstreamsAdded": name("upstream")}),
    );
    add(
        37,
        13,
        "OrganizationPolicy.PolicyValueUpdated",
        "AAD_Cookie",
        json!({"PolicyName": name("orgpolicy"), "PolicyValue": "ON"}),
    );
    let (project, client, place_name) = (name("project"), name("client"), name("network"));
    for (n, event) in log.events.iter_mut().enumerate() {
        let upn = if n < half { &old_upn } else { &new_upn };
        event["actorUPN"] = json!(format!("{upn}@example.org"));
        event["actorDisplayName"] = json!(display);
        event["scopeDisplayName"] =
            json!(format!("{} (Organization)", if n < half { &oldcorp } else { &newcorp }));
        if event["authenticationMechanism"] == mechanism.as_str() {
            event["projectName"] = json!(project);
            event["projectId"] = json!(guid(960));
            event["userAgent"] = json!(format!("{client}/1.{n}"));
        }
    }
    for (event, person) in log.events.iter_mut().rev().zip(people.iter().cycle()).take(8) {
        event["actorUserId"] = json!(person);
        event["actorUPN"] = json!("");
        event["actorDisplayName"] = json!("");
        event["actorCUID"] = json!(guid(970));
        event["ipAddress"] = json!(format!("2001:db8:{}::7", 40));
    }
    place.write(&format!("in/{place_name}-audit.json"), log.page());
    let mut rows = vec![
        pat(&token, &former[2], &format!("vso.code vso.{} {}.scope", name("quagga"), name("foreign"))),
        pat(&guid(2), &name("unused"), "app_token"),
    ];
    rows[1]["userId"] = json!(guid(980));
    rows.extend((0..12).map(|n| pat(&guid(20 + n), &name("listed"), "vso.code")));
    place.write("in/inventory.json", inventory(&rows));
    let [plain, other] = bundles(&place, "in");
    assert!(planted.len() >= 30, "{}", planted.len());
    let holds = |bundle: &BTreeMap<String, String>, text: &str| {
        let low = text.to_lowercase();
        bundle.iter().find(|(_, bytes)| bytes.to_lowercase().contains(&low)).map(|(name, _)| name.clone())
    };
    for text in planted
        .iter()
        .chain(&people)
        .chain([&repo, &guid(960), &guid(970), &guid(980)])
        .map(String::as_str)
        .chain([OWNER])
    {
        assert_eq!(holds(&other, text), None, "{text}");
    }
    let seen = planted.iter().filter(|text| holds(&plain, text).is_some()).count();
    assert!(seen >= 30, "only {seen} of {} planted names are in the plain bundle", planted.len());
    assert!(holds(&plain, OWNER).is_some() && holds(&other, &token).is_some());
    assert_eq!(leaks(&plain, &other), Vec::<String>::new());
}
