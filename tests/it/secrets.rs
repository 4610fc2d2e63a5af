//! Secrets that people pasted into texts of the log, lists, sheets, settings and file names are in no byte of any output.

use crate::support::{Log, OWNER, Place, guid, inventory, pat, usage};
use serde_json::{Value, json};
use std::path::Path;

/// One secret that was planted: what is written into a field, and the part that must never come out.
struct Planted {
    text: String,
    secret: String,
}

/// A text of letters and digits by a small generator, so that every secret is different.
fn drawn(seed: u64, alphabet: &[u8], length: usize) -> String {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).expect("small")
    };
    (0..length).map(|_| char::from(alphabet[next() % alphabet.len()])).collect()
}

const MIXED: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const BASE32: &[u8] = b"abcdefghijklmnopqrstuvwxyz234567";

fn new_pat(seed: u64) -> Planted {
    let secret = format!(
        "{}JQQJ99{}AZDO{}",
        drawn(seed, MIXED, 52),
        drawn(seed + 7, MIXED, 18),
        drawn(seed + 8, MIXED, 4)
    );
    Planted { text: secret.clone(), secret }
}

fn old_pat(seed: u64) -> Planted {
    let secret = drawn(seed, BASE32, 52);
    Planted { text: secret.clone(), secret }
}

/// A secret of `length` characters written as `before` + it + `after`.
fn within(seed: u64, length: usize, before: &str, after: &str) -> Planted {
    let secret = format!("{}7aZ", drawn(seed, MIXED, length - 3));
    Planted { text: format!("{before}{secret}{after}"), secret }
}

/// Every file below a folder: its path and its bytes.
fn files(folder: &Path, out: &mut Vec<(String, Vec<u8>)>) {
    for entry in std::fs::read_dir(folder).expect("folder") {
        let path = entry.expect("entry").path();
        if path.is_dir() {
            files(&path, out);
        } else {
            out.push((path.display().to_string(), std::fs::read(&path).expect("file")));
        }
    }
}

