//! The audit log: windows of a day each, newest first, page by page.
//!
//! In: windows to read. Out: raw pages and, after the last page of each window, [`DayDone`], so that a
//! pull that is killed loses at most the day in hand. A day that cannot be read is recorded and left
//! behind, and the others go on; a missing permission ends it at once.

use super::client::{Client, Raw, Request};
use super::endpoints::Service;
use super::envelope::{self, AuditEnvelope};
use super::error::{ApiError, Purpose};
use super::headway::Headway;
use super::pages::{DayDone, Outlet, Page, PageKind};
use super::progress::ProgressEvent;
use crate::model::time::{DAY, Day, Micros, SECOND, Span, day_of, day_start};
use chrono::{DateTime, Utc};
use std::collections::HashSet;

/// The api-version; auditing has no other than preview ones.
const VERSION: &str = "7.1-preview.1";

/// Days that may fail one after the other before the rest is given up.
const FAILURES_IN_A_ROW: usize = 3;

/// A day, or a part of one, to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DayWindow {
    /// The day.
    pub day: Day,
    /// The part of the day that will be held once the window is read.
    pub span: Span,
    /// What is asked for: the span and the overlap around it.
    pub asked: Span,
}

impl DayWindow {
    /// Tells whether the span is the whole day.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.span.to - self.span.from == DAY
    }
}

/// Cuts `span` at midnights UTC, newest day first; asks for `overlap` more at either end, but not past
/// the end of `span`, which is the present.
///
/// Whether the service counts an event on the edge in, out or twice is not documented; with the overlap it
/// does not matter, since copies are dropped by event id.
#[must_use]
pub fn day_windows(span: Span, overlap: Micros) -> Vec<DayWindow> {
    if span.from >= span.to {
        return Vec::new();
    }
    (day_of(span.from)..=day_of(span.to - 1))
        .rev()
        .map(|day| {
            let part = Span { from: day_start(day).max(span.from), to: (day_start(day) + DAY).min(span.to) };
            let asked = Span { from: part.from - overlap, to: (part.to + overlap).min(span.to) };
            DayWindow { day, span: part, asked }
        })
        .collect()
}

/// What reading the windows came to.
#[derive(Debug, Default)]
pub struct AuditSummary {
    /// Days whose pages were all handed over.
    pub days_done: Vec<Day>,
    /// Pages read.
    pub pages: u64,
    /// Entries on them, copies included.
    pub entries: u64,
    /// Days that could not be read, and why.
    pub failed: Vec<(Day, ApiError)>,
    /// Days not tried, because too many before them failed.
    pub skipped: Vec<Day>,
}

/// Reads `windows` in the order given, in pages of `batch_size` entries.
///
/// # Errors
/// What makes going on pointless: sign-in, a missing permission, an organisation that is not there, or
/// pages that nobody takes any more. All days reported done until then are whole.
pub async fn read_days(
    client: &Client,
    org: &str,
    windows: &[DayWindow],
    batch_size: u32,
    outlet: &Outlet,
) -> Result<AuditSummary, ApiError> {
    let mut summary = AuditSummary::default();
    let mut in_a_row = 0;
    client.progress().event(ProgressEvent::DaysPlanned { org, days: windows.len() });
    for (at, window) in windows.iter().enumerate() {
        let mut reading =
            Reading { client, org, window, batch_size, outlet, pages: 0, entries: 0, server_time: None };
        let outcome = match reading.run().await {
            // Page tokens may age or go wrong; a second walk from the top costs one day at most.
            Err(ApiError::EndlessPages { .. } | ApiError::Rejected { .. }) if reading.pages > 0 => {
                reading.run().await
            }
            outcome => outcome,
        };
        summary.pages += u64::from(reading.pages);
        summary.entries += reading.entries;
        match outcome {
            Ok(()) => {
                let Reading { pages, entries, server_time, .. } = reading;
                let (org, span) = (org.to_owned(), window.span);
                outlet.day_done(DayDone { org, day: window.day, span, pages, entries, server_time }).await?;
                summary.days_done.push(window.day);
                in_a_row = 0;
                client.progress().event(ProgressEvent::DayDone { org: reading.org, day: window.day });
            }
            Err(error) if error.is_final() || matches!(error, ApiError::NotFound { .. }) => {
                return Err(error);
            }
            Err(error) => {
                let why = error.to_string();
                client.progress().event(ProgressEvent::DayFailed { org, day: window.day, why: &why });
                // A spent budget of requests is spent for the other days too.
                let spent = matches!(error, ApiError::Throttled { .. });
                summary.failed.push((window.day, error));
                in_a_row += 1;
                if spent || in_a_row >= FAILURES_IN_A_ROW {
                    summary.skipped.extend(windows[at + 1..].iter().map(|w| w.day));
                    break;
                }
            }
        }
    }
    Ok(summary)
}

