//! Day files against the index, and day files that it does not name.

use super::{Verified, set_aside};
use crate::lake::day::{self, Sorted};
use crate::lake::held::Held;
use crate::lake::import::{entry_of, on_all_cores};
use crate::lake::index::{DayEntry, Org};
use crate::lake::{Lake, LakeError, derive};
use crate::model::batch::EventBatch;
use crate::model::hash::sha256;
use crate::model::identity::org_name;
use crate::model::time::{Day, Micros, day_text};
use std::collections::BTreeMap;

/// A day file as it was found.
enum Found {
    /// What the index names.
    Named,
    /// Whole, but not what the index names; with the newest event of each scope that names its organisation.
    Other(DayEntry, BTreeMap<String, Micros>),
    /// Lost, and why.
    Lost(String),
}

/// Checks the days that the index names.
pub(super) fn check(lake: &mut Lake, verified: &mut Verified) -> Result<(), LakeError> {
    let days: Vec<DayEntry> = lake.index.days.clone();
    verified.days += days.len() as u64;
    let read_only = &*lake;
    let look = |entry: DayEntry| {
        let bytes = std::fs::read(read_only.day_file("events", &entry.org, entry.day));
        let whole = bytes.is_ok_and(|bytes| sha256(&bytes) == entry.content);
        let found = if whole { Ok(Found::Named) } else { find(read_only, &entry.org, entry.day) };
        found.map(|found| (entry, found))
    };
    let found: Vec<_> = on_all_cores(days, look, || ()).into_iter().collect::<Result<_, _>>()?;
    for (entry, found) in found {
        match found {
            Found::Named => {}
            Found::Other(whole, _) => {
                let name = name(&entry.org, entry.day);
                verified.mended.push(format!(
                    "{name}: an import that did not end wrote this day; the index names it now"
                ));
                lake.index.days.retain(|d| *d != entry);
                lake.index.days.push(whole);
            }
            Found::Lost(why) => {
                lake.index.days.retain(|d| *d != entry);
                lose(lake, &entry.org, entry.day, &why, verified)?;
            }
        }
    }
    Ok(())
}

/// Takes in whole day files that the index does not name: a killed import left them, or the index was lost. Those of an
/// organisation that the index knows by another name are copies from a move that did not end, and go.
pub(super) fn take_in(lake: &mut Lake, anew: bool, verified: &mut Verified) -> Result<(), LakeError> {
    let named = |org: &str, day: Day| lake.index.days.iter().any(|d| d.org == org && d.day == day);
    let open: Vec<(String, Day)> = lake.day_folders().filter(|(org, day)| !named(org, *day)).collect();
    let read_only = &*lake;
    let look = |(org, day): (String, Day)| find(read_only, &org, day).map(|found| (org, day, found));
    let mut found: Vec<_> = on_all_cores(open, look, || ()).into_iter().collect::<Result<_, _>>()?;
    found.sort_unstable_by(|a, b| (&a.0, a.1).cmp(&(&b.0, b.1)));
    let orgs = lake.index.orgs.clone();
    for (org, day, found) in found {
        verified.days += 1;
        match found {
            Found::Named => {}
            Found::Lost(why) => lose(lake, &org, day, &why, verified)?,
            Found::Other(entry, scopes) => {
                let other = orgs.iter().find(|o| o.name != org && scopes.contains_key(&o.scope_id));
                if let Some(other) = other {
                    let why = format!("{} has this day under the name {}", name(&org, day), other.name);
                    verified.mended.push(format!("{why}; the copy is removed"));
                    remove_tables(lake, &org, day, true);
                    continue;
                }
                learn(&mut lake.index.orgs, &org, scopes);
                if !anew {
                    let name = name(&org, day);
                    verified.mended.push(format!(
                        "{name}: an import that did not end left this day; the index names it now"
                    ));
                }
                lake.index.days.push(entry);
            }
        }
    }
    Ok(())
}

/// Learns which scopes are an organisation's.
fn learn(orgs: &mut Vec<Org>, name: &str, scopes: BTreeMap<String, Micros>) {
    for (scope_id, newest) in scopes {
        match orgs.iter_mut().find(|o| o.scope_id == scope_id) {
            Some(known) if known.newest >= newest => {}
            Some(known) => (known.name, known.newest) = (name.to_owned(), newest),
            None => orgs.push(Org { scope_id, name: name.to_owned(), newest }),
        }
    }
}

/// Looks at a day file that is not known to be what the index names.
fn find(lake: &Lake, org: &str, day: Day) -> Result<Found, LakeError> {
    Ok(match Held::read(lake, org, day) {
        Ok(Held::Nothing) => Found::Lost("the day file is gone".to_owned()),
        Ok(Held::Named(_)) => Found::Named,
        Ok(Held::Left(batch, content)) => {
            let merged = day::merge_one(&batch);
            let sorted = Sorted::of(&merged);
            Found::Other(entry_of(org, day, content, &sorted, &sorted.rows()), scopes(&batch))
        }
        Err(LakeError::Damaged { why, .. }) => Found::Lost(format!("the day file is damaged ({why})")),
        Err(error) => return Err(error),
    })
}

/// Scopes that name their organisation, with the newest event of each.
fn scopes(batch: &EventBatch) -> BTreeMap<String, Micros> {
    let mut scopes: BTreeMap<String, Micros> = BTreeMap::new();
    for row in (0..batch.len()).map(|i| batch.row(i)) {
        let is_org = row.scope_type != "project" && !row.scope_id.is_empty();
        match scopes.get_mut(row.scope_id) {
            Some(newest) => *newest = row.time.max(*newest),
            None if is_org && !org_name(row.scope_name).is_empty() => {
                scopes.insert(row.scope_id.to_owned(), row.time);
            }
            None => {}
        }
    }
    scopes
}

/// Puts a lost day file aside, so that the day can be imported again.
fn lose(lake: &Lake, org: &str, day: Day, why: &str, verified: &mut Verified) -> Result<(), LakeError> {
    let path = lake.day_file("events", org, day);
    let aside = if path.exists() {
        set_aside(&path)?;
        ", and put aside as events.parquet.damaged"
    } else {
        ""
    };
    remove_tables(lake, org, day, false);
    let name = name(org, day);
    verified.lost.push(format!("{name}: {why}{aside}; import or pull that day again"));
    Ok(())
}

/// Removes what stands for a day that the index does not name; what cannot be removed is only in the way.
fn remove_tables(lake: &Lake, org: &str, day: Day, events: bool) {
    let tables = derive::DAILY.into_iter().chain([derive::SETTLED]);
    for table in tables.chain(events.then_some("events")) {
        if let Some(folder) = lake.day_file(table, org, day).parent() {
            let _ = std::fs::remove_dir_all(folder);
        }
    }
}

fn name(org: &str, day: Day) -> String {
    format!("{org} {}", day_text(day))
}
