//! Tokens of both runs, and which of them need something new.
//!
//! In: both runs, and what became of the findings. Out: the changes. A token is compared by its id, and by the part of it
//! that was known before.

use super::earlier::text;
use super::facts::Known;
use super::missing::{Class, Missing, Side};
use super::sides::Sides;
use super::{Comparison, Difference, FindingChange, Kind, TokenChange, gone};
use crate::model::time::format_time;
use crate::model::verdict::Action;
use crate::report::TokenReport;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Adds what became of the tokens to the comparison, of which the findings are done.
pub(super) fn compare(sides: &Sides<'_>, comparison: &mut Comparison) {
    let mut found: BTreeMap<(&str, &str), Vec<&FindingChange>> = BTreeMap::new();
    for change in comparison.findings.iter().filter(|f| f.open && f.subject.0 == "token") {
        found.entry((&change.org, &change.subject.1)).or_default().push(change);
    }
    let mut changes = Vec::new();
    let mut same = 0;
    let mut matched: BTreeSet<(&str, &str)> = BTreeSet::new();
    for token in &sides.now.tokens {
        let key = (token.token.org.as_str(), token.token.token_id.as_str());
        let findings = found.get(&key).map_or(&[][..], Vec::as_slice);
        let old = sides.token_before(key.0, key.1);
        matched.extend(old.and_then(|row| Some((text(row, "org")?, text(row, "token_id")?))));
        let change = one(sides, token, old, findings);
        if change.kind == Kind::Changed && change.differences.is_empty() && change.needs.is_none() {
            same += 1;
        } else {
            changes.push(change);
        }
    }
    for old in &sides.earlier.tokens {
        let (Some(org), Some(token_id)) = (text(old, "org"), text(old, "token_id")) else { continue };
        if matched.contains(&(org, token_id)) {
            continue;
        }
        let (kind, why, missing) = match gone::token(sides, org) {
            Ok(why) => (Kind::Resolved, why, None),
            Err(missing) => (Kind::NotCompared, missing.why.clone(), Some(missing)),
        };
        changes.push(TokenChange {
            kind,
            org: org.to_owned(),
            token_id: token_id.to_owned(),
            name: text(old, "name").map(str::to_owned),
            owner: text(old, "owner").map(str::to_owned),
            differences: Vec::new(),
            why,
            missing,
            needs: None,
            eased: false,
        });
    }
    let key = |c: &TokenChange| (c.needs.is_none(), c.kind, c.org.clone(), c.token_id.clone());
    changes.sort_by_cached_key(key);
    comparison.tokens = changes;
    comparison.tokens_same = same;
}

/// Advice that asks somebody to do something.
const WANTING: [Action; 3] = [Action::Revoke, Action::Reduce, Action::AskOwner];

