//! Old events leave the lake: an instant in; whole days before it gone, with all that was made of them.
//!
//! Snapshots and decisions stay, covers are cut to what is left, and the index keeps a record. The index is written
//! before a day file goes: a killed prune leaves files that nothing names, and `Index::pruning` has the next writer
//! remove them before it could take them for days of a killed import.
//!
//! A prune also works on a full disk. What it writes comes after what it removes: the index first, which is small, then
//! the files go, and only then tables are rebuilt. If there is no room for the index, the derived tables of the days that
//! go are removed before it. They can be rebuilt from the events at any time, so a prune that is killed there leaves a whole lake.

use super::index::{DayEntry, Run};
use super::{Lake, LakeError, derive};
use crate::model::time::{DAY, Day, Micros, day_start, day_text, parse_day};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// What a prune deletes, and the record of it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Pruned {
    /// Days before this one.
    pub before: Day,
    /// The newest event that the lake held then: the lake asks no clock, so this tells when.
    pub newest: Option<Micros>,
    /// What went, by organisation.
    pub orgs: Vec<PrunedOrg>,
}

/// What a prune deletes of one organisation.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct PrunedOrg {
    /// Organisation.
    pub org: String,
    /// Days.
    pub days: u64,
    /// Events.
    pub events: u64,
    /// First of the days.
    pub first_day: Day,
    /// Last of the days.
    pub last_day: Day,
}

impl Lake {
    /// What [`Lake::prune`] would delete: days that lie whole before `before`.
    #[must_use]
    pub fn prunable(&self, before: Micros) -> Pruned {
        let before = Day::try_from(before.div_euclid(DAY)).unwrap_or(Day::MAX);
        let mut orgs: BTreeMap<&str, PrunedOrg> = BTreeMap::new();
        for day in self.index.days.iter().filter(|d| d.day < before) {
            let org = orgs.entry(&day.org).or_insert_with(|| PrunedOrg {
                org: day.org.clone(),
                days: 0,
                events: 0,
                first_day: day.day,
                last_day: day.day,
            });
            org.days += 1;
            org.events += day.rows;
            (org.first_day, org.last_day) = (org.first_day.min(day.day), org.last_day.max(day.day));
        }
        let newest = self.index.days.iter().map(|d| d.last_time).max();
        Pruned { before, newest, orgs: orgs.into_values().collect() }
    }

    /// Deletes the days that lie whole before `before`, and records it. Returns the record and, where the disk was still
    /// too full to rebuild the derived tables, that error: whoever reads the lake next rebuilds them.
    ///
    /// # Errors
    /// When a file cannot be written or removed; what is left to remove goes with the next writing.
    pub fn prune(&mut self, before: Micros) -> Result<(Pruned, Option<LakeError>), LakeError> {
        let pruned = self.prunable(before);
        let (gone, held): (Vec<DayEntry>, Vec<DayEntry>) =
            std::mem::take(&mut self.index.days).into_iter().partition(|d| d.day < pruned.before);
        self.index.days = held;
        // A list without a date stands at the newest event of its time, and stays undated without that event.
        for snapshot in &mut self.index.snapshots {
            snapshot.undated |= gone.iter().any(|d| d.org == snapshot.org && d.last_time == snapshot.taken);
        }
        let start = day_start(pruned.before);
        self.index.cut_covers(start);
        if !pruned.orgs.is_empty() {
            let version = env!("CARGO_PKG_VERSION").to_owned();
            self.index.runs.push(Run { version, inputs: Vec::new(), pruned: Some(pruned.clone()) });
        }
        self.index.pruning = Some(pruned.before);
        match self.write_index() {
            Err(error) if error.is_full_disk() => {
                self.remove_derived(&gone)?;
                self.write_index()?;
            }
            written => written?,
        }
        self.remove_pruned(pruned.before)?;
        let rebuilt = super::view::View::refresh(self).map(drop);
        self.index.pruning = None;
        self.write_index()?;
        match rebuilt {
            Err(error) if !error.is_full_disk() => Err(error),
            rebuilt => Ok((pruned, rebuilt.err())),
        }
    }

    /// Removes the tables that were made of these days, alone or with others of their month.
    fn remove_derived(&self, days: &[DayEntry]) -> Result<(), LakeError> {
        let names: BTreeSet<(&str, String)> = days
            .iter()
            .flat_map(|entry| {
                let day = day_text(entry.day);
                [
                    (entry.org.as_str(), format!("month={}", &day[..7])),
                    (entry.org.as_str(), format!("date={day}")),
                ]
            })
            .collect();
        for table in derive::with_events().filter(|table| *table != "events") {
            for (org, name) in &names {
                let folder = self.org_folder(table, org).join(name);
                match std::fs::remove_dir_all(&folder) {
                    Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                        return Err(LakeError::io("remove", &folder, e));
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    /// Removes what a prune left to remove: files of days before its day that the index does not name.
    ///
    /// # Errors
    /// When a file cannot be removed, or the index not written.
    pub fn end_prune(&mut self) -> Result<(), LakeError> {
        let Some(before) = self.index.pruning else { return Ok(()) };
        self.remove_pruned(before)?;
        self.index.pruning = None;
        self.write_index()
    }

    fn remove_pruned(&self, before: Day) -> Result<(), LakeError> {
        // Names of the folders of a day and of its month, below that of its organisation.
        let folder_names = |entry: &DayEntry| {
            let org = self.org_folder("", &entry.org).file_name().map(ToOwned::to_owned);
            let day = day_text(entry.day);
            [(org.clone(), format!("month={}", &day[..7])), (org, format!("date={day}"))]
        };
        let named: BTreeSet<(Option<OsString>, String)> =
            self.index.days.iter().flat_map(folder_names).collect();
        for table in derive::with_events() {
            for org in folders(&self.root.join(table))? {
                for folder in folders(&org)? {
                    let name = folder.file_name().map(|n| n.to_string_lossy().into_owned());
                    let name = name.unwrap_or_default();
                    let month =
                        name.strip_prefix("month=").and_then(|month| parse_day(&format!("{month}-01")));
                    let first = name.strip_prefix("date=").and_then(parse_day).or(month);
                    let goes = first.is_some_and(|first| first < before)
                        && !named.contains(&(org.file_name().map(ToOwned::to_owned), name));
                    if goes {
                        std::fs::remove_dir_all(&folder).map_err(|e| LakeError::io("remove", &folder, e))?;
                    }
                }
                // An empty folder only names an organisation that has nothing here.
                let _ = std::fs::remove_dir(&org);
            }
        }
        Ok(())
    }
}

/// Folders in a folder; none where there is no such folder.
fn folders(path: &Path) -> Result<Vec<PathBuf>, LakeError> {
    let failed = |e| LakeError::io("read", path, e);
    let entries = match std::fs::read_dir(path) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(failed(e)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(failed)?.path();
        if path.is_dir() {
            found.push(path);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests;
