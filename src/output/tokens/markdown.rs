//! The tokens as a Markdown table.

use crate::model::time::{day_of, day_text};
use crate::output::{Format, Result, Style, markdown, words};
use crate::report::{Report, TokenReport, rank};
use std::io;

/// `--format markdown`.
#[derive(Debug)]
pub struct Markdown;

impl Format<Report> for Markdown {
    fn name(&self) -> &'static str {
        "markdown"
    }

    fn extension(&self) -> &'static str {
        "md"
    }

    fn write(&self, report: &Report, _: Style, to: &mut dyn io::Write) -> Result {
        let n = report.tokens.len() as u64;
        writeln!(to, "**{n} token{}** as of {}\n", words::s(n), day_text(day_of(report.as_of)))?;
        if n > 0 {
            let head = [
                "organisation",
                "token",
                "owner",
                "state",
                "ends",
                "use",
                "last audited event",
                "risk",
                "advice",
            ];
            let rows: Vec<Vec<String>> =
                rank::tokens(report).into_iter().map(|i| row(&report.tokens[i])).collect();
            writeln!(to, "{}", markdown::table(&head, &rows))?;
        }
        writeln!(to, "{}", words::INVISIBLE)?;
        Ok(())
    }
}

fn row(t: &TokenReport) -> Vec<String> {
    let v = &t.verdicts;
    vec![
        t.token.org.clone(),
        words::token_label(t).to_owned(),
        t.token.owner.clone().unwrap_or_default(),
        t.token.state.to_string(),
        t.token.valid_to.map(|d| day_text(day_of(d))).unwrap_or_default(),
        words::use_words(v.usage.verdict).to_owned(),
        v.usage.last_observed_ever.map(|d| day_text(day_of(d))).unwrap_or_default(),
        format!("{:.0}", v.risk),
        v.advice.action.to_string(),
    ]
}
