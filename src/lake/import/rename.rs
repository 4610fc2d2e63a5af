//! Organisations under another name: what an import learns of names, and days that move to the new one.
//!
//! In: the names that events carry. Out: the lake under the newest names. A move is done before the days of its import
//! are written, and is safe at any moment: the new days are written beside the old ones, the index then names them
//! instead, and only then the old ones go. What is in the way of that, a damaged day, stops it with nothing lost.

use super::writing::{on_all_cores, write_sorted};
use crate::lake::day::{self, Sorted, Source};
use crate::lake::frame::write_atomically;
use crate::lake::held::{self, Held};
use crate::lake::index::{DayEntry, Org, Snapshot, SnapshotKind};
use crate::lake::{Lake, LakeError, derive};
use crate::model::inventory::OrgKey;
use crate::model::time::{Day, Micros};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Names of organisations by scope id, each with the time of its newest event.
pub(super) type Names = BTreeMap<String, (String, Micros)>;

/// The names that the lake will know: one scope id is one organisation, and its newest name wins.
pub(super) fn learn(lake: &Lake, seen: &[(OrgKey, Micros)]) -> Names {
    let held = lake.index.orgs.iter();
    let mut names: Names = held.map(|org| (org.scope_id.clone(), (org.name.clone(), org.newest))).collect();
    for (key, newest) in seen {
        // Under a name that no folder can have nothing is kept, so nothing moves there.
        if key.scope_id.is_empty() || key.name.is_empty() || !Lake::can_hold(&key.name) {
            continue;
        }
        let slot = names.entry(key.scope_id.clone()).or_insert_with(|| (key.name.clone(), *newest));
        if (*newest, &key.name) > (slot.1, &slot.0) {
            *slot = (key.name.clone(), *newest);
        }
    }
    names
}

/// Names that the lake has now and will not have any more, with those that take their place.
pub(super) fn moves(lake: &Lake, names: &Names) -> Vec<(String, String)> {
    let mut moves: Vec<(String, String)> = Vec::new();
    for org in &lake.index.orgs {
        let new = names.get(&org.scope_id).map(|(name, _)| name);
        if let Some(new) = new.filter(|new| **new != org.name)
            && moves.iter().all(|(old, _)| *old != org.name)
        {
            moves.push((org.name.clone(), new.clone()));
        }
    }
    moves
}

/// Brings the lake under `names`.
pub(super) fn apply(lake: &mut Lake, names: Names) -> Result<(), LakeError> {
    let mut moves = moves(lake, &names);
    while !moves.is_empty() {
        let is_free = |new: &str| moves.iter().all(|(old, _)| old != new);
        let (old, new) = match moves.iter().position(|(_, new)| is_free(new)) {
            Some(at) => moves.remove(at),
            // Names that go round: one steps aside until its place is free.
            None => {
                let (old, _) = &mut moves[0];
                let aside = format!("{old} (moving)");
                (std::mem::replace(old, aside.clone()), aside)
            }
        };
        move_org(lake, &old, &new)?;
    }
    let org = |(scope_id, (name, newest))| Org { scope_id, name, newest };
    lake.index.orgs = names.into_iter().map(org).collect();
    Ok(())
}

/// Moves what is held under `old` to `new`; the index that names it there is written before anything goes.
fn move_org(lake: &mut Lake, old: &str, new: &str) -> Result<(), LakeError> {
    let days: Vec<Day> = lake.index.days.iter().filter(|d| d.org == old).map(|d| d.day).collect();
    let write = |day| move_day(lake, old, new, day);
    let moved: Vec<DayEntry> = on_all_cores(days, write, || ()).into_iter().collect::<Result<_, _>>()?;
    lake.copy_decisions(old, new)?;
    let lists = copy_lists(lake, old, new)?;
    let written: BTreeSet<Day> = moved.iter().map(|d| d.day).collect();
    let index = &mut lake.index;
    index.days.retain(|d| d.org != old && !(d.org == new && written.contains(&d.day)));
    index.days.extend(moved);
    index.snapshots.retain(|s| s.org != old);
    index.snapshots.extend(lists);
    let orgs = index.orgs.iter_mut().map(|o| &mut o.name);
    let covers = index.covers.iter_mut().map(|c| &mut c.org);
    let lost = index.lost.iter_mut().map(|l| &mut l.org);
    for name in orgs.chain(covers).chain(lost).filter(|name| *name == old) {
        new.clone_into(name);
    }
    index.decisions.remove(old);
    index.leaving.push(old.to_owned());
    lake.write_index()?;
    lake.remove_leaving()
}

/// Writes a day of `old` as one of `new`, together with what is there of it.
fn move_day(lake: &Lake, old: &str, new: &str, day: Day) -> Result<DayEntry, LakeError> {
    let moved = Held::read(lake, old, day)?.events().ok_or_else(|| held::gone(lake, old, day))?;
    let held = Held::read(lake, new, day)?.events().unwrap_or_default();
    let merged = day::merge_sources(&[Source::whole(0, &held), Source::whole(1, &moved)]);
    write_sorted(lake, new, day, &Sorted::of(&merged))
}

/// Copies the lists of `old` to where those of `new` lie; returns their entries.
fn copy_lists(lake: &Lake, old: &str, new: &str) -> Result<Vec<Snapshot>, LakeError> {
    let copy = |list: &Snapshot| {
        let from = lake.root().join(&list.file);
        let to = lake.org_folder(list.kind.as_str(), new).join(from.file_name().unwrap_or_default());
        let bytes = std::fs::read(&from).map_err(|e| LakeError::io("read", &from, e))?;
        write_atomically(&to, &bytes)?;
        let file = to.strip_prefix(lake.root()).unwrap_or(&to).to_string_lossy().into_owned();
        Ok(Snapshot { org: new.to_owned(), file, ..list.clone() })
    };
    lake.index.snapshots.iter().filter(|s| s.org == old).map(copy).collect()
}

impl Lake {
    /// Removes what is left under names that the index gave up.
    pub(in crate::lake) fn remove_leaving(&mut self) -> Result<(), LakeError> {
        for table in derive::with_events().chain(["decisions"]) {
            for org in &self.index.leaving {
                let folder = self.org_folder(table, org);
                if folder.exists() {
                    std::fs::remove_dir_all(&folder).map_err(|e| LakeError::io("remove", &folder, e))?;
                }
            }
        }
        let lists = [SnapshotKind::Inventory, SnapshotKind::Users, SnapshotKind::Usage];
        for folder in lists
            .iter()
            .flat_map(|kind| self.index.leaving.iter().map(|org| self.org_folder(kind.as_str(), org)))
        {
            // Earlier versions left the lists of a renamed organisation where they were.
            let named = |file: &Path| self.index.snapshots.iter().any(|s| self.root().join(&s.file) == file);
            let files = std::fs::read_dir(&folder).into_iter().flatten().flatten().map(|entry| entry.path());
            for file in files.filter(|file| !named(file)) {
                let _ = std::fs::remove_file(file);
            }
            let _ = std::fs::remove_dir(&folder);
        }
        // The next index does not name them any more.
        self.index.leaving.clear();
        Ok(())
    }
}
