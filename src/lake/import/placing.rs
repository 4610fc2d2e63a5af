//! Which organisation staged records belong to, decided for all of them before anything is written.
//!
//! In: the names that an import learnt, and `--org`. Out: an organisation for each key, or why there is none: such
//! records are refused, and everything else is kept.

use super::Import;
use super::rename::{self, Names};
use super::staged::Part;
use crate::lake::{Lake, LakeError};
use crate::model::inventory::OrgKey;
use crate::model::time::Day;
use std::collections::{BTreeMap, BTreeSet};

/// Records of one input that were not kept, for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The input.
    pub input: usize,
    /// Records.
    pub rows: u64,
    /// The reason in two or three words, as counts show it.
    pub reason: &'static str,
    /// The reason in a sentence, with the mend.
    pub why: String,
    /// The id of one of them, where it is at hand.
    pub event_id: Option<String>,
    /// Their days.
    pub days: BTreeSet<Day>,
}

/// Where the records of a key go, or the reason in short and in a sentence why they go nowhere.
pub(super) type Place = Result<String, (&'static str, String)>;

impl Import<'_> {
    /// Tells the organisation of every key that something is staged for.
    ///
    /// # Errors
    /// When records name another organisation than `--org`: then the whole import is a mistake.
    pub(super) fn places(&self, names: &Names) -> Result<BTreeMap<OrgKey, Place>, LakeError> {
        let keys: BTreeSet<&OrgKey> = self.staged.keys().collect();
        let mut known: BTreeSet<String> = self.lake.orgs().into_iter().collect();
        for (old, _) in rename::moves(self.lake, names) {
            known.remove(&old);
        }
        known.extend(names.values().map(|(name, _)| name.clone()));
        let named = |key: &&OrgKey| !key.name.is_empty() && !names.contains_key(&key.scope_id);
        let beside = keys.iter().copied().filter(named).map(|key| key.name.clone());
        known.extend(beside.filter(|name| Lake::can_hold(name)));
        let mut places = BTreeMap::new();
        for key in keys {
            let name = names.get(&key.scope_id).map(|(name, _)| name.as_str());
            let said: BTreeSet<&String> = self
                .named_by
                .get(key)
                .into_iter()
                .flatten()
                .filter_map(|input| self.orgs[*input].as_ref())
                .collect();
            let place = match name.or((!key.name.is_empty()).then_some(key.name.as_str())) {
                Some(name) => agree(&said, name).map(|()| Ok(name.to_owned()))?,
                None => fallback(&said, &known),
            };
            places.insert(key.clone(), place.and_then(holdable));
        }
        Ok(places)
    }

    /// Counts the records of parts as rejected.
    pub(super) fn refuse(&mut self, counts: &Counts, day: Day, reason: &'static str, why: &str) {
        for (rank, rows) in &counts.rows {
            let Some(number) = (*rank as usize).checked_sub(1) else { continue };
            let Some(input) = self.inputs.get_mut(number) else { continue };
            input.rejected += rows;
            *input.reasons.entry(reason.to_owned()).or_default() += rows;
            match self.refused.iter_mut().find(|r| r.input == number && r.why == why) {
                Some(refused) => {
                    refused.rows += rows;
                    refused.days.insert(day);
                }
                None => self.refused.push(Refused {
                    input: number,
                    rows: *rows,
                    reason,
                    why: why.to_owned(),
                    event_id: counts.event_id.clone(),
                    days: BTreeSet::from([day]),
                }),
            }
        }
    }
}

const UNKNOWN: &str = "organisation unknown";

/// Fails where records name another organisation than `--org` says for one of their inputs.
fn agree(said: &BTreeSet<&String>, name: &str) -> Result<(), LakeError> {
    match said.iter().find(|org| **org != name) {
        Some(org) => Err(LakeError::Organisation(format!(
            "records name the organisation \"{name}\" but --org says \"{org}\"; --org only fills in where a file names none: leave it out, or import that file apart"
        ))),
        None => Ok(()),
    }
}

/// The organisation of records that name none: what `--org` says for their inputs, else the only one known.
fn fallback(said: &BTreeSet<&String>, known: &BTreeSet<String>) -> Place {
    let mut said = said.iter();
    match (said.next(), said.next()) {
        (Some(only), None) => return Ok((*only).clone()),
        (Some(a), Some(b)) => {
            let why = format!(
                "records of one project are in files of {a} and of {b}, as --org says; import those files apart"
            );
            return Err((UNKNOWN, why));
        }
        _ => {}
    }
    let mut names = known.iter();
    match (names.next(), names.next()) {
        (Some(only), None) => Ok(only.clone()),
        (None, _) => Err((UNKNOWN, "no organisation is named; name it with --org".to_owned())),
        (Some(a), Some(b)) => Err((
            UNKNOWN,
            format!(
                "no organisation is named, and more than one is known ({a}, {b}{}); import that file apart and name it with --org, or say --org NAME=PATH for each",
                if known.len() > 2 { ", ..." } else { "" }
            ),
        )),
    }
}

/// A name that no folder can have is no place.
fn holdable(name: String) -> Place {
    if Lake::can_hold(&name) {
        return Ok(name);
    }
    let short: String = name.chars().take(40).collect();
    let why = format!(
        "the name of the organisation \"{short}...\" has {} characters, more than a folder's name may have; mend it in the file",
        name.chars().count()
    );
    Err(("organisation name too long", why))
}

/// How many records each rank brought to some parts, and the id of one.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub rows: BTreeMap<u32, u64>,
    event_id: Option<String>,
}

impl Counts {
    pub(super) fn of(parts: &[Part]) -> Self {
        let mut counts = Self::default();
        for part in parts {
            part.count(&mut counts.rows);
            if let (None, Part::Memory { batch, .. }) = (&counts.event_id, part) {
                counts.event_id = (!batch.is_empty()).then(|| batch.event_id.get(0).to_owned());
            }
        }
        counts
    }
}
