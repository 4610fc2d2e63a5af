//! The HTTP client: one request in, one whole and readable answer out, or the reason why not.
//!
//! Manners live here: one request at a time per host, waits that the services ask for, jittered backoff,
//! a budget of tries, time limits on connection, headers and every piece of the body, an honest user agent.
//! Redirects are not followed, since one leads to a sign-in page and would carry the credential along.

use super::answer::{Failure, not_data, refusal};
use super::auth::{Auth, Authoriser};
use super::budget::Tally;
use super::endpoints::{Endpoints, Service};
use super::error::{ApiError, Purpose, service_message};
use super::network::Network;
use super::progress::{Progress, ProgressEvent, WaitReason};
use super::redact::redact;
use super::retry::{Pace, RetryPolicy, Timer};
use crate::model::time::Micros;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use reqwest::Url;
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderValue};
use std::collections::HashMap;
use std::error::Error as _;
use std::hash::{BuildHasher as _, Hasher as _};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Bytes of an answer, unpacked, that are taken at most: a hundred thousand events, the most that `--batch-size` asks for,
/// are 140 MB. An answer is held in memory whole, and a packed one may unpack to a thousand times its size.
const LARGEST_BODY: usize = 256 << 20;

/// Bytes of a refusal that are read: its text is only a courtesy.
const LARGEST_REFUSAL: usize = 1 << 20;

/// How the client behaves.
pub struct Settings {
    /// Tries and waits.
    pub retry: RetryPolicy,
    /// Limit on making a connection.
    pub connect_timeout: Duration,
    /// Limit from request to response headers; throttled answers come up to 30 s late.
    pub header_timeout: Duration,
    /// Limit on the pause between two pieces of a body.
    pub body_timeout: Duration,
    /// Bytes of an answer, unpacked, that are taken at most.
    pub largest_body: usize,
    /// The clock.
    pub timer: Arc<dyn Timer>,
    /// Who is told.
    pub progress: Arc<dyn Progress>,
}

impl Settings {
    /// Usual limits.
    #[must_use]
    pub fn new(timer: Arc<dyn Timer>, progress: Arc<dyn Progress>) -> Self {
        Self {
            retry: RetryPolicy::default(),
            connect_timeout: Duration::from_secs(15),
            header_timeout: Duration::from_secs(120),
            body_timeout: Duration::from_secs(60),
            largest_body: LARGEST_BODY,
            timer,
            progress,
        }
    }
}

/// A client for all services and organisations of one run.
pub struct Client {
    network: Network,
    authoriser: Authoriser,
    endpoints: Endpoints,
    settings: Settings,
    gates: Mutex<HashMap<String, Arc<tokio::sync::Mutex<Gate>>>>,
    rng: Mutex<ChaCha8Rng>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("auth", self.authoriser.auth()).finish_non_exhaustive()
    }
}

/// Lets one request at a time through to a host, and not before the host wants it.
#[derive(Default)]
struct Gate {
    ready_at: Duration,
}

/// What to ask for. Path and query are given in pieces, so that nothing in them can change the address.
pub(super) struct Request<'a> {
    pub purpose: Purpose,
    pub service: Service,
    pub org: &'a str,
    pub path: &'a [&'a str],
    pub query: &'a [(&'a str, &'a str)],
}

/// An answer as it came, with what was asked.
pub(super) struct Raw {
    pub request: String,
    pub status: u16,
    pub body: Vec<u8>,
}

/// A whole answer that could be read.
pub(super) struct Reply<T> {
    pub parsed: T,
    pub raw: Raw,
    /// `X-MS-ContinuationToken`, where not empty.
    pub next: Option<String>,
    /// The service's clock.
    pub server_time: Option<Micros>,
}

/// Why a body could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ReadError {
    /// It ends too early: the connection's fault.
    Cut,
    /// It is something else.
    Wrong(String),
}

impl Client {
    /// Builds the client; makes no request.
    ///
    /// # Errors
    /// [`ApiError::Unreachable`] when the network layer cannot be set up (for lack of trusted roots, say).
    pub fn new(auth: Auth, endpoints: Endpoints, settings: Settings) -> Result<Self, ApiError> {
        Self::with_proxies(auth, endpoints, settings, |builder| builder)
    }

