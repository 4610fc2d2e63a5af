//! From analysis and findings to the report: sorted, counted, with the series that charts draw.

use super::controls;
use super::evidence::Evidence;
use super::review::{self, Completeness, Decided, Standing};
use super::series::{Lifetime, ScopeCount, Series};
use super::start;
use super::{Activity, Population, Report, TokenReport, Unattributed};
use crate::analysis::advice::LastPlace;
use crate::analysis::attribution::How;
use crate::analysis::facts::Fold;
use crate::analysis::run::{Analysis, Judged};
use crate::analysis::{advice, risk};
use crate::model::claim::Field;
use crate::model::finding::{Finding, Severity, SubjectKind};
use crate::model::names::Names;
use crate::model::policy::Policy;
use crate::model::time::{DAY, Micros};
use crate::model::token::Token;
use crate::model::verdict::{ScopeState, UseState, Verdicts};
use hashbrown::HashMap;
use rayon::prelude::*;
use std::collections::BTreeMap;

/// What the build needs beside analysis and findings.
#[derive(Debug, Default)]
pub struct Extra {
    /// Events by day and mechanism kind.
    pub kinds: Vec<(i32, String, i64)>,
    /// Population by organisation.
    pub population: Vec<Population>,
    /// Decisions and exceptions.
    pub decided: Decided,
    /// Evidence by organisation, without the days that are covered.
    pub evidence: Vec<Evidence>,
}

/// Completes `report`, which holds what the run is, with what it found; `findings` come sorted from the pack's run.
pub fn build(report: &mut Report, analysis: Analysis, mut findings: Vec<Finding>, extra: Extra) {
    let Extra { kinds, population, decided, mut evidence } = extra;
    for one in &mut evidence {
        if let Some(coverage) = analysis.coverage.iter().find(|c| c.org == one.org) {
            one.set_covered(coverage);
        }
    }
    report.evidence = evidence;
    let (mut standings, elsewhere) = review::standings(
        &decided.decisions,
        analysis.tokens.iter().map(|j| &j.token),
        decided.keep_days,
        report.as_of,
    );
    let grave = review::grave(analysis.tokens.iter().map(|j| &j.token), &findings);
    review::enforce(&mut standings, &grave, decided.grace_days, report.as_of);
    report.decisions_elsewhere = elsewhere;
    report.review_period = decided.period;
    report.approved = review::suppress(&mut findings, &standings, &grave, &decided.approvals, report.as_of);
    controls::complete(&mut findings, &mut report.detections);
    let mut by_token: HashMap<&str, HashMap<&str, Vec<&Finding>>> = HashMap::new();
    for finding in findings.iter().filter(|f| f.subject.kind == SubjectKind::Token) {
        let of_org = by_token.entry(&finding.org).or_default();
        of_org.entry(&finding.subject.id).or_default().push(finding);
    }
    let mut activities = activities(&analysis);
    let tokens = analysis
        .tokens
        .into_iter()
        .enumerate()
        .map(|(i, judged)| {
            let key = (judged.token.org.clone(), judged.token.token_id.clone());
            let found = by_token.get_mut(key.0.as_str()).and_then(|own| own.remove(key.1.as_str()));
            let found = found.unwrap_or_default();
            let (activity, place) = std::mem::take(&mut activities[i]);
            token(judged, &found, activity, &place, standings.remove(&key), report.as_of)
        })
        .collect();
    drop(by_token);
    report.tokens = tokens;
    give_claims(&mut findings, report);
    report.unattributed = analysis
        .credentials
        .iter()
        .filter(|(a, _)| a.how == How::Ambiguous)
        .map(|(a, uses)| Unattributed {
            org: a.org.clone(),
            credential: a.visible.clone(),
            candidates: a.candidates.clone(),
            events: uses.iter().map(|u| u64::try_from(u.n).unwrap_or(0)).sum(),
        })
        .filter(|u| u.events > 0)
        .collect();
    report.events = analysis.coverage.iter().map(|c| c.events).sum();
    report.coverage = analysis.coverage;
    report.population = population;
    report.findings = findings;
    report.series = series(report, &analysis.folds.rows, &kinds);
}

/// Gives each finding about a token the claims that it rests on.
fn give_claims(findings: &mut [Finding], report: &Report) {
    let rests: HashMap<&str, &[Field]> =
        report.detections.iter().map(|d| (d.id.as_str(), d.rests_on.as_slice())).collect();
    let tokens: HashMap<(&str, &str), &Token> =
        report.tokens.iter().map(|t| ((t.token.org.as_str(), t.token.token_id.as_str()), &t.token)).collect();
    for finding in findings.iter_mut().filter(|f| f.subject.kind == SubjectKind::Token) {
        let fields = rests.get(finding.detection.as_str()).copied().unwrap_or_default();
        let token = tokens.get(&(finding.org.as_str(), finding.subject.id.as_str()));
        let claims = token.into_iter().flat_map(|t| &t.claims).filter(|c| fields.contains(&c.field));
        finding.claims = claims.cloned().collect();
    }
}

