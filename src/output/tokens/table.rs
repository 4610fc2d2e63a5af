//! The tokens for people at a terminal: one row each, what to do first.

use crate::model::time::{day_of, day_text};
use crate::model::token::TokenState;
use crate::output::terminal::{self, Item, Paint};
use crate::output::{Format, Result, Style, words};
use crate::report::{Report, TokenReport, rank};
use std::io;

/// `--format table`.
#[derive(Debug)]
pub struct Table;

impl Format<Report> for Table {
    fn name(&self) -> &'static str {
        "table"
    }

    fn extension(&self) -> &'static str {
        "txt"
    }

    fn write(&self, report: &Report, style: Style, to: &mut dyn io::Write) -> Result {
        terminal::failures(report, style, to)?;
        if !report.tokens.is_empty() {
            let rows: Vec<Vec<Item>> =
                rank::tokens(report).into_iter().map(|i| row(&report.tokens[i])).collect();
            let head = ["org", "token", "owner", "state", "ends", "use", "last change", "risk", "advice"];
            writeln!(to, "{}\n", terminal::table(&head, &rows, style))?;
        }
        let n = report.tokens.len() as u64;
        terminal::heading(&format!("{n} token{}", words::s(n)), style, to)?;
        for u in &report.unattributed {
            terminal::paragraph(
                &format!(
                    "{}: {} event{} of credential {} could be any of {} tokens",
                    u.org,
                    u.events,
                    words::s(u.events),
                    u.credential,
                    u.candidates.len()
                ),
                style,
                to,
            )?;
        }
        terminal::paragraph(words::INVISIBLE, style, to)
    }
}

fn row(t: &TokenReport) -> Vec<Item> {
    let v = &t.verdicts;
    let state = match t.token.state {
        TokenState::Active => Paint::Plain,
        _ => Paint::Dim,
    };
    vec![
        Item::plain(t.token.org.clone()),
        Item::painted(words::token_label(t), Paint::Strong),
        Item::plain(t.token.owner.clone().unwrap_or_default()),
        Item::painted(t.token.state.as_str(), state),
        Item::plain(t.token.valid_to.map(|d| day_text(day_of(d))).unwrap_or_default()),
        Item::plain(v.usage.verdict.as_str()),
        Item::plain(v.usage.last_observed_ever.map(|d| day_text(day_of(d))).unwrap_or_default()),
        Item::number(format!("{:.0}", v.risk)),
        Item::painted(v.advice.action.as_str(), terminal::action_paint(v.advice.action)),
    ]
}
