//! The inventory: every user of an organisation, and the tokens of each.
//!
//! In: an organisation. Out: raw pages of users and of tokens, and a count of what was listed. It is complete
//! only when the list of every user came in whole; everything else is partial and says why. A signed-in
//! person who is no collection administrator gets the own tokens instead.

use super::client::{Client, Request};
use super::endpoints::Service;
use super::envelope;
use super::error::{ApiError, Purpose};
use super::pages::{Outlet, PageKind};
use super::progress::ProgressEvent;
use super::walk::Walk;
use crate::model::identity::{cuid_of_descriptor, guid, person_key};
use serde::Deserialize;
use std::collections::{BTreeSet, HashSet};

/// Users whose lists may fail one after the other before the rest is given up.
const FAILURES_IN_A_ROW: u32 = 3;

/// Most that either token API takes, by the documentation of the own tokens; the other states none.
const PAGE_SIZE: &str = "100";

/// The population, and how far the inventory goes.
#[derive(Debug, Default)]
pub struct InventorySummary {
    /// Users that Graph lists, service principals left out.
    pub users: u64,
    /// Service principals; they cannot own PATs.
    pub service_principals: u64,
    /// Users whose tokens were listed in whole.
    pub users_listed: u64,
    /// Users that are deleted, or identities of services, for which there is no list.
    pub users_without_list: u64,
    /// Users whose tokens could not be listed, or were not tried after too many had failed.
    pub users_failed: u64,
    /// Which of them were tried, by Graph descriptor, and why it failed.
    pub failures: Vec<(String, ApiError)>,
    /// Person keys of the users whose tokens were listed in whole, where their descriptor or a token of theirs shows one.
    pub complete_for: BTreeSet<String>,
    /// Storage keys of the owners of tokens, as listed.
    pub owners: BTreeSet<String>,
    /// Rows that are PATs.
    pub tokens: u64,
    /// Rows that are SSH keys or OAuth authorisations.
    pub not_pats: u64,
    /// Whether every user's list came in whole.
    pub complete: bool,
    /// Whether only the caller's own tokens are listed.
    pub own_only: bool,
    /// What kept it from being complete, where one thing did.
    pub reason: Option<ApiError>,
}

/// Reads the users and the tokens of each.
///
/// # Errors
/// When nothing at all could be listed, or nobody takes the pages any more.
pub async fn read_inventory(
    client: &Client,
    org: &str,
    outlet: &Outlet,
) -> Result<InventorySummary, ApiError> {
    let mut summary = InventorySummary::default();
    let users = match read_users(client, org, outlet, &mut summary).await {
        Ok(users) => users,
        Err(error) => return own_instead(client, org, outlet, summary, error).await,
    };
    summary.users = users.len() as u64;
    let mut in_a_row = 0;
    for (at, user) in users.iter().enumerate() {
        match read_tokens_of(client, org, &user.descriptor, outlet, &mut summary).await {
            Ok(owners) => {
                summary.users_listed += 1;
                let cuid = cuid_of_descriptor(&user.descriptor);
                summary.complete_for.extend(owners.iter().chain(&cuid).filter_map(|id| person_key(id)));
                summary.owners.extend(owners);
                in_a_row = 0;
            }
            Err(ApiError::Stopped) => return Err(ApiError::Stopped),
            Err(ApiError::NotFound { .. } | ApiError::Rejected { .. }) if user.may_have_no_list() => {
                summary.users_without_list += 1;
            }
            // Refused at the first user: the caller lacks the permission, not one user's list.
            Err(error) if error.is_final() && summary.users_listed == 0 => {
                return own_instead(client, org, outlet, summary, error).await;
            }
            Err(error) => {
                in_a_row += 1;
                summary.users_failed += 1;
                let spent = matches!(error, ApiError::Throttled { .. });
                if spent || error.is_sign_in() || in_a_row >= FAILURES_IN_A_ROW {
                    summary.users_failed += (users.len() - at - 1) as u64;
                    summary.reason = Some(error);
                    break;
                }
                summary.failures.push((user.descriptor.clone(), error));
            }
        }
        let (done, total) = (at as u64 + 1, users.len() as u64);
        client.progress().event(ProgressEvent::User { org, purpose: Purpose::TokenAdmin, done, total });
    }
    summary.complete = summary.users_failed == 0 && !users.is_empty();
    Ok(summary)
}

/// Falls back to the caller's own tokens where there may be such; the first error stays the reason.
async fn own_instead(
    client: &Client,
    org: &str,
    outlet: &Outlet,
    mut summary: InventorySummary,
    error: ApiError,
) -> Result<InventorySummary, ApiError> {
    if !client.auth().may_be_person()
        || !(error.is_permission() || matches!(error, ApiError::NotFound { .. }))
    {
        return Err(error);
    }
    match read_own_tokens(client, org, outlet, &mut summary).await {
        Ok(()) => {}
        Err(ApiError::Stopped) => return Err(ApiError::Stopped),
        Err(own) => {
            client.warn(&own.to_string());
            return Err(error);
        }
    }
    summary.own_only = true;
    summary.reason = Some(error);
    Ok(summary)
}

/// A user as far as the fetching goes.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct GraphUser {
    #[serde(default)]
    pub descriptor: String,
    #[serde(default)]
    is_deleted_in_origin: Option<bool>,
}

