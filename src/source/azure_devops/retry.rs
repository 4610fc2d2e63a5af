//! How long to wait, and when to give up.
//!
//! In: response headers and the number of failures so far. Out: durations. Order of authority: what the
//! service asks for (`Retry-After`, on any status), what its rate-limit headers imply, then our own jittered
//! backoff. Time itself is behind [`Timer`], so that tests take none.

use super::BoxFuture;
use crate::model::time::{Micros, SECOND};
use rand::Rng as _;
use reqwest::header::HeaderMap;
use std::time::Duration;

/// The clock and the waiting of a client.
pub trait Timer: Send + Sync {
    /// Time since some fixed moment; never goes back.
    fn now(&self) -> Duration;
    /// Wall clock, for expiry dates that others give.
    fn wall(&self) -> Micros;
    /// Waits.
    fn sleep(&self, time: Duration) -> BoxFuture<'_, ()>;
}

/// Real time; the wall clock is handed in by the command line.
#[derive(Debug, Clone)]
pub struct RealTimer {
    start: tokio::time::Instant,
    wall: fn() -> Micros,
}

impl RealTimer {
    /// Starts counting now.
    #[must_use]
    pub fn new(wall: fn() -> Micros) -> Self {
        Self { start: tokio::time::Instant::now(), wall }
    }
}

impl Timer for RealTimer {
    fn now(&self) -> Duration {
        self.start.elapsed()
    }

    fn wall(&self) -> Micros {
        (self.wall)()
    }

    fn sleep(&self, time: Duration) -> BoxFuture<'_, ()> {
        Box::pin(tokio::time::sleep(time))
    }
}

/// The budget of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Tries in all. Twelve let a thousand pages pass with three answers in ten failing.
    pub tries: u32,
    /// Tries while no connection comes about at all: a wrong name or a closed port seldom heals.
    pub connect_tries: u32,
    /// Tries while whole answers make no sense.
    pub unreadable_tries: u32,
    /// Upper bound of the first wait; doubles with each failure.
    pub base: Duration,
    /// Upper bound of any wait of our own choosing.
    pub cap: Duration,
    /// The longest single wait a service may ask for; above it the request fails.
    pub longest_wait: Duration,
    /// The longest time one request may spend waiting.
    pub patience: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            tries: 12,
            connect_tries: 6,
            unreadable_tries: 4,
            base: Duration::from_millis(500),
            cap: Duration::from_secs(30),
            longest_wait: Duration::from_secs(600),
            patience: Duration::from_secs(1_800),
        }
    }
}

impl RetryPolicy {
    /// A budget for probes, which rather answer soon than surely.
    #[must_use]
    pub fn for_probes() -> Self {
        Self {
            tries: 3,
            connect_tries: 2,
            unreadable_tries: 2,
            patience: Duration::from_secs(60),
            ..Self::default()
        }
    }

    /// Returns the wait before the next try, after `failures` failures: between half and all of the bound,
    /// so that clients that failed together do not come back together.
    pub(super) fn backoff(&self, failures: u32, rng: &mut impl rand::RngCore) -> Duration {
        let doublings = failures.saturating_sub(1).min(20);
        let bound = self.base.saturating_mul(1 << doublings).min(self.cap);
        bound.mul_f64(rng.random_range(0.5..=1.0))
    }
}

/// What an answer's headers say about pace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Pace {
    /// `Retry-After`.
    pub retry_after: Option<Duration>,
    /// What the rate-limit headers imply.
    pub limit: Option<Duration>,
    /// The service's own clock.
    pub server_time: Option<Micros>,
}

impl Pace {
    /// Reads the headers; `wall` is used only where the service does not send its own time.
    pub fn of(headers: &HeaderMap, wall: Micros) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
        let number = |name: &str| text(name).and_then(|t| t.parse::<f64>().ok()).filter(|n| n.is_finite());
        let server_time = text("date").and_then(http_date);
        let now = server_time.unwrap_or(wall);
        let until = |time: Micros| Duration::from_micros(u64::try_from(time - now).unwrap_or(0));
        let retry_after = text("retry-after").and_then(|value| match value.parse::<f64>() {
            Ok(seconds) => seconds_of(seconds),
            Err(_) => http_date(value).map(until),
        });
        let delay = number("x-ratelimit-delay").and_then(seconds_of);
        // Remaining without Reset tells nothing of time; both may come before any delay starts.
        let spent = number("x-ratelimit-remaining").is_some_and(|left| left <= 0.0);
        let reset = number("x-ratelimit-reset").filter(|_| spent).map(|seconds| {
            #[allow(clippy::cast_possible_truncation)]
            until((seconds as i64).saturating_mul(SECOND))
        });
        let limit = delay.max(reset).filter(|time| !time.is_zero());
        Self { retry_after: retry_after.filter(|time| !time.is_zero()), limit, server_time }
    }

    /// Returns the wait that the service wants before the next request.
    pub fn wait(&self) -> Option<Duration> {
        self.retry_after.or(self.limit)
    }
}

fn seconds_of(seconds: f64) -> Option<Duration> {
    (seconds >= 0.0).then(|| Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX))
}

fn http_date(text: &str) -> Option<Micros> {
    chrono::DateTime::parse_from_rfc2822(text).ok().map(|time| time.timestamp_micros())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng as _;
    use reqwest::header::{HeaderName, HeaderValue};

    fn pace(headers: &[(&'static str, &'static str)]) -> Pace {
        let map = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        Pace::of(&map, 784_111_777 * SECOND)
    }

    #[test]
    fn reads_what_the_service_asks() {
        let seconds = |n| Some(Duration::from_secs(n));
        assert_eq!(pace(&[]).wait(), None);
        assert_eq!(pace(&[("retry-after", "7"), ("x-ratelimit-delay", "2.5")]).wait(), seconds(7));
        assert_eq!(pace(&[("x-ratelimit-delay", "2.500")]).wait(), Some(Duration::from_millis(2_500)));
        assert_eq!(
            pace(&[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "784111787")]).wait(),
            seconds(10)
        );
        assert_eq!(pace(&[("x-ratelimit-remaining", "9"), ("x-ratelimit-reset", "784111787")]).wait(), None);
        assert_eq!(pace(&[("x-ratelimit-remaining", "0")]).wait(), None);
        // The service's own time counts, not ours.
        let date = "Sun, 06 Nov 1994 08:49:37 GMT";
        assert_eq!(
            pace(&[("date", date), ("retry-after", "Sun, 06 Nov 1994 08:49:40 GMT")]).wait(),
            seconds(3)
        );
        for nonsense in ["-1", "soon", "NaN", ""] {
            assert_eq!(pace(&[("retry-after", nonsense)]).wait(), None, "{nonsense}");
        }
        assert!(pace(&[("retry-after", "1e300")]).wait() > seconds(1_000_000));
    }

    #[test]
    fn backoff_doubles_within_bounds() {
        let policy = RetryPolicy::default();
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(1);
        for failures in 1..40 {
            let bound =
                Duration::from_millis(500).saturating_mul(1 << (failures - 1).min(10)).min(policy.cap);
            let wait = policy.backoff(failures, &mut rng);
            assert!(wait <= bound && wait >= bound / 2, "{failures}: {wait:?}");
        }
    }
}
