//! One ingest: batches are staged under a byte budget, then merged into the lake day by day.
//!
//! In: batches with the input they came from. Out: day files and derived tables, written only where something
//! is new, then the index. A killed import leaves whole day files and an index that does
//! not name them yet; the next import of the same files finishes the work.

mod staged;
#[cfg(test)]
mod tests;
mod workers;
mod writing;

pub use writing::write_cut;

use super::index::{Cover, DayEntry, Ingest, Run};
use super::{Lake, LakeError, day};
use crate::model::batch::EventBatch;
use crate::model::inventory::OrgKey;
use crate::model::time::{Day, Micros};
use staged::{Part, Staged};
use std::collections::{BTreeMap, BTreeSet};
use writing::on_all_cores;

/// An ingest under way.
#[derive(Debug)]
pub struct Import<'l> {
    lake: &'l mut Lake,
    /// Fills in where a record names no organisation.
    org: Option<String>,
    inputs: Vec<Ingest>,
    staged: Staged,
}

/// What one input may still add after its batches: organisations by scope id, with the newest event of each.
type Names = BTreeMap<String, (String, Micros)>;

impl<'l> Import<'l> {
    /// Starts an ingest into `lake`; `org` fills in for records that name none.
    #[must_use]
    pub fn new(lake: &'l mut Lake, org: Option<String>) -> Self {
        Self { lake, org, inputs: Vec::new(), staged: Staged::default() }
    }

    /// The organisation that fills in, where one was given.
    #[must_use]
    pub fn org(&self) -> Option<&str> {
        self.org.as_deref()
    }

    /// Names the next input; returns its number.
    pub fn input(&mut self, ingest: Ingest) -> usize {
        self.inputs.push(ingest);
        self.inputs.len() - 1
    }

    /// The record of an input, to be completed when it has been read.
    pub fn ingest(&mut self, input: usize) -> &mut Ingest {
        &mut self.inputs[input]
    }

    /// Stages a batch. Batches come in the order of the inputs.
    ///
    /// # Errors
    /// When the budget is spent and the batch cannot be put on disk.
    pub fn stage(&mut self, input: usize, org: OrgKey, day: Day, batch: EventBatch) -> Result<(), LakeError> {
        self.staged.add(self.lake, input, org, day, batch)
    }

    /// Merges everything staged into the lake, and learns the names of organisations; [`Lake::amend_run`] completes it.
    ///
    /// `newest` holds the organisations seen, with the time of the newest event of each.
    ///
    /// # Errors
    /// When an organisation cannot be told, or a file cannot be written.
    pub fn commit(
        mut self,
        seen: &[(OrgKey, Micros)],
        covers: &[Cover],
        mut progress: impl FnMut(u64, u64),
    ) -> Result<Vec<Ingest>, LakeError> {
        self.lake.end_prune()?;
        self.rename_orgs(seen)?;
        let mut days: BTreeMap<(String, Day), Vec<Part>> = BTreeMap::new();
        for ((key, day), parts) in self.staged.take()? {
            let org = self.org_of(&key)?;
            days.entry((org, day)).or_default().extend(parts);
        }
        let mut newest: BTreeMap<&str, Day> = BTreeMap::new();
        let held = self.lake.index.days.iter().map(|held| (held.org.as_str(), held.day));
        for (org, day) in held.chain(days.keys().map(|(org, day)| (org.as_str(), *day))) {
            newest.entry(org).and_modify(|newest| *newest = day.max(*newest)).or_insert(day);
        }
        for (org, day) in newest {
            self.lake.kept.expect_newest(org, day);
        }
        let total = days.len() as u64;
        let mut done = 0;
        let lake = &*self.lake;
        let work =
            |((org, day), parts): ((String, Day), Vec<Part>)| writing::write_day(lake, &org, day, parts);
        let written = on_all_cores(days, work, || {
            done += 1;
            progress(done, total);
        })?;
        let mut entries = BTreeMap::new();
        for (entry, kept) in written {
            for (rank, kept) in kept {
                // Rank 0 was held before, and moved rows are nobody's input.
                if let Some(input) = (rank as usize).checked_sub(1).and_then(|i| self.inputs.get_mut(i)) {
                    input.kept += kept;
                }
            }
            if let Some(entry) = entry {
                entries.insert((entry.org.clone(), entry.day), entry);
            }
        }
        self.lake.index.days.retain(|d| !entries.contains_key(&(d.org.clone(), d.day)));
        self.lake.index.days.extend(entries.into_values());
        for input in &mut self.inputs {
            input.duplicate = input.read.saturating_sub(input.kept + input.rejected);
        }
        self.lake.index.covers.extend(covers.iter().cloned());
        self.lake.index.runs.push(Run {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            inputs: self.inputs.clone(),
            pruned: None,
        });
        self.lake.save()?;
        Ok(self.inputs)
    }

