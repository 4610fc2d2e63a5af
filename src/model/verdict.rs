//! patwatch's answers on one token, each with the evidence that carries it.

use super::claim::Field;
use super::finding::Confidence;
use super::time::Micros;

text_enum! {
    /// Is the token used? The first that holds, in the order of section 5 of the design.
    UseState {
        /// At least one attributed event in the window.
        Observed = "observed",
        /// Usage records show the owner calling with a PAT of this class.
        Possible = "possible",
        /// Usage records show no PAT call by the owner at all.
        RuledOut = "ruled-out",
        /// No event in enough covered days.
        NotObserved = "not-observed",
        /// The evidence does not carry an answer.
        NotJudged = "not-judged",
    }
}

/// The answer to "is it used?".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UseVerdict {
    /// The answer.
    pub verdict: UseState,
    /// How far to trust it.
    pub confidence: Confidence,
    /// One sentence.
    pub reason: String,
    /// Last attributed event inside the window.
    pub last_observed: Option<Micros>,
    /// Last attributed event that the lake holds.
    pub last_observed_ever: Option<Micros>,
    /// Attributed events inside the window.
    pub events: u64,
    /// Newest of them.
    pub event_ids: Vec<String>,
    /// Whole days without a gap inside window and life.
    pub covered_days: u32,
    /// Other organisations of the run in which the token was seen in the window.
    pub seen_in: Vec<String>,
}

text_enum! {
    /// How much of a scope's use leaves a trace in the log.
    Visibility {
        /// Every operation that needs it raises an audited action.
        Full = "full",
        /// All but known exceptions do.
        Mostly = "mostly",
        /// Some do.
        Partial = "partial",
        /// None does.
        None = "none",
        /// The scope is not in the catalogue.
        Unknown = "unknown",
    }
}

text_enum! {
    /// What the log says on one scope of one token.
    ScopeState {
        /// An event needed it.
        Used = "used",
        /// Its use would have been seen and was not.
        NotSeen = "not-seen",
        /// Its use would not have been seen.
        CannotBeSeen = "cannot-be-seen",
        /// An event needed it, and the known grant does not give it.
        BeyondGrant = "beyond-grant",
    }
}

/// The answer on one scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScopeVerdict {
    /// Scope string.
    pub scope: String,
    /// The answer.
    pub state: ScopeState,
    /// How much of its use the log shows.
    pub visibility: Visibility,
    /// How far to trust it.
    pub confidence: Confidence,
    /// Events behind `used` and `beyond-grant`.
    pub event_ids: Vec<String>,
    /// When the last of them happened.
    pub last_time: Option<Micros>,
    /// Operations it allows that leave no trace.
    pub unseen_operations: Vec<String>,
    /// Actions that needed it, with how often.
    pub actions: Vec<(String, u64)>,
    /// Whole days without a gap, inside window and life, since the token has held it.
    pub covered_days: u32,
}

/// All answers on one token.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdicts {
    /// Is it used?
    pub usage: UseVerdict,
    /// Is it wider than its use? One row a scope.
    pub scope: Vec<ScopeVerdict>,
    /// Least set that the events need.
    pub observed_scopes: Option<Vec<String>>,
    /// Under full access: that set without the scopes that only events under an open anomaly needed.
    pub start_scopes: Option<Vec<String>>,
    /// The scopes that it leaves out.
    pub strange_scopes: Vec<String>,
    /// Safe proposal; nothing for full access and unknown grants.
    pub proposed_scopes: Option<Vec<String>>,
    /// Proposal to confirm with the owner.
    pub reduced_scopes: Option<Vec<String>>,
    /// What to do.
    pub advice: Advice,
    /// 0 to 100.
    pub risk: f64,
    /// What the risk is made of: points and a sentence each.
    pub risk_parts: Vec<RiskPart>,
}

/// One contribution to the risk.
#[derive(Debug, Clone, PartialEq)]
pub struct RiskPart {
    /// Points added.
    pub points: f64,
    /// Why.
    pub reason: String,
}

text_enum! {
    /// What a reviewer is told to do; `revoke` only where section 5 of the design allows the word.
    Action {
        Revoke = "revoke",
        Reduce = "reduce",
        AskOwner = "ask the owner",
        Watch = "watch",
        None = "nothing",
    }
}

/// The advice on one token and the sentence that argues it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advice {
    /// What to do.
    pub action: Action,
    /// Why.
    pub reason: String,
    /// Fields of the token whose claims carry it.
    pub rests_on: Vec<Field>,
    /// Whom to ask, where that is not the owner.
    pub ask: Option<&'static str>,
    /// The instants and the number that the sentence rests on.
    pub facts: AdviceFacts,
}

/// The exact instants and the number behind the sentence of an advice, which shows minutes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AdviceFacts {
    /// Since when it is so: the leak, the revoke, the first strange event.
    pub since: Option<Micros>,
    /// The last event of it.
    pub last: Option<Micros>,
    /// How many events show it.
    pub events: Option<u64>,
    /// How many covered days a silence lasts.
    pub covered_days: Option<u32>,
}

impl Advice {
    /// Advice that rests on no single claim.
    #[must_use]
    pub fn new(action: Action, reason: impl Into<String>) -> Self {
        Self { action, reason: reason.into(), rests_on: Vec::new(), ask: None, facts: AdviceFacts::default() }
    }
}
