//! A dossier as Markdown.

use super::Dossier;
use crate::output::markdown::{escape, table};
use crate::output::{Format, Result, Style, words};
use std::io;

/// `--format markdown`.
#[derive(Debug)]
pub struct Markdown;

impl<'a> Format<Dossier<'a>> for Markdown {
    fn name(&self) -> &'static str {
        "markdown"
    }

    fn extension(&self) -> &'static str {
        "md"
    }

    fn write(&self, dossier: &Dossier<'a>, _: Style, to: &mut dyn io::Write) -> Result {
        writeln!(to, "# {}", escape(words::token_label(dossier.token)))?;
        for section in dossier.sections() {
            writeln!(to, "\n## {}\n", section.title)?;
            for (label, value) in &section.facts {
                writeln!(to, "- **{label}**: {}", escape(value))?;
            }
            if !section.rows.is_empty() {
                write!(to, "{}", table(&section.head, &section.rows))?;
            }
            for (i, sentence) in section.sentences.iter().enumerate() {
                if i > 0 || !section.facts.is_empty() || !section.rows.is_empty() {
                    writeln!(to)?;
                }
                writeln!(to, "{}", escape(sentence))?;
            }
            for (what, code) in &section.code {
                // A fence longer than any run of back-ticks inside cannot be closed from inside.
                let longest = code.split(|c| c != '`').map(str::len).max().unwrap_or(0);
                let fence = "`".repeat(longest.max(2) + 1);
                writeln!(
                    to,
                    "\n{}\n\n{fence}\n{}\n{fence}",
                    escape(what),
                    crate::output::terminal::clean(code)
                )?;
            }
        }
        Ok(())
    }
}