/// Compares one token of this run with what the earlier one said of it.
fn one(
    sides: &Sides<'_>,
    token: &TokenReport,
    old: Option<&Value>,
    findings: &[&FindingChange],
) -> TokenChange {
    let (org, action) = (token.token.org.as_str(), token.verdicts.advice.action);
    let differences = old.map(|old| differences(old, token)).unwrap_or_default();
    let grave = |f: &&&FindingChange| super::news::is_new_and_grave(f);
    let has_news = findings.iter().any(|f| grave(&f));
    let born = token.token.valid_from.is_some_and(|from| from > sides.earlier.as_of);
    let lacked = (!born).then(|| sides.lacking(org, Side::Earlier)).flatten();
    let before = old.and_then(|old| text(&old["advice"], "action"));
    let (kind, why, missing) = match old {
        Some(_) => (Kind::Changed, "", None),
        None if !sides.earlier.orgs.contains(org) => {
            let why = "The earlier run did not look at the organisation.";
            (Kind::NotCompared, why, Some(Missing::new(Class::Organisation, Side::Earlier, why)))
        }
        None if born => (Kind::New, "It was created since.", None),
        None => {
            let why = "The earlier run neither listed nor saw it, and it was not created since.";
            let missing = lacked.clone().unwrap_or_else(|| Missing::new(Class::Token, Side::Earlier, why));
            (Kind::NotCompared, why, Some(missing))
        }
    };
    let is_wanting = WANTING.contains(&action);
    // Advice that follows from a changed detection, or from evidence that the earlier run lacked, is not new.
    let explained = lacked.is_some() || findings.iter().any(|f| f.of_changed_detection);
    let was_wanting = before.is_some_and(|text| WANTING.iter().any(|action| action.as_str() == text));
    // What this run lacks may silence a token or the advice on it. A revoke never follows from silence.
    let lost = || {
        let fact = old.and_then(|row| Known::of_row(row).lost(Known::of_token(token)));
        fact.is_some() || sides.lacking(org, Side::Now).is_some()
    };
    let differs = is_wanting && before != Some(action.as_str()) && kind != Kind::NotCompared;
    let advised = differs && !explained && (action == Action::Revoke || !lost());
    let eased = was_wanting && !is_wanting && !has_news && !lost();
    TokenChange {
        kind,
        org: org.to_owned(),
        token_id: token.token.token_id.clone(),
        name: token.token.name.clone(),
        owner: token.token.owner.clone(),
        differences,
        why: why.to_owned(),
        missing,
        needs: (advised || has_news).then(|| action.as_str().to_owned()),
        eased,
    }
}

