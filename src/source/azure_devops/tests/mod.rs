//! The client and the readers against the fake, over real sockets and in no real waiting time.
//!
//! This file holds the workbench that the tests share.

mod inventory;
mod proxy;
mod pulls;
mod refusals;
mod secrets;

use super::audit::{AuditSummary, day_windows, read_days};
use super::auth::{Auth, Bearer, BearerSource};
use super::client::{Client, Settings};
use super::doctor::{CheckState, examine};
use super::endpoints::Endpoints;
use super::entitlements::read_entitlements;
use super::error::{ApiError, Purpose};
use super::fake::{
    Envelope, Events, FakeOptions, FakeOrganisation, FakeServer, FakeUser, FaultKind, Refusal,
};
use super::inventory::{InventorySummary, read_inventory};
use super::pages::{DayDone, Outlet, Page, PageKind, Pages, TakeError, Taker, deliver};
use super::progress::{Progress, ProgressEvent};
use super::retry::{RetryPolicy, Timer};
use super::usage::read_usage;
use super::{BoxFuture, envelope};
use crate::model::time::{DAY, HOUR, Micros, SECOND, Span, format_time, parse_time};
use secrecy::SecretString;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const ORG: &str = "fabrikam";
const TODAY: &str = "2026-03-10T12:00:00Z";

fn time(text: &str) -> Micros {
    parse_time(text).expect("time")
}

fn secret_pat() -> String {
    format!("{}AZDO{}", "q7R2".repeat(19), "ZzTt")
}

/// Time that passes only by sleeping, and remembers each sleep.
#[derive(Default)]
struct TestTimer(Mutex<Vec<Duration>>);

impl TestTimer {
    fn sleeps(&self) -> Vec<Duration> {
        self.0.lock().expect("timer").clone()
    }
}

impl Timer for TestTimer {
    fn now(&self) -> Duration {
        self.sleeps().iter().sum()
    }

    fn wall(&self) -> Micros {
        time(TODAY) + i64::try_from(self.now().as_micros()).expect("small")
    }

    fn sleep(&self, time: Duration) -> BoxFuture<'_, ()> {
        self.0.lock().expect("timer").push(time);
        Box::pin(tokio::task::yield_now())
    }
}

/// Keeps all progress as text, as the most talkative log would.
#[derive(Default)]
struct Log(Mutex<Vec<String>>);

impl Progress for Log {
    fn event(&self, event: ProgressEvent<'_>) {
        self.0.lock().expect("log").push(format!("{event:?}"));
    }
}

#[derive(Default)]
struct Kept {
    pages: Vec<Page>,
    days: Vec<DayDone>,
    fail_after: Option<usize>,
}

impl Pages for Kept {
    fn page(&mut self, page: Page) -> Result<(), TakeError> {
        self.pages.push(page);
        match self.fail_after {
            Some(after) if self.pages.len() > after => Err("the disk is full".into()),
            _ => Ok(()),
        }
    }

    fn day_done(&mut self, day: DayDone) -> Result<(), TakeError> {
        self.days.push(day);
        Ok(())
    }
}

impl Kept {
    fn ids(&self) -> Vec<String> {
        let mut ids = Vec::new();
        for page in self.pages.iter().filter(|page| page.kind == PageKind::Audit) {
            let value: Value = envelope::read(&page.bytes).expect("page");
            let body = if value["value"].is_object() { &value["value"] } else { &value };
            for row in body["decoratedAuditLogEntries"].as_array().expect("entries") {
                ids.push(row["id"].as_str().expect("id").to_owned());
            }
        }
        ids
    }
}

struct Bench {
    server: FakeServer,
    timer: Arc<TestTimer>,
    log: Arc<Log>,
    client: Client,
}

async fn bench_with(org: FakeOrganisation, options: FakeOptions, auth: Auth) -> Bench {
    let server = FakeServer::start(vec![org], options, 0).await.expect("server");
    let (timer, log) = (Arc::new(TestTimer::default()), Arc::new(Log::default()));
    let mut settings = Settings::new(timer.clone(), log.clone());
    settings.retry = RetryPolicy { tries: 20, ..RetryPolicy::default() };
    settings.body_timeout = Duration::from_millis(500);
    let endpoints = Endpoints::all_at(&server.url()).expect("loopback");
    let client = Client::new(auth, endpoints, settings).expect("client");
    Bench { server, timer, log, client }
}

async fn bench(org: FakeOrganisation, options: FakeOptions) -> Bench {
    bench_with(org, options, Auth::Pat(SecretString::from(secret_pat()))).await
}

