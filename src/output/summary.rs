//! `summary.md`: the report on one page, to paste into a pull request or a wiki.
//!
//! In: a [`Report`]. Out: Markdown: population, detections that failed, what to contain, what to do now, totals, coverage in words, the worst findings, what could
//! not be seen. The bundle's other files hold the rest.

use super::markdown::{escape, table};
use super::{Result, findings, not_run, words};
use crate::model::finding::{Finding, Severity};
use crate::model::noun::counted;
use crate::model::time::{day_of, day_text};
use crate::model::verdict::UseState;
use crate::report::compare::{Kind, News};
use crate::report::review::Status;
use crate::report::{Report, TokenReport, contain, rank, response};
use std::io;

/// Most tokens under each advice, and most findings, shared fairly by the organisations.
const MOST: usize = 25;
/// Hours that are told of one thing to contain.
const STORIES: usize = 3;

/// Writes the summary.
///
/// # Errors
/// Those of the writer.
pub fn write(report: &Report, to: &mut dyn io::Write) -> Result {
    let window = report.window;
    writeln!(to, "# Personal access tokens: {}\n", day_text(day_of(report.as_of)))?;
    if let Some(comparison) = &report.comparison {
        writeln!(to, "**{}**\n", escape(&News::of(comparison).sentence))?;
        for note in &comparison.notes {
            writeln!(to, "{}\n", escape(note))?;
        }
    }
    writeln!(
        to,
        "{}, {}, {} from {} to {}.\n",
        counted(words::grouped(report.tokens.len() as u64), "token"),
        counted(words::grouped(report.findings.len() as u64), "finding"),
        counted(words::grouped(report.events), "event"),
        day_text(window.first_day()),
        words::minute(window.as_of)
    )?;
    for sentence in report.settings.sentences() {
        writeln!(to, "**{}**\n", escape(&sentence))?;
    }
    for line in words::population(report) {
        writeln!(to, "{}\n", escape(&line))?;
    }
    if let Some(sentence) = &report.series.review_sentence {
        // Numbers and days alone, so that nothing needs an escape.
        writeln!(to, "{sentence}. Each token is in decisions.csv.\n")?;
    }
    failures(report, to)?;
    contain(report, to)?;
    advice(report, to)?;
    changes(report, to)?;
    decisions(report, to)?;
    totals(report, to)?;
    coverage(report, to)?;
    if !report.findings.is_empty() {
        let ranked = rank::findings(report).into_iter().map(|i| &report.findings[i]).collect();
        let share = rank::fair(ranked, MOST, |f: &&Finding| f.org.clone());
        writeln!(to, "## Findings\n\n{}", findings::markdown::rows(report, &share.shown))?;
        rest(&share.left_out, "findings.csv", to)?;
    }
    writeln!(to, "## What could not be seen\n\n{}\n\n{}", words::INVISIBLE, words::MICROSOFT)?;
    if !report.unattributed.is_empty() {
        let events: u64 = report.unattributed.iter().map(|u| u.events).sum();
        let n = report.unattributed.len() as u64;
        writeln!(
            to,
            "\n{events} event{} of {n} cut credential{} could be more than one token's; no token was judged by them.",
            words::s(events),
            words::s(n)
        )?;
    }
    for (name, reason) in not_run::lacking(report) {
        writeln!(to, "\n{} did not run: {}", escape(&name), escape(reason))?;
    }
    for b in &report.blind {
        writeln!(to, "\n{}", escape(&words::blind(b)))?;
    }
    Ok(())
}

fn failures(report: &Report, to: &mut dyn io::Write) -> Result {
    let Some(heading) = not_run::heading(report) else { return Ok(()) };
    writeln!(to, "## Detections that failed\n\n**{heading}**\n")?;
    for (name, reason) in not_run::failed(report) {
        writeln!(to, "- **{}**: {}", escape(&name), escape(reason))?;
    }
    writeln!(to)?;
    Ok(())
}

