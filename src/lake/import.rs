//! One ingest: batches are staged under a byte budget, then merged into the lake day by day.
//!
//! In: batches with the input they came from. Out: day files and derived tables, written only where something
//! is new, then the index. A killed import leaves whole day files and an index that does
//! not name them yet; the next import of the same files finishes the work. What cannot be kept does not cost the rest.

#[cfg(test)]
mod lossless;
mod placing;
mod rename;
mod staged;
#[cfg(test)]
mod tests;
mod workers;
mod writing;

pub use placing::Refused;
pub use writing::write_cut;
pub(in crate::lake) use writing::{entry_of, on_all_cores};

use super::index::{Cover, Ingest, Run};
use super::{Lake, LakeError};
use crate::model::batch::EventBatch;
use crate::model::inventory::OrgKey;
use crate::model::time::{Day, Micros};
use placing::Counts;
use staged::{Part, Staged};
use std::collections::{BTreeMap, BTreeSet};

/// An ingest under way.
#[derive(Debug)]
pub struct Import<'l> {
    lake: &'l mut Lake,
    /// Fills in where a record names no organisation.
    org: Option<String>,
    inputs: Vec<Ingest>,
    /// The organisation of each input, where `--org` gives it one.
    orgs: Vec<Option<String>>,
    /// The inputs of each organisation as records write it.
    named_by: BTreeMap<OrgKey, BTreeSet<usize>>,
    staged: Staged,
    refused: Vec<Refused>,
    /// Whether a day that cannot be written ends the import.
    whole: bool,
}

/// What an import brought.
#[derive(Debug)]
pub struct Committed {
    /// The inputs, with their counts.
    pub inputs: Vec<Ingest>,
    /// What was not kept of them.
    pub refused: Vec<Refused>,
}

impl<'l> Import<'l> {
    /// Starts an ingest into `lake`; `org` fills in for records that name none.
    #[must_use]
    pub fn new(lake: &'l mut Lake, org: Option<String>) -> Self {
        Self {
            lake,
            org,
            inputs: Vec::new(),
            orgs: Vec::new(),
            named_by: BTreeMap::new(),
            staged: Staged::default(),
            refused: Vec::new(),
            whole: false,
        }
    }

    /// Makes the import fail where a day of it cannot be kept: nothing is recorded of it then.
    #[must_use]
    pub fn whole(self) -> Self {
        Self { whole: true, ..self }
    }

    /// The organisation that fills in for an input, where one was given.
    #[must_use]
    pub fn org_of(&self, input: usize) -> Option<&str> {
        self.orgs[input].as_deref()
    }

    /// Names the next input; returns its number.
    pub fn input(&mut self, ingest: Ingest) -> usize {
        self.input_of(ingest, self.org.clone())
    }

    /// Names the next input and the organisation that fills in for its records; returns its number.
    pub fn input_of(&mut self, ingest: Ingest, org: Option<String>) -> usize {
        self.inputs.push(ingest);
        self.orgs.push(org);
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
        // What names nothing at all would be one organisation, whichever input it is in.
        let org = match (&self.orgs[input], org.is_unknown()) {
            (Some(name), true) => OrgKey { name: name.clone(), ..org },
            _ => org,
        };
        self.named_by.entry(org.clone()).or_default().insert(input);
        self.staged.add(self.lake, input, org, day, batch)
    }

    /// Merges everything staged into the lake, and learns the names of organisations; [`Lake::amend_run`] completes it.
    ///
    /// `seen` holds the organisations seen, with the time of the newest event of each.
    ///
    /// # Errors
    /// When records contradict `--org`, or the index cannot be written.
    pub fn commit(
        mut self,
        seen: &[(OrgKey, Micros)],
        covers: &[Cover],
        mut progress: impl FnMut(u64, u64),
    ) -> Result<Committed, LakeError> {
        // All that can be refused is refused before anything is touched.
        let names = rename::learn(self.lake, seen);
        let places = self.places(&names)?;
        let staged: Vec<_> = self.staged.take()?.collect();
        self.lake.begin()?;
        rename::apply(self.lake, names)?;
        let mut days: BTreeMap<(String, Day), Vec<Part>> = BTreeMap::new();
        for ((key, day), parts) in staged {
            match places.get(&key) {
                Some(Ok(org)) => days.entry((org.clone(), day)).or_default().extend(parts),
                Some(Err((reason, why))) => self.refuse(&Counts::of(&parts), day, reason, why),
                None => {}
            }
        }
        if self.whole
            && let Some(refused) = self.refused.first()
        {
            return Err(LakeError::Organisation(refused.why.clone()));
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
        let work = |((org, day), parts): ((String, Day), Vec<Part>)| {
            let counts = Counts::of(&parts);
            ((counts, day), writing::write_day(lake, &org, day, parts))
        };
        let written = on_all_cores(days, work, || {
            done += 1;
            progress(done, total);
        });
        let mut entries = BTreeMap::new();
        for ((counts, day), written) in written {
            let (entry, kept) = match written {
                Ok(written) => written,
                Err(error) if self.whole => return Err(error),
                // One day that cannot be written does not cost the others.
                Err(error) => {
                    self.refuse(&counts, day, "day not written", &error.to_string());
                    continue;
                }
            };
            for (rank, kept) in kept {
                // Rank 0 was held before, and what no input brought is nobody's.
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
        for cover in covers {
            self.lake.index.hold(&cover.org, cover.span, cover.basis, &[]);
        }
        self.lake.index.runs.push(Run {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            inputs: self.inputs.clone(),
            pruned: None,
        });
        self.lake.save()?;
        Ok(Committed { inputs: self.inputs, refused: self.refused })
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
        self.write_index()
    }

    /// Makes ready to write days: an index comes first, so that day files without one are a sign of loss, and what the
    /// last run left to remove goes, before somebody has such a name or day again.
    fn begin(&mut self) -> Result<(), LakeError> {
        super::make_folder(&self.root)?;
        if !self.index_file().exists() {
            self.write_index()?;
        }
        self.remove_leaving()?;
        self.end_prune()
    }
}