fn token(
    judged: Judged,
    findings: &[&Finding],
    activity: Activity,
    place: &LastPlace,
    decision: Option<Standing>,
    as_of: Micros,
) -> TokenReport {
    let Judged { token, usage, scope, lineage, dependence, .. } = judged;
    let (risk, risk_parts) = risk::assess(&token, findings, activity.networks.len(), as_of);
    let advice = advice::advise(&token, &usage, &scope.rows, findings, place);
    let observed = scope.observed.as_deref().filter(|_| token.is_full_access());
    let (start_scopes, strange_scopes) =
        observed.map(|observed| start::split(observed, &scope.rows, findings)).unzip();
    let advice = review::settle(advice, &token, decision.as_ref(), findings);
    TokenReport {
        verdicts: Verdicts {
            usage,
            scope: scope.rows,
            observed_scopes: scope.observed,
            start_scopes,
            strange_scopes: strange_scopes.unwrap_or_default(),
            proposed_scopes: scope.proposed,
            reduced_scopes: scope.reduced,
            advice,
            risk,
            risk_parts,
        },
        findings: findings.iter().map(|f| f.fingerprint.clone()).collect(),
        token,
        activity,
        decision,
        lineage,
        dependence,
    }
}

/// What the attributed events of each token show.
fn activities(analysis: &Analysis) -> Vec<(Activity, LastPlace)> {
    let mut own: Vec<Vec<&Fold>> = vec![Vec::new(); analysis.tokens.len()];
    for fold in &analysis.folds.rows {
        if let Some(at) = analysis.fold_tokens[fold.key as usize] {
            own[at].push(fold);
        }
    }
    let names = &analysis.folds.names;
    own.par_iter().map(|folds| (activity(folds, names), last_place(folds, names))).collect()
}

/// The client and the network of the last hour with an event, each only where that hour shows no other.
fn last_place(folds: &[&Fold], names: &Names) -> LastPlace {
    let hour = |fold: &Fold| (fold.day, 31 - fold.hour_bits.max(1).leading_zeros());
    let Some(last) = folds.iter().map(|fold| hour(fold)).max() else { return LastPlace::default() };
    let only = |of: &dyn Fn(&Fold) -> u32| {
        let mut values = folds.iter().filter(|fold| hour(fold) == last).map(|fold| of(fold));
        let first = values.next()?;
        let text = names.text(first);
        (values.all(|value| value == first) && !text.is_empty()).then(|| text.to_owned())
    };
    LastPlace { day: Some(last.0), client: only(&|f| f.client), network: only(&|f| f.network) }
}

fn activity(folds: &[&Fold], names: &Names) -> Activity {
    let mut days: BTreeMap<i32, u64> = BTreeMap::new();
    let mut lists: [HashMap<u32, u64>; 4] = Default::default();
    let mut hours = if folds.is_empty() { Vec::new() } else { vec![0; 168] };
    for fold in folds {
        let n = u64::try_from(fold.n).unwrap_or(0);
        *days.entry(fold.day).or_default() += n;
        for (list, value) in lists.iter_mut().zip([fold.action, fold.network, fold.client, fold.project]) {
            *list.entry(value).or_default() += n;
        }
        add_hours(&mut hours, fold);
    }
    let [actions, networks, clients, projects] = lists.map(|list| {
        let named = list.into_iter().map(|(value, n)| (names.text(value).to_owned(), n));
        let mut list: Vec<(String, u64)> = named.filter(|(value, _)| !value.is_empty()).collect();
        list.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        list
    });
    Activity { per_day: days.into_iter().collect(), actions, networks, clients, projects, hours }
}

/// Spreads the events of a fold over the hours in which it occurred; the fold keeps no finer count.
fn add_hours(hours: &mut [u64], fold: &Fold) {
    let active = fold.hour_bits.count_ones() as usize;
    let n = usize::try_from(fold.n).unwrap_or(0);
    // 1970-01-01 was a Thursday; the chart's week starts on Monday.
    let weekday = usize::try_from((fold.day + 3).rem_euclid(7)).unwrap_or(0);
    for (i, hour) in (0..24).filter(|h| fold.hour_bits >> h & 1 == 1).enumerate() {
        let share = n / active + usize::from(i < n % active);
        hours[weekday * 24 + hour] += share as u64;
    }
}