fn differences(old: &Value, new: &TokenReport) -> Vec<Difference> {
    let (token, verdicts) = (&new.token, &new.verdicts);
    let mut out = Vec::new();
    let mut differ = |field: &str, before: Option<String>, after: String| {
        if let Some(before) = before
            && before != after
        {
            out.push(Difference { field: field.to_owned(), before, after });
        }
    };
    let said = |value: Option<&str>| value.map(str::to_owned);
    let maybe =
        |field: &str| old.get(field).map(|v| v.as_str().map_or_else(|| "unknown".to_owned(), str::to_owned));
    let list = |value: &Value| -> Option<String> {
        Some(value.as_array()?.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" "))
    };
    differ("use", said(text(&old["use"], "verdict")), verdicts.usage.verdict.to_string());
    differ("state", said(text(old, "state")), token.state.to_string());
    differ("owner", maybe("owner"), token.owner.clone().unwrap_or_else(|| "unknown".to_owned()));
    differ("owner's state", said(text(old, "owner_state")), token.owner_state.to_string());
    differ("end date", maybe("valid_to"), token.valid_to.map_or_else(|| "unknown".to_owned(), format_time));
    if let Some(scopes) = &token.scopes {
        differ("scopes", list(&old["scopes"]), scopes.join(" "));
    }
    differ("advice", said(text(&old["advice"], "action")), verdicts.advice.action.to_string());
    if let Some(decision) = old.get("decision") {
        let words = |d: &str, s: &str| format!("{d} ({s})");
        let before = match (text(decision, "decision"), text(decision, "status")) {
            (Some(d), Some(s)) => words(d, s),
            _ => "none".to_owned(),
        };
        let after = new
            .decision
            .as_ref()
            .map_or_else(|| "none".to_owned(), |d| words(d.decision.choice.as_str(), d.status.as_str()));
        differ("decision", Some(before), after);
    }
    let scopes: BTreeMap<&str, &str> = old["scope"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|s| Some((text(s, "scope")?, text(s, "state")?)))
        .collect();
    for row in &verdicts.scope {
        if let Some(before) = scopes.get(row.scope.as_str()) {
            differ(&row.scope, Some((*before).to_owned()), row.state.to_string());
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::tests::bundle;
    use super::super::{News, compare};
    use super::*;
    use crate::model::time::DAY;
    use crate::output::sample;
    use crate::report::Report;

    /// The sample, and the same a week later.
    fn week() -> (Report, Report) {
        let before = sample::report();
        let mut now = before.clone();
        now.as_of += 7 * DAY;
        now.window = crate::model::time::Window::ending(now.as_of, now.window.days);
        (before, now)
    }

    #[test]
    fn a_token_whose_last_event_alone_is_later_is_unchanged() {
        let (before, mut now) = week();
        for token in &mut now.tokens {
            token.verdicts.usage.last_observed = Some(now.as_of - DAY);
            token.verdicts.usage.last_observed_ever = Some(now.as_of - DAY);
            token.verdicts.usage.events += 3;
        }
        let c = compare(&bundle(&before), &now);
        assert!(c.tokens.is_empty(), "{:?}", c.tokens);
        assert_eq!(c.tokens_same, before.tokens.len() as u64);
    }

    #[test]
    fn a_new_token_is_one_that_was_created_since() {
        let (mut before, now) = week();
        let gone = before.tokens.remove(0);
        let kind = |now: &Report| {
            let c = compare(&bundle(&before), now);
            let change = c.tokens.iter().find(|t| t.token_id == gone.token.token_id).expect("a change");
            (change.kind, News::of(&c).tokens_not_compared)
        };
        assert_eq!(kind(&now), (Kind::NotCompared, 1), "first in this list, and older than the bundle");
        let mut later = now.clone();
        later.tokens[0].token.valid_from = Some(before.as_of + DAY);
        assert_eq!(kind(&later), (Kind::New, 0));
    }

    #[test]
    fn a_cut_id_is_the_token_whose_whole_id_begins_with_it() {
        let (mut before, now) = week();
        let whole = before.tokens[0].token.token_id.clone();
        let cut: String = whole.chars().take(25).collect();
        before.tokens[0].token.token_id.clone_from(&cut);
        let own = |f: &&mut crate::model::finding::Finding| f.subject.id == whole;
        before.findings.iter_mut().filter(own).for_each(|f| {
            f.subject.id.clone_from(&cut);
            f.fingerprint = format!("cut {}", f.fingerprint);
        });
        let c = compare(&bundle(&before), &now);
        assert!(c.tokens.iter().all(|t| t.token_id != whole && t.token_id != cut), "{:?}", c.tokens);
        assert!(c.findings.iter().all(|f| f.subject.1 != whole && f.subject.1 != cut), "{:?}", c.findings);
    }

    #[test]
    fn what_keeps_two_runs_from_being_compared_is_said_on_top() {
        let (before, now) = week();
        let notes = |before: &Report| compare(&bundle(before), &now).notes.join("\n");
        assert_eq!(notes(&before), "");
        let mut bare = before.clone();
        bare.population.iter_mut().for_each(|p| (p.inventory_taken, p.complete) = (None, false));
        assert!(notes(&bare).contains("has no list of the organisation's tokens"), "{}", notes(&bare));
        let mut short = before.clone();
        short.window = crate::model::time::Window::ending(short.as_of, 30);
        assert!(notes(&short).contains("looked back 30 days"), "{}", notes(&short));
        let mut fewer = before.clone();
        fewer.tokens.retain(|t| t.token.org != "fabrikam");
        fewer.findings.retain(|f| f.org != "fabrikam");
        fewer.coverage.retain(|c| c.org != "fabrikam");
        fewer.population.retain(|p| p.org != "fabrikam");
        assert!(notes(&fewer).contains("did not look at fabrikam"), "{}", notes(&fewer));
        let mut filtered = before.clone();
        filtered.show_from(crate::model::finding::Severity::Critical);
        let c = compare(&bundle(&filtered), &now);
        assert!(c.notes.iter().any(|note| note.contains("from severity critical up")), "{:?}", c.notes);
        assert!(c.findings.iter().all(|f| f.kind == Kind::NotCompared), "{:?}", c.findings);
    }
}