/// What must be contained, before everything that can wait.
fn contain(report: &Report, to: &mut dyn io::Write) -> Result {
    let all = contain::contain(report);
    if all.is_empty() {
        return Ok(());
    }
    writeln!(to, "## Contain now: {}\n", all.len())?;
    let news = words::news(report);
    let rows: Vec<Vec<String>> = all
        .iter()
        .take(MOST)
        .map(|c| {
            let is_new = c.token.is_some() && news.contains(&(c.org.as_str(), c.subject.id.as_str()));
            let mut what: Vec<String> = c.stories.iter().take(STORIES).map(words::story).collect();
            if c.stories.len() > STORIES {
                what.push(format!("{} more.", counted(c.stories.len() - STORIES, "hour")));
            }
            vec![
                c.severity.to_string(),
                format!("{}{}", if is_new { "new: " } else { "" }, c.label()),
                c.owner.clone().unwrap_or_default(),
                c.org.clone(),
                what.join(" "),
                c.first_step.clone(),
            ]
        })
        .collect();
    let head = ["severity", "what", "owner", "organisation", "what happened", "first step"];
    writeln!(to, "{}", table(&head, &rows))?;
    if all.len() > MOST {
        writeln!(to, "{} more in index.html.\n", all.len() - MOST)?;
    }
    Ok(())
}

fn advice(report: &Report, to: &mut dyn io::Write) -> Result {
    writeln!(to, "## What to do now\n")?;
    let news = words::news(report);
    let ranked = rank::tokens(report);
    let mut any = false;
    for (action, title, meaning) in words::ADVICE {
        let tokens = ranked.iter().map(|i| &report.tokens[*i]);
        let mut of: Vec<_> = tokens.filter(|t| t.verdicts.advice.action == *action).collect();
        let is_news = |t: &TokenReport| news.contains(&(t.token.org.as_str(), t.token.token_id.as_str()));
        of.sort_by_key(|t| !is_news(t));
        if of.is_empty() {
            continue;
        }
        any = true;
        writeln!(to, "### {title}: {}\n\n{meaning}\n", of.len())?;
        let share = rank::fair(of, MOST, |t| t.token.org.clone());
        let rows: Vec<Vec<String>> = share
            .shown
            .iter()
            .map(|t| {
                let mark = if is_news(t) { "new: " } else { "" };
                vec![
                    format!("{mark}{}", words::token_label(t)),
                    t.token.owner.clone().unwrap_or_default(),
                    t.token.org.clone(),
                    t.verdicts.advice.reason.clone(),
                ]
            })
            .collect();
        writeln!(to, "{}", table(&["token", "owner", "organisation", "why"], &rows))?;
        rest(&share.left_out, "tokens.csv", to)?;
    }
    if !any {
        writeln!(to, "Nothing.\n")?;
    }
    Ok(())
}

fn changes(report: &Report, to: &mut dyn io::Write) -> Result {
    let Some(c) = &report.comparison else { return Ok(()) };
    writeln!(to, "## What changed since {}\n", c.earlier_as_of.get(..10).unwrap_or_default())?;
    let of = |k: Kind| words::grouped(c.findings_of(k) as u64);
    writeln!(
        to,
        "Findings: {} new, {} resolved, {} changed, {} not compared, {} as they were. Tokens: {} new, {} no longer listed or seen, {} changed, {} not compared.\n",
        of(Kind::New),
        of(Kind::Resolved),
        of(Kind::Changed),
        of(Kind::NotCompared),
        words::grouped(c.findings_same),
        c.tokens_of(Kind::New),
        c.tokens_of(Kind::Resolved),
        c.tokens_of(Kind::Changed),
        c.tokens_of(Kind::NotCompared)
    )?;
    let share = rank::fair(c.findings.iter().collect(), MOST, |f| f.org.clone());
    let rows: Vec<Vec<String>> = share
        .shown
        .iter()
        .map(|f| {
            let mut what: Vec<String> =
                f.differences.iter().map(|d| format!("{}: {} to {}", d.field, d.before, d.after)).collect();
            what.extend(Some(f.why.clone()).filter(|w| !w.is_empty()));
            vec![
                f.kind.to_string(),
                f.severity.clone(),
                f.detection.clone(),
                f.message.clone(),
                what.join("; "),
            ]
        })
        .collect();
    if !rows.is_empty() {
        writeln!(to, "{}", table(&["change", "severity", "detection", "finding", "what or why"], &rows))?;
    }
    rest(&share.left_out, "changes.json", to)
}

/// Says how many rows a list leaves out of each organisation, and where they are.
fn rest(left_out: &[(String, usize)], file: &str, to: &mut dyn io::Write) -> Result {
    if left_out.is_empty() {
        return Ok(());
    }
    let total: usize = left_out.iter().map(|(_, n)| n).sum();
    let each: Vec<String> = left_out.iter().map(|(org, n)| format!("{n} of {}", escape(org))).collect();
    writeln!(to, "{total} more in {file}: {}.\n", each.join(", "))?;
    Ok(())
}

