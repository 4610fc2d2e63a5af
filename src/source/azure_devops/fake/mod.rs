//! A fake of the four services, for tests and for trying patwatch out by hand.
//!
//! In: organisations ([`FakeOrganisation`]) and how to misbehave ([`FakeOptions`]). Out: a plain HTTP/1.1 server
//! on 127.0.0.1 that answers as the official examples and the facts describe: both envelopes of the audit
//! log, page tokens in body or header, throttling, expiring credentials, broken answers. Not for production:
//! it checks little and holds everything it is asked to show. Point the four `PATWATCH_*_URL` at
//! [`FakeServer::url`].

mod events;
mod faults;
mod folder;
mod http;
mod load;
mod services;

pub use events::Events;
pub use faults::{FaultKind, Refusal};
pub use folder::Stand;
pub use load::FakeFiles;

use super::error::Purpose;
use crate::model::time::Micros;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use serde_json::Value;
use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::net::TcpListener;

/// What one organisation shows.
#[derive(Debug, Default)]
pub struct FakeOrganisation {
    /// Name, as in the address.
    pub name: String,
    /// The audit log.
    pub events: Events,
    /// Users with their tokens.
    pub users: Vec<FakeUser>,
    /// Tokens of whoever asks, as `tokens/pats` lists them.
    pub own_tokens: Vec<Value>,
    /// User entitlements.
    pub entitlements: Vec<Value>,
    /// Usage records; `vsid` names the user. Nothing: the call is not there.
    pub usage: Option<Vec<Value>>,
}

/// A user and the tokens that token administration lists.
#[derive(Debug, Clone, Default)]
pub struct FakeUser {
    /// The Graph row; its `descriptor` is what tokens are asked for by.
    pub row: Value,
    /// Session tokens.
    pub tokens: Vec<Value>,
}

/// In which envelope audit pages come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Envelope {
    /// As every known client finds it.
    #[default]
    Bare,
    /// Inside `value`, as in the official example.
    Wrapped,
    /// Now the one, now the other.
    Alternating,
}

/// The server's clock.
#[derive(Debug, Clone, Copy)]
pub enum Clock {
    /// Runs as this one does.
    Runs(fn() -> Micros),
    /// Stands at an instant.
    Stands(Micros),
}

impl Clock {
    fn now(self) -> Micros {
        match self {
            Self::Runs(now) => now(),
            Self::Stands(at) => at,
        }
    }
}

/// How the fake behaves. The default behaves well.
#[derive(Debug, Clone)]
pub struct FakeOptions {
    /// Envelope of audit pages.
    pub envelope: Envelope,
    /// Most entries on an audit page, whatever is asked for.
    pub audit_page: usize,
    /// Rows on a page of any other list.
    pub list_page: usize,
    /// Time each answer takes.
    pub latency: Duration,
    /// Share of answers that fail, 0 to 1.
    pub fault_rate: f64,
    /// Ways in which they fail.
    pub faults: Vec<FaultKind>,
    /// Seconds that throttled answers ask for; the real services send whole ones.
    pub retry_after: f64,
    /// Pause between the pieces of a slow body.
    pub slow_piece: Duration,
    /// Answers that some calls always get.
    pub refusals: Vec<(Purpose, Refusal)>,
    /// PATs that are let in; with no PAT and no bearer named, any credential is.
    pub pats: Vec<String>,
    /// Bearer tokens that are let in.
    pub bearers: Vec<String>,
    /// Requests after which any one credential is refused.
    pub credential_lasts: Option<u64>,
    /// Share of audit pages that begin with entries of the page before.
    pub duplicates: f64,
    /// Share of audit entries with a stray backslash in their details.
    pub stray_escapes: f64,
    /// Share of audit pages that are empty although more follows.
    pub empty_pages: f64,
    /// Whether entries within a page are out of order.
    pub out_of_order: bool,
    /// Whether bodies begin with a byte-order mark.
    pub byte_order_mark: bool,
    /// Whether audit pages always carry the same token and say that more follows.
    pub repeat_token: bool,
    /// Whether every page says that more follows, each time with another token, and begins again at the first row.
    pub endless: bool,
    /// The server's clock, for the `Date` header; nothing: no such header.
    pub clock: Option<Clock>,
    /// Seed of all chance.
    pub seed: u64,
}