impl GraphUser {
    /// Source: facts, section 5: Graph may still show deleted users, and `aadsp.` marks service principals.
    fn may_have_no_list(&self) -> bool {
        self.is_deleted_in_origin == Some(true)
            || !["aad.", "msa."].iter().any(|prefix| self.descriptor.starts_with(prefix))
    }
}

#[derive(Deserialize)]
pub(super) struct UserPage {
    #[serde(default)]
    pub value: Option<Vec<GraphUser>>,
}

/// Gets one page of users.
pub(super) async fn user_page(
    client: &Client,
    org: &str,
    token: Option<&str>,
) -> Result<super::client::Reply<UserPage>, ApiError> {
    let mut query = vec![("subjectTypes", "aad,msa,svc,imp"), ("api-version", "7.1-preview.1")];
    query.extend(token.map(|token| ("continuationToken", token)));
    let (purpose, service) = (Purpose::Graph, Service::Vssps);
    client
        .get(&Request { purpose, service, org, path: &["graph", "users"], query: &query }, envelope::read)
        .await
}

async fn read_users(
    client: &Client,
    org: &str,
    outlet: &Outlet,
    summary: &mut InventorySummary,
) -> Result<Vec<GraphUser>, ApiError> {
    let mut users = Vec::new();
    let mut known = HashSet::new();
    let mut walk = Walk::new(client, org, PageKind::Users, Purpose::Graph, outlet);
    while walk.goes_on() {
        let reply = user_page(client, org, walk.token()).await?;
        let rows = reply.parsed.value.unwrap_or_default();
        walk.took(rows.len() as u64, reply.raw, reply.next).await?;
        for user in rows {
            if user.descriptor.is_empty() || !known.insert(user.descriptor.clone()) {
                continue;
            }
            if user.descriptor.starts_with("aadsp.") {
                summary.service_principals += 1;
            } else {
                users.push(user);
            }
        }
    }
    Ok(users)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SessionTokenPage {
    #[serde(default)]
    value: Option<Vec<SessionToken>>,
    #[serde(default)]
    continuation_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SessionToken {
    #[serde(default)]
    client_id: Option<String>,
    #[serde(default)]
    is_public: Option<bool>,
    #[serde(default)]
    user_id: Option<String>,
}

impl SessionToken {
    fn is_pat(&self) -> bool {
        self.is_public != Some(true) && self.client_id.as_deref().and_then(guid).is_none()
    }
}

/// Gets one page of a user's tokens.
pub(super) async fn token_page(
    client: &Client,
    org: &str,
    descriptor: &str,
    token: Option<&str>,
) -> Result<super::client::Reply<SessionTokenPage>, ApiError> {
    let mut query = vec![("pageSize", PAGE_SIZE), ("api-version", "7.1")];
    query.extend(token.map(|token| ("continuationToken", token)));
    let path = ["tokenadmin", "personalaccesstokens", descriptor];
    let (purpose, service) = (Purpose::TokenAdmin, Service::Vssps);
    client.get(&Request { purpose, service, org, path: &path, query: &query }, envelope::read).await
}

/// Hands over the pages of one user's tokens; returns the storage keys of their owners.
async fn read_tokens_of(
    client: &Client,
    org: &str,
    descriptor: &str,
    outlet: &Outlet,
    summary: &mut InventorySummary,
) -> Result<BTreeSet<String>, ApiError> {
    let mut owners = BTreeSet::new();
    let mut walk = Walk::new(client, org, PageKind::Tokens, Purpose::TokenAdmin, outlet).about(descriptor);
    while walk.goes_on() {
        let reply = token_page(client, org, descriptor, walk.token()).await?;
        let rows = reply.parsed.value.unwrap_or_default();
        let pats = rows.iter().filter(|row| row.is_pat()).count() as u64;
        summary.tokens += pats;
        summary.not_pats += rows.len() as u64 - pats;
        owners.extend(rows.iter().filter_map(|row| row.user_id.clone()));
        let next = reply.parsed.continuation_token;
        walk.took(rows.len() as u64, reply.raw, next).await?;
    }
    Ok(owners)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OwnTokenPage {
    #[serde(default)]
    pat_tokens: Option<envelope::Count>,
    #[serde(default)]
    continuation_token: Option<String>,
}

/// Gets one page of the caller's own tokens.
pub(super) async fn own_token_page(
    client: &Client,
    org: &str,
    token: Option<&str>,
) -> Result<super::client::Reply<OwnTokenPage>, ApiError> {
    let mut query =
        vec![("displayFilterOption", "all"), ("$top", PAGE_SIZE), ("api-version", "7.1-preview.1")];
    query.extend(token.map(|token| ("continuationToken", token)));
    let (purpose, service) = (Purpose::OwnTokens, Service::Vssps);
    client
        .get(&Request { purpose, service, org, path: &["tokens", "pats"], query: &query }, envelope::read)
        .await
}

async fn read_own_tokens(
    client: &Client,
    org: &str,
    outlet: &Outlet,
    summary: &mut InventorySummary,
) -> Result<(), ApiError> {
    let mut walk = Walk::new(client, org, PageKind::OwnTokens, Purpose::OwnTokens, outlet);
    while walk.goes_on() {
        let reply = own_token_page(client, org, walk.token()).await?;
        let rows = reply.parsed.pat_tokens.map_or(0, |count| count.0);
        summary.tokens += rows;
        walk.took(rows, reply.raw, reply.parsed.continuation_token).await?;
    }
    Ok(())
}
