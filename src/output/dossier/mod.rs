//! Everything on one token: facts, verdicts, life, what it did, what could not be seen.
//!
//! In: a report and one of its tokens. Out: sections, so that terminal and Markdown say the same things in
//! the same order; the page builds its own from the same report.

pub mod html;
pub mod json;
pub mod markdown;
pub mod paste;
pub mod text;
pub mod timeline;

use super::{not_run, words};
use crate::model::catalogue::catalogue;
use crate::model::lineage::Generation;
use crate::model::time::{DAY, day_of, day_text, format_time};
use crate::model::verdict::{ScopeState, UseState, Visibility};
use crate::report::{Report, TokenReport, rank};

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
    /// Blocks to paste, each with what it is; written as they stand.
    pub code: Vec<(&'static str, String)>,
}

/// Most rows of the lists of actions, networks, clients and projects.
const MOST: usize = 12;

impl Dossier<'_> {
    /// Returns what is said on the token, in order; sections with nothing to say are left out.
    #[must_use]
    pub fn sections(&self) -> Vec<Section> {
        let all = [
            self.failed(),
            self.answer(),
            self.grant(),
            self.owner(),
            self.generations(),
            self.scopes(),
            self.proposals(),
            self.findings(),
            self.life(),
            self.activity(),
            self.needs(),
            self.dependence(),
            self.unseen(),
            self.risk(),
            self.claims(),
        ];
        all.into_iter()
            .filter(|s| {
                !(s.facts.is_empty() && s.sentences.is_empty() && s.rows.is_empty() && s.code.is_empty())
            })
            .collect()
    }

    /// Findings that may be missing.
    fn failed(&self) -> Section {
        let lines =
            not_run::failed(self.report).into_iter().map(|(name, reason)| format!("{name}: {reason}"));
        let sentences = not_run::heading(self.report).into_iter().chain(lines).collect();
        Section { title: "Detections that failed", sentences, ..Section::default() }
    }

    fn answer(&self) -> Section {
        let v = &self.token.verdicts;
        let facts = vec![
            ("advice", v.advice.action.to_string()),
            ("why", v.advice.reason.clone()),
            ("use", format!("{} (confidence {})", words::use_words(v.usage.verdict), v.usage.confidence)),
            ("because", v.usage.reason.clone()),
            ("last change", last_change(self.token)),
            ("events", format!("{} in the window", words::grouped(v.usage.events))),
            ("covered days", v.usage.covered_days.to_string()),
            ("risk", format!("{:.0} of 100", v.risk)),
            ("decision", self.token.decision.as_ref().map(words::decision_words).unwrap_or_default()),
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
        let mut facts = vec![
            ("organisation", t.org.clone()),
            ("token id", t.token_id.clone()),
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
        facts.push(("also for", t.other_orgs.join(", ")));
        let mut sentences = Vec::new();
        if t.reaches_unseen_orgs {
            sentences.push(
                "It reaches organisations that this run does not see; what it did there was not seen."
                    .to_owned(),
            );
        }
        sentences.extend(self.token.dependence.ends_for_all.clone());
        if t.joined_by_name {
            sentences.push(
                "An event of its life names it by owner and name alone, so what that event says is of medium confidence."
                    .to_owned(),
            );
        }
        Section { title: "Grant", facts: known(facts), sentences, ..Section::default() }
    }

    /// What the answers rest on: every claim with its source, how it was joined, and what became of it.
    fn claims(&self) -> Section {
        let rows = self.token.token.claims.iter().map(|c| {
            vec![
                c.field.to_string(),
                c.stated_in.as_ref().map_or_else(|| c.value.clone(), |org| format!("{} (in {org})", c.value)),
                c.time.map_or_else(|| "no date".to_owned(), |at| day_text(day_of(at))),
                c.source.to_string(),
                c.join.to_string(),
                c.standing.to_string(),
            ]
        });
        let head = vec!["field", "value", "as of", "source", "joined by", "standing"];
        Section { title: "Claims", head, rows: rows.collect(), ..Section::default() }
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
        let head = vec!["scope", "state", "visibility", "confidence", "needed by"];
        Section { title: "Scopes", head, rows, ..Section::default() }
    }

    fn owner(&self) -> Section {
        let t = &self.token.token;
        let o = &t.owner_facts;
        let state = match (t.owner_state.as_str(), t.owner_gone_at) {
            (state, Some(at)) => format!("{state} since {}", day_text(day_of(at))),
            (state @ ("removed" | "disabled"), None) => format!("{state}; it is not known since when"),
            (state, None) => state.to_owned(),
        };
        let pats = match (o.last_pat, &t.owner) {
            (Some(at), _) => format!("last audited event with any PAT on {}", day_text(day_of(at))),
            (None, Some(_)) => "no audited event with any PAT in the log that is held".to_owned(),
            (None, None) => String::new(),
        };
        let facts = vec![
            ("owner", t.owner.clone().unwrap_or_else(|| "unknown".to_owned())),
            ("state", state),
            ("last access", o.last_access.map(|at| day_text(day_of(at))).unwrap_or_default()),
            ("administrator in", o.admin_of.join(", ")),
            (
                "their PATs",
                if o.tokens > 0 { format!("{} not known to be over", o.tokens) } else { String::new() },
            ),
            ("their use", pats),
        ];
        Section { title: "Owner", facts: known(facts), ..Section::default() }
    }

    fn generations(&self) -> Section {
        let line = &self.token.lineage;
        let day = |time: Option<i64>| time.map(|at| day_text(day_of(at))).unwrap_or_default();
        let row = |(i, g): (usize, &Generation)| {
            let here = if i == line.at { " (this one)" } else { "" };
            let beside = match g.overlap {
                None => String::new(),
                Some(o) => {
                    let days = o.unsigned_abs() / DAY.unsigned_abs();
                    let side = if o < 0 { "after" } else { "in parallel with" };
                    format!("{days} day{} {side} the one before", words::s(days))
                }
            };
            vec![
                format!("{}{here}", i + 1),
                g.name.clone().unwrap_or_default(),
                g.token_id.clone(),
                day(g.from),
                day(g.to),
                beside,
            ]
        };
        let rows: Vec<Vec<String>> = line.generations.iter().enumerate().map(row).collect();
        let mut sentences = Vec::new();
        if let Some(days) = line.secret_days {
            let what = if line.rotated {
                "It replaced its predecessor"
            } else {
                "It has no known predecessor; it began"
            };
            let since = day(line.begun);
            sentences.push(if self.token.token.is_over() {
                format!("{what} on {since} and lived {days} day{}.", words::s(days.unsigned_abs()))
            } else {
                format!("{what} on {since}, {days} day{} ago.", words::s(days.unsigned_abs()))
            });
        }
        sentences.extend(line.notes.iter().cloned());
        if !rows.is_empty() {
            sentences.push(
                "Generations are linked by owner, scopes, a near name and dates; nothing in the log names the link."
                    .to_owned(),
            );
        }
        let head = vec!["generation", "name", "token id", "from", "to", "overlap"];
        Section { title: "Generations", sentences, head, rows, ..Section::default() }
    }

    fn proposals(&self) -> Section {
        let v = &self.token.verdicts;
        let mut section = Section { title: "Proposals", ..Section::default() };
        if self.token.token.is_over() {
            return section;
        }
        let Some(proposed) = &v.proposed_scopes else {
            let why = if self.token.token.scopes.is_none() {
                "the grant is not known"
            } else {
                "it has full access"
            };
            section.sentences.push(format!("No safe proposal: {why}."));
            let start = v.start_scopes.as_ref().or(v.observed_scopes.as_ref());
            if let Some(start) = start.filter(|scopes| !scopes.is_empty()) {
                section
                    .sentences
                    .push(format!("Start here and ask: {} is what the events need.", start.join(" ")));
            }
            if !v.strange_scopes.is_empty() {
                section.sentences.push(format!(
                    "Left out: {}, which only events under an open anomaly needed.",
                    v.strange_scopes.join(" ")
                ));
            }
            return section;
        };
        let unseen = |scopes: &[String]| -> Vec<String> {
            let used = |s: &String| v.scope.iter().any(|r| r.scope == *s && r.state == ScopeState::Used);
            scopes.iter().filter(|s| !used(s)).cloned().collect()
        };
        let granted = self.token.token.scopes.as_ref();
        for (name, portal, body, scopes) in [
            (
                "Safe proposal",
                "safe: lines of the portal's form",
                "safe: body of the API's update call",
                Some(proposed),
            ),
            (
                "To confirm with the owner",
                "to confirm: lines of the portal's form",
                "to confirm: body of the API's update call",
                v.reduced_scopes.as_ref().filter(|r| *r != proposed),
            ),
        ] {
            let Some(scopes) = scopes else { continue };
            if Some(scopes) == granted {
                section.sentences.push(format!("{name}: the grant as it is."));
                continue;
            }
            let kept = unseen(scopes);
            let kept = if kept.is_empty() {
                String::new()
            } else {
                format!(
                    " It keeps {} for lack of sight: their use would not all have been seen.",
                    kept.join(" ")
                )
            };
            section.sentences.push(format!("{name}: {}.{kept}", list(Some(scopes))));
            section.code.push((portal, paste::portal(scopes).join("\n")));
            if let Some((value, missing)) = paste::body(self.token, Some(scopes)) {
                if !missing.is_empty() {
                    section
                        .sentences
                        .push(format!("Not known, so to be added to the body: {}.", missing.join(", ")));
                }
                section.code.push((body, paste::ascii(&value)));
            }
        }
        if let Some(reduced) = v.reduced_scopes.as_ref().filter(|r| *r != proposed) {
            for row in &v.scope {
                let lowered = row.state == ScopeState::NotSeen && !reduced.contains(&row.scope);
                if lowered && !row.unseen_operations.is_empty() {
                    section.sentences.push(format!(
                        "Without {} these would fail, and the log need not have shown them: {}.",
                        row.scope,
                        row.unseen_operations.join("; ")
                    ));
                }
            }
        }
        section
    }

    fn findings(&self) -> Section {
        let rows = rank::findings(self.report)
            .into_iter()
            .map(|i| &self.report.findings[i])
            .filter(|f| self.token.findings.contains(&f.fingerprint))
            .map(|f| {
                let decision = f.suppressed.as_ref().map(|s| format!(" ({} by {})", s.decision, s.who()));
                vec![
                    f.severity.to_string(),
                    f.confidence.to_string(),
                    f.detection.clone(),
                    format!("{}{}", f.message, decision.unwrap_or_default()),
                    f.fix.to_string(),
                ]
            })
            .collect();
        let head = vec!["severity", "confidence", "detection", "what", "fix"];
        Section { title: "Findings", head, rows, ..Section::default() }
    }

    fn life(&self) -> Section {
        Section {
            title: "Life and use",
            head: vec!["when", "what", "by", "from", "with"],
            rows: timeline::rows(self.token),
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
            ("networks", top(&a.networks)),
            ("clients", top(&a.clients)),
            ("projects", top(&a.projects)),
        ];
        Section { title: "What it did", facts: known(facts), ..Section::default() }
    }

    /// What each action needed, by the catalogue.
    fn needs(&self) -> Section {
        let rows = self
            .token
            .activity
            .actions
            .iter()
            .take(MOST)
            .map(|(action, n)| {
                let info = catalogue().action(action);
                let scopes = info.map(|i| i.any_of.join(" or ")).filter(|s| !s.is_empty());
                // What another change set off needs no scope of its own.
                let rows = &self.token.verdicts.scope;
                let counted = rows.iter().any(|r| r.actions.iter().any(|(a, _)| a == action));
                let scopes = scopes.map(|s| {
                    if counted { s } else { format!("{s} (not counted: a side effect, or not certain)") }
                });
                vec![action.clone(), words::grouped(*n), scopes.unwrap_or_else(|| "not known".to_owned())]
            })
            .collect();
        let n = self.token.activity.actions.len();
        let sentences = if n > MOST { vec![format!("And {} more.", n - MOST)] } else { Vec::new() };
        let head = vec!["action", "events", "scope that it needs"];
        Section { title: "Actions", sentences, head, rows, ..Section::default() }
    }

    fn dependence(&self) -> Section {
        let d = &self.token.dependence;
        let rows = d
            .integrations
            .iter()
            .map(|i| {
                vec![
                    if i.client.is_empty() { "no client".to_owned() } else { i.client.clone() },
                    if i.network.is_empty() { "no address".to_owned() } else { i.network.clone() },
                    i.projects.join(", "),
                    i.actions.join(", "),
                    words::grouped(i.events),
                    i.cadence.clone(),
                ]
            })
            .collect();
        let facts = vec![
            ("worked by", d.worker.to_string()),
            ("because", d.reason.clone()),
            ("ask", d.ask.clone()),
            ("could move to", d.move_to.clone().unwrap_or_default()),
        ];
        let facts = if d.reason.is_empty() { Vec::new() } else { known(facts) };
        let head = vec!["client", "network", "projects", "actions", "events", "how often"];
        Section { title: "What depends on it", facts, head, rows, ..Section::default() }
    }

    fn unseen(&self) -> Section {
        let t = self.token;
        let mut sentences = vec![words::INVISIBLE.to_owned()];
        if let Some(c) = self.report.coverage.iter().find(|c| c.org == t.token.org) {
            sentences.push(format!("Coverage: {}", words::coverage_words(c, self.report.window)));
        }
        for scope in t.token.scopes.iter().flatten() {
            let Some(info) = catalogue().scopes.get(scope) else {
                sentences.push(format!("{scope}: not in the catalogue, so nothing is known of its traces."));
                continue;
            };
            if info.visibility != Visibility::Full {
                let mut text = format!("{scope} ({}): {}", info.visibility, info.why);
                if !info.unseen_operations.is_empty() {
                    text.push_str(&format!("; for example {}", info.unseen_operations.join("; ")));
                }
                sentences.push(format!("{text}."));
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

/// When the token last changed something; of one that is not judged, an event may be its own all the same.
fn last_change(token: &TokenReport) -> String {
    let usage = &token.verdicts.usage;
    if usage.verdict == UseState::NotJudged && usage.last_observed_ever.is_none() {
        return "none that is this token's for certain".to_owned();
    }
    words::last_change(token)
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
