//! Usage records: who called what, with which kind of credential, reads included. Best effort.
//!
//! In: users and a span. Out: raw pages, and whether the records of every user came in. The call is
//! undocumented, so its absence, or another shape, is a warning and never an error.
//!
//! Source: facts, section 4: address, query and paging as a third-party client of 2018 used them.

use super::client::{Client, ReadError, Request};
use super::endpoints::Service;
use super::envelope::{self, Count};
use super::error::{ApiError, Purpose};
use super::pages::{Outlet, PageKind};
use super::progress::ProgressEvent;
use super::walk::Walk;
use crate::model::noun::counted;
use crate::model::time::{Span, format_time};
use serde::Deserialize;

/// The columns that patwatch can use.
const COLUMNS: [&str; 11] = [
    "user",
    "vsid",
    "authenticationMechanism",
    "ipAddress",
    "userAgent",
    "application",
    "command",
    "status",
    "count",
    "startTime",
    "endTime",
];

/// Users whose records may fail one after the other before the rest is given up.
const FAILURES_IN_A_ROW: u64 = 3;

/// What reading the usage records came to.
#[derive(Debug, Default)]
pub struct UsageSummary {
    /// Records read.
    pub records: u64,
    /// Users whose records came in whole.
    pub users_read: u64,
    /// Users whose records did not, or that were not tried after too many had failed.
    pub users_failed: u64,
    /// What went wrong, for a warning; the pull goes on.
    pub warning: Option<String>,
}

impl UsageSummary {
    /// Tells whether the records of every user came in.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        self.users_failed == 0 && self.users_read > 0
    }
}

#[derive(Deserialize)]
struct UsagePage {
    value: Option<Count>,
}

/// Reads the usage records of `users` (storage keys) in `span`.
///
/// # Errors
/// Only when nobody takes the pages any more.
pub async fn read_usage(
    client: &Client,
    org: &str,
    users: &[String],
    span: Span,
    outlet: &Outlet,
) -> Result<UsageSummary, ApiError> {
    let mut summary = UsageSummary::default();
    let mut in_a_row = 0;
    let total = users.len() as u64;
    for (at, user) in users.iter().enumerate() {
        match read_user(client, org, user, span, outlet).await {
            Ok(records) => {
                summary.records += records;
                summary.users_read += 1;
                in_a_row = 0;
            }
            Err(ApiError::Stopped) => return Err(ApiError::Stopped),
            Err(error) => {
                in_a_row += 1;
                summary.users_failed += 1;
                let text = format!("{error}; {}", error.hint());
                summary.warning.get_or_insert(text);
                // What fails for some fails for all where the call is gone or closed to this caller.
                let spent = matches!(error, ApiError::Throttled { .. });
                if spent || error.is_sign_in() || in_a_row >= FAILURES_IN_A_ROW {
                    summary.users_failed = total - summary.users_read;
                    break;
                }
            }
        }
        let done = at as u64 + 1;
        client.progress().event(ProgressEvent::User { org, purpose: Purpose::Usage, done, total });
    }
    if let Some(why) = &mut summary.warning {
        *why = format!(
            "usage records (undocumented, best effort) of {} of {} did not come in, so they rule nothing \
             out: {why}",
            summary.users_failed,
            counted(total, "user")
        );
    }
    Ok(summary)
}

async fn read_user(
    client: &Client,
    org: &str,
    user: &str,
    span: Span,
    outlet: &Outlet,
) -> Result<u64, ApiError> {
    let (from, to) = (format_time(span.from), format_time(span.to));
    let mut records = 0;
    let mut walk = Walk::new(client, org, PageKind::Usage, Purpose::Usage, outlet).about(user).within(span);
    while walk.goes_on() {
        let mut query = vec![
            ("queryCriteria[userId]", user),
            ("queryCriteria[startTime]", from.as_str()),
            ("queryCriteria[endTime]", to.as_str()),
        ];
        query.extend(COLUMNS.iter().map(|column| ("queryCriteria[columns]", *column)));
        query.extend(walk.token().map(|token| ("continuationToken", token)));
        let (purpose, service) = (Purpose::Usage, Service::Dev);
        let path = ["utilization", "usagesummary"];
        let reply =
            client.get(&Request { purpose, service, org, path: &path, query: &query }, read_page).await?;
        records += reply.parsed;
        walk.took(reply.parsed, reply.raw, reply.next).await?;
    }
    Ok(records)
}

/// Takes `{count, value: [...]}` and a bare array; anything else is a changed shape.
fn read_page(bytes: &[u8]) -> Result<u64, ReadError> {
    match envelope::read::<UsagePage>(bytes) {
        Ok(UsagePage { value: Some(rows) }) => Ok(rows.0),
        Ok(UsagePage { value: None }) => {
            Err(ReadError::Wrong("the list of records is not where it was".to_owned()))
        }
        Err(ReadError::Cut) => Err(ReadError::Cut),
        Err(wrong) => envelope::read::<Count>(bytes).map(|rows| rows.0).map_err(|_| wrong),
    }
}
