//! What a detection says: its metadata, its hits, and the grades of both.

use super::claim::{Claim, Field};
use super::event_id::EventId;
use super::time::{Day, Micros};
use serde_json::{Map, Value};
use std::sync::Arc;

text_enum! {
    /// How bad a hit would be.
    Severity { Info = "info", Low = "low", Medium = "medium", High = "high", Critical = "critical" }
}

text_enum! {
    /// How often such an answer is right, apart from how bad it is.
    Confidence { Low = "low", Medium = "medium", High = "high" }
}

text_enum! {
    /// The question that a detection answers.
    Family {
        /// Is the token needed at all?
        Use = "use",
        /// Is it wider than its use?
        Scope = "scope",
        /// Does it behave oddly?
        Anomaly = "anomaly",
        /// Is it named, dated and rotated as it should be?
        Hygiene = "hygiene",
        /// Did the organisation weaken what guards it?
        Posture = "posture",
    }
}

text_enum! {
    /// What a finding is about.
    SubjectKind { Token = "token", User = "user", Org = "org", Project = "project", Other = "other" }
}

/// The thing that a finding is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct Subject {
    /// Kind of thing.
    pub kind: SubjectKind,
    /// Its id; for a token the token_id.
    pub id: String,
    /// Its name, where one is known.
    pub name: Option<String>,
}

/// A detection, described: what lists, reports and SARIF rules show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DetectionMeta {
    /// Stable id such as `PAT-A003`, never reused.
    pub id: String,
    /// File name without ending, such as `first-network`.
    pub slug: String,
    /// The folder it lies in.
    pub family: Family,
    /// One line.
    pub title: String,
    /// Default severity of a hit.
    pub severity: Severity,
    /// Default confidence of a hit.
    pub confidence: Confidence,
    /// Kind of its subjects.
    pub subject: SubjectKind,
    /// Sentence with `{column}` places.
    pub message: String,
    /// What to do.
    pub fix: String,
    /// Why the grades are what they are, and what the detection cannot see.
    pub rationale: String,
    /// Links.
    pub references: Vec<String>,
    /// Controls such as `NIST AC-2(3)`.
    pub controls: Vec<String>,
    /// ATT&CK techniques.
    pub attack: Vec<String>,
    /// Known rules that it stands for, such as `SEN-A01`.
    pub equivalents: Vec<String>,
    /// Columns that belong to the fingerprint beside organisation, detection and subject.
    pub keys: Vec<String>,
    /// Fields of the token whose claims a hit rests on: it is at most as confident as the weakest of them.
    pub rests_on: Vec<Field>,
}

/// A reviewer's decision that hides a finding from `--fail-on`, not from the outputs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suppression {
    /// keep, reduce, revoke or exception.
    pub decision: String,
    /// Who decided.
    pub reviewer: String,
    /// Until when, where limited.
    pub until: Option<Micros>,
    /// On which day, where known.
    pub decided_on: Option<Day>,
    /// Why.
    pub reason: String,
    /// Whether the reviewer is the owner of the token.
    pub reviewer_is_owner: bool,
}

impl Suppression {
    /// Returns who decided, with a mark where it is the owner.
    #[must_use]
    pub fn who(&self) -> String {
        super::decision::who(&self.reviewer, self.reviewer_is_owner)
    }
}

/// One entry of a finding that gathers several, such as a pipeline that the subject changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListEntry {
    /// What it is called.
    pub name: String,
    /// First event that concerns it.
    pub first_time: Option<Micros>,
    /// Last event that concerns it.
    pub last_time: Option<Micros>,
    /// Number of events that concern it.
    pub count: u64,
}

/// One detection's hit on one subject.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// Organisation + detection + subject + declared keys, hashed; never times or counts.
    pub fingerprint: String,
    /// Detection id.
    pub detection: String,
    /// Detection slug.
    pub slug: String,
    /// Family.
    pub family: Family,
    /// Severity of this hit.
    pub severity: Severity,
    /// Confidence of this hit.
    pub confidence: Confidence,
    /// Organisation.
    pub org: String,
    /// What it is about.
    pub subject: Subject,
    /// Owner of the token: UPN, else name, else storage key.
    pub owner: Option<String>,
    /// First event of the hit.
    pub first_time: Option<Micros>,
    /// Last event of the hit.
    pub last_time: Option<Micros>,
    /// Exact number of events.
    pub count: u64,
    /// Full sentence.
    pub message: String,
    /// Evidence columns in order.
    pub evidence: Map<String, Value>,
    /// Newest 100 event ids, newest first.
    pub event_ids: Vec<EventId>,
    /// What to do; one text for all findings of a detection, as the two lists below.
    pub fix: Arc<str>,
    /// Controls.
    pub controls: Arc<[String]>,
    /// ATT&CK techniques.
    pub attack: Arc<[String]>,
    /// Set when a reviewer's decision covers it.
    pub suppressed: Option<Suppression>,
    /// Claims on the token that it rests on, with what became of each.
    pub claims: Vec<Claim>,
    /// What it gathers, newest first; nothing where the detection gathers nothing.
    pub list: Vec<ListEntry>,
}

impl Finding {
    /// Returns the sentence without the token, owner or person that it is about, for places that name them already.
    #[must_use]
    pub fn fact(&self) -> &str {
        let message = self.message.as_str();
        let after = |prefix: &str| message.strip_prefix(prefix).filter(|rest| !rest.is_empty());
        // A message calls what it does not know "unknown".
        let owner = self.owner.as_deref().unwrap_or("unknown");
        let names = [self.subject.name.as_deref().unwrap_or("unknown"), self.subject.id.as_str()];
        let mut prefixes: Vec<String> = Vec::new();
        for name in names {
            if self.subject.kind == SubjectKind::Token {
                prefixes.push(format!("The token '{name}' of {owner} "));
                prefixes.push(format!("The token '{name}' "));
            } else {
                prefixes.push(format!("{name} "));
            }
        }
        prefixes.iter().find_map(|prefix| after(prefix)).unwrap_or(message)
    }

    /// Returns true if it only sums up other findings of its subject.
    #[must_use]
    pub fn is_sum(&self) -> bool {
        self.slug == "several-findings"
    }
}

/// Most event ids that a finding or verdict carries; counts stay exact.
pub const MAX_EVENT_IDS: usize = 100;

/// A detection that ran and could not match in an organisation: no event of its actions has a field that it needs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Blind {
    /// Detection id.
    pub detection: String,
    /// Organisation.
    pub org: String,
    /// Fields that no event has; `a|b` stands for either of two.
    pub fields: Vec<String>,
    /// Events of its actions.
    pub events: u64,
}

/// A detection that did not run, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotRun {
    /// Detection id.
    pub detection: String,
    /// A sentence.
    pub reason: String,
    /// Whether it failed, rather than lacked an optional input.
    pub failed: bool,
}
