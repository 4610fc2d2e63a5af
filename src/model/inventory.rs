//! Rows of the lists that stand beside the log: PATs, users, usage records; and how files name an organisation.

use super::time::Micros;
use super::token::OwnerState;

/// The organisation of an event, as far as the event tells.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct OrgKey {
    /// Id of the scope, lower case; of a project where the scope is one. Empty when missing.
    pub scope_id: String,
    /// Name as [`org_name`](super::identity::org_name) forms it; empty when the scope is a project or
    /// has no name.
    pub name: String,
}

impl OrgKey {
    /// Tells whether nothing is known of the organisation.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        self.scope_id.is_empty() && self.name.is_empty()
    }
}

/// The organisations that a list says a token reaches.
///
/// A list without the column leaves the reach unknown; the API writes null or an empty list for all organisations.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Targets {
    /// The list does not say, or what it says cannot be read.
    #[default]
    Unknown,
    /// All organisations: the list has an explicit null or an empty list.
    AllOrganisations,
    /// Ids of the organisations, lower case.
    Listed(Vec<String>),
}

impl Targets {
    /// Returns whether the token reaches all organisations; nothing where the list does not say.
    #[must_use]
    pub const fn all(&self) -> Option<bool> {
        match self {
            Self::Unknown => None,
            Self::AllOrganisations => Some(true),
            Self::Listed(_) => Some(false),
        }
    }

    /// Returns the ids, where the list names organisations.
    #[must_use]
    pub const fn listed(&self) -> Option<&Vec<String>> {
        match self {
            Self::Listed(ids) => Some(ids),
            Self::Unknown | Self::AllOrganisations => None,
        }
    }
}

/// One authorisation as an administration API lists it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct InventoryRow {
    /// authorizationId, lower case.
    pub token_id: String,
    /// Display name.
    pub name: Option<String>,
    /// Granted scopes as written.
    pub scopes: Option<String>,
    /// Organisations that it reaches.
    pub targets: Targets,
    /// First creation.
    pub valid_from: Option<Micros>,
    /// End date.
    pub valid_to: Option<Micros>,
    /// Storage key of the owner, lower case.
    pub user_id: Option<String>,
    /// Whether the service calls it valid.
    pub is_valid: Option<bool>,
    /// Whether it is an SSH key.
    pub is_public: bool,
    /// Client id where not zero: then it is an OAuth authorisation.
    pub client_id: Option<String>,
    /// Organisation that lists it, where the file says so, as written.
    pub org: Option<String>,
    /// UPN of the owner, where the file says so.
    pub owner_upn: Option<String>,
    /// Name of the owner, where the file says so.
    pub owner_name: Option<String>,
    /// `tokenadmin` or `pats`.
    pub source: &'static str,
}

/// One user, service principal or group.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UserRow {
    /// Graph subject descriptor; empty when missing.
    pub descriptor: String,
    /// CUID, from the descriptor.
    pub cuid: Option<String>,
    /// Storage key, lower case.
    pub storage_key: Option<String>,
    /// Principal name as written; empty when missing.
    pub upn: String,
    /// Display name; empty when missing.
    pub name: String,
    /// Where the identity comes from: aad, msa, vsts.
    pub origin: String,
    /// `user`, `servicePrincipal`, `group`: only users own PATs.
    pub subject_kind: String,
    /// Whether the directory has deleted the account.
    pub deleted: bool,
    /// Whether the user can sign in, where the file says so.
    pub state: Option<OwnerState>,
    /// Last access to the organisation; nothing where never or unknown.
    pub last_access: Option<Micros>,
    /// Organisation, where the file says so, as written.
    pub org: Option<String>,
}

/// One row of the organisation's Usage page.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UsageRow {
    /// Storage key of the user, lower case; empty when missing.
    pub user_id: String,
    /// User as written.
    pub user: String,
    /// Start of the span that the row counts.
    pub start: Micros,
    /// End of the span.
    pub end: Micros,
    /// Mechanism as written.
    pub mechanism: String,
    /// Address as written.
    pub address: String,
    /// User agent as written.
    pub user_agent: String,
    /// Application, such as `Git`.
    pub application: String,
    /// Command, such as `Git.GetRefs`.
    pub command: String,
    /// Outcome as written.
    pub status: String,
    /// Calls.
    pub count: i64,
    /// Organisation, where the file says so, as written.
    pub org: Option<String>,
}

impl InventoryRow {
    /// Tells whether the row is a PAT, not an SSH key or an OAuth authorisation.
    #[must_use]
    pub fn is_pat(&self) -> bool {
        !self.is_public && self.client_id.is_none()
    }

    /// Owner in words, where the file says so.
    #[must_use]
    pub fn owner(&self) -> Option<&String> {
        self.owner_upn.as_ref().or(self.owner_name.as_ref())
    }
}
