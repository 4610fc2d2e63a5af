//! Detections that run in another process: what is asked of it, and how it answers.
//!
//! In: a detection of the user's own pack. Out: its rows. Nobody has measured what such a query costs, and a query that
//! runs away cannot be stopped in a thread; a process can. Who starts and stops that process is the caller's matter.

use super::pack::{self, Detection, FINDINGS};
use super::rows::Rows;
use super::tables::Table;
use super::{Engine, EngineError, EngineErrorKind};
use serde::{Deserialize, Serialize};

/// What another process is asked to run.
#[derive(Debug, Serialize, Deserialize)]
pub struct Asked {
    /// Path of the detection's file.
    pub file: String,
    /// The file.
    pub text: String,
    /// What the detections before found, where the detection reads it.
    pub findings: Option<Rows>,
}

/// Runs detections where they can be stopped.
pub trait Apart: Sync {
    /// Runs a detection and returns its rows.
    ///
    /// # Errors
    /// When it fails, or had to be stopped.
    fn run(&self, asked: &Asked) -> Result<Rows, EngineError>;
}

impl Engine {
    /// What another process needs to run a detection.
    pub(super) fn asked(&self, detection: &Detection) -> Result<Asked, EngineError> {
        let findings = if detection.is_second() {
            Some(self.query(&format!("SELECT * FROM {FINDINGS}"))?)
        } else {
            None
        };
        Ok(Asked { file: detection.file.clone(), text: detection.sql.clone(), findings })
    }

    /// Runs, in that other process, what was asked for.
    ///
    /// # Errors
    /// When the detection cannot be read or fails.
    pub fn run_asked(&self, asked: &Asked) -> Result<Rows, EngineError> {
        let detection = pack::read(&asked.file, &asked.text).map_err(|problems| {
            let first = problems.into_iter().next();
            let (text, fix) = first.map_or_else(Default::default, |p| (p.text, p.mend));
            EngineError::new(EngineErrorKind::Refused, text, fix)
        })?;
        if let Some(findings) = &asked.findings {
            self.hand_on(Table::from_rows(FINDINGS, findings)?)?;
        }
        self.expect(std::iter::once(&detection));
        let rows = self.run(&detection);
        self.release();
        rows
    }
}
