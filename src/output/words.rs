//! The sentences that more than one output says, so that all say the same.
//!
//! In: verdicts, coverage, thresholds. Out: words. "Unused" is said in one place only: where usage records
//! ruled use out.

use crate::model::coverage::{Basis, Coverage};
use crate::model::finding::{Blind, Family, Finding};
use crate::model::hours;
use crate::model::noun::counted;
use crate::model::policy::Policy;
use crate::model::secret::Masked;
use crate::model::time::{Micros, Window, day_of, day_start, day_text, format_time};
use crate::model::token::TokenState;
use crate::model::verdict::{Action, Advice, ScopeState, UseState};
use crate::report::contain::Story;
use crate::report::review::Standing;
use crate::report::{Population, Report, TokenReport};

/// What the log cannot show, whatever its coverage.
pub const INVISIBLE: &str = "The audit log records changes. Reads, clones, pushes, queued builds and work item edits leave no \
trace in it, so a token without an audited event may be in daily use.";

/// What Microsoft says about it.
pub const MICROSOFT: &str = "Microsoft states that token access is not logged and that the audit log must not be used to call a \
PAT active or stale. This report therefore says \u{201c}no audited event\u{201d}, and recommends to revoke only where other \
evidence carries it.";

/// Tells whether a finding is a state, which holds until the instant of the run: no event need be behind it.
#[must_use]
pub fn stands(finding: &Finding, as_of: Micros) -> bool {
    !matches!(finding.family, Family::Anomaly | Family::Posture) && finding.last_time == Some(as_of)
}

/// Returns the day of a finding's last event, or that it stands.
#[must_use]
pub fn last_event(finding: &Finding, as_of: Micros) -> String {
    match finding.last_time {
        _ if stands(finding, as_of) => "stands".to_owned(),
        Some(time) => day_text(day_of(time)),
        None => String::new(),
    }
}

/// Returns the use verdict in words.
#[must_use]
pub const fn use_words(verdict: UseState) -> &'static str {
    match verdict {
        UseState::Observed => "audited event seen",
        UseState::Possible => "PAT call by the owner",
        UseState::RuledOut => "unused: no PAT call recorded",
        UseState::NotObserved => "no audited event",
        UseState::NotJudged => "not judged",
    }
}

/// Returns what a use verdict means.
#[must_use]
pub const fn use_meaning(verdict: UseState) -> &'static str {
    match verdict {
        UseState::Observed => "at least one audited event in the window is attributed to the token",
        UseState::Possible => {
            "usage records show the owner calling with a PAT of this token's class; they do not show which one"
        }
        UseState::RuledOut => "usage records that hold every judged day show no PAT call by the owner",
        UseState::NotObserved => {
            "no audited event in enough covered days; reads and pushes would not have been seen"
        }
        UseState::NotJudged => "too few covered days, or an event that could be this token's or another's",
    }
}

/// Returns what a scope state means.
#[must_use]
pub const fn scope_meaning(state: ScopeState) -> &'static str {
    match state {
        ScopeState::Used => "an audited event needed it",
        ScopeState::NotSeen => "its use would have been seen and was not",
        ScopeState::CannotBeSeen => "its use would not have been seen",
        ScopeState::BeyondGrant => {
            "an event needed it and the known grant does not give it; the inventory may be old"
        }
    }
}

/// The four headings of "what to do now", in order of urgency, with what stands under them.
pub const ADVICE: &[(Action, &str, &str)] = &[
    (
        Action::Revoke,
        "Revoke",
        "Leaked, used after a revoke, owner gone, use ruled out, or decided by a reviewer.",
    ),
    (
        Action::Reduce,
        "Reduce",
        "Scopes whose use would have been seen and was not, or a reviewer's decision.",
    ),
    (Action::AskOwner, "Ask the owner", "The log cannot decide; the owner can."),
    (Action::Watch, "Watch", "Nothing to do yet; worth a second look."),
];

