//! One ingest: batches are staged under a byte budget, then merged into the lake day by day.
//!
//! In: batches with the input they came from. Out: day files and derived tables, written only where something
//! is new, then the index. A killed import leaves whole day files and an index that does not name them yet;
//! the next import of the same files finishes the work.

use super::index::{Cover, DayEntry, Ingest, Run};
use super::{Lake, LakeError, day, derive};
use crate::model::batch::EventBatch;
use crate::model::inventory::OrgKey;
use crate::model::time::{Day, Micros};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// Bytes that staged batches may hold before they go to disk.
const BUDGET: usize = 384 << 20;

/// An ingest under way.
#[derive(Debug)]
pub struct Import<'l> {
    lake: &'l mut Lake,
    /// Fills in where a record names no organisation.
    org: Option<String>,
    inputs: Vec<Ingest>,
    staged: BTreeMap<(OrgKey, Day), Vec<Part>>,
    held: usize,
    budget: usize,
    spill: Option<tempfile::TempDir>,
    spilled: usize,
}

#[derive(Debug)]
enum Part {
    Memory { input: usize, batch: Box<EventBatch> },
    Disk { input: usize, path: PathBuf },
}

/// What one input may still add after its batches: organisations by scope id, with the newest event of each.
type Names = BTreeMap<String, (String, Micros)>;