#[test]
fn planted_secrets_are_in_no_byte_of_any_output() {
    let place = Place::new();
    let mut secrets: Vec<String> = Vec::new();
    let mut plant = |planted: Planted| {
        secrets.push(planted.secret);
        planted.text
    };
    let jwt = |seed: u64| {
        let secret = format!(
            "eyJ{}.eyJ{}.{}",
            drawn(seed, MIXED, 20),
            drawn(seed + 1, MIXED, 30),
            drawn(seed + 2, MIXED, 40)
        );
        Planted { text: format!("Bearer {secret}"), secret }
    };
    let token = guid(1);
    let mechanism = format!("PAT_Unscoped authorizationId: {token}");
    let mut log = Log::default();
    log.office(40);
    for n in 0..50 {
        log.add(
            &format!("2026-01-{:02}T10:{:02}:00Z", n % 24 + 1, 30 + n / 24),
            "Git.RepositoryCreated",
            &mechanism,
            json!({"RepoName": "r"}),
        );
    }
    let first = log.events.len() - 50;
    let e = &mut log.events[first..];
    e[0]["userAgent"] = json!(plant(jwt(100)));
    e[1]["userAgent"] = json!(format!("git/2.40 {}", plant(old_pat(101))));
    e[2]["details"] = json!(plant(within(
        102,
        40,
        "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=",
        "==;EndpointSuffix=x"
    )));
    e[3]["details"] =
        json!(plant(within(103, 40, "Endpoint=sb://x;SharedAccessKeyName=n;SharedAccessKey=", "=")));
    e[4]["details"] =
        json!(plant(within(104, 30, "https://s.blob.core.windows.net/c?sv=2024&sig=", "%3D&se=2027")));
    e[5]["details"] = json!(plant(within(105, 12, "Server=db;User Id=sa;Password=", ";Encrypt=true")));
    e[6]["data"] = json!({"RepoName": plant(within(106, 36, "ghp_", ""))});
    e[7]["data"] = json!({"Note": [plant(within(107, 60, "github_pat_", ""))]});
    let aws = format!("AKIA{}", drawn(108, b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16));
    e[8]["data"] = json!({"Key": plant(Planted { text: aws.clone(), secret: aws })});
    e[9]["data"] = json!({ plant(old_pat(109)): true });
    e[10]["data"] =
        json!(format!(r#"{{"Url":"https:\/\/build:{}@dev.azure.com\/x"}}"#, plant(within(110, 14, "", ""))));
    e[11]["actionId"] = json!("Library.VariableGroupModified");
    e[11]["data"] = json!({"VariableGroupName": "g", "Variables": {"dbPassword": {"value": plant(within(111, 10, "", ""))}}});
    e[12]["projectName"] = json!(format!("Web {}", plant(within(112, 20, "glpat-", ""))));
    e[12]["projectId"] = json!(guid(77));
    e[13]["actorDisplayName"] = json!(plant(new_pat(113)));
    e[14]["actorUPN"] = json!(format!("{}@contoso.example", plant(old_pat(114))));
    e[15]["ipAddress"] = json!(plant(new_pat(115)));
    e[16]["correlationId"] = json!(plant(new_pat(116)));
    e[17]["details"] = json!(format!("secret {}", plant(within(117, 34, "abc8Q~", ""))));
    let pem = drawn(118, MIXED, 200);
    e[18]["details"] = json!(plant(Planted {
        text: format!("-----BEGIN RSA PRIVATE KEY-----\n{pem}\n-----END RSA PRIVATE KEY-----"),
        secret: pem,
    }));
    e[19]["actionId"] = json!("Token.PatCreateEvent");
    e[19]["authenticationMechanism"] = json!("AAD_Cookie");
    e[19]["data"] = json!({"AuthorizationId": guid(3), "DisplayName": plant(new_pat(119)), "ValidTo": "2026-12-01T00:00:00Z"});
    e[20]["details"] = json!(plant(within(120, 24, "AUTHORIZATION: Bearer ", "")));
    e[21]["data"] = json!({"Inner": format!(r#"{{"client_secret":"{}"}}"#, plant(within(121, 30, "", "")))});
    e[22]["details"] = json!(plant(within(122, 40, "xoxb-", "")));
    e[23]["scopeDisplayName"] = json!("Contoso (Organization)");
    // In command lines, in addresses, in objects that say they are secret, and of other services.
    let lines = [
        within(150, 8, "NPM_TOKEN=", " npm publish"),
        within(151, 8, "AZURE_DEVOPS_EXT_PAT=", " az devops project list"),
        within(152, 8, "export DEPLOY_SECRET='", "'"),
        within(153, 8, "set DB_PASSWORD=", ""),
        within(154, 8, "MAPS_API_KEY=", "&& run"),
        within(155, 10, "ClientSecret: ", ""),
        within(156, 8, "https://ann:", "%40x@host.example/x"),
        within(157, 8, "https://ann%3A", "@host.example/x"),
        within(158, 8, "u=https%3A%2F%2Fann%3A", "%40host.example"),
        within(159, 8, "curl -u ann:", " https://host.example"),
        within(160, 8, "curl --user ann:", " https://host.example"),
        within(161, 24, "dckr_pat_", ""),
        within(162, 40, "sk-proj-", ""),
        within(163, 40, "sk-ant-api03-", ""),
        within(164, 26, "hvs.", ""),
        within(165, 24, "sk_live_", ""),
        within(166, 24, "rk_live_", ""),
        within(167, 40, "npm_", ""),
        within(168, 24, "https://hooks.slack.com/services/T0/B0/", ""),
        within(169, 24, "https://c.webhook.office.com/webhookb2/x@y/IncomingWebhook/", "/z"),
        within(170, 40, "SharedAccessSignature=sr=x&sig=", ""),
        within(171, 20, r#"changed {"isSecret":true,"value":""#, r#""} in g"#),
    ];
    for (line, event) in lines.into_iter().zip(&mut e[24..]) {
        event["details"] = json!(plant(line));
    }
    for (n, prefix) in ["sqp_", "sqa_", "squ_"].into_iter().enumerate() {
        let key = drawn(180 + n as u64, b"0123456789abcdef", 40);
        e[46 + n]["userAgent"] = json!(plant(Planted { text: format!("scan {prefix}{key}"), secret: key }));
    }
    let capital = drawn(190, b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 52);
    let hidden = json!([{"name": "plain", "isSecret": true, "value": plant(within(191, 9, "", ""))}]);
    e[49]["data"] = json!({
        "Note": plant(Planted { text: capital.clone(), secret: capital }),
        "Variables": {"region": {"isSecret": true, "value": plant(within(192, 9, "", ""))}},
        "Inner": hidden.to_string(),
    });
    e[23]["details"] = json!(format!("token={token} NPM_TOKEN={token}"));
    let audit = format!("in/audit {}.json", plant(new_pat(123)));
    place.write(&audit, log.page());
    let list = [
        pat(&token, &format!("deploy {}", plant(new_pat(130))), &format!("vso.code {}", plant(old_pat(131)))),
        pat(&guid(2), &plant(old_pat(132)), "app_token"),
        pat(&guid(3), &plant(within(133, 12, "https://ann:", "@dev.azure.com/x")), "vso.build"),
    ];
    let list_file = format!("in/inventory-{}.json", plant(old_pat(134)));
    place.write(&list_file, inventory(&list));
    let user = json!({
        "subjectKind": "user", "descriptor": "aad.YWZk", "principalName": "ann@contoso.example", "storageKey": OWNER,
        "displayName": plant(new_pat(135)), "origin": "aad",
    });
    place.write("in/users.json", json!({"value": [user]}).to_string());
    let mut call = usage(OWNER, "PAT", "2026-01-02T03:00:00Z", "2026-01-02T03:05:00Z");
    call["userAgent"] = json!(plant(jwt(136)));
    call["command"] = json!(plant(within(139, 12, "password=", "")));
    place.write("in/usage.json", json!({"value": [call]}).to_string());
    place.write(
        "patwatch.toml",
        format!(
            "[[exception]]\ndetection = \"PAT-H001\"\nsubject = \"{}\"\nowner = \"{}\"\nreason = \"{}\"\nend_date = \"2027-01-01\"\n",
            guid(2),
            plant(old_pat(140)),
            plant(within(141, 10, "pwd=", ""))
        ),
    );
    let reason = plant(new_pat(142));
    let reviewer = plant(old_pat(143));
    assert!(secrets.len() >= 30, "{}", secrets.len());

    let mut out: Vec<(String, Vec<u8>)> = Vec::new();
    let run = |out: &mut Vec<(String, Vec<u8>)>, args: &[&str]| {
        let ran = place.run(&[&["-v", "--lake", "lake"], args].concat());
        out.push((format!("stdout of {args:?}"), ran.stdout.clone().into_bytes()));
        out.push((format!("stderr of {args:?}"), ran.stderr.clone().into_bytes()));
        ran
    };
    let imported = run(&mut out, &["import", &audit, &list_file, "in/users.json", "in/usage.json"]);
    assert_eq!(imported.code, 0, "{}", imported.stderr);
    assert!(imported.stderr.contains("credentials were masked"), "{}", imported.stderr);
    assert!(imported.stderr.contains("personal access token"), "{}", imported.stderr);
    run(&mut out, &["review", "export", "sheet.csv"]);
    let sheet = std::fs::read_to_string(place.path("sheet.csv")).expect("sheet");
    let decided = format!(
        "org,token_id,decision,reviewer,decided_on,reason,end_date\ncontoso,{token},keep,{reviewer},2026-02-08,{reason},\n"
    );
    out.push(("sheet.csv".to_owned(), sheet.into_bytes()));
    place.write("decided.csv", decided);
    let taken = run(&mut out, &["review", "import", "decided.csv"]);
    assert!(taken.stderr.contains("1 decision taken"), "{}", taken.stderr);
    let as_of = ["--as-of", "2026-02-10"];
    for format in ["table", "json", "csv", "markdown", "sarif", "junit", "ocsf"] {
        run(&mut out, &[&["check", "--format", format], &as_of[..]].concat());
    }
    for format in ["table", "json", "csv", "markdown"] {
        run(&mut out, &[&["tokens", "--format", format], &as_of[..]].concat());
    }
    for format in ["table", "json", "markdown", "html"] {
        run(&mut out, &[&["token", token.as_str(), "--format", format], &as_of[..]].concat());
    }
    run(&mut out, &["explain", &token, "PAT-H001"]);
    run(&mut out, &["lake", "show"]);
    run(&mut out, &["lake", "verify"]);
    run(
        &mut out,
        &[
            "query",
            "SELECT org, token_id, name FROM tokens",
            "--format",
            "parquet",
            "--output",
            "tokens.parquet",
        ],
    );
    let tables = run(&mut out, &["query", "--tables", "--format", "json"]).json();
    let mut names: Vec<String> = Vec::new();
    for row in tables.as_array().expect("rows") {
        names.extend(row["table"].as_str().map(str::to_owned));
    }
    names.dedup();
    assert!(names.len() > 8, "{names:?}");
    for table in &names {
        run(&mut out, &["query", &format!("SELECT * FROM {table}"), "--format", "ndjson"]);
    }
    run(&mut out, &["query", "SELECT * FROM events", "--format", "csv"]);
    let from = format!("./{audit}");
    run(
        &mut out,
        &["report", "--output", "bundle", "--from", &from, &list_file, "in/users.json", "in/usage.json"],
    );
    run(&mut out, &[&["report", "--output", "bundle2", "--compare", "bundle"], &as_of[..]].concat());
    for folder in ["bundle", "bundle2", "lake"] {
        files(&place.path(folder), &mut out);
    }
    out.push(("tokens.parquet".to_owned(), std::fs::read(place.path("tokens.parquet")).expect("file")));

    for (name, bytes) in &out {
        let text = String::from_utf8_lossy(bytes).to_lowercase();
        for secret in &secrets {
            assert!(!text.contains(&secret.to_lowercase()), "{secret} in {name}");
            let path = name.to_lowercase();
            assert!(
                name.starts_with("std") || !path.contains(&secret.to_lowercase()),
                "{secret} names the file {name}"
            );
        }
    }
    let text = |name: &str| {
        let found = out.iter().find(|(path, _)| path.ends_with(name)).unwrap_or_else(|| panic!("no {name}"));
        String::from_utf8_lossy(&found.1).into_owned()
    };
    let manifest: Value = serde_json::from_str(&text("bundle2/manifest.json")).expect("JSON");
    let counted = manifest["records"]["masked"].as_u64().expect("a count");
    assert!(counted >= 55, "{manifest}");
    assert!(text("bundle2/summary.md").contains("masked"), "the summary says so");
    assert!(text("bundle2/index.html").contains("<strong>Masked.</strong>"), "the page says so");
    // The id of a token is no secret, whatever stands in front of it.
    assert!(
        out.iter().any(|(_, bytes)| {
            let text = String::from_utf8_lossy(bytes);
            text.contains(&format!("token={token} NPM_TOKEN={token}"))
        }),
        "ids stay"
    );
    // What belongs together stays together: the token's events are attributed to it.
    let tokens: Value = serde_json::from_str(&text("bundle2/tokens.json")).expect("JSON");
    let of = tokens["tokens"]
        .as_array()
        .expect("tokens")
        .iter()
        .find(|t| t["token_id"] == token.as_str())
        .expect("it");
    assert_eq!(of["use"]["verdict"], "observed");
    assert_eq!(of["name"], "deploy [redacted]");
}