fn span(days: i64) -> Span {
    Span { from: time(TODAY) - days * DAY, to: time(TODAY) }
}

/// `count` events, evenly over the days before [`TODAY`]; every seventh shares its instant with the next.
fn events(count: i64, days: i64) -> (Vec<String>, BTreeSet<String>) {
    let step = days * DAY / count;
    let mut ids = BTreeSet::new();
    let rows = (0..count)
        .map(|n| {
            let at = time(TODAY) - step / 2 - (if n % 7 == 6 { n - 1 } else { n }) * step;
            let ticks = 3_155_378_975_999_999_999_i64 - (at + 62_135_596_800 * SECOND) * 10;
            let id =
                format!("{ticks};00000002-0000-8888-8000-000000000000;{n:08x}-0000-4000-8000-000000000000");
            ids.insert(id.clone());
            json!({
                "id": id, "timestamp": format_time(at), "actionId": "Git.RepositoryCreated",
                "data": { "hasMore": true, "continuationToken": "inside" }, "details": "created",
            })
            .to_string()
        })
        .collect();
    (rows, ids)
}

fn audited(count: i64, days: i64) -> (FakeOrganisation, BTreeSet<String>) {
    let (rows, ids) = events(count, days);
    let events = Events::from_rows(rows).expect("rows");
    (FakeOrganisation { name: ORG.to_owned(), events, ..FakeOrganisation::default() }, ids)
}

fn user(n: usize, prefix: &str, tokens: usize) -> FakeUser {
    let token = |t: usize| {
        let client = if t % 4 == 3 {
            "11111111-1111-1111-1111-111111111111"
        } else {
            crate::model::identity::ZERO_GUID
        };
        json!({ "clientId": client, "authorizationId": format!("{n:08x}-{t:04x}-4000-8000-000000000000"),
                "scope": "vso.code", "isValid": true, "isPublic": t % 5 == 4 })
    };
    FakeUser {
        row: json!({ "subjectKind": "user", "descriptor": format!("{prefix}.user{n}"), "displayName": format!("U{n}") }),
        tokens: (0..tokens).map(token).collect(),
    }
}

fn populated() -> FakeOrganisation {
    let mut users: Vec<FakeUser> = (0..7).map(|n| user(n, "aad", n)).collect();
    users.push(user(7, "aadsp", 0));
    users.push(user(8, "msa", 1));
    let entitlements =
        (0..9).map(|n| json!({ "id": format!("key{n}"), "lastAccessedDate": TODAY })).collect();
    FakeOrganisation {
        name: ORG.to_owned(),
        users,
        entitlements,
        own_tokens: (0..5).map(|n| json!({ "authorizationId": n, "displayName": "own" })).collect(),
        ..FakeOrganisation::default()
    }
}

async fn finish(outlet: Outlet, taker: Taker<Kept>) -> Kept {
    drop(outlet);
    taker.finish().await.expect("taken")
}

async fn pull(bench: &Bench, days: i64, batch: u32) -> (Result<AuditSummary, ApiError>, Kept) {
    let (outlet, taker) = deliver(Kept::default(), 2);
    let windows = day_windows(span(days), HOUR);
    let summary = read_days(&bench.client, ORG, &windows, batch, &outlet).await;
    (summary, finish(outlet, taker).await)
}

async fn inventory(bench: &Bench) -> (Result<InventorySummary, ApiError>, Kept) {
    let (outlet, taker) = deliver(Kept::default(), 2);
    let summary = read_inventory(&bench.client, ORG, &outlet).await;
    (summary, finish(outlet, taker).await)
}

fn set(ids: Vec<String>) -> BTreeSet<String> {
    ids.into_iter().collect()
}

/// Hands out numbered tokens.
struct Numbered {
    given: AtomicU32,
    life: i64,
}

impl BearerSource for Numbered {
    fn how(&self) -> &'static str {
        "test"
    }

    fn bearer(&self) -> BoxFuture<'_, Result<Bearer, ApiError>> {
        let n = self.given.fetch_add(1, Ordering::Relaxed);
        let token = SecretString::from(format!("eyJhbGciOiJub25lIn0.eyJuIjoi{n}.c2ln"));
        let expires = Some(time(TODAY) / SECOND + self.life);
        Box::pin(async move { Ok(Bearer { token, expires }) })
    }
}

fn numbered(life: i64) -> Arc<Numbered> {
    Arc::new(Numbered { given: AtomicU32::new(0), life })
}