impl<'l> Import<'l> {
    /// Starts an ingest into `lake`; `org` fills in for records that name none.
    #[must_use]
    pub fn new(lake: &'l mut Lake, org: Option<String>) -> Self {
        Self {
            lake,
            org,
            inputs: Vec::new(),
            staged: BTreeMap::new(),
            held: 0,
            budget: BUDGET,
            spill: None,
            spilled: 0,
        }
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

    /// Stages a batch.
    ///
    /// # Errors
    /// When the budget is spent and the batch cannot be put on disk.
    pub fn stage(&mut self, input: usize, org: OrgKey, day: Day, batch: EventBatch) -> Result<(), LakeError> {
        self.held += batch.capacity();
        self.staged.entry((org, day)).or_default().push(Part::Memory { input, batch: Box::new(batch) });
        if self.held > self.budget { self.spill() } else { Ok(()) }
    }

    /// Puts everything staged on disk, one file a day and input.
    fn spill(&mut self) -> Result<(), LakeError> {
        let folder = match &self.spill {
            Some(folder) => folder.path().to_owned(),
            None => {
                super::make_folder(&self.lake.root)?;
                let made = tempfile::Builder::new()
                    .prefix(".staging-")
                    .tempdir_in(&self.lake.root)
                    .map_err(|e| LakeError::io("make", &self.lake.root, e))?;
                self.spill.insert(made).path().to_owned()
            }
        };
        for parts in self.staged.values_mut() {
            let mut memory: BTreeMap<usize, Vec<EventBatch>> = BTreeMap::new();
            let mut rest = Vec::new();
            for part in parts.drain(..) {
                match part {
                    Part::Memory { input, batch } => memory.entry(input).or_default().push(*batch),
                    disk @ Part::Disk { .. } => rest.push(disk),
                }
            }
            for (input, batches) in memory {
                let path = folder.join(format!("{}.parquet", self.spilled));
                self.spilled += 1;
                let refs: Vec<&EventBatch> = batches.iter().collect();
                let merged = day::merge_batches(&refs);
                let lookups = day::Lookups::of(&merged);
                day::write(&path, "", &day::rows(&merged, &lookups))?;
                rest.push(Part::Disk { input, path });
            }
            *parts = rest;
        }
        self.held = 0;
        Ok(())
    }

    /// Merges everything staged into the lake, and learns the names of organisations; [`Lake::record`] completes it.
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
        self.rename_orgs(seen)?;
        let staged = std::mem::take(&mut self.staged);
        let mut days: BTreeMap<(String, Day), Vec<Part>> = BTreeMap::new();
        for ((key, day), parts) in staged {
            let org = self.org_of(&key)?;
            days.entry((org, day)).or_default().extend(parts);
        }
        let total = days.len() as u64;
        let mut done = 0;
        let queue = std::sync::Mutex::new(days.into_iter());
        let (send, receive) = std::sync::mpsc::channel();
        let (lake, inputs) = (&*self.lake, self.inputs.len());
        let mut written = Vec::new();
        std::thread::scope(|scope| -> Result<(), LakeError> {
            for _ in 0..std::thread::available_parallelism().map_or(2, usize::from).min(8) {
                let (queue, send) = (&queue, send.clone());
                scope.spawn(move || {
                    loop {
                        let next = queue.lock().ok().and_then(|mut q| q.next());
                        let Some(((org, day), parts)) = next else { break };
                        if send.send(write_day(lake, &org, day, &parts, inputs)).is_err() {
                            break;
                        }
                    }
                });
            }
            drop(send);
            for result in receive {
                written.push(result?);
                done += 1;
                progress(done, total);
            }
            Ok(())
        })?;
        for (entry, kept) in written {
            for (input, kept) in kept.into_iter().enumerate() {
                self.inputs[input].kept += kept;
            }
            if let Some(entry) = entry {
                self.lake.index.days.retain(|d| (&d.org, d.day) != (&entry.org, entry.day));
                self.lake.index.days.push(entry);
            }
        }
        for input in &mut self.inputs {
            input.duplicate = input.read.saturating_sub(input.kept + input.rejected);
        }
        self.lake.index.covers.extend(covers.iter().cloned());
        self.lake
            .index
            .runs
            .push(Run { version: env!("CARGO_PKG_VERSION").to_owned(), inputs: self.inputs.clone() });
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
            for table in ["events", derive::SETTLED].iter().chain(&derive::DAILY).chain(&derive::FOLDED) {
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
        known.extend(self.staged.keys().map(|(key, _)| key).filter_map(|key| {
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
        self.index.runs.push(Run { version: env!("CARGO_PKG_VERSION").to_owned(), inputs });
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

/// Merges one day; returns its entry where something changed, and how many events each input brought.
fn write_day(
    lake: &Lake,
    org: &str,
    day: Day,
    parts: &[Part],
    inputs: usize,
) -> Result<(Option<DayEntry>, Vec<u64>), LakeError> {
    let path = lake.day_file("events", org, day);
    let held = lake.index.days.iter().find(|d| d.org == org && d.day == day);
    let counted = held.map_or(0, |entry| entry.rows);
    // A file that is not the one that the index names was left by a killed import: whole, but not counted yet.
    let held =
        held.filter(|entry| std::fs::read(&path).is_ok_and(|b| hex(&Sha256::digest(&b)) == entry.content));
    let on_disk = if path.exists() { day::read(&path)? } else { EventBatch::default() };
    let mut loaded: Vec<(usize, std::borrow::Cow<'_, EventBatch>)> = Vec::new();
    for part in parts {
        loaded.push(match part {
            Part::Memory { input, batch } => (*input, std::borrow::Cow::Borrowed(batch.as_ref())),
            Part::Disk { input, path } => (*input, std::borrow::Cow::Owned(day::read(path)?)),
        });
    }
    // The earliest input that holds an event is the one that brought it, whatever went to disk in between.
    loaded.sort_by_key(|(input, _)| *input);
    let mut batches: Vec<&EventBatch> = vec![&on_disk];
    batches.extend(loaded.iter().map(|(_, batch)| batch.as_ref()));
    let merged = day::merge_batches(&batches);
    let mut kept = vec![0; inputs];
    for ((input, _), n) in loaded.iter().zip(&merged.kept[1..]) {
        if let Some(slot) = kept.get_mut(*input) {
            *slot += n;
        }
    }
    // A file that the index does not name was left by a killed import: it is whole, its tables may not be.
    if !merged.changed && held.is_some() {
        return Ok((None, kept));
    }
    if held.is_none() && !on_disk.is_empty() {
        // What a killed import left behind was never counted, so this run brings it.
        if let Some((input, _)) = loaded.first()
            && let Some(slot) = kept.get_mut(*input)
        {
            *slot += merged.kept[0].saturating_sub(counted);
        }
    }
    let lookups = day::Lookups::of(&merged);
    let rows = day::rows(&merged, &lookups);
    let content = hex(&Sha256::digest(day::write(&path, org, &rows)?));
    derive::write_all(lake, org, day, &content, &rows)?;
    let entry = DayEntry {
        org: org.to_owned(),
        day,
        content,
        rows: rows.len() as u64,
        first_time: rows.iter().map(|r| r.row.time).min().unwrap_or_default(),
        last_time: rows.iter().map(|r| r.row.time).max().unwrap_or_default(),
        shapes: rows.iter().fold(0, |bits, r| bits | r.shapes),
        hours: derive::hours::count(&rows),
        areas: {
            let areas: BTreeSet<&str> = rows.iter().map(|r| r.row.area).filter(|a| !a.is_empty()).collect();
            areas.into_iter().map(str::to_owned).collect()
        },
    };
    Ok((Some(entry), kept))
}

/// Writes the tables of one day as they stood at `as_of` into `scratch`; returns the content id of its events.
///
/// # Errors
/// When a file cannot be read or written.
pub fn write_cut(
    lake: &Lake,
    scratch: &Lake,
    org: &str,
    day: Day,
    as_of: Micros,
) -> Result<String, LakeError> {
    let whole = day::read(&lake.day_file("events", org, day))?;
    let mut cut = EventBatch::default();
    for i in (0..whole.len()).filter(|i| whole.time[*i] <= as_of) {
        cut.push_merged(&whole.row(i), whole.shapes[i]);
    }
    let merged = day::merge_batches(&[&cut]);
    let lookups = day::Lookups::of(&merged);
    let rows = day::rows(&merged, &lookups);
    let content = hex(&Sha256::digest(day::write(&scratch.day_file("events", org, day), org, &rows)?));
    derive::write_all(scratch, org, day, &content, &rows)?;
    Ok(content)
}

/// Writes bytes as lower-case hex.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
