//! Findings of both runs, compared by fingerprint; those of a token of which only a part of the id was known, by what the
//! fingerprint is made of.
//!
//! In: both runs. Out: the changes, worst first, and how many findings are as they were.

use super::earlier::text;
use super::missing::{Class, Missing, Needs, Side, missing};
use super::sides::Sides;
use super::{Comparison, Difference, FindingChange, Kind, gone};
use crate::model::finding::{Family, Finding, ListEntry, Severity, SubjectKind};
use crate::model::time::{DAY, Micros, parse_time};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Adds what became of the findings to the comparison.
pub(super) fn compare(sides: &Sides<'_>, comparison: &mut Comparison) {
    let before: BTreeMap<&str, &Value> =
        sides.earlier.findings.iter().filter_map(|f| Some((text(f, "fingerprint")?, f))).collect();
    let cut = of_cut_ids(sides);
    let mut matched: BTreeSet<&str> = BTreeSet::new();
    let mut changes = Vec::new();
    for finding in &sides.now.findings {
        let by_parts = || cut.get(&parts(sides, finding)).copied();
        let old = before.get(finding.fingerprint.as_str()).copied().or_else(by_parts);
        let Some(old) = old else {
            changes.push(unknown_before(sides, finding, finding.first_time));
            continue;
        };
        matched.extend(text(old, "fingerprint"));
        let added = added(old, finding);
        if !added.is_empty() {
            changes.push(with_entries(sides, finding, &added));
            continue;
        }
        let differences = differences(old, finding);
        if differences.is_empty() {
            comparison.findings_same += 1;
            comparison.findings_again += u64::from(is_later(old, finding));
        } else {
            changes.push(FindingChange {
                differences,
                of_changed_detection: sides.is_changed(&finding.detection),
                ..change(Kind::Changed, finding, "")
            });
        }
    }
    changes
        .extend(before.iter().filter(|(f, _)| !matched.contains(**f)).map(|(_, old)| vanished(sides, old)));
    let grade = |c: &FindingChange| c.severity.parse::<Severity>().map_or(0, |s| s as usize + 1);
    let order = |k: Kind| match k {
        Kind::New => 0,
        Kind::Changed => 1,
        Kind::Resolved => 2,
        Kind::NotCompared => 3,
    };
    let key = |c: &FindingChange| (order(c.kind), std::cmp::Reverse(grade(c)));
    changes.sort_by(|a, b| {
        key(a).cmp(&key(b)).then_with(|| {
            (&a.detection, &a.org, &a.subject, &a.fingerprint).cmp(&(
                &b.detection,
                &b.org,
                &b.subject,
                &b.fingerprint,
            ))
        })
    });
    comparison.findings = changes;
}

/// Findings on tokens of which the earlier run knew only a part of the id, by their parts under the whole id.
fn of_cut_ids<'a>(sides: &'a Sides<'_>) -> BTreeMap<Vec<String>, &'a Value> {
    let row = |old: &'a Value| {
        let (org, detection) = (text(old, "org")?, text(old, "detection")?);
        let id = text(&old["subject"], "id").filter(|_| text(&old["subject"], "kind") == Some("token"))?;
        let whole =
            sides.token_now(org, id).map(|t| t.token.token_id.as_str()).filter(|whole| *whole != id)?;
        let mut parts = vec![org.to_owned(), detection.to_owned(), whole.to_owned()];
        parts.extend(sides.keys(detection).iter().map(|key| old["evidence"][key.as_str()].to_string()));
        Some((parts, old))
    };
    sides.earlier.findings.iter().filter_map(row).collect()
}

fn parts(sides: &Sides<'_>, finding: &Finding) -> Vec<String> {
    let mut parts = vec![finding.org.clone(), finding.detection.clone(), finding.subject.id.clone()];
    let value = |key: &String| finding.evidence.get(key).cloned().unwrap_or_default().to_string();
    parts.extend(sides.keys(&finding.detection).iter().map(value));
    parts
}

fn change(kind: Kind, finding: &Finding, why: &str) -> FindingChange {
    FindingChange {
        kind,
        fingerprint: finding.fingerprint.clone(),
        detection: finding.detection.clone(),
        severity: finding.severity.to_string(),
        org: finding.org.clone(),
        subject: (finding.subject.kind.to_string(), finding.subject.id.clone(), finding.subject.name.clone()),
        owner: finding.owner.clone(),
        message: finding.message.clone(),
        why: why.to_owned(),
        differences: Vec::new(),
        missing: None,
        open: finding.suppressed.is_none(),
        of_changed_detection: false,
        added: Vec::new(),
    }
}

