//! A temporary folder, files made by hand in it, and the program run on them.

use assert_cmd::Command;
use serde_json::{Value, json};
use std::io::{BufRead as _, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, ExitStatus};
use std::time::{Duration, Instant};

/// Id of the organisation that hand-made events belong to.
pub const ORG_ID: &str = "73638cd5-0dda-4128-9fd6-48c16d4e4de3";
/// Owner of hand-made tokens.
pub const OWNER: &str = "0d5e1c1a-7a11-6c1a-9b1f-6b8a1f0c0001";

/// A place for one test.
pub struct Place {
    folder: tempfile::TempDir,
}

/// How a run ended.
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("{e}: {}\n{}", self.stdout, self.stderr))
    }
}

impl Place {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("folder") }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("parent")).expect("folder");
        std::fs::write(&path, bytes).expect("file");
        path
    }

    /// Runs the program in this place with variables of its own.
    pub fn run_with(&self, variables: &[(&str, &str)], args: &[&str]) -> Ran {
        self.go(variables, args)
    }

    /// Runs the program in this place, with nothing of the machine's environment that could change its output.
    pub fn run(&self, args: &[&str]) -> Ran {
        self.go(&[], args)
    }

    fn go(&self, variables: &[(&str, &str)], args: &[&str]) -> Ran {
        let output = Command::cargo_bin("patwatch")
            .expect("program")
            .current_dir(self.folder.path())
            .env_clear()
            .env("HOME", self.folder.path())
            .envs(variables.iter().copied())
            .args(args)
            .timeout(DEADLINE)
            .output()
            .expect("run");
        Ran {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// How long a test waits for a process. No ordinary run takes as long, also on a busy machine.
pub const DEADLINE: Duration = Duration::from_secs(600);

/// Waits until a process ends.
///
/// # Panics
/// When it still runs after the deadline: a process that hangs fails its test, and does not keep the others waiting.
pub fn ended(child: &mut Child, deadline: Duration) -> ExitStatus {
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait().expect("wait") {
            return status;
        }
        if started.elapsed() > deadline {
            let id = child.id();
            child.kill().expect("kill");
            let _ = child.try_wait();
            panic!("process {id} still ran after {deadline:?}");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The same, with what the process writes to stderr, which must be piped.
pub fn ended_with_errors(mut child: Child, deadline: Duration) -> (ExitStatus, String) {
    let mut stderr = child.stderr.take().expect("stderr");
    let reading = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = stderr.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    });
    let status = ended(&mut child, deadline);
    (status, reading.join().expect("read"))
}

/// The next `n` lines that a process prints.
///
/// # Panics
/// When they do not come before the deadline.
pub fn lines_of(stdout: ChildStdout, n: usize) -> Vec<String> {
    let (give, lines) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let lines = std::io::BufReader::new(stdout).lines().take(n);
        lines.map_while(Result::ok).all(|line| give.send(line).is_ok())
    });
    (0..n).map(|_| lines.recv_timeout(DEADLINE).expect("a line before the deadline")).collect()
}

/// A GUID made from a number.
pub fn guid(n: u64) -> String {
    format!("{:08x}-1111-4222-8333-{:012x}", n.wrapping_mul(2_654_435_761) & 0xffff_ffff, n)
}

/// A log of hand-made events, an hour apart from each other unless told otherwise.
#[derive(Default)]
pub struct Log {
    pub events: Vec<Value>,
}

impl Log {
    /// Adds an event of the query API's shape at `time`.
    pub fn add(&mut self, time: &str, action: &str, mechanism: &str, data: Value) -> String {
        let id = guid(1_000 + self.events.len() as u64);
        self.events.push(json!({
            "id": format!("2518505060978539161;00000064-0000-8888-8000-000000000000;{id}"),
            "correlationId": id,
            "activityId": guid(7),
            "actorCUID": OWNER.replacen("-6", "-7", 1),
            "actorUserId": OWNER,
            "actorUPN": "Ann@Contoso.example",
            "authenticationMechanism": mechanism,
            "timestamp": time,
            "scopeType": "organization",
            "scopeDisplayName": "Contoso (Organization)",
            "scopeId": ORG_ID,
            "projectId": "00000000-0000-0000-0000-000000000000",
            "projectName": "",
            "ipAddress": "203.0.113.9",
            "userAgent": "curl/8.4.0",
            "actionId": action,
            "data": data,
            "details": action,
            "area": action.split('.').next(),
            "category": "modify",
            "categoryDisplayName": "Modify",
            "actorDisplayName": "Ann",
        }));
        id
    }

    /// Adds a person's portal work on `days` days from 2026-01-01 on, so that the log covers them.
    pub fn office(&mut self, days: u32) {
        for day in 0..days {
            let date = chrono_day(day);
            for (hour, action) in
                [(0, "Git.RepositoryRenamed"), (12, "Project.AreaPath.Create"), (23, "Group.CreateGroups")]
            {
                self.add(&format!("{date}T{hour:02}:00:00.0000000+00:00"), action, "AAD_Cookie", json!({}));
            }
        }
    }

    pub fn page(&self) -> String {
        json!({ "decoratedAuditLogEntries": self.events, "continuationToken": "x", "hasMore": false })
            .to_string()
    }
}

/// The date `day` days after 2026-01-01.
pub fn chrono_day(day: u32) -> String {
    patwatch::model::time::day_text(20_454 + i32::try_from(day).expect("day"))
}

/// A PAT as `tokenadmin` lists it.
pub fn pat(id: &str, name: &str, scope: &str) -> Value {
    json!({
        "clientId": "00000000-0000-0000-0000-000000000000",
        "authorizationId": id,
        "userId": OWNER,
        "validFrom": "2025-06-01T00:00:00",
        "validTo": "2026-12-31T00:00:00",
        "displayName": name,
        "scope": scope,
        "targetAccounts": [ORG_ID],
        "isValid": true,
        "isPublic": false,
    })
}

pub fn inventory(tokens: &[Value]) -> String {
    json!({ "value": tokens, "continuationToken": null }).to_string()
}

/// Folder of the repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Another organisation than [`ORG_ID`].
pub const OTHER_ORG_ID: &str = "84749de6-1eeb-4239-a0e7-59d27e5e5ef4";

impl Log {
    /// Says of every event that it happened in another organisation.
    pub fn elsewhere(mut self) -> Self {
        for event in &mut self.events {
            event["scopeId"] = json!(OTHER_ORG_ID);
            event["scopeDisplayName"] = json!("Fabrikam (Organization)");
            let id = event["id"].as_str().expect("id").replace("-1111-4222-", "-1111-4333-");
            if event["correlationId"] != json!(guid(7)) {
                event["correlationId"] = json!(id.rsplit(';').next().expect("part"));
            }
            event["id"] = json!(id);
        }
        self
    }
}

/// One record of the Usage page.
pub fn usage(user: &str, mechanism: &str, from: &str, to: &str) -> Value {
    json!({
        "vsid": user, "user": "someone", "startTime": from, "endTime": to, "authenticationMechanism": mechanism,
        "ipAddress": "203.0.113.9", "userAgent": "git/2.40", "application": "Git", "command": "Git.GetRefs",
        "status": "Normal", "count": 12,
    })
}