    /// As [`Client::new`], with the proxies that `proxies` sets instead of those of the environment.
    pub(super) fn with_proxies(
        auth: Auth,
        endpoints: Endpoints,
        settings: Settings,
        proxies: impl Fn(reqwest::ClientBuilder) -> reqwest::ClientBuilder,
    ) -> Result<Self, ApiError> {
        let network = Network::new(|builder| {
            proxies(builder)
                .user_agent(concat!("patwatch/", env!("CARGO_PKG_VERSION")))
                .retry(reqwest::retry::never())
                .referer(false)
                .connect_timeout(settings.connect_timeout)
        })
        .map_err(|error| ApiError::Unreachable {
            purpose: Purpose::Audit,
            host: "any host".to_owned(),
            tries: 0,
            message: network_message(error),
        })?;
        let seed = std::hash::RandomState::new().build_hasher().finish();
        Ok(Self {
            network,
            authoriser: Authoriser::new(auth),
            endpoints,
            settings,
            gates: Mutex::default(),
            rng: Mutex::new(ChaCha8Rng::seed_from_u64(seed)),
        })
    }

    /// How this client signs in.
    #[must_use]
    pub const fn auth(&self) -> &Auth {
        self.authoriser.auth()
    }

    pub(super) fn progress(&self) -> &dyn Progress {
        &*self.settings.progress
    }

    pub(super) fn warn(&self, text: &str) {
        self.progress().event(ProgressEvent::Warning { text });
    }

    /// Gets an answer and reads it; a body that `read` does not take is asked for again.
    pub(super) async fn get<T>(
        &self,
        request: &Request<'_>,
        read: impl Fn(&[u8]) -> Result<T, ReadError> + Sync,
    ) -> Result<Reply<T>, ApiError> {
        let url = self.address(request)?;
        let host = host_of(&url);
        let gate = self.gate(&host);
        // Held through the waits: a host that throttles or fails is left alone by everybody.
        let mut gate = gate.lock().await;
        let mut tally = Tally::default();
        let policy = &self.settings.retry;
        loop {
            let pause = gate.ready_at.saturating_sub(self.settings.timer.now());
            self.wait(&host, WaitReason::Asked, pause).await;
            let header = self.authoriser.header(&*self.settings.timer).await?;
            tally.tries += 1;
            let mut pace = Pace::default();
            let failure = match self.exchange(request, &url, header.clone(), &read, &mut pace).await {
                Ok(reply) => {
                    let wait = pace.wait().unwrap_or_default().min(policy.longest_wait);
                    gate.ready_at = self.settings.timer.now() + wait;
                    return Ok(reply);
                }
                Err(failure) => failure,
            };
            let reason = match &failure {
                Failure::Final(_) => WaitReason::Asked,
                Failure::Credential(_) => {
                    // Once per request: a second refusal is no matter of age.
                    if self.authoriser.refused(&header).await && !tally.renewed {
                        tally.renewed = true;
                        continue;
                    }
                    WaitReason::Asked
                }
                Failure::Throttled(_) => WaitReason::Throttled,
                Failure::Server(..) => WaitReason::ServerError,
                Failure::Connect(_) | Failure::Broken(_) | Failure::Wrong(_) => WaitReason::Connection,
            };
            let Some(wait) = tally.next_wait(&failure, pace, policy, &self.rng) else {
                // The next request, for another user or day, still owes the host its rest.
                gate.ready_at =
                    self.settings.timer.now() + pace.wait().unwrap_or_default().min(policy.longest_wait);
                return Err(tally.give_up(failure, request.purpose, &host, &self.authoriser).await);
            };
            self.wait(&host, reason, wait).await;
        }
    }

