//! The walk from page to page that every list but the audit log shares.
//!
//! In: a page and the token that came with it. Out: the page, handed over; the token to ask with next. A walk
//! that would go in circles ends with an error instead.

use super::client::{Client, Raw};
use super::error::{ApiError, Purpose};
use super::headway::Headway;
use super::pages::{Outlet, Page, PageKind};
use super::progress::ProgressEvent;
use crate::model::identity::ZERO_GUID;
use crate::model::time::Span;
use std::collections::HashSet;

/// A walk from page to page: hands pages over and guards against going in circles.
pub(super) struct Walk<'a> {
    client: &'a Client,
    org: &'a str,
    kind: PageKind,
    purpose: Purpose,
    outlet: &'a Outlet,
    span: Option<Span>,
    subject: Option<&'a str>,
    seen: HashSet<String>,
    headway: Headway,
    token: Option<String>,
    number: u32,
    ended: bool,
}

impl<'a> Walk<'a> {
    pub fn new(
        client: &'a Client,
        org: &'a str,
        kind: PageKind,
        purpose: Purpose,
        outlet: &'a Outlet,
    ) -> Self {
        let (seen, token) = (HashSet::new(), None);
        Self {
            client,
            org,
            kind,
            purpose,
            outlet,
            span: None,
            subject: None,
            seen,
            headway: Headway::default(),
            token,
            number: 0,
            ended: false,
        }
    }

    /// Says whose rows these are.
    pub const fn about(mut self, subject: &'a str) -> Self {
        self.subject = Some(subject);
        self
    }

    /// Says which span was asked for.
    pub const fn within(mut self, span: Span) -> Self {
        self.span = Some(span);
        self
    }

    pub const fn goes_on(&self) -> bool {
        !self.ended
    }

    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// Hands a page over and takes the step to `next`; an empty token or the zero GUID means the end.
    pub async fn took(&mut self, rows: u64, raw: Raw, next: Option<String>) -> Result<(), ApiError> {
        let (org, purpose) = (self.org, self.purpose);
        let Raw { request, status, body: bytes } = raw;
        let next = next.filter(|token| !token.is_empty() && token != ZERO_GUID);
        let got_anywhere = if next.is_none() { Ok(()) } else { self.headway.page(&bytes) };
        self.number += 1;
        self.client.progress().event(ProgressEvent::Page { org, purpose, rows, bytes: bytes.len() as u64 });
        let page = Page {
            kind: self.kind,
            org: org.to_owned(),
            span: self.span,
            subject: self.subject.map(str::to_owned),
            number: self.number,
            request,
            status,
            bytes,
        };
        self.outlet.page(page).await?;
        self.ended = next.is_none();
        if let Some(token) = next {
            if !self.seen.insert(token.clone()) {
                let why = "a page leads back to one that was already read".to_owned();
                return Err(ApiError::EndlessPages { purpose, why });
            }
            got_anywhere.map_err(|why| ApiError::EndlessPages { purpose, why })?;
            self.token = Some(token);
        }
        Ok(())
    }
}
