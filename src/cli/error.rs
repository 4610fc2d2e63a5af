//! Errors as the user sees them: what went wrong, the causes, hints, and the exit code.

use crate::model::secret;
use crate::output::terminal::{disarmed, is_deceptive, written_out};
use std::fmt::Write as _;
use std::process::ExitCode;

/// An error that ends a command.
#[derive(Debug)]
pub(super) struct CliError {
    /// What went wrong, with its causes.
    pub error: anyhow::Error,
    /// What the user may do.
    pub hints: Vec<String>,
}

impl CliError {
    /// A plain message.
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { error: anyhow::anyhow!(message.into()), hints: Vec::new() }
    }

    /// Adds a hint.
    #[must_use]
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Tells whether the reader of our output went away, which is success.
    pub(super) fn is_broken_pipe(&self) -> bool {
        self.error.chain().any(|cause| {
            cause.downcast_ref::<std::io::Error>().is_some_and(|e| e.kind() == std::io::ErrorKind::BrokenPipe)
        })
    }

    /// Text for stderr.
    pub(super) fn render(&self) -> String {
        let mut text = format!("error: {}", message(&self.error.to_string()));
        for cause in self.error.chain().skip(1) {
            let cause = message(&cause.to_string());
            if !text.contains(&cause) {
                let _ = write!(text, "\n  caused by: {cause}");
            }
        }
        for hint in &self.hints {
            let _ = write!(text, "\n  hint: {}", message(hint));
        }
        text
    }
}

/// Names of files and text from the log may hold what acts on a terminal, a reader or an agent of pipelines: it is shown,
/// not sent. Lines stay lines.
pub(super) fn clean(text: &str) -> String {
    let text = written_out(text, |c| is_deceptive(c) && !matches!(c, '\n' | '\t'));
    let text = disarmed(&text);
    secret::covered(&text).into_owned()
}

/// The same for a message: what follows a line break is set in, so that a name with one in it begins no line of its own.
pub(super) fn message(text: &str) -> String {
    clean(text).trim_end().replace('\n', "\n  ")
}

impl<E: Into<anyhow::Error>> From<E> for CliError {
    fn from(error: E) -> Self {
        Self { error: error.into(), hints: Vec::new() }
    }
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Outcome {
    /// All that was asked is done.
    Done,
    /// Findings at or above `--fail-on`.
    Findings,
    /// Not all that was asked could be done; this beats findings.
    Incomplete,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        Self::from(match outcome {
            Outcome::Done => 0,
            Outcome::Findings => 1,
            Outcome::Incomplete => 2,
        })
    }
}