    fn address(&self, request: &Request<'_>) -> Result<Url, ApiError> {
        let org = request.org;
        let bad = |c: char| c.is_control() || c.is_whitespace() || "/\\?#%:@&=.".contains(c);
        if org.is_empty() || org.contains(bad) {
            return Err(ApiError::Organisation { org: redact(org) });
        }
        let mut url = self.endpoints.base(request.service).clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().push(org).push("_apis").extend(request.path);
        }
        url.query_pairs_mut().extend_pairs(request.query);
        Ok(url)
    }

    fn gate(&self, host: &str) -> Arc<tokio::sync::Mutex<Gate>> {
        let mut gates = self.gates.lock().unwrap_or_else(PoisonError::into_inner);
        gates.entry(host.to_owned()).or_default().clone()
    }

    async fn wait(&self, host: &str, why: WaitReason, time: Duration) {
        if !time.is_zero() {
            self.progress().event(ProgressEvent::Waiting { host, why, time });
            self.settings.timer.sleep(time).await;
        }
    }

    async fn exchange<T>(
        &self,
        request: &Request<'_>,
        url: &Url,
        authorization: HeaderValue,
        read: &(impl Fn(&[u8]) -> Result<T, ReadError> + Sync),
        pace: &mut Pace,
    ) -> Result<Reply<T>, Failure> {
        let sent = self
            .network
            .client(url)
            .get(url.clone())
            .header(AUTHORIZATION, authorization)
            .header(ACCEPT, "application/json")
            // Asks for a plain 401 where the services would send a browser to sign in.
            .header("X-TFS-FedAuthRedirect", "Suppress")
            .send();
        let mut response = match tokio::time::timeout(self.settings.header_timeout, sent).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) if error.is_connect() => return Err(Failure::Connect(network_message(error))),
            Ok(Err(error)) => return Err(Failure::Broken(network_message(error))),
            Err(_) => return Err(Failure::Broken("no answer within the time limit".to_owned())),
        };
        *pace = Pace::of(response.headers(), self.settings.timer.wall());
        let status = response.status();
        let limit = if status.is_success() { self.settings.largest_body } else { LARGEST_REFUSAL };
        let too_large = || {
            Failure::Final(ApiError::TooLarge { purpose: request.purpose, limit: self.settings.largest_body })
        };
        // Of a packed answer the length is not known before it is unpacked.
        let announced = response.content_length().and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
        if announced > limit && status.is_success() {
            return Err(too_large());
        }
        let mut body = Vec::with_capacity(announced.min(limit));
        loop {
            match tokio::time::timeout(self.settings.body_timeout, response.chunk()).await {
                // Looked at before it is kept.
                Ok(Ok(Some(piece))) if body.len() + piece.len() <= limit => body.extend_from_slice(&piece),
                Ok(Ok(None)) => break,
                // A refusal is clear from its status; its text is only a courtesy.
                _ if !status.is_success() => break,
                Ok(Ok(Some(_))) => return Err(too_large()),
                Ok(Err(error)) => return Err(Failure::Broken(network_message(error))),
                Err(_) => return Err(Failure::Broken("the answer stopped in the middle".to_owned())),
            }
        }
        let refused = if status.is_success() {
            not_data(request.purpose, status, response.headers(), &body)
        } else {
            // A service that repeats the credential in its complaint must not make us repeat it.
            let message = self.authoriser.redact(&service_message(&body)).await;
            Some(refusal(request.purpose, status, response.headers(), message))
        };
        if let Some(failure) = refused {
            return Err(failure);
        }
        match read(&body) {
            Ok(parsed) => Ok(Reply {
                parsed,
                raw: Raw { request: url.to_string(), status: status.as_u16(), body },
                next: header_text(response.headers(), "x-ms-continuationtoken"),
                server_time: pace.server_time,
            }),
            Err(ReadError::Cut) => Err(Failure::Broken("the answer is cut short".to_owned())),
            Err(ReadError::Wrong(message)) => Err(Failure::Wrong(redact(&message))),
        }
    }
}

fn header_text(headers: &HeaderMap, name: &str) -> Option<String> {
    let text = headers.get(name)?.to_str().ok()?.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

fn host_of(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// Says what the network layer says, causes included, without the address: its query holds page tokens.
fn network_message(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    redact(&text)
}