/// Returns how coverage is known, in words.
#[must_use]
pub const fn basis_words(basis: Basis) -> &'static str {
    match basis {
        Basis::Pulled => "pulled from the service, window by window",
        Basis::Declared => "declared complete by whoever imported the files",
        Basis::Inferred => {
            "inferred from the first and last event of the files; an export that was filtered looks whole"
        }
        Basis::Mixed => "known in more than one way, per span",
    }
}

/// Returns one organisation's coverage as sentences.
#[must_use]
pub fn coverage_words(c: &Coverage, window: Window) -> String {
    let covered = c.covered.len();
    let total = window.days;
    let mut text = format!(
        "{covered} of {} {} held without a gap, from {} to {}; {}.",
        counted(total, "day"),
        if total == 1 { "is" } else { "are" },
        day_text(day_of(c.span.from)),
        // The end of a span is the first instant after it.
        day_text(day_of(c.span.to - 1)),
        basis_words(c.basis)
    );
    match c.gaps.len() {
        0 => text.push_str(" No gap is known."),
        1 => text.push_str(" One gap is known."),
        n => text.push_str(&format!(" {n} gaps are known.")),
    }
    if c.areas < 3 {
        let n = c.areas;
        text.push_str(&format!(
            " Only {n} area{} of the log occur{}, so a filtered export is likely.",
            s(u64::from(n)),
            if n == 1 { "s" } else { "" }
        ));
    }
    text
}

/// Returns a gap's span, in days where it is whole days.
#[must_use]
pub fn gap_words(from: i64, to: i64) -> String {
    let (first, last) = (day_of(from), day_of(to));
    if day_start(first) == from && day_start(last) == to && last > first {
        return if last - first == 1 {
            day_text(first)
        } else {
            format!("{} to {} ({} days)", day_text(first), day_text(last - 1), last - first)
        };
    }
    format!("{} to {}", format_time(from), format_time(to))
}

/// Returns the sentence on when a token last changed something that is audited.
#[must_use]
pub fn last_change(token: &TokenReport) -> String {
    let usage = &token.verdicts.usage;
    match (usage.last_observed, usage.last_observed_ever) {
        (Some(time), _) => format!("last audited event {}", day_text(day_of(time))),
        (None, Some(time)) => {
            format!("no audited event in the window; the last one before it {}", day_text(day_of(time)))
        }
        (None, None) => format!(
            "no audited event in {} covered day{}",
            usage.covered_days,
            s(u64::from(usage.covered_days))
        ),
    }
}

/// Returns an instant to the minute, as people read it.
#[must_use]
pub fn minute(time: i64) -> String {
    crate::model::time::format_minute(time)
}

/// Returns the plural ending for `n`.
#[must_use]
pub const fn s(n: u64) -> &'static str {
    if n == 1 { "" } else { "s" }
}

/// Returns `n` with thin groups of three, as people read numbers.
#[must_use]
pub fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// Returns the thresholds as (name, value, meaning), in the order of [`Policy`].
#[must_use]
pub fn policy_rows(policy: &Policy) -> Vec<(String, String, &'static str)> {
    let Ok(serde_json::Value::Object(fields)) = serde_json::to_value(policy) else { return Vec::new() };
    fields
        .into_iter()
        .map(|(name, value)| {
            let meaning = policy_meaning(&name);
            let shown = match (name.as_str(), value.as_i64()) {
                ("work_from_minute" | "work_to_minute", Some(minute)) => hours::minute_text(minute),
                ("work_days", Some(days)) => hours::DAYS
                    .iter()
                    .enumerate()
                    .filter(|(i, _)| days >> i & 1 == 1)
                    .map(|(_, day)| *day)
                    .collect::<Vec<_>>()
                    .join(" "),
                _ => value_words(&value),
            };
            (name, shown, meaning)
        })
        .collect()
}