/// One window in the reading.
struct Reading<'a> {
    client: &'a Client,
    org: &'a str,
    window: &'a DayWindow,
    batch_size: u32,
    outlet: &'a Outlet,
    pages: u32,
    entries: u64,
    server_time: Option<Micros>,
}

impl Reading<'_> {
    async fn run(&mut self) -> Result<(), ApiError> {
        let mut seen = HashSet::new();
        let mut headway = Headway::default();
        let mut token: Option<String> = None;
        loop {
            let reply = self
                .client
                .audit_page(self.org, self.window.asked, self.batch_size, token.as_deref())
                .await?;
            let AuditEnvelope { entries, continuation_token, has_more } = reply.parsed;
            self.pages += 1;
            self.entries += entries;
            self.server_time = self.server_time.or(reply.server_time);
            let Raw { request, status, body: bytes } = reply.raw;
            self.client.progress().event(ProgressEvent::Page {
                org: self.org,
                purpose: Purpose::Audit,
                rows: entries,
                bytes: bytes.len() as u64,
            });
            let got_anywhere = if has_more == Some(false) { Ok(()) } else { headway.page(&bytes) };
            let (kind, span, number) = (PageKind::Audit, Some(self.window.asked), self.pages);
            self.outlet
                .page(Page {
                    kind,
                    org: self.org.to_owned(),
                    span,
                    subject: None,
                    number,
                    request,
                    status,
                    bytes,
                })
                .await?;
            // A token comes at the end too, so only `hasMore` tells; without it, a token that leads on does.
            let next = match (has_more, continuation_token) {
                (Some(false), _) | (None, None) => return Ok(()),
                (Some(true), None) => {
                    return Err(endless("there is more, but the answer does not say where".to_owned()));
                }
                (_, Some(next)) => next,
            };
            if !seen.insert(next.clone()) {
                if has_more.is_none() {
                    return Ok(());
                }
                return Err(endless("a page leads back to one that was already read".to_owned()));
            }
            got_anywhere.map_err(endless)?;
            token = Some(next);
        }
    }
}

const fn endless(why: String) -> ApiError {
    ApiError::EndlessPages { purpose: Purpose::Audit, why }
}

impl Client {
    /// Gets one page of the audit log.
    pub(super) async fn audit_page(
        &self,
        org: &str,
        asked: Span,
        batch_size: u32,
        token: Option<&str>,
    ) -> Result<super::client::Reply<AuditEnvelope>, ApiError> {
        let (from, to, size) = (wire_time(asked.from), wire_time(asked.to), batch_size.max(1).to_string());
        let mut query = vec![
            ("startTime", from.as_str()),
            ("endTime", to.as_str()),
            ("batchSize", size.as_str()),
            // Folded entries lose times and counts of audit log reads.
            ("skipAggregation", "true"),
            ("api-version", VERSION),
        ];
        query.extend(token.map(|token| ("continuationToken", token)));
        let request = Request {
            purpose: Purpose::Audit,
            service: Service::Audit,
            org,
            path: &["audit", "auditlog"],
            query: &query,
        };
        self.get(&request, envelope::audit).await
    }
}

/// Milliseconds and `Z`: one of the two forms that clients in the wild send.
fn wire_time(time: Micros) -> String {
    DateTime::<Utc>::from_timestamp(time.div_euclid(SECOND), 0)
        .map(|whole| format!("{}.{:03}Z", whole.format("%Y-%m-%dT%H:%M:%S"), time.rem_euclid(SECOND) / 1_000))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::{HOUR, parse_time};

    #[test]
    fn windows_are_days_newest_first() {
        let time = |text| parse_time(text).expect("time");
        let span = Span { from: time("2026-03-01T06:00:00Z"), to: time("2026-03-03T10:00:00Z") };
        let windows = day_windows(span, HOUR);
        assert_eq!(windows.len(), 3);
        assert_eq!(windows[0].span, Span { from: time("2026-03-03"), to: span.to });
        assert_eq!(windows[0].asked, Span { from: time("2026-03-02T23:00:00Z"), to: span.to });
        assert!(windows[1].is_whole() && !windows[0].is_whole() && !windows[2].is_whole());
        assert_eq!(windows[1].asked.to, time("2026-03-03T01:00:00Z"));
        assert_eq!(windows[2].asked.from, time("2026-03-01T05:00:00Z"));
        assert_eq!(day_windows(Span { from: 0, to: 2 * DAY }, 0).len(), 2);
        assert!(day_windows(Span { from: 5, to: 5 }, HOUR).is_empty());
        assert_eq!(wire_time(time("2026-03-01T06:00:00.1239Z")), "2026-03-01T06:00:00.123Z");
    }
}
