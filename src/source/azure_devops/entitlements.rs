//! User entitlements: who may enter the organisation, in what state, and when each was last there.
//!
//! In: an organisation. Out: raw pages, and the users' storage keys for those who ask about each in turn.

use super::client::{Client, Reply, Request};
use super::endpoints::Service;
use super::envelope;
use super::error::{ApiError, Purpose};
use super::pages::{Outlet, PageKind};
use super::walk::Walk;
use serde::Deserialize;

/// What reading the entitlements came to.
#[derive(Debug, Default)]
pub struct EntitlementSummary {
    /// Storage keys of the users, as listed.
    pub user_ids: Vec<String>,
    /// Pages read.
    pub pages: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EntitlementPage {
    // Three names for one list: by API version, and by which of the two lists an answer fills.
    #[serde(default)]
    members: Option<Vec<Member>>,
    #[serde(default)]
    items: Option<Vec<Member>>,
    #[serde(default)]
    value: Option<Vec<Member>>,
    #[serde(default)]
    continuation_token: Option<String>,
}

impl EntitlementPage {
    fn rows(self) -> (Vec<Member>, Option<String>) {
        let lists = [self.members, self.items, self.value];
        (
            lists.into_iter().flatten().find(|list| !list.is_empty()).unwrap_or_default(),
            self.continuation_token,
        )
    }
}

#[derive(Deserialize)]
struct Member {
    #[serde(default)]
    id: Option<String>,
}

/// Gets one page of entitlements.
pub(super) async fn entitlement_page(
    client: &Client,
    org: &str,
    token: Option<&str>,
) -> Result<Reply<EntitlementPage>, ApiError> {
    let mut query = vec![("api-version", "7.1-preview.3")];
    query.extend(token.map(|token| ("continuationToken", token)));
    let (purpose, service) = (Purpose::Entitlements, Service::Vsaex);
    client
        .get(&Request { purpose, service, org, path: &["userentitlements"], query: &query }, envelope::read)
        .await
}

/// Reads the entitlements of all users.
///
/// # Errors
/// Any failure of a page; pages handed over until then are good but not all.
pub async fn read_entitlements(
    client: &Client,
    org: &str,
    outlet: &Outlet,
) -> Result<EntitlementSummary, ApiError> {
    let mut summary = EntitlementSummary::default();
    let mut walk = Walk::new(client, org, PageKind::Entitlements, Purpose::Entitlements, outlet);
    while walk.goes_on() {
        let reply = entitlement_page(client, org, walk.token()).await?;
        let (rows, next) = reply.parsed.rows();
        walk.took(rows.len() as u64, reply.raw, next.or(reply.next)).await?;
        summary.user_ids.extend(rows.into_iter().filter_map(|row| row.id));
        summary.pages += 1;
    }
    Ok(summary)
}
