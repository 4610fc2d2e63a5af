//! Both runs with what looking things up in them needs.
//!
//! In: an earlier bundle, the report of now. Out: tokens by id, also where one side knew only a part of it, evidence by
//! organisation, and which detections changed.

use super::earlier::{Earlier, text};
use super::missing::{Missing, Needs, Side, missing};
use crate::model::identity::is_guid;
use crate::report::evidence::Evidence;
use crate::report::{Report, TokenReport};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};

/// Hexadecimal digits of an id from which on it counts as the token's: as many as attribution asks for.
const MIN_ID_DIGITS: usize = 16;

/// Both runs.
pub(super) struct Sides<'a> {
    pub earlier: &'a Earlier,
    pub now: &'a Report,
    before: BTreeMap<(&'a str, &'a str), &'a Value>,
    here: BTreeMap<(&'a str, &'a str), &'a TokenReport>,
    evidence: BTreeMap<String, Evidence>,
    keys: HashMap<&'a str, &'a [String]>,
}

impl<'a> Sides<'a> {
    pub fn new(earlier: &'a Earlier, now: &'a Report) -> Self {
        let rows = earlier.tokens.iter();
        Self {
            earlier,
            now,
            before: rows.filter_map(|t| Some(((text(t, "org")?, text(t, "token_id")?), t))).collect(),
            here: now.tokens.iter().map(|t| ((t.token.org.as_str(), t.token.token_id.as_str()), t)).collect(),
            evidence: evidence(now),
            keys: now.detections.iter().map(|d| (d.id.as_str(), d.keys.as_slice())).collect(),
        }
    }

    /// The token of this run that an id of the earlier one names.
    pub fn token_now(&self, org: &str, id: &str) -> Option<&'a TokenReport> {
        by_id(&self.here, org, id)
    }

    /// What the earlier run said of a token of this one.
    pub fn token_before(&self, org: &str, id: &str) -> Option<&'a Value> {
        by_id(&self.before, org, id)
    }

    /// What the earlier run had of an organisation; nothing where its bundle does not say.
    pub fn evidence_before(&self, org: &str) -> Option<&Evidence> {
        self.earlier.evidence.get(org)
    }

    /// What this run has of an organisation.
    pub fn evidence_now(&self, org: &str) -> Option<&Evidence> {
        self.evidence.get(org)
    }

    /// The class of evidence on an organisation that one side lacks, if any.
    pub fn lacking(&self, org: &str, side: Side) -> Option<Missing> {
        let (then, now) = (self.evidence_before(org)?, self.evidence_now(org)?);
        let window = self.now.window;
        let needs = Needs { usage: true, log_from: window.first_day(), log_to: window.last_day() };
        match side {
            Side::Now => missing(then, now, side, needs),
            Side::Earlier => missing(now, then, side, needs),
        }
    }

    /// Evidence columns that belong to the fingerprint of a detection's findings.
    pub fn keys(&self, detection: &str) -> &'a [String] {
        self.keys.get(detection).copied().unwrap_or_default()
    }

    /// Returns true if a detection is new or other than in the earlier run.
    pub fn is_changed(&self, detection: &str) -> bool {
        let earlier = self.earlier;
        if !earlier.digests.is_empty() {
            return earlier.digests.get(detection) != self.now.digests.get(detection);
        }
        // The bundle is of a version that did not list its detections: any of them may be another.
        let differs = |then: &str, now: &str| !then.is_empty() && then != now;
        differs(&earlier.pack, &self.now.pack_sha256) || differs(&earlier.config, &self.now.config_sha256)
    }
}

/// Looks up a token by its id, else by the only id of the organisation that begins with the other.
fn by_id<T: Copy>(map: &BTreeMap<(&str, &str), T>, org: &str, id: &str) -> Option<T> {
    if let Some(found) = map.get(&(org, id)) {
        return Some(*found);
    }
    let digits = |id: &str| id.bytes().filter(u8::is_ascii_hexdigit).count() >= MIN_ID_DIGITS;
    if !digits(id) {
        return None;
    }
    let mut fits = map
        .range((org, &id[..1])..)
        .take_while(|((o, i), _)| *o == org && i[..1] == id[..1])
        .filter(|((_, other), _)| {
            // Two whole ids are two tokens.
            if other.len() == id.len() {
                return false;
            }
            let (short, long) = if other.len() < id.len() { (*other, id) } else { (id, *other) };
            digits(short) && !is_guid(short) && long.starts_with(short)
        });
    let first = fits.next()?;
    fits.next().is_none().then_some(*first.1)
}

/// The evidence of a report; one that was made without is read off its lists.
fn evidence(now: &Report) -> BTreeMap<String, Evidence> {
    let listed = now.population.iter().map(|p| Evidence {
        org: p.org.clone(),
        inventory_taken: p.inventory_taken.clone(),
        inventory_complete: p.complete,
        users_listed: p.users_listed,
        ..Evidence::default()
    });
    let known: Vec<Evidence> = if now.evidence.is_empty() { listed.collect() } else { now.evidence.clone() };
    known.into_iter().map(|e| (e.org.clone(), e)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_an_id_finds_the_only_token_that_it_fits() {
        let ids = [
            "a7c10002-0000-4000-8000-000000000001",
            "a7c10002-0000-4000-9000-000000000001",
            "b7c10002-0000-4000",
        ];
        let map: BTreeMap<(&str, &str), usize> =
            ids.iter().enumerate().map(|(i, id)| (("o", *id), i)).collect();
        let find = |id: &str| by_id(&map, "o", id);
        assert_eq!(find(ids[0]), Some(0));
        assert_eq!(find("a7c10002-0000-4000-80"), Some(0));
        assert_eq!(find("a7c10002-0000-4000"), None, "two fit");
        assert_eq!(find("a7c10002"), None, "too short");
        assert_eq!(find("b7c10002-0000-4000-8000-000000000001"), Some(2), "the other side knew less");
        assert_eq!(by_id(&map, "p", ids[0]), None);
    }
}