fn policy_meaning(name: &str) -> &'static str {
    match name {
        "min_covered_days" => "covered days a token needs before its silence is judged",
        "max_lifetime_days" => "longest accepted life in days, creation to end",
        "expiry_notice_days" => "days before its end at which a token in use is reported",
        "learning_days" => "days a token is watched before something new counts as new",
        "learning_active_days" => "active days it must have shown in that time",
        "burst_floor" => "events within ten minutes that a burst must reach",
        "burst_factor" => "times the token's own largest past peak that a burst must reach",
        "breadth_projects" => "distinct projects within ten minutes that count as breadth",
        "dormant_days" => "quiet days after which use counts as waking up",
        "grace_hours" => "hours of grace after a revoke or an owner's leaving",
        "departure_days" => "days before an owner's leaving in which a new token is suspicious",
        "joint_days" => "days a token is watched before several new things at once count",
        "joint_active_days" => "active days it must have shown in that time",
        "settled_values" => "most networks, clients or other values that a settled token has shown",
        "settled_late_values" => "most of them that came after the learning span",
        "breadth_targets" => {
            "distinct repositories or other targets within ten minutes that count as breadth"
        }
        "many_revokes" => "revokes by one user within an hour that count as many",
        "idle_user_days" => "days without access after which a user counts as idle",
        "pipeline_connections" => "distinct service connections that one pipeline may run",
        "time_zone" => "time zone of the working hours",
        "work_from_minute" => "beginning of the working hours",
        "work_to_minute" => "end of the working hours",
        "work_days" => "working days",
        _ => "",
    }
}

/// The words of the report in short.
pub const GLOSSARY: &[(&str, &str)] = &[
    (
        "token",
        "a personal access token (PAT), identified by its authorizationId; one row per organisation that lists it or where it is seen",
    ),
    ("audited event", "an event of the audit log that was made with the token"),
    ("attribution", "which token an event belongs to: exact, by a unique prefix, ambiguous or unknown"),
    ("coverage", "the spans for which the log is held, and how that is known"),
    ("gap", "a span inside the coverage for which the log is missing or suspect"),
    ("covered days", "whole UTC days inside the window and the token's life that have no gap"),
    ("verdict", "the answer on one token: is it used, is it wider than its use"),
    ("finding", "one detection's hit on one subject, with a severity and a confidence of its own"),
    ("severity", "how bad it would be: info, low, medium, high, critical"),
    ("confidence", "how often such an answer is right: low, medium, high"),
    ("origin", "an event that began a cascade; only origins and orphans prove that a scope was needed"),
    ("safe proposal", "lowers only scopes whose use the log would have shown in full"),
    ("proposal to confirm", "also lowers scopes with known exceptions; the owner has the last word"),
];

/// Returns a decision and how it stands as one sentence.
#[must_use]
pub fn decision_words(standing: &Standing) -> String {
    let d = &standing.decision;
    format!(
        "{} by {} on {} ({}). {}",
        d.choice,
        standing.who(),
        day_text(d.decided_on),
        d.reason,
        standing.note
    )
}

/// Returns organisation and id of the tokens that need something new since the earlier bundle, where there is one.
#[must_use]
pub fn news(report: &Report) -> std::collections::HashSet<(&str, &str)> {
    let changes = report.comparison.iter().flat_map(|c| &c.tokens).take_while(|t| t.needs.is_some());
    changes.map(|t| (t.org.as_str(), t.token_id.as_str())).collect()
}

