//! What one chunk of an input held, as plain values.

use crate::model::batch::EventBatch;
use crate::model::time::{Day, Micros};
use crate::model::token::OwnerState;

/// The organisation of an event, as far as the event tells.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct OrgKey {
    /// Id of the scope, lower case; of a project where the scope is one. Empty when missing.
    pub scope_id: String,
    /// Name as [`org_name`](crate::model::identity::org_name) forms it; empty when the scope is a project or
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

/// A record that could not be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// Line where the record starts, from 1.
    pub line: u64,
    /// Number of the record in the input, from 1.
    pub record: u64,
    /// Why, in few words that many records share.
    pub reason: String,
    /// What is special about this one; may be empty.
    pub detail: String,
}

/// What one chunk of an input held.
#[derive(Debug, Default)]
pub struct Parsed {
    /// Events by organisation and UTC day, in order of first appearance.
    pub batches: Vec<((OrgKey, Day), EventBatch)>,
    /// Records, kept and rejected.
    pub read: u64,
    /// Records that could not be taken.
    pub rejected: Vec<Reject>,
    /// Tokens.
    pub inventory: Vec<InventoryRow>,
    /// Users, and whatever else a page of users lists.
    pub users: Vec<UserRow>,
    /// Usage records.
    pub usage: Vec<UsageRow>,
    /// Organisations of the events, each with its newest time.
    pub orgs_seen: Vec<(OrgKey, Micros)>,
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
    /// Ids of the organisations it is for, lower case; nothing stands for all.
    pub target_accounts: Option<Vec<String>>,
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
