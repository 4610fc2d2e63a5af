//! Rows of the lists that stand beside the log: PATs, users, usage records; and how files name an organisation.

use super::time::Micros;

/// How a record names its organisation: by id, by name, by both or not at all.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrgKey {
    /// `scopeId` of organisation or enterprise scope, lower case; empty when missing.
    pub scope_id: String,
    /// Name as [`super::identity::org_name`] gives it; empty when missing or when the scope is a project.
    pub name: String,
}

/// One row of a PAT list, from `tokenadmin` or `tokens/pats`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InventoryRow {
    /// authorizationId, lower case.
    pub token_id: String,
    /// Display name.
    pub name: Option<String>,
    /// Scopes as written.
    pub scopes: Option<String>,
    /// Organisation ids that it is for; nothing means all organisations.
    pub target_accounts: Option<Vec<String>>,
    /// Creation.
    pub valid_from: Option<Micros>,
    /// End date.
    pub valid_to: Option<Micros>,
    /// Storage key of the owner, lower case.
    pub user_id: Option<String>,
    /// Owner's UPN, where the row names it.
    pub owner: Option<String>,
    /// Whether the service calls it valid.
    pub is_valid: Option<bool>,
    /// An SSH key.
    pub is_public: bool,
    /// Set for an OAuth authorisation.
    pub client_id: Option<String>,
    /// Organisation, where the row names it.
    pub org: Option<String>,
}

impl InventoryRow {
    /// Tells whether the row is a PAT, not an SSH key or an OAuth authorisation.
    #[must_use]
    pub fn is_pat(&self) -> bool {
        !self.is_public && self.client_id.is_none()
    }
}

/// One user, from Graph or from user entitlements.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserRow {
    /// Graph subject descriptor.
    pub descriptor: String,
    /// CUID inside the descriptor, lower case.
    pub cuid: Option<String>,
    /// Storage key, lower case.
    pub storage_key: Option<String>,
    /// Principal name.
    pub upn: String,
    /// Display name.
    pub name: String,
    /// Graph subject kind, such as `user` or `servicePrincipal`.
    pub subject_kind: String,
    /// active, disabled or removed, where the source tells.
    pub state: Option<String>,
    /// Last access of the person (not of a token).
    pub last_access: Option<Micros>,
}

/// One row of the organisation's Usage data.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UsageRow {
    /// Storage key or CUID of the user, lower case; empty when the row names the user only.
    pub user_id: String,
    /// User as written.
    pub user: String,
    /// Start of the bucket.
    pub start: Micros,
    /// End of the bucket.
    pub end: Micros,
    /// Mechanism class as written.
    pub mechanism: String,
    /// Address.
    pub address: String,
    /// User agent.
    pub user_agent: String,
    /// Command.
    pub command: String,
    /// Status.
    pub status: String,
    /// Calls.
    pub calls: u64,
}