/// Says how many tokens are known and in force, and how complete the lists are; then a warning for each organisation without a
/// list.
#[must_use]
pub fn population(report: &Report) -> Vec<String> {
    let of = |state: TokenState| report.tokens.iter().filter(|t| t.token.state == state).count() as u64;
    let (active, unknown) = (of(TokenState::Active), of(TokenState::Unknown));
    let doubtful = match unknown {
        0 => String::new(),
        n => format!(", {} of unknown state", grouped(n)),
    };
    let mut text = format!(
        "{} in force of {} known{doubtful}",
        counted(grouped(active), "token"),
        grouped(report.tokens.len() as u64)
    );
    let day = |taken: &str| taken.get(..10).unwrap_or(taken).to_owned();
    let listed: Vec<(String, &Population)> =
        report.population.iter().filter_map(|p| Some((day(p.inventory_taken.as_deref()?), p))).collect();
    let whole = |complete: bool| if complete { "complete" } else { "incomplete" };
    let mut kinds: Vec<(&str, bool)> = listed.iter().map(|(d, p)| (d.as_str(), p.complete)).collect();
    kinds.dedup();
    match (kinds.as_slice(), listed.len()) {
        ([], _) => {}
        ([(day, complete)], 1) => text.push_str(&format!("; list of {day}, {}", whole(*complete))),
        ([(day, complete)], n) => text.push_str(&format!("; {n} lists of {day}, {}", whole(*complete))),
        _ => {
            let each = listed.iter().map(|(d, p)| format!("{} of {d}, {}", p.org, whole(p.complete)));
            text.push_str(&format!("; lists: {}", each.collect::<Vec<_>>().join("; ")));
        }
    }
    if !listed.is_empty() {
        let users: u64 = listed.iter().map(|(_, p)| p.users_listed + p.users_failed).sum();
        let failed: u64 = listed.iter().map(|(_, p)| p.users_failed).sum();
        // Lists of the whole organisation name no users that were asked one by one.
        if users > 0 {
            text.push_str(&format!("; {}, {} failed", counted(grouped(users), "user"), grouped(failed)));
        }
    }
    text.push('.');
    let missing = report.population.iter().filter(|p| p.inventory_taken.is_none());
    let warn = |p: &Population| {
        format!(
            "No token list of {} is known at {}: tokens that never appear in its log are missing, and none of its tokens is known to be in force.",
            p.org,
            minute(report.as_of)
        )
    };
    std::iter::once(text).chain(missing.map(warn)).collect()
}

/// Returns a story of what to contain as one line.
#[must_use]
pub fn story(story: &Story) -> String {
    let more = match story.more {
        0 => String::new(),
        n => format!(", and {}", counted(n, "more finding")),
    };
    let when = story.since.map(|t| format!("{}: ", minute(t))).unwrap_or_default();
    format!("{when}{}{more}.", story.facts.join("; "))
}

/// Returns an advice in words: whom to ask, where that is not the owner.
#[must_use]
pub fn advice_words(advice: &Advice) -> String {
    match advice.ask {
        Some(whom) if advice.action == Action::AskOwner => format!("ask {whom}"),
        _ => advice.action.to_string(),
    }
}

/// Says what was masked in the inputs; nothing where nothing was.
#[must_use]
pub fn masked_words(report: &Report) -> Option<String> {
    let mut all = Masked::default();
    report.inputs.iter().for_each(|input| all.merge(&input.masked, 1));
    let n = all.total();
    (n > 0).then(|| {
        format!(
            "{} credential{} had been pasted into texts of the inputs and {} masked before anything was stored ({}). Revoke or change them: everyone who can read the log can read them.",
            grouped(n),
            s(n),
            if n == 1 { "was" } else { "were" },
            all.words()
        )
    })
}

/// Names a token for people: its name, else its id.
#[must_use]
pub fn token_label(token: &TokenReport) -> &str {
    token.token.name.as_deref().filter(|n| !n.trim().is_empty()).unwrap_or(&token.token.token_id)
}

/// Counts findings of a severity that no decision hides.
#[must_use]
pub fn open_findings(report: &Report, severity: crate::model::finding::Severity) -> usize {
    report.findings.iter().filter(|f| f.severity == severity && f.suppressed.is_none()).count()
}

/// Returns the shown form of a JSON value: text bare, lists joined, the rest as JSON.
#[must_use]
pub fn value_words(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Null => String::new(),
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Array(items) => items.iter().map(value_words).collect::<Vec<_>>().join("; "),
        other => other.to_string(),
    }
}
/// Says that a detection could not match in an organisation, and why.
#[must_use]
pub fn blind(b: &Blind) -> String {
    let fields: Vec<String> = b.fields.iter().map(|field| field.replace('|', " or ")).collect();
    format!(
        "{} is blind in {}: none of {} event{} of its actions has {}, so its silence says nothing.",
        b.detection,
        b.org,
        grouped(b.events),
        s(b.events),
        fields.join(", ")
    )
}
