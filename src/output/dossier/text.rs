//! A dossier for people at a terminal.

use super::Dossier;
use crate::output::terminal::{self, Item, Paint};
use crate::output::{Format, Result, Style, words};
use std::io;

/// `--format table`, the default.
#[derive(Debug)]
pub struct Text;

impl<'a> Format<Dossier<'a>> for Text {
    fn name(&self) -> &'static str {
        "table"
    }

    fn extension(&self) -> &'static str {
        "txt"
    }

    fn write(&self, dossier: &Dossier<'a>, style: Style, to: &mut dyn io::Write) -> Result {
        terminal::heading(words::token_label(dossier.token), style, to)?;
        for section in dossier.sections() {
            writeln!(to)?;
            terminal::heading(section.title, style, to)?;
            if !section.facts.is_empty() {
                let rows: Vec<Vec<Item>> = section
                    .facts
                    .iter()
                    .map(|(label, value)| vec![Item::painted(*label, Paint::Dim), Item::plain(value)])
                    .collect();
                writeln!(to, "{}", terminal::facts(&rows, style))?;
            }
            if !section.rows.is_empty() {
                let rows: Vec<Vec<Item>> =
                    section.rows.iter().map(|row| row.iter().map(Item::plain).collect()).collect();
                writeln!(to, "{}", terminal::table(&section.head, &rows, style))?;
            }
            for sentence in &section.sentences {
                terminal::paragraph(sentence, style, to)?;
            }
            for (what, code) in &section.code {
                writeln!(to)?;
                terminal::paragraph(what, style, to)?;
                writeln!(to)?;
                // As it stands, so that it can be copied.
                for line in code.lines() {
                    writeln!(to, "    {}", terminal::clean(line))?;
                }
            }
        }
        Ok(())
    }
}
