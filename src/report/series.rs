//! What the charts draw: numbers with their labels, in the order they are drawn.

use crate::model::time::{Day, Micros, Span};

/// Everything that every chart needs; plain numbers.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Series {
    /// First and last day of the window.
    pub days: (Day, Day),
    /// Events per day by mechanism kind (`pat`, `interactive`, `session`, ...): one row a kind, one number a day.
    pub activity: Vec<(String, Vec<u64>)>,
    /// Gaps over all organisations, with organisation and reason.
    pub gaps: Vec<(String, Span, String)>,
    /// Findings by family (rows) and severity (info to critical).
    pub findings: Vec<(String, [u64; 5])>,
    /// Tokens by use verdict.
    pub verdicts: Vec<(String, u64)>,
    /// Lifetimes: one row a token, soonest end first.
    pub lifetimes: Vec<Lifetime>,
    /// Granted against used scopes: scope -> numbers of tokens by state.
    pub scopes: Vec<ScopeCount>,
    /// Tokens by days since creation or last true rotation: (upper bound in days, tokens); last is open.
    pub ages: Vec<(i64, u64)>,
    /// PAT events per hour of the week, Monday 00:00 UTC first: 168 numbers.
    pub hours: Vec<u64>,
    /// Risk of every token.
    pub risks: Vec<f64>,
    /// Coverage per organisation: held span and covered days.
    pub coverage: Vec<(String, Span, Vec<Day>)>,
    /// Tokens in force by organisation: decided and done, not done, not known, open.
    pub review: Vec<(String, [u64; 4])>,
    /// How far the review has come, where there is one.
    pub review_sentence: Option<String>,
    /// The instant of the run.
    pub as_of: Micros,
    /// Longest life in days that the policy allows; nothing where none is set.
    pub max_lifetime_days: Option<i64>,
}

/// One bar of the lifetime chart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lifetime {
    /// Token name, else id.
    pub label: String,
    /// Creation.
    pub from: Micros,
    /// End date.
    pub to: Micros,
    /// Last audited event in the window, where there is one.
    pub last_observed: Option<Micros>,
    /// Whether it reaches all organisations.
    pub all_orgs: bool,
    /// Whether its life exceeds the policy.
    pub over_policy: bool,
}

/// One row of the scope matrix: how many tokens hold the scope in each state.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScopeCount {
    /// Scope string.
    pub scope: String,
    /// Tokens whose events needed it.
    pub used: u64,
    /// Tokens that hold it, would have been seen using it and were not.
    pub not_seen: u64,
    /// Tokens that hold it and could not have been seen.
    pub cannot_be_seen: u64,
    /// Tokens that needed it beyond their grant.
    pub beyond_grant: u64,
}

/// Everything that one token's timeline draws.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TokenTimeline {
    /// Token name, else id.
    pub label: String,
    /// First and last day of the window.
    pub days: (Day, Day),
    /// Days with an event of the token, as (day, events).
    pub per_day: Vec<(Day, u64)>,
    /// Networks, most events first.
    pub networks: Vec<Lane>,
    /// Clients, most events first.
    pub clients: Vec<Lane>,
    /// What happened to the token, in time order: created, extended, revoked, ... in two or three words.
    pub life: Vec<(Micros, String)>,
    /// Gaps of its organisation, with organisation and reason.
    pub gaps: Vec<(String, Span, String)>,
    /// The instant of the run.
    pub as_of: Micros,
}

/// One network or client of a token.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lane {
    /// What it is called.
    pub label: String,
    /// Events in the window.
    pub events: u64,
    /// Days with an event, as (day, events); empty where only the number is known.
    pub days: Vec<(Day, u64)>,
}