/// Entries of a finding's list that the earlier bundle lacks; none where that bundle has no list of it.
fn added<'a>(old: &Value, finding: &'a Finding) -> Vec<&'a ListEntry> {
    let Some(list) = old["list"].as_array() else { return Vec::new() };
    let before: BTreeSet<&str> = list.iter().filter_map(|entry| text(entry, "name")).collect();
    finding.list.iter().filter(|entry| !before.contains(entry.name.as_str())).collect()
}

/// Most added entries that a sentence names.
const NAMED_ENTRIES: usize = 3;

/// A finding that the earlier run has, with entries in its list that it lacks: as new as those are.
fn with_entries(sides: &Sides<'_>, finding: &Finding, added: &[&ListEntry]) -> FindingChange {
    let names: Vec<&str> = added.iter().map(|entry| entry.name.as_str()).collect();
    let mut first = names.iter().take(NAMED_ENTRIES).copied().collect::<Vec<_>>().join(", ");
    if names.len() > NAMED_ENTRIES {
        first.push_str(&format!(" and {} more", names.len() - NAMED_ENTRIES));
    }
    let newest = added.iter().filter_map(|entry| entry.first_time).max();
    let change = unknown_before(sides, finding, newest);
    FindingChange {
        why: format!("Added to its list: {first}. {}", change.why).trim_end().to_owned(),
        added: names.into_iter().map(str::to_owned).collect(),
        ..change
    }
}

/// A finding that the earlier run does not have: new, or of evidence that the earlier run lacked.
fn unknown_before(sides: &Sides<'_>, finding: &Finding, since: Option<Micros>) -> FindingChange {
    match news(sides, finding, since) {
        Ok(why) => change(Kind::New, finding, why),
        Err(missing) => FindingChange {
            of_changed_detection: missing.class == Class::Detection && sides.is_changed(&finding.detection),
            missing: Some(missing.clone()),
            ..change(Kind::NotCompared, finding, &missing.why)
        },
    }
}