fn series(report: &Report, folds: &[Fold], kinds: &[(i32, String, i64)]) -> Series {
    let days = (report.window.first_day(), report.window.last_day());
    let n_days = usize::try_from(days.1 - days.0 + 1).unwrap_or(0);
    let mut activity: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for (day, kind, n) in kinds {
        let row = activity.entry(kind).or_insert_with(|| vec![0; n_days]);
        if let Some(slot) = usize::try_from(day - days.0).ok().and_then(|i| row.get_mut(i)) {
            *slot += u64::try_from(*n).unwrap_or(0);
        }
    }
    let mut families: BTreeMap<crate::model::finding::Family, [u64; 5]> =
        crate::model::finding::Family::ALL.iter().map(|f| (*f, [0; 5])).collect();
    for finding in report.findings.iter().filter(|f| f.suppressed.is_none()) {
        let at = Severity::ALL.iter().position(|s| *s == finding.severity).unwrap_or(0);
        families.entry(finding.family).or_default()[at] += 1;
    }
    let mut hours = vec![0; 168];
    for fold in folds {
        add_hours(&mut hours, fold);
    }
    let mut scopes: BTreeMap<&str, ScopeCount> = BTreeMap::new();
    for token in &report.tokens {
        for row in &token.verdicts.scope {
            let count = scopes.entry(&row.scope).or_default();
            match row.state {
                ScopeState::Used => count.used += 1,
                ScopeState::NotSeen => count.not_seen += 1,
                ScopeState::CannotBeSeen => count.cannot_be_seen += 1,
                ScopeState::BeyondGrant => count.beyond_grant += 1,
            }
        }
    }
    let completeness = Completeness::of(report);
    let review_sentence = completeness.sentence();
    Series {
        days,
        activity: activity.into_iter().map(|(kind, row)| (kind.to_owned(), row)).collect(),
        gaps: report
            .coverage
            .iter()
            .flat_map(|c| c.gaps.iter().map(move |g| (c.org.clone(), g.span, g.reason.clone())))
            .collect(),
        findings: families.into_iter().map(|(family, row)| (family.to_string(), row)).collect(),
        verdicts: UseState::ALL
            .iter()
            .map(|state| {
                let n = report.tokens.iter().filter(|t| t.verdicts.usage.verdict == *state).count();
                (state.to_string(), n as u64)
            })
            .collect(),
        lifetimes: lifetimes(report),
        scopes: scopes
            .into_iter()
            .map(|(scope, count)| ScopeCount { scope: scope.to_owned(), ..count })
            .collect(),
        ages: ages(report),
        hours,
        risks: report.tokens.iter().map(|t| t.verdicts.risk).collect(),
        coverage: report.coverage.iter().map(|c| (c.org.clone(), c.span, c.covered.clone())).collect(),
        review: completeness.orgs.into_iter().collect(),
        review_sentence,
        max_lifetime_days: Some(report.policy.max_lifetime_days),
        as_of: report.as_of,
    }
}

fn lifetimes(report: &Report) -> Vec<Lifetime> {
    let mut rows: Vec<Lifetime> = report
        .tokens
        .iter()
        .filter(|t| !t.token.is_over())
        .filter_map(|t| {
            let (from, to) = (t.token.valid_from?, t.token.valid_to?);
            Some(Lifetime {
                label: t.token.name.clone().unwrap_or_else(|| t.token.token_id.clone()),
                from,
                to,
                last_observed: t.verdicts.usage.last_observed,
                all_orgs: t.token.all_orgs == Some(true),
                over_policy: (to - from).div_euclid(DAY) > report.policy.max_lifetime_days,
            })
        })
        .collect();
    rows.sort_by(|a, b| (a.to, &a.label).cmp(&(b.to, &b.label)));
    rows
}

/// Tokens in force by days since creation. The log does not tell an extension from a regeneration, so
/// creation is all that is known for certain.
fn ages(report: &Report) -> Vec<(i64, u64)> {
    let bounds = [7, 30, 60, 90, 180, 365, i64::MAX];
    let mut counts = bounds.map(|b| (b, 0));
    for token in report.tokens.iter().filter(|t| !t.token.is_over()) {
        let Some(from) = token.token.valid_from else { continue };
        let age = (report.as_of - from).max(0) / DAY;
        if let Some(slot) = counts.iter_mut().find(|(bound, _)| age < *bound) {
            slot.1 += 1;
        }
    }
    counts.to_vec()
}

/// A report that holds what the run is and has found nothing yet.
#[must_use]
pub fn empty(window: crate::model::time::Window, policy: Policy) -> Report {
    Report {
        as_of: window.as_of,
        window,
        pack_sha256: String::new(),
        config_sha256: String::new(),
        policy,
        coverage: Vec::new(),
        population: Vec::new(),
        events: 0,
        tokens: Vec::new(),
        unattributed: Vec::new(),
        findings: Vec::new(),
        not_run: Vec::new(),
        blind: Vec::new(),
        detections: Vec::new(),
        series: Series::default(),
        inputs: Vec::new(),
        decisions_elsewhere: Vec::new(),
        review_period: None,
        approved: Vec::new(),
        evidence: Vec::new(),
        digests: BTreeMap::new(),
        settings: super::settings::Settings::default(),
        comparison: None,
    }
}
