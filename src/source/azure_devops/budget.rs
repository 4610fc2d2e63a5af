//! What one request has spent of its budget: whether to try again, after how long, and what to say if not.

use super::answer::Failure;
use super::auth::Authoriser;
use super::error::{ApiError, Purpose};
use super::retry::{Pace, RetryPolicy};
use rand_chacha::ChaCha8Rng;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// What one request has spent.
#[derive(Default)]
pub(super) struct Tally {
    pub tries: u32,
    waited: Duration,
    /// Whether a second credential has been tried.
    pub renewed: bool,
    not_connected: u32,
    wrong: u32,
}

impl Tally {
    /// Returns how long to wait before the next try; nothing when there shall be none.
    pub fn next_wait(
        &mut self,
        failure: &Failure,
        pace: Pace,
        policy: &RetryPolicy,
        rng: &Mutex<ChaCha8Rng>,
    ) -> Option<Duration> {
        let spent = match failure {
            Failure::Final(_) | Failure::Credential(_) => true,
            Failure::Connect(message) => {
                self.not_connected += 1;
                // A certificate that is not trusted now will not be trusted in a minute.
                self.not_connected >= policy.connect_tries || message.contains("certificate")
            }
            Failure::Wrong(_) => {
                self.wrong += 1;
                self.wrong >= policy.unreadable_tries
            }
            _ => false,
        };
        if spent || self.tries >= policy.tries {
            return None;
        }
        let own = policy.backoff(self.tries, &mut *rng.lock().unwrap_or_else(PoisonError::into_inner));
        let wait = match pace.wait() {
            // A little jitter on top, so that many clients told the same second do not meet there.
            Some(asked) => asked + own.min(asked / 10),
            None => own,
        };
        if wait > policy.longest_wait || self.waited + wait > policy.patience {
            return None;
        }
        self.waited += wait;
        Some(wait)
    }

    pub async fn give_up(
        &self,
        failure: Failure,
        purpose: Purpose,
        host: &str,
        authoriser: &Authoriser,
    ) -> ApiError {
        let (tries, waited, host) = (self.tries, self.waited, host.to_owned());
        match failure {
            Failure::Final(error) | Failure::Credential(error) => error,
            Failure::Throttled(message) => {
                ApiError::Throttled { purpose, tries, waited, message: authoriser.redact(&message).await }
            }
            Failure::Server(status, message) => {
                ApiError::Server { purpose, status, tries, message: authoriser.redact(&message).await }
            }
            Failure::Connect(message) | Failure::Broken(message) => {
                ApiError::Unreachable { purpose, host, tries, message: authoriser.redact(&message).await }
            }
            Failure::Wrong(message) => {
                ApiError::Unreadable { purpose, tries, message: authoriser.redact(&message).await }
            }
        }
    }
}
