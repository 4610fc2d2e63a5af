//! A row of `findings.json`.
//!
//! In: a [`Finding`]. Out: its fields in the order of the contract, with the decision that it stands under.

use super::claim::{ClaimV1, claims};
use super::time;
use crate::model::event_id::EventId;
use crate::model::finding::{Finding, ListEntry, Subject};
use crate::model::time::day_text;
use serde::Serialize;
use serde_json::{Map, Value};

/// One finding.
#[derive(Debug, Serialize)]
pub struct FindingV1<'a> {
    fingerprint: &'a str,
    detection: &'a str,
    slug: &'a str,
    family: &'static str,
    severity: &'static str,
    confidence: &'static str,
    org: &'a str,
    subject: &'a Subject,
    owner: Option<&'a str>,
    first_time: Option<String>,
    last_time: Option<String>,
    count: u64,
    message: &'a str,
    evidence: &'a Map<String, Value>,
    event_ids: &'a [EventId],
    fix: &'a str,
    controls: &'a [String],
    attack: &'a [String],
    suppressed: Option<SuppressedV1<'a>>,
    /// Claims on the token that it rests on.
    claims: Vec<ClaimV1<'a>>,
    /// What it gathers, newest first.
    list: Vec<EntryV1<'a>>,
}

/// One entry of what a finding gathers.
#[derive(Debug, Serialize)]
pub struct EntryV1<'a> {
    name: &'a str,
    first_time: Option<String>,
    last_time: Option<String>,
    count: u64,
}

fn entry(e: &ListEntry) -> EntryV1<'_> {
    EntryV1 { name: &e.name, first_time: time(e.first_time), last_time: time(e.last_time), count: e.count }
}

/// The decision that a finding stands under.
#[derive(Debug, Serialize)]
pub struct SuppressedV1<'a> {
    decision: &'a str,
    reviewer: &'a str,
    until: Option<String>,
    decided_on: Option<String>,
    reason: &'a str,
    reviewer_is_owner: bool,
}

/// Returns one finding.
#[must_use]
pub fn finding(f: &Finding) -> FindingV1<'_> {
    FindingV1 {
        fingerprint: &f.fingerprint,
        detection: &f.detection,
        slug: &f.slug,
        family: f.family.as_str(),
        severity: f.severity.as_str(),
        confidence: f.confidence.as_str(),
        org: &f.org,
        subject: &f.subject,
        owner: f.owner.as_deref(),
        first_time: time(f.first_time),
        last_time: time(f.last_time),
        count: f.count,
        message: &f.message,
        evidence: &f.evidence,
        event_ids: &f.event_ids,
        fix: &f.fix,
        controls: &f.controls,
        attack: &f.attack,
        suppressed: suppressed(f),
        claims: claims(&f.claims),
        list: f.list.iter().map(entry).collect(),
    }
}

/// Returns the decision that a finding stands under, if any.
#[must_use]
pub fn suppressed(f: &Finding) -> Option<SuppressedV1<'_>> {
    f.suppressed.as_ref().map(|s| SuppressedV1 {
        decision: &s.decision,
        reviewer: &s.reviewer,
        until: time(s.until),
        decided_on: s.decided_on.map(day_text),
        reason: &s.reason,
        reviewer_is_owner: s.reviewer_is_owner,
    })
}