/// Why a finding is new, or what the earlier run lacked; `since` is when it began, or when its newest entry did.
fn news(sides: &Sides<'_>, finding: &Finding, since: Option<Micros>) -> Result<&'static str, Missing> {
    let earlier = sides.earlier;
    let lacked = |class, why: &str| Err(Missing::new(class, Side::Earlier, why));
    if !earlier.orgs.contains(&finding.org) {
        return lacked(Class::Organisation, "The earlier run did not look at the organisation.");
    }
    if sides.is_changed(&finding.detection) {
        return lacked(Class::Detection, "The detection is new or changed since the earlier run.");
    }
    if earlier.not_run.contains(&finding.detection) {
        return lacked(Class::Detection, "The detection did not run in the earlier run.");
    }
    if earlier.least_severity.is_some_and(|least| finding.severity < least) {
        return lacked(Class::Severity, "The earlier bundle does not show findings of this severity.");
    }
    if since.is_some_and(|t| t > earlier.as_of) {
        return Ok("It happened since.");
    }
    let of_token = finding.subject.kind == SubjectKind::Token;
    let token = of_token.then(|| sides.token_now(&finding.org, &finding.subject.id)).flatten();
    if token.is_some_and(|t| t.token.valid_from.is_some_and(|from| from > earlier.as_of)) {
        return Ok("The token was created since.");
    }
    if earlier.window_days.is_some_and(|days| days != sides.now.window.days) {
        return lacked(Class::Window, "The earlier run looked back over another window.");
    }
    let is_state = matches!(finding.family, Family::Use | Family::Scope | Family::Hygiene);
    let window = sides.now.window;
    let needs =
        Needs { usage: is_state || of_token, log_from: window.first_day(), log_to: window.last_day() };
    if let (Some(then), Some(now)) = (sides.evidence_before(&finding.org), sides.evidence_now(&finding.org))
        // What this run lacks can make a finding as well: silence, or a list without the token.
        && let Some(missing) =
            missing(now, then, Side::Earlier, needs).or_else(|| missing(then, now, Side::Now, needs))
    {
        return Err(missing);
    }
    Ok(match sides.token_before(&finding.org, &finding.subject.id) {
        None if of_token => "The earlier run did not know the token.",
        _ => "",
    })
}

/// A finding that this run does not have.
fn vanished(sides: &Sides<'_>, old: &Value) -> FindingChange {
    let (kind, why, missing) = match gone::finding(sides, old) {
        Ok(why) => (Kind::Resolved, why, None),
        Err(missing) => (Kind::NotCompared, missing.why.clone(), Some(missing)),
    };
    let subject = &old["subject"];
    let said = |value: &Value, field: &str| text(value, field).unwrap_or_default().to_owned();
    FindingChange {
        kind,
        fingerprint: said(old, "fingerprint"),
        detection: said(old, "detection"),
        severity: said(old, "severity"),
        org: said(old, "org"),
        subject: (said(subject, "kind"), said(subject, "id"), text(subject, "name").map(str::to_owned)),
        owner: text(old, "owner").map(str::to_owned),
        message: said(old, "message"),
        why,
        differences: Vec::new(),
        missing,
        open: false,
        of_changed_detection: text(old, "detection").is_some_and(|id| sides.is_changed(id)),
        added: Vec::new(),
    }
}

/// Returns true if the same finding has later events. A state ends with its run, so its end moves by itself.
fn is_later(old: &Value, new: &Finding) -> bool {
    let before = text(old, "last_time").and_then(parse_time);
    matches!(new.family, Family::Anomaly | Family::Posture)
        && before.zip(new.last_time).is_some_and(|(before, after)| after - before > DAY / 86_400)
}

fn differences(old: &Value, new: &Finding) -> Vec<Difference> {
    let mut out = Vec::new();
    let mut differ = |field: &str, before: Option<&str>, after: &str| {
        if let Some(before) = before
            && before != after
        {
            out.push(Difference {
                field: field.to_owned(),
                before: before.to_owned(),
                after: after.to_owned(),
            });
        }
    };
    differ("severity", text(old, "severity"), new.severity.as_str());
    differ("confidence", text(old, "confidence"), new.confidence.as_str());
    let decision = |d: Option<&str>| d.unwrap_or("none").to_owned();
    let before = old.get("suppressed").map(|s| decision(text(s, "decision")));
    let after = decision(new.suppressed.as_ref().map(|s| s.decision.as_str()));
    differ("decision", before.as_deref(), &after);
    out
}

#[cfg(test)]
mod tests {
    use super::super::tests::bundle;
    use super::super::{News, compare};
    use super::*;
    use crate::output::sample;
    use crate::report::Report;

    fn entry(name: &str, time: Micros) -> ListEntry {
        ListEntry { name: name.to_owned(), first_time: Some(time), last_time: Some(time), count: 1 }
    }

    /// The sample, whose last finding gathers entries; with its place and its instant.
    fn gathering() -> (Report, usize) {
        let mut report = sample::report();
        let at = report.findings.iter().position(|f| f.suppressed.is_none()).expect("an open finding");
        let old = report.as_of - 9 * DAY;
        report.findings[at].list = vec![entry("pipeline 7", old), entry("pipeline 8", old)];
        (report, at)
    }

    #[test]
    fn a_list_with_an_entry_that_the_bundle_lacks_is_new() {
        let (before, at) = gathering();
        let mut now = before.clone();
        now.as_of += 7 * DAY;
        let print = now.findings[at].fingerprint.clone();
        now.findings[at].list.insert(0, entry("pipeline 9", before.as_of + DAY));
        let c = compare(&bundle(&before), &now);
        let change = c.findings.iter().find(|f| f.fingerprint == print).expect("a change");
        assert_eq!((change.kind, change.added.as_slice()), (Kind::New, &["pipeline 9".to_owned()][..]));
        assert_eq!(change.why, "Added to its list: pipeline 9. It happened since.");
        // Entries that leave the list with the window, and later events of known ones, are no news.
        now.findings[at].list = vec![entry("pipeline 8", before.as_of + DAY)];
        let c = compare(&bundle(&before), &now);
        assert!(c.findings.iter().all(|f| f.fingerprint != print), "{:?}", c.findings);
    }

    #[test]
    fn an_added_entry_is_not_compared_where_the_detection_changed_or_the_bundle_has_no_list() {
        let (mut before, at) = gathering();
        let mut now = before.clone();
        let print = now.findings[at].fingerprint.clone();
        let detection = now.findings[at].detection.clone();
        now.findings[at].list.push(entry("pipeline 9", before.as_of - 5));
        before.digests.insert(detection.clone(), "then".to_owned());
        now.digests.insert(detection, "now".to_owned());
        let c = compare(&bundle(&before), &now);
        let change = c.findings.iter().find(|f| f.fingerprint == print).expect("a change");
        assert!(change.kind == Kind::NotCompared && change.of_changed_detection, "{change:?}");
        assert_eq!(News::of(&c).changed_detections, 1);
        let mut earlier = bundle(&now);
        earlier.findings.iter_mut().for_each(|f| drop(f.as_object_mut().and_then(|f| f.remove("list"))));
        assert!(compare(&earlier, &now).findings.is_empty());
    }
}
