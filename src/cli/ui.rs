//! What the user sees while a command runs: messages and progress on stderr, results on stdout.

use super::args::ColorChoice;
use super::error::{CliError, clean, message};
use crate::output::{Style, private};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{IsTerminal as _, Write as _};
use std::path::Path;

/// The terminal, as the user set it.
#[derive(Debug, Clone)]
pub(super) struct Ui {
    level: i8,
    /// Whether stdout may be coloured.
    pub color: bool,
    /// Whether stderr is a terminal that bars can be drawn on.
    bars: bool,
}

impl Ui {
    pub(super) fn new(verbose: u8, quiet: bool, color: ColorChoice) -> Self {
        let level = if quiet { -1 } else { i8::try_from(verbose).unwrap_or(i8::MAX) };
        let stdout = std::io::stdout().is_terminal();
        let color = match color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            // https://no-color.org: any value but an empty one means no colour.
            ColorChoice::Auto => stdout && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty()),
        };
        Self { level, color, bars: level >= 0 && std::io::stderr().is_terminal() }
    }

    /// The same without progress and hints: for steps of which only the sum is of interest.
    pub(super) fn silent(&self) -> Self {
        Self { level: -1, bars: false, ..self.clone() }
    }

    /// Width of the terminal, where stdout is one.
    pub(super) fn width(&self) -> Option<u16> {
        let columns = std::env::var("COLUMNS").ok().and_then(|c| c.parse().ok());
        std::io::stdout().is_terminal().then(|| columns.unwrap_or_else(|| console_width().unwrap_or(100)))
    }

    /// How a result may look on stdout, or in a file.
    pub(super) fn style(&self, output: Option<&Path>) -> Style {
        Style { color: self.color && output.is_none(), width: self.width(), lf: output.is_none() }
    }

    /// Says something unless `--quiet`.
    pub(super) fn info(&self, text: &str) {
        if self.level >= 0 {
            self.err(&message(text));
        }
    }

    /// Says something with `--verbose`.
    pub(super) fn detail(&self, text: &str) {
        if self.level >= 1 {
            self.err(&message(text));
        }
    }

    /// Says something that must not be missed.
    pub(super) fn warn(&self, text: &str) {
        self.err(&message(&format!("warning: {text}")));
    }

    /// Writes a line to stderr; a closed stderr is nobody's fault.
    pub(super) fn err(&self, text: &str) {
        let _ = writeln!(std::io::stderr().lock(), "{}", clean(text));
    }

    /// Asks on stderr, and reads the answer: only a yes is one.
    pub(super) fn agrees(&self, question: &str) -> std::io::Result<bool> {
        let mut stderr = std::io::stderr().lock();
        write!(stderr, "{}", clean(question))?;
        stderr.flush()?;
        let mut answer = String::new();
        std::io::stdin().read_line(&mut answer)?;
        Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
    }

    /// A bar over `total` steps or bytes; invisible where stderr is no terminal.
    pub(super) fn bar(&self, total: u64, what: &str, bytes: bool) -> ProgressBar {
        let target = if self.bars { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(total), target);
        let template = if bytes {
            "{msg:.dim} {bar:30} {bytes}/{total_bytes} {binary_bytes_per_sec}"
        } else {
            "{msg:.dim} {bar:30} {pos}/{len}"
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_message(message(what));
        bar
    }

    /// Writes a result to a file, or to stdout.
    pub(super) fn write(&self, output: Option<&Path>, bytes: &[u8]) -> Result<(), CliError> {
        self.stream(output, |to| Ok(to.write_all(bytes)?))
    }

    /// Has results written as they are made: they may be larger than what they are made of.
    pub(super) fn stream(
        &self,
        output: Option<&Path>,
        write: impl FnOnce(&mut dyn std::io::Write) -> crate::output::Result,
    ) -> Result<(), CliError> {
        let Some(path) = output else {
            let mut stdout = std::io::stdout().lock();
            write(&mut stdout)?;
            stdout.flush()?;
            return Ok(());
        };
        if let Some(folder) = path.parent().filter(|p| !p.as_os_str().is_empty()) {
            private::folder(folder)
                .map_err(|e| CliError::new(format!("cannot make {}: {e}", folder.display())))?;
        }
        let mut file = private::file(path)
            .map_err(|e| CliError::new(format!("cannot write {}: {e}", path.display())))?;
        write(&mut file).map_err(|e| CliError::new(format!("cannot write {}: {e}", path.display())))
    }
}

fn console_width() -> Option<u16> {
    let width = comfy_table::Table::new().width()?;
    (width > 20).then_some(width)
}
