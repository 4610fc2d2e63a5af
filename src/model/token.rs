//! A PAT as one organisation lists it or sees it.

use super::claim::{Claim, Field, certainty};
use super::finding::Confidence;
use super::time::Micros;

text_enum! {
    /// Where a token is known from.
    KnownFrom {
        /// The token administration API lists it.
        Inventory = "inventory",
        /// `Token.*` events tell of it.
        Ledger = "ledger",
        /// Only its use is seen.
        Events = "events",
    }
}

text_enum! {
    /// Whether a token can still be used.
    TokenState { Active = "active", Expired = "expired", Revoked = "revoked", Unknown = "unknown" }
}

text_enum! {
    /// Whether the owner can still sign in.
    OwnerState { Active = "active", Disabled = "disabled", Removed = "removed", Unknown = "unknown" }
}

/// One change in a token's life, told by a `Token.*` event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LifeEvent {
    /// When.
    pub time: Micros,
    /// Bare GUID of the event.
    pub event_id: String,
    /// Action id.
    pub action: String,
    /// One sentence on what changed.
    pub text: String,
    /// Who did it.
    pub actor: String,
    /// From which network.
    pub network: String,
    /// With which client.
    pub client: String,
}

/// The grant that was in force from some instant on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grant {
    /// From when; the token's creation for the first.
    pub since: Micros,
    /// Scopes, sorted; nothing when unknown.
    pub scopes: Option<Vec<String>>,
    /// End date, where known.
    pub valid_to: Option<Micros>,
    /// Whether it reaches all organisations, where its source says so.
    pub all_orgs: Option<bool>,
    /// Ids of the organisations that it is for, where its source names them.
    pub targets: Vec<String>,
    /// Told by an inventory, which shows the grant of its day and not when it began.
    pub listed: bool,
}

/// What is known of a token's owner beside name and state.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OwnerFacts {
    /// Administrator groups that events put the owner into and never took them out of.
    pub admin_of: Vec<String>,
    /// Last access of the owner to the organisation by any means, where entitlements tell.
    pub last_access: Option<Micros>,
    /// Last audited event that the owner made with any PAT.
    pub last_pat: Option<Micros>,
    /// PATs of the owner in this organisation that are not known to be over, this one included.
    pub tokens: u64,
    /// Every id and user name by which the owner is known, present or former.
    pub aliases: Vec<String>,
}

/// A PAT, one row per organisation that lists it or where it is seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Organisation.
    pub org: String,
    /// authorizationId in lower case; the visible part where only that is known.
    pub token_id: String,
    /// Display name.
    pub name: Option<String>,
    /// Owner: UPN in lower case, else display name, else storage key.
    pub owner: Option<String>,
    /// Storage key of the owner.
    pub owner_id: Option<String>,
    /// Whether the owner can sign in.
    pub owner_state: OwnerState,
    /// Since when the owner is disabled or removed.
    pub owner_gone_at: Option<Micros>,
    /// Where it is known from, in declaration order.
    pub known_from: Vec<KnownFrom>,
    /// Whether it can be used.
    pub state: TokenState,
    /// Granted scopes now, sorted; nothing when the grant is unknown.
    pub scopes: Option<Vec<String>>,
    /// Every grant that is known, oldest first.
    pub grants: Vec<Grant>,
    /// Whether it reaches all organisations; nothing when unknown.
    pub all_orgs: Option<bool>,
    /// Whether it reaches organisations that this run does not see.
    pub reaches_unseen_orgs: bool,
    /// Organisations of this run that it is for beside this one.
    pub other_orgs: Vec<String>,
    /// Creation (survives edits: not the last rotation).
    pub valid_from: Option<Micros>,
    /// End date.
    pub valid_to: Option<Micros>,
    /// When it was revoked, where an event says so.
    pub revoked_at: Option<Micros>,
    /// When it was found in public, where an event says so.
    pub leaked_at: Option<Micros>,
    /// Life as told by events, oldest first.
    pub life: Vec<LifeEvent>,
    /// Some event of that life names the token by owner and name alone, so what it tells is of medium confidence.
    pub joined_by_name: bool,
    /// The owner beside name and state.
    pub owner_facts: OwnerFacts,
    /// Everything that is said of it, with what became of each claim.
    pub claims: Vec<Claim>,
}

impl Token {
    /// Tells whether the grant is full access.
    #[must_use]
    pub fn is_full_access(&self) -> bool {
        self.scopes.as_ref().is_some_and(|s| s.iter().any(|s| is_full_scope(s)))
    }

    /// Tells whether a list or an event says that it is for one organisation alone.
    #[must_use]
    pub fn is_for_one_org(&self) -> bool {
        self.all_orgs == Some(false) && !self.reaches_unseen_orgs && self.other_orgs.is_empty()
    }

    /// The most confidence that its claims on some fields allow.
    #[must_use]
    pub fn certainty(&self, fields: &[Field]) -> Confidence {
        certainty(&self.claims, fields)
    }

    /// Tells whether the token is out of force, so that use and scope findings would be idle.
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(self.state, TokenState::Expired | TokenState::Revoked)
    }

    /// Returns since when it has held a scope that it holds now, as far as grants tell: what it did before says nothing
    /// of that scope. A grant that only a list tells counts from the list on.
    #[must_use]
    pub fn held_since(&self, scope: &str) -> Option<Micros> {
        let holds = |grant: &&Grant| grant.scopes.as_ref().is_some_and(|s| s.iter().any(|s| s == scope));
        let first = self.grants.iter().rev().take_while(holds).last();
        first.map(|grant| grant.since).max(self.valid_from)
    }

    /// Returns the end of the part of its life that is known: nothing may be concluded from silence after it.
    ///
    /// Where a list calls it revoked and no event says since when, no day after its creation is known to be one of
    /// its life.
    #[must_use]
    pub fn known_end(&self) -> Option<Micros> {
        if self.state == TokenState::Revoked && self.revoked_at.is_none() {
            return Some(self.valid_from.unwrap_or(Micros::MIN));
        }
        [self.valid_to, self.revoked_at].into_iter().flatten().min()
    }
}

/// The scope string of full access, as the administration API writes it.
pub const FULL_SCOPE: &str = "app_token";

/// Tells whether a scope string grants everything.
#[must_use]
pub fn is_full_scope(scope: &str) -> bool {
    matches!(scope, FULL_SCOPE | "user_impersonation")
}

/// Splits a grant as inventories and events write it: blanks or commas between scopes, any order.
#[must_use]
pub fn split_scopes(text: &str) -> Vec<String> {
    let mut scopes: Vec<String> = text
        .split(|c: char| c.is_whitespace() || c == ',' || c == ';')
        .filter(|s| !s.is_empty())
        .map(str::to_owned)
        .collect();
    scopes.sort_unstable();
    scopes.dedup();
    scopes
}