impl Default for FakeOptions {
    fn default() -> Self {
        Self {
            envelope: Envelope::Bare,
            audit_page: 1_000,
            list_page: 100,
            latency: Duration::ZERO,
            fault_rate: 0.0,
            faults: FaultKind::TRANSIENT.to_vec(),
            retry_after: 1.0,
            slow_piece: Duration::from_millis(5),
            refusals: Vec::new(),
            pats: Vec::new(),
            bearers: Vec::new(),
            credential_lasts: None,
            duplicates: 0.0,
            stray_escapes: 0.0,
            empty_pages: 0.0,
            out_of_order: false,
            byte_order_mark: false,
            repeat_token: false,
            endless: false,
            clock: None,
            seed: 1,
        }
    }
}

/// One request as the fake saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenRequest {
    /// Decoded path.
    pub path: String,
    /// Decoded query.
    pub query: Vec<(String, String)>,
    /// Header lines, names in lower case, without `authorization`.
    pub headers: Vec<(String, String)>,
    /// Status of the answer.
    pub status: u16,
}

impl SeenRequest {
    /// Returns a query value.
    #[must_use]
    pub fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// Returns a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }
}

/// The server; it stops when dropped.
#[derive(Debug)]
pub struct FakeServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: tokio::task::JoinHandle<()>,
}

impl Drop for FakeServer {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl FakeServer {
    /// Starts on a loopback port; 0 takes a free one. Must be called inside a Tokio runtime.
    ///
    /// # Errors
    /// When the port is taken.
    pub async fn start(
        organisations: Vec<FakeOrganisation>,
        options: FakeOptions,
        port: u16,
    ) -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::new(organisations, options));
        let accepting = tokio::spawn(http::accept(listener, shared.clone()));
        Ok(Self { address, shared, accepting })
    }

    /// Address to give as each of the four `PATWATCH_*_URL`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Every request so far.
    #[must_use]
    pub fn requests(&self) -> Vec<SeenRequest> {
        locked(&self.shared.seen).clone()
    }

    /// Time the server itself took, from the end of each request to the end of its answer.
    #[must_use]
    pub fn busy(&self) -> Duration {
        Duration::from_nanos(self.shared.busy.load(Ordering::Relaxed))
    }

    /// Most requests that were ever in the works at the same time.
    #[must_use]
    pub fn most_at_once(&self) -> u64 {
        self.shared.most_at_once.load(Ordering::Relaxed)
    }

    /// Answers that were made to fail by chance.
    #[must_use]
    pub fn faults(&self) -> u64 {
        self.shared.faults.load(Ordering::Relaxed)
    }
}

/// What all connections share.
#[derive(Debug)]
struct Shared {
    organisations: Vec<FakeOrganisation>,
    options: FakeOptions,
    rng: Mutex<ChaCha8Rng>,
    uses: Mutex<HashMap<String, u64>>,
    /// Audit page tokens that were handed out, and where each leads.
    tokens: Mutex<HashMap<String, usize>>,
    seen: Mutex<Vec<SeenRequest>>,
    busy: AtomicU64,
    faults: AtomicU64,
    at_once: AtomicU64,
    most_at_once: AtomicU64,
    audit_pages: AtomicU64,
}

impl Shared {
    fn new(organisations: Vec<FakeOrganisation>, options: FakeOptions) -> Self {
        Self {
            organisations,
            rng: Mutex::new(ChaCha8Rng::seed_from_u64(options.seed)),
            options,
            uses: Mutex::default(),
            tokens: Mutex::default(),
            seen: Mutex::default(),
            busy: AtomicU64::new(0),
            faults: AtomicU64::new(0),
            at_once: AtomicU64::new(0),
            most_at_once: AtomicU64::new(0),
            audit_pages: AtomicU64::new(0),
        }
    }

    fn chance(&self, share: f64) -> bool {
        use rand::Rng as _;
        share > 0.0 && locked(&self.rng).random_bool(share.min(1.0))
    }

    fn below(&self, bound: usize) -> usize {
        use rand::Rng as _;
        locked(&self.rng).random_range(0..bound.max(1))
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
