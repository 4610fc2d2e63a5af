//! What stands around one token: its generations, and what seems to hold it.

use super::time::{Day, Micros};

/// One generation of a rotated token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generation {
    /// authorizationId.
    pub token_id: String,
    /// Display name.
    pub name: Option<String>,
    /// When it began.
    pub from: Option<Micros>,
    /// When it ended or will end.
    pub to: Option<Micros>,
    /// How long it lived beside its predecessor; negative where nothing was in force between the two.
    pub overlap: Option<Micros>,
}

/// The generations of a token as far as names, scopes and dates link them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lineage {
    /// All of them, oldest first; empty where nothing links the token to another.
    pub generations: Vec<Generation>,
    /// Which of them the token is, from 0 on.
    pub at: usize,
    /// When this token was created, as a list or an event says.
    pub begun: Option<Micros>,
    /// Since when its secret is the same: its creation, where the log has that event and no later one that may have
    /// brought a new secret.
    pub secret_since: Option<Micros>,
    /// Whole days from its creation to the run's instant, or to the token's end where that came first.
    pub secret_days: Option<i64>,
    /// Whether that was a rotation, the token having a predecessor.
    pub rotated: bool,
    /// What the log cannot tell apart.
    pub notes: Vec<String>,
}

text_enum! {
    /// Who seems to work with a token.
    Worker {
        /// A machine: by its client, its clock or its hours.
        Automation = "automation",
        /// A person: by hours of work and client.
        Person = "person",
        /// The events do not tell.
        Unclear = "unclear",
    }
}

/// One place that seems to hold a token: a client in a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Integration {
    /// Client.
    pub client: String,
    /// Network.
    pub network: String,
    /// Projects, most frequent first.
    pub projects: Vec<String>,
    /// Actions, most frequent first.
    pub actions: Vec<String>,
    /// Events.
    pub events: u64,
    /// First and last day.
    pub days: (Day, Day),
    /// How often, in words.
    pub cadence: String,
}

/// What depends on a token, as far as its audited events show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependence {
    /// Who works with it.
    pub worker: Worker,
    /// The values behind that, as a sentence.
    pub reason: String,
    /// What seems to hold it, busiest first.
    pub integrations: Vec<Integration>,
    /// Whom to ask before it ends.
    pub ask: String,
    /// What the work could move to, where the events let one say.
    pub move_to: Option<String>,
    /// When Microsoft ends it whatever its own end date, where it does.
    pub ends_for_all: Option<String>,
}

impl Default for Dependence {
    fn default() -> Self {
        Self {
            worker: Worker::Unclear,
            reason: String::new(),
            integrations: Vec::new(),
            ask: String::new(),
            move_to: None,
            ends_for_all: None,
        }
    }
}
