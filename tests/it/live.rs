//! A made-up organisation behind the fake services, and lakes to compare.

use crate::support::{ORG_ID, OWNER, Place, guid};
use patwatch::model::time::{DAY, Micros, SECOND, format_time};
use patwatch::source::azure_devops::fake::{
    Clock, Events, FakeOptions, FakeOrganisation, FakeServer, FakeUser,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// The organisation that all of this is of.
pub const ORG: &str = "contoso";

/// A PAT of the present form that belongs to nobody.
pub fn secret() -> String {
    format!("{}AZDO4Tkk", "a1B2c3D4e5F6".repeat(7).get(..76).expect("length"))
}

pub fn now() -> Micros {
    chrono::Utc::now().timestamp_micros()
}

/// One event as the query API writes it.
pub fn event(n: u64, time: Micros) -> String {
    const ACTIONS: [&str; 6] = [
        "Git.RepositoryCreated",
        "Library.VariableGroupModified",
        "Security.ModifyPermission",
        "Pipelines.PipelineModified",
        "Group.UpdateGroupMembership.Add",
        "Policy.PolicyConfigModified",
    ];
    let id = guid(1_000_000 + n);
    let ticks = 3_155_378_975_999_999_999_i64 - (time + 62_135_596_800 * SECOND) * 10;
    let action = ACTIONS[(n % 6) as usize];
    let area = action.split('.').next().expect("area");
    let cuid = OWNER.replacen("-6", "-7", 1);
    let stamp = format_time(time);
    let fraction = time.rem_euclid(SECOND);
    format!(
        r#"{{"id":"{ticks};00000064-0000-8888-8000-000000000000;{id}","correlationId":"{id}","activityId":"{activity}","actorCUID":"{cuid}","actorUserId":"{OWNER}","actorClientId":"00000000-0000-0000-0000-000000000000","actorUPN":"ann@contoso.example","authenticationMechanism":"PAT authorizationId: {token}","timestamp":"{seconds}.{fraction:06}0+00:00","scopeType":"organization","scopeDisplayName":"Contoso (Organization)","scopeId":"{ORG_ID}","projectId":"{project}","projectName":"Project {p}","ipAddress":"203.0.113.{address}","userAgent":"curl/8.{agent}.0","actionId":"{action}","data":{{"RepoName":"repo-{repo}","ProjectName":"Project {p}"}},"details":"[Contoso]\\Group {n} changed","area":"{area}","category":"modify","categoryDisplayName":"Modify","actorDisplayName":"Ann","actorImageUrl":null}}"#,
        activity = guid(n / 3),
        token = guid(n % 40),
        seconds = &stamp[..19],
        project = guid(500 + n % 7),
        p = n % 7,
        address = n % 5,
        agent = n % 3,
        repo = n % 50,
    )
}

/// `count` events evenly over the `days` days before `end`, newest first.
pub fn events(count: u64, days: i64, end: Micros) -> Vec<String> {
    let step = days * DAY / i64::try_from(count).expect("count");
    (0..count).map(|n| event(n, end - SECOND - i64::try_from(n).expect("n") * step)).collect()
}

/// An organisation of `users` people, each with as many tokens as the number says.
pub fn organisation(rows: &[String], users: u64) -> FakeOrganisation {
    let owner = |n: u64| format!("{n:08x}-7a11-6c1a-9b1f-6b8a1f0c0001");
    let people: Vec<FakeUser> = (0..users)
        .map(|n| FakeUser {
            row: json!({
                "subjectKind": "user", "descriptor": format!("aad.{}", descriptor(&owner(n).replacen("-6", "-7", 1))),
                "principalName": format!("user{n}@contoso.example"), "displayName": format!("User {n}"),
            }),
            tokens: (0..n % 4)
                .map(|t| {
                    let token = crate::support::pat(&guid(n * 4 + t), &format!("token {n}-{t}"), "vso.code_manage");
                    let mut token = token;
                    token["userId"] = json!(owner(n));
                    token
                })
                .collect(),
        })
        .collect();
    let entitlements = (0..users)
        .map(|n| {
            json!({
                "id": owner(n), "user": people[usize::try_from(n).expect("n")].row,
                "accessLevel": { "accountLicenseType": "express", "status": "active" },
                "lastAccessedDate": "2026-11-01T08:00:00Z",
            })
        })
        .collect();
    FakeOrganisation {
        name: ORG.to_owned(),
        events: Events::from_rows(rows).expect("rows"),
        users: people,
        own_tokens: vec![json!({
            "authorizationId": guid(77), "displayName": "mine", "scope": "vso.work", "targetAccounts": [ORG_ID],
            "validFrom": "2026-01-01T00:00:00Z", "validTo": "2027-01-01T00:00:00Z",
        })],
        entitlements,
        usage: None,
    }
}

fn descriptor(cuid: &str) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in cuid.as_bytes().chunks(3) {
        let bits =
            three.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        for at in 0..=three.len() {
            text.push(char::from(ALPHABET[(bits >> (18 - 6 * at) & 63) as usize]));
        }
    }
    text
}

