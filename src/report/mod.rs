//! One [`Report`] value: everything that an output or a chart shows, decided and sorted.
//!
//! In: the results of the analysis. Out: plain data. Outputs render it and decide nothing; two equal
//! reports render to equal bytes.

pub mod build;
pub mod compare;
pub mod contain;
pub mod controls;
pub mod evidence;
pub mod rank;
pub mod response;
pub mod review;
pub mod scorecard;
pub mod series;
pub mod settings;
pub mod start;

use crate::model::coverage::Coverage;
use crate::model::decision::Decision;
use crate::model::finding::{Blind, DetectionMeta, Finding, NotRun};
use crate::model::lineage::{Dependence, Lineage};
use crate::model::policy::Policy;
use crate::model::review_period::Period;
use crate::model::time::{Micros, Window};
use crate::model::token::Token;
use crate::model::verdict::Verdicts;

/// Version of the shapes of `findings.json`, `tokens.json` and `changes.json`.
pub const SCHEMA_VERSION: u32 = 1;

/// Version of patwatch.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Everything one run has to say.
#[derive(Debug, Clone)]
pub struct Report {
    /// The instant that the run stands at.
    pub as_of: Micros,
    /// The window it looked at.
    pub window: Window,
    /// SHA-256 of the pack that ran.
    pub pack_sha256: String,
    /// SHA-256 of the configuration in force.
    pub config_sha256: String,
    /// Thresholds in force.
    pub policy: Policy,
    /// Coverage per organisation, by name.
    pub coverage: Vec<Coverage>,
    /// Population per organisation, by name.
    pub population: Vec<Population>,
    /// Events of the selected organisations in the window.
    pub events: u64,
    /// One row a token and organisation, by organisation and id.
    pub tokens: Vec<TokenReport>,
    /// Ambiguous credentials.
    pub unattributed: Vec<Unattributed>,
    /// Findings: severity, then confidence, then detection and subject.
    pub findings: Vec<Finding>,
    /// Detections that did not run.
    pub not_run: Vec<NotRun>,
    /// Detections that ran and could not match, by detection and organisation.
    pub blind: Vec<Blind>,
    /// Every detection of the pack.
    pub detections: Vec<DetectionMeta>,
    /// What the charts draw.
    pub series: series::Series,
    /// Files that the lake was made from, by hash.
    pub inputs: Vec<Input>,
    /// Decisions on tokens that this run does not see.
    pub decisions_elsewhere: Vec<Decision>,
    /// The days whose decisions count for the completeness of the review; every one where none is set.
    pub review_period: Option<Period>,
    /// Exceptions of the configuration.
    pub approved: Vec<review::Approved>,
    /// What the run had to judge each organisation by.
    pub evidence: Vec<evidence::Evidence>,
    /// A digest of what each detection is made of: its query, and the thresholds and places that it uses.
    pub digests: std::collections::BTreeMap<String, String>,
    /// What the user took out of the run, or changed in it.
    pub settings: settings::Settings,
    /// What changed since an earlier bundle, where one was given.
    pub comparison: Option<compare::Comparison>,
}

/// One token with its verdicts.
#[derive(Debug, Clone)]
pub struct TokenReport {
    /// The token.
    pub token: Token,
    /// The answers.
    pub verdicts: Verdicts,
    /// Fingerprints of its findings, in the order of [`Report::findings`].
    pub findings: Vec<String>,
    /// What its events show, most frequent first.
    pub activity: Activity,
    /// The newest decision on it, and how that stands.
    pub decision: Option<review::Standing>,
    /// Its generations.
    pub lineage: Lineage,
    /// What seems to depend on it.
    pub dependence: Dependence,
}

/// What the attributed events of one token in the window show.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Activity {
    /// Days with an event, as (day, events).
    pub per_day: Vec<(i32, u64)>,
    /// Actions with their number.
    pub actions: Vec<(String, u64)>,
    /// Networks with their number.
    pub networks: Vec<(String, u64)>,
    /// Clients with their number.
    pub clients: Vec<(String, u64)>,
    /// Projects with their number.
    pub projects: Vec<(String, u64)>,
    /// Events per hour of the week, Monday 00:00 UTC first; 168 numbers or none.
    pub hours: Vec<u64>,
}

/// A credential that could be more than one token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unattributed {
    /// Organisation.
    pub org: String,
    /// Visible part.
    pub credential: String,
    /// Token ids it could be.
    pub candidates: Vec<String>,
    /// Events in the window.
    pub events: u64,
}

/// What the inventory of one organisation holds, and how complete it is.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Population {
    /// Organisation.
    pub org: String,
    /// When the inventory was taken.
    pub inventory_taken: Option<String>,
    /// Whether every user was listed.
    pub complete: bool,
    /// Users whose tokens were listed.
    pub users_listed: u64,
    /// Users whose tokens could not be listed.
    pub users_failed: u64,
    /// PATs in the inventory.
    pub tokens: u64,
    /// Rows that are SSH keys or OAuth authorisations.
    pub not_pats: u64,
}

/// One input that the lake was made from.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct Input {
    /// File name or URL, without folders that name a machine.
    pub name: String,
    /// SHA-256 of its bytes as they arrived.
    pub sha256: String,
    /// What it was read as.
    pub kind: String,
    /// Records read.
    pub read: u64,
    /// Records kept.
    pub kept: u64,
    /// Records the lake held already.
    pub duplicate: u64,
    /// Records rejected.
    pub rejected: u64,
    /// Rejected by reason.
    pub reasons: std::collections::BTreeMap<String, u64>,
    /// Credentials that were masked in it, by kind.
    pub masked: crate::model::secret::Masked,
}