    /// Learns names of organisations; one scope id is one organisation, its newest name wins, and days held
    /// under the old name move to the new one.
    fn rename_orgs(&mut self, seen: &[(OrgKey, Micros)]) -> Result<(), LakeError> {
        let mut names = Names::new();
        for org in &self.lake.index.orgs {
            names.insert(org.scope_id.clone(), (org.name.clone(), org.newest));
        }
        for (key, newest) in seen {
            if key.scope_id.is_empty() || key.name.is_empty() {
                continue;
            }
            let slot = names.entry(key.scope_id.clone()).or_insert_with(|| (key.name.clone(), *newest));
            if (*newest, &key.name) > (slot.1, &slot.0) {
                *slot = (key.name.clone(), *newest);
            }
        }
        let mut moves = Vec::new();
        for org in &self.lake.index.orgs {
            if let Some((name, _)) = names.get(&org.scope_id)
                && *name != org.name
            {
                moves.push((org.name.clone(), org.scope_id.clone()));
            }
        }
        for (old, scope_id) in moves {
            let held: Vec<DayEntry> = self.lake.index.days.iter().filter(|d| d.org == old).cloned().collect();
            for entry in held {
                let batch = day::read(&self.lake.day_file("events", &old, entry.day))?;
                let key = OrgKey { scope_id: scope_id.clone(), name: String::new() };
                // Moved rows are nobody's input, so they count for none.
                self.stage(usize::MAX, key, entry.day, batch)?;
            }
            self.lake.index.days.retain(|d| d.org != old);
            for table in ["events", super::derive::SETTLED]
                .iter()
                .chain(&super::derive::DAILY)
                .chain(&super::derive::FOLDED)
            {
                let folder = self.lake.org_folder(table, &old);
                if folder.exists() {
                    std::fs::remove_dir_all(&folder).map_err(|e| LakeError::io("remove", &folder, e))?;
                }
            }
            let new = names.get(&scope_id).map_or(old.as_str(), |(name, _)| name.as_str());
            self.lake.rename_decisions(&old, new)?;
            for snapshot in self.lake.index.snapshots.iter_mut().filter(|s| s.org == old) {
                names.get(&scope_id).map(|(name, _)| name).unwrap_or(&old).clone_into(&mut snapshot.org);
            }
        }
        self.lake.index.orgs = names
            .into_iter()
            .map(|(scope_id, (name, newest))| super::index::Org { scope_id, name, newest })
            .collect();
        Ok(())
    }

    /// Tells the organisation of a record.
    fn org_of(&self, key: &OrgKey) -> Result<String, LakeError> {
        if let Some(name) = self.lake.index.org_of_scope(&key.scope_id) {
            return self.agree(name);
        }
        if !key.name.is_empty() {
            return self.agree(&key.name);
        }
        self.fallback("a record names no organisation")
    }

    fn agree(&self, name: &str) -> Result<String, LakeError> {
        match &self.org {
            Some(org) if org != name => Err(LakeError::Organisation(format!(
                "records name the organisation \"{name}\" but --org says \"{org}\"; --org only fills in where a file names none: leave it out, or import that file apart"
            ))),
            _ => Ok(name.to_owned()),
        }
    }

    /// The organisation of something that names none: `--org`, else the only one known.
    ///
    /// # Errors
    /// When there is none or more than one.
    pub fn fallback(&self, what: &str) -> Result<String, LakeError> {
        if let Some(org) = &self.org {
            return Ok(org.clone());
        }
        let mut known: BTreeSet<String> = self.lake.orgs().into_iter().collect();
        known.extend(self.staged.keys().filter_map(|key| {
            self.lake
                .index
                .org_of_scope(&key.scope_id)
                .map(str::to_owned)
                .or((!key.name.is_empty()).then(|| key.name.clone()))
        }));
        let mut known = known.into_iter();
        match (known.next(), known.next()) {
            (Some(only), None) => Ok(only),
            (None, _) => Err(LakeError::Organisation(format!("{what}; name it with --org"))),
            (Some(a), Some(b)) => Err(LakeError::Organisation(format!(
                "{what}, and more than one is known ({a}, {b}, ...); name it with --org"
            ))),
        }
    }
}

impl Lake {
    /// Records an ingest run that brought no events, and writes the index.
    ///
    /// # Errors
    /// When the index cannot be written.
    pub fn add_run(&mut self, inputs: Vec<Ingest>) -> Result<(), LakeError> {
        self.index.runs.push(Run { version: env!("CARGO_PKG_VERSION").to_owned(), inputs, pruned: None });
        self.save()
    }

    /// Writes the index with the final counts of the run that [`Import::commit`] has just recorded: lists such as
    /// inventories are stored after it, and count for the same run.
    ///
    /// # Errors
    /// When the index cannot be written.
    pub fn amend_run(&mut self, inputs: Vec<Ingest>) -> Result<(), LakeError> {
        if let Some(run) = self.index.runs.last_mut() {
            run.inputs = inputs;
        }
        self.save()
    }

    /// Makes what is derived of more than a day, and writes the index: what it names is from now on part of the lake.
    ///
    /// # Errors
    /// When the index cannot be written.
    pub fn save(&mut self) -> Result<(), LakeError> {
        super::make_folder(&self.root)?;
        super::view::View::refresh(self)?;
        let path = self.root.join("index.json");
        self.index.write(&path)
    }
}