/// The fake services, running.
pub struct Fake {
    pub server: FakeServer,
    url: String,
    secret: String,
    _runtime: tokio::runtime::Runtime,
}

impl Fake {
    pub fn start(organisations: Vec<FakeOrganisation>, options: FakeOptions) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("runtime");
        let secret = secret();
        let pats = if options.pats.is_empty() { vec![secret.clone()] } else { options.pats.clone() };
        let options = FakeOptions { pats, clock: options.clock.or(Some(Clock::Runs(now))), ..options };
        let server = runtime.block_on(FakeServer::start(organisations, options, 0)).expect("server");
        Self { url: server.url(), server, secret, _runtime: runtime }
    }

    /// Variables that point the program at it.
    pub fn variables(&self) -> Vec<(&str, &str)> {
        let names = ["PATWATCH_AUDIT_URL", "PATWATCH_VSSPS_URL", "PATWATCH_VSAEX_URL", "PATWATCH_DEV_URL"];
        let mut variables: Vec<(&str, &str)> = names.iter().map(|n| (*n, self.url.as_str())).collect();
        variables.push(("AZURE_DEVOPS_EXT_PAT", &self.secret));
        variables
    }

    /// Start of the window of each audit request, in order.
    pub fn windows(&self) -> Vec<String> {
        let requests = self.server.requests();
        requests.iter().filter_map(|r| r.query("startTime").map(str::to_owned)).collect()
    }
}

/// The arguments of a pull with the PAT.
pub fn pull<'a>(lake: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["--lake", lake, "pull", "--org", ORG, "--auth", "pat"], more].concat()
}

/// Starts the program and comes back at once.
pub fn spawn(place: &Place, variables: &[(&str, &str)], args: &[&str]) -> Child {
    let program = std::env::var_os("PATWATCH_TEST_PROGRAM")
        .map_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_patwatch")), PathBuf::from);
    Command::new(program)
        .current_dir(place.path("."))
        .env_clear()
        .env("HOME", place.path("."))
        .envs(variables.iter().copied())
        .args(args)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("start")
}

/// Every Parquet file below a lake: its name, without the day on which a list was taken, and its bytes.
pub fn parquet(lake: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![lake.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "parquet") {
                let name = path.strip_prefix(lake).expect("below").display().to_string();
                let name = match name.split_once("taken=") {
                    Some((folder, taken)) => format!("{folder}{}", &taken[11..]),
                    None => name,
                };
                found.insert(name, std::fs::read(&path).expect("file"));
            }
        }
    }
    found
}

/// Says where two lakes differ; nothing where they do not.
pub fn difference(one: &Path, other: &Path) -> Option<String> {
    let (one, other) = (parquet(one), parquet(other));
    let names: std::collections::BTreeSet<&String> = one.keys().chain(other.keys()).collect();
    let differing: Vec<&String> =
        names.into_iter().filter(|name| one.get(*name) != other.get(*name)).collect();
    (!differing.is_empty()).then(|| format!("{} files differ: {differing:?}", differing.len()))
}

/// Copies a folder.
pub fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("folder");
    for entry in std::fs::read_dir(from).expect("folder").flatten() {
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy(&path, &target);
        } else {
            std::fs::copy(&path, &target).expect("copy");
        }
    }
}

/// Every file below a folder, end to end, as text.
pub fn all_text(folder: &Path) -> String {
    let mut text = String::new();
    for entry in std::fs::read_dir(folder).expect("folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            text.push_str(&all_text(&path));
        } else {
            text.push_str(&path.display().to_string());
            text.push_str(&String::from_utf8_lossy(&std::fs::read(&path).expect("file")));
        }
    }
    text
}

/// Index of a lake.
pub fn index(lake: &Path) -> Value {
    let text = std::fs::read(lake.join("index.json")).expect("index");
    serde_json::from_slice(&text).expect("JSON")
}
