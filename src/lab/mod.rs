//! The laboratory: makes an organisation whose truth is known, and scores findings against it.
//!
//! [`simulate`] takes a seed and writes audit files, an inventory, users and `truth.json`; it is written
//! from the facts about Azure DevOps, never from the detections, and shares no constant with them.
//! [`evaluate`] takes written `findings.json`, `tokens.json` and `truth.json` and returns recall, precision,
//! false alerts and delay.

mod actions;
mod agents;
mod comparison;
mod dice;
mod files;
mod inputs;
mod interval;
mod labels;
mod lists;
mod log;
mod lookalikes;
mod office;
mod payload;
mod place;
mod population;
mod purposes;
mod routine;
mod scenarios;
mod score;
mod shapes;
mod simulate;
mod summary;
mod tokens;
mod usage;
mod weakenings;
mod world;

pub use comparison::{Baseline, Comparison};
pub use interval::{Mean, Rate};
pub use labels::Label;
pub use score::{Evaluation, FalseAlert, Missed, ScenarioScore, evaluate};
pub use shapes::Shape;
pub use simulate::{SAMPLE, SimulateOptions, SimulateSummary, labelled, simulate};
pub use summary::{Summary, SummaryRow, combine};

/// Why the laboratory could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// The options make no organisation.
    #[error("{what}; {hint}")]
    Options {
        /// What is wrong.
        what: String,
        /// How to mend it.
        hint: &'static str,
    },
    /// A file could not be written.
    #[error("could not write {path}: {source}; choose a folder that you may write to")]
    Write {
        /// The file.
        path: std::path::PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// An input of the evaluation is not what it should be.
    #[error("{input} cannot be read: {source}; write it anew with the command that makes it")]
    Read {
        /// Which input: findings, tokens or truth.
        input: &'static str,
        /// Where and why.
        source: serde_json::Error,
    },
    /// A time in an input is no RFC 3339 time.
    #[error("{input} holds \"{text}\" where a time is expected; write it as RFC 3339 in UTC")]
    Time {
        /// Which input: findings, tokens or truth.
        input: &'static str,
        /// What stands there.
        text: String,
    },
}
