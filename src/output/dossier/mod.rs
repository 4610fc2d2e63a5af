//! Everything on one token: facts, verdicts, life, what it did, what could not be seen.
//!
//! In: a report and one of its tokens. Out: sections, so that terminal and Markdown say the same things in
//! the same order; the page builds its own from the same report.

pub mod json;
pub mod markdown;
pub mod text;

use super::words;
use crate::model::time::{day_of, day_text, format_time};
use crate::model::verdict::Visibility;
use crate::report::{Report, TokenReport};

/// One token of a report.
#[derive(Debug, Clone, Copy)]
pub struct Dossier<'a> {
    /// The whole report, for findings and coverage.
    pub report: &'a Report,
    /// The token.
    pub token: &'a TokenReport,
}

/// A heading with facts, sentences and a table; any of them may be empty.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Section {
    /// Heading.
    pub title: &'static str,
    /// Label and value.
    pub facts: Vec<(&'static str, String)>,
    /// Sentences.
    pub sentences: Vec<String>,
    /// Column names of the table.
    pub head: Vec<&'static str>,
    /// Its rows.
    pub rows: Vec<Vec<String>>,
}

/// Most rows of the lists of actions, networks, clients and projects.
const MOST: usize = 12;

impl Dossier<'_> {
    /// Returns what is said on the token, in order; sections with nothing to say are left out.
    #[must_use]
    pub fn sections(&self) -> Vec<Section> {
        let all = [
            self.answer(),
            self.grant(),
            self.scopes(),
            self.findings(),
            self.life(),
            self.activity(),
            self.unseen(),
            self.risk(),
        ];
        all.into_iter()
            .filter(|s| !(s.facts.is_empty() && s.sentences.is_empty() && s.rows.is_empty()))
            .collect()
    }

    fn answer(&self) -> Section {
        let v = &self.token.verdicts;
        let facts = vec![
            ("advice", v.advice.action.to_string()),
            ("why", v.advice.reason.clone()),
            ("use", format!("{} (confidence {})", words::use_words(v.usage.verdict), v.usage.confidence)),
            ("because", v.usage.reason.clone()),
            ("last change", words::last_change(self.token)),
            ("events", format!("{} in the window", words::grouped(v.usage.events))),
            ("covered days", v.usage.covered_days.to_string()),
            ("risk", format!("{:.0} of 100", v.risk)),
        ];
        Section { title: "Answer", facts: known(facts), ..Section::default() }
    }

    fn grant(&self) -> Section {
        let t = &self.token.token;
        let day = |time: Option<i64>| time.map(|d| day_text(day_of(d))).unwrap_or_default();
        let known_from: Vec<&str> = t.known_from.iter().map(|k| k.as_str()).collect();
        let reach = match t.all_orgs {
            Some(true) => "all organisations of the owner",
            Some(false) => "this organisation",
            None => "unknown",
        };
        let mut owner = t.owner.clone().unwrap_or_else(|| "unknown".to_owned());
        owner.push_str(&format!(" ({})", t.owner_state));
        let mut facts = vec![
            ("organisation", t.org.clone()),
            ("token id", t.token_id.clone()),
            ("owner", owner),
            ("owner gone", day(t.owner_gone_at)),
            ("state", t.state.to_string()),
            ("known from", known_from.join(", ")),
            ("reaches", reach.to_owned()),
            ("created", day(t.valid_from)),
            ("ends", day(t.valid_to)),
            ("revoked", t.revoked_at.map(format_time).unwrap_or_default()),
            ("leaked", t.leaked_at.map(format_time).unwrap_or_default()),
        ];
        match &t.scopes {
            Some(scopes) => facts.push(("scopes", scopes.join(" "))),
            None => facts.push(("scopes", "unknown: no inventory lists the grant".to_owned())),
        }
        let sentences = if t.reaches_unseen_orgs {
            vec![
                "It reaches organisations that are not in the lake; what it did there was not seen."
                    .to_owned(),
            ]
        } else {
            Vec::new()
        };
        Section { title: "Grant", facts: known(facts), sentences, ..Section::default() }
    }

    fn scopes(&self) -> Section {
        let v = &self.token.verdicts;
        let rows = v
            .scope
            .iter()
            .map(|s| {
                let actions: Vec<String> =
                    s.actions.iter().take(4).map(|(a, n)| format!("{a} ({})", words::grouped(*n))).collect();
                vec![
                    s.scope.clone(),
                    s.state.to_string(),
                    s.visibility.to_string(),
                    s.confidence.to_string(),
                    actions.join(", "),
                ]
            })
            .collect();
        let mut sentences = Vec::new();
        let same = |scopes: &Option<Vec<String>>| scopes.is_none() || *scopes == self.token.token.scopes;
        if !same(&v.proposed_scopes) {
            sentences.push(format!("Safe proposal: {}.", list(v.proposed_scopes.as_ref())));
        }
        if !same(&v.reduced_scopes) && v.reduced_scopes != v.proposed_scopes {
            sentences.push(format!("Confirm with the owner: {}.", list(v.reduced_scopes.as_ref())));
        }
        if v.proposed_scopes.is_none()
            && let Some(observed) = v.observed_scopes.as_ref().filter(|o| !o.is_empty())
        {
            sentences.push(format!("Start here and ask: {} is what the events need.", list(Some(observed))));
        }
        let head = vec!["scope", "state", "visibility", "confidence", "needed by"];
        Section { title: "Scopes", facts: Vec::new(), sentences, head, rows }
    }

    fn findings(&self) -> Section {
        let rows = self
            .report
            .findings
            .iter()
            .filter(|f| self.token.findings.contains(&f.fingerprint))
            .map(|f| {
                let decision = f.suppressed.as_ref().map(|s| format!(" ({} by {})", s.decision, s.reviewer));
                vec![
                    f.severity.to_string(),
                    f.confidence.to_string(),
                    f.detection.clone(),
                    format!("{}{}", f.message, decision.unwrap_or_default()),
                    f.fix.clone(),
                ]
            })
            .collect();
        let head = vec!["severity", "confidence", "detection", "what", "fix"];
        Section { title: "Findings", head, rows, ..Section::default() }
    }

    fn life(&self) -> Section {
        let rows = self
            .token
            .token
            .life
            .iter()
            .map(|l| {
                vec![
                    format_time(l.time),
                    l.text.clone(),
                    l.actor.clone(),
                    l.network.clone(),
                    l.client.clone(),
                ]
            })
            .collect();
        Section {
            title: "Life",
            head: vec!["when", "what", "by", "from", "with"],
            rows,
            ..Section::default()
        }
    }

    fn activity(&self) -> Section {
        let a = &self.token.activity;
        let top = |rows: &[(String, u64)]| {
            let mut shown: Vec<String> = rows
                .iter()
                .take(MOST)
                .map(|(value, n)| format!("{value} ({})", words::grouped(*n)))
                .collect();
            if rows.len() > MOST {
                shown.push(format!("and {} more", rows.len() - MOST));
            }
            shown.join(", ")
        };
        let days = match (a.per_day.first(), a.per_day.last()) {
            (Some(first), Some(last)) => {
                format!("{} active, {} to {}", a.per_day.len(), day_text(first.0), day_text(last.0))
            }
            _ => String::new(),
        };
        let facts = vec![
            ("days", days),
            ("actions", top(&a.actions)),
            ("networks", top(&a.networks)),
            ("clients", top(&a.clients)),
            ("projects", top(&a.projects)),
        ];
        Section { title: "What it did", facts: known(facts), ..Section::default() }
    }

    fn unseen(&self) -> Section {
        let t = self.token;
        let mut sentences = vec![words::INVISIBLE.to_owned()];
        if let Some(c) = self.report.coverage.iter().find(|c| c.org == t.token.org) {
            sentences.push(format!("Coverage: {}", words::coverage_words(c, self.report.window)));
        }
        for s in &t.verdicts.scope {
            if !matches!(s.visibility, Visibility::Full) && !s.unseen_operations.is_empty() {
                sentences.push(format!("{}: {}.", s.scope, s.unseen_operations.join("; ")));
            }
        }
        Section { title: "What could not be seen", sentences, ..Section::default() }
    }

    fn risk(&self) -> Section {
        let parts = &self.token.verdicts.risk_parts;
        let rows = parts.iter().map(|p| vec![format!("{:+.0}", p.points), p.reason.clone()]).collect();
        Section { title: "Risk", head: vec!["points", "why"], rows, ..Section::default() }
    }
}

fn known(facts: Vec<(&'static str, String)>) -> Vec<(&'static str, String)> {
    facts.into_iter().filter(|(_, value)| !value.is_empty()).collect()
}

fn list(scopes: Option<&Vec<String>>) -> String {
    match scopes {
        Some(scopes) if !scopes.is_empty() => scopes.join(" "),
        _ => "none".to_owned(),
    }
}