fn decisions(report: &Report, to: &mut dyn io::Write) -> Result {
    let standing: Vec<_> = report.tokens.iter().filter_map(|t| Some((t, t.decision.as_ref()?))).collect();
    if standing.is_empty() {
        return Ok(());
    }
    let of = |s: Status| standing.iter().filter(|(_, d)| d.status == s).count();
    writeln!(to, "## Decisions\n")?;
    writeln!(
        to,
        "{} hold, {} done, {} not done, {} ended, {} refused.\n",
        of(Status::Holds),
        of(Status::Done),
        of(Status::NotDone),
        of(Status::Ended),
        of(Status::Refused)
    )?;
    let rows: Vec<Vec<String>> = standing
        .iter()
        .filter(|(_, d)| matches!(d.status, Status::NotDone | Status::Refused))
        .take(MOST)
        .map(|(t, d)| {
            vec![
                words::token_label(t).to_owned(),
                t.token.org.clone(),
                d.decision.choice.to_string(),
                d.who(),
                day_text(d.decision.decided_on),
                d.note.clone(),
            ]
        })
        .collect();
    if !rows.is_empty() {
        let head = ["token", "organisation", "decision", "reviewer", "decided", "how it stands"];
        writeln!(to, "{}", table(&head, &rows))?;
    }
    Ok(())
}

fn totals(report: &Report, to: &mut dyn io::Write) -> Result {
    writeln!(to, "## Totals\n")?;
    let least = report.settings.least_severity.unwrap_or(Severity::Info);
    let severities: Vec<Vec<String>> = Severity::ALL
        .iter()
        .rev()
        .filter(|s| **s >= least)
        .map(|s| vec![s.to_string(), words::open_findings(report, *s).to_string()])
        .collect();
    writeln!(to, "{}", table(&["severity", "open findings"], &severities))?;
    let verdicts: Vec<Vec<String>> = UseState::ALL
        .iter()
        .map(|state| {
            let n = report.tokens.iter().filter(|t| t.verdicts.usage.verdict == *state).count();
            (n, state)
        })
        .filter(|(n, _)| *n > 0)
        .map(|(n, state)| {
            vec![words::use_words(*state).to_owned(), n.to_string(), words::use_meaning(*state).to_owned()]
        })
        .collect();
    if !verdicts.is_empty() {
        writeln!(to, "{}", table(&["use", "tokens", "meaning"], &verdicts))?;
    }
    Ok(())
}

fn coverage(report: &Report, to: &mut dyn io::Write) -> Result {
    if report.coverage.is_empty() {
        return Ok(());
    }
    writeln!(to, "## Coverage\n")?;
    for c in &report.coverage {
        writeln!(to, "- **{}**: {}", escape(&c.org), escape(&words::coverage_words(c, report.window)))?;
        for gap in &c.gaps {
            let span = words::gap_words(gap.span.from, gap.span.to);
            writeln!(to, "  - gap {}: {}", escape(&span), escape(&gap.reason))?;
        }
    }
    for sentence in response::sentences(report) {
        writeln!(to, "- {}", escape(&sentence))?;
    }
    if let Some(masked) = words::masked_words(report) {
        writeln!(to, "- {}", escape(&masked))?;
    }
    writeln!(to)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_hostile_report_stays_one_document() {
        let mut out = Vec::new();
        super::write(&crate::output::sample::report(), &mut out).expect("memory");
        let text = String::from_utf8(out).expect("UTF-8");
        assert!(!text.contains("<script"), "{text}");
        assert!(!text.contains("](http"), "{text}");
        assert!(!text.contains(" @all"), "{text}");
        assert_eq!(text.matches("\n# ").count(), 0);
    }

    #[test]
    fn population_and_what_to_contain_come_before_what_can_wait() {
        let report = crate::output::sample::report();
        let mut out = Vec::new();
        super::write(&report, &mut out).expect("memory");
        let text = String::from_utf8(out).expect("UTF-8");
        let at = |what: &str| text.find(what).unwrap_or_else(|| panic!("no {what} in {text}"));
        assert!(
            at(" known") < at("## Contain now") && at("## Contain now") < at("## What to do now"),
            "{text}"
        );
    }
}
