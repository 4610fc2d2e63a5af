//! What a pull tells about its progress: values out, no text layout, no printing.

use super::error::Purpose;
use crate::model::time::Day;
use std::time::Duration;

/// Takes progress events; called often, so it must be quick.
pub trait Progress: Send + Sync {
    /// Takes one event.
    fn event(&self, event: ProgressEvent<'_>);
}

/// One thing that happened during a pull. No field ever holds a secret.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum ProgressEvent<'a> {
    /// The days that are about to be read.
    DaysPlanned {
        /// Organisation.
        org: &'a str,
        /// How many.
        days: usize,
    },
    /// A page came in whole.
    Page {
        /// Organisation.
        org: &'a str,
        /// What it is of.
        purpose: Purpose,
        /// Events, users or tokens on it.
        rows: u64,
        /// Its size.
        bytes: u64,
    },
    /// A day is whole.
    DayDone {
        /// Organisation.
        org: &'a str,
        /// The day.
        day: Day,
    },
    /// A day could not be read; the pull goes on.
    DayFailed {
        /// Organisation.
        org: &'a str,
        /// The day.
        day: Day,
        /// Why.
        why: &'a str,
    },
    /// The token list, or the usage records, of one more user are read or have failed.
    User {
        /// Organisation.
        org: &'a str,
        /// What is read of the user.
        purpose: Purpose,
        /// Users dealt with.
        done: u64,
        /// Users in all.
        total: u64,
    },
    /// The client waits.
    Waiting {
        /// Host it waits for.
        host: &'a str,
        /// Why.
        why: WaitReason,
        /// How long.
        time: Duration,
    },
    /// Something optional did not work.
    Warning {
        /// What, in a sentence.
        text: &'a str,
    },
}

/// Why a client waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitReason {
    /// The service asked for it, by a header on an answer that was otherwise good.
    Asked,
    /// The service throttles.
    Throttled,
    /// The service failed.
    ServerError,
    /// The connection failed or broke, or the answer was cut short.
    Connection,
}

/// Takes progress and does nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn event(&self, _: ProgressEvent<'_>) {}
}
