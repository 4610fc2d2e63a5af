//! Batches that wait for the end of their import, under a byte budget.
//!
//! When the budget is spent, the days that were left longest give way. A day that nothing was added to for a
//! while is most likely whole: it is *sealed*, written beside the lake as it will stand in it, and only moved at
//! the end. So a log in order of time is written once, and while it is still being read. A day that still grows
//! goes to disk as it is and is merged at the end.

use super::writing::{on_all_cores, write_sorted};
use crate::lake::day::{self, Sorted, Source};
use crate::lake::frame::Frame;
use crate::lake::index::{DayEntry, Index};
use crate::lake::{Lake, LakeError, make_folder};
use crate::model::batch::EventBatch;
use crate::model::inventory::OrgKey;
use crate::model::time::Day;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Bytes that staged batches may hold before some of them go to disk.
const BUDGET: usize = 256 << 20;
/// A day is taken for whole when so many bytes were staged since it last grew.
const QUIET: usize = 32 << 20;

/// What is staged.
#[derive(Debug)]
pub(super) struct Staged {
    days: BTreeMap<(OrgKey, Day), Held>,
    held: usize,
    /// Bytes staged so far, the clock by which days age.
    passed: usize,
    pub(super) budget: usize,
    pub(super) quiet: usize,
    folder: Option<tempfile::TempDir>,
    spilled: usize,
}

/// The parts of one day, in the order they came.
#[derive(Debug, Default)]
struct Held {
    parts: Vec<Part>,
    bytes: usize,
    touched: usize,
}

/// A piece of a day.
#[derive(Debug)]
pub(super) enum Part {
    /// Rows of one input, by its rank.
    Memory { rank: u32, batch: Box<EventBatch> },
    /// Rows on disk, input by input.
    Disk { runs: Vec<(u32, usize)>, path: PathBuf },
    /// A day that was whole so far, as it will stand in the lake.
    Sealed(Box<Sealed>),
}

/// A day written beside the lake.
#[derive(Debug)]
pub(super) struct Sealed {
    /// Its entry in the index.
    pub entry: DayEntry,
    /// How many events each rank brought.
    pub kept: BTreeMap<u32, u64>,
    /// Where it lies: a folder laid out like a lake.
    root: PathBuf,
}

impl Default for Staged {
    fn default() -> Self {
        Self {
            days: BTreeMap::new(),
            held: 0,
            passed: 0,
            budget: BUDGET,
            quiet: QUIET,
            folder: None,
            spilled: 0,
        }
    }
}

impl Staged {
    /// Adds a batch; `input` is the number of its input, and never less than the one before.
    pub(super) fn add(
        &mut self,
        lake: &Lake,
        input: usize,
        org: OrgKey,
        day: Day,
        batch: EventBatch,
    ) -> Result<(), LakeError> {
        let bytes = batch.capacity();
        self.held += bytes;
        self.passed += bytes;
        let held = self.days.entry((org, day)).or_default();
        held.bytes += bytes;
        held.touched = self.passed;
        let rank = u32::try_from(input).map_or(u32::MAX, |i| i.saturating_add(1));
        held.parts.push(Part::Memory { rank, batch: Box::new(batch) });
        if self.held > self.budget { self.relieve(lake) } else { Ok(()) }
    }

    /// Organisations that something is staged for.
    pub(super) fn keys(&self) -> impl Iterator<Item = &OrgKey> {
        self.days.keys().map(|(key, _)| key)
    }

    /// Hands over everything staged. What is on disk stays there until `self` is dropped.
    pub(super) fn take(&mut self) -> impl Iterator<Item = ((OrgKey, Day), Vec<Part>)> + use<> {
        self.held = 0;
        std::mem::take(&mut self.days).into_iter().map(|(key, held)| (key, held.parts))
    }

    /// Puts the days that were left longest on disk, until half of the budget is free.
    fn relieve(&mut self, lake: &Lake) -> Result<(), LakeError> {
        let root = match &self.folder {
            Some(folder) => folder.path().to_owned(),
            None => {
                make_folder(lake.root())?;
                let made = tempfile::Builder::new()
                    .prefix(".staging-")
                    .tempdir_in(lake.root())
                    .map_err(|e| LakeError::io("make", lake.root(), e))?;
                self.folder.insert(made).path().to_owned()
            }
        };
        let mut ages: Vec<(usize, &(OrgKey, Day))> = self
            .days
            .iter()
            .filter(|(_, held)| held.bytes > 0)
            .map(|(key, held)| (held.touched, key))
            .collect();
        ages.sort_unstable();
        let keys: Vec<(OrgKey, Day)> = ages.into_iter().map(|(_, key)| key.clone()).collect();
        let mut jobs = Vec::new();
        for key in keys {
            if self.held <= self.budget / 2 {
                break;
            }
            let Some(held) = self.days.get_mut(&key) else { continue };
            self.held -= held.bytes;
            held.bytes = 0;
            let quiet = self.passed - held.touched >= self.quiet;
            self.spilled += 1;
            jobs.push((
                key,
                std::mem::take(&mut held.parts),
                quiet,
                root.join(format!("{}.parquet", self.spilled)),
            ));
        }
        let beside = Lake { root, index: Index::default() };
        let put = on_all_cores(
            jobs,
            |(key, parts, quiet, path)| {
                let put = match quiet.then(|| org_to_be(lake, &key)).flatten() {
                    Some(org) if is_new(lake, &org, key.1, &parts) => {
                        vec![seal(&beside, org, key.1, &parts)?]
                    }
                    _ => spill(parts, path)?,
                };
                Ok((key, put))
            },
            || {},
        )?;
        for (key, parts) in put {
            self.days.entry(key).or_default().parts = parts;
        }
        Ok(())
    }
}

/// The name under which a day will most likely be kept; the end of the import decides.
fn org_to_be(lake: &Lake, key: &(OrgKey, Day)) -> Option<String> {
    let known = lake.index.org_of_scope(&key.0.scope_id).map(str::to_owned);
    known.or_else(|| (!key.0.name.is_empty()).then(|| key.0.name.clone()))
}

/// Tells whether the lake holds nothing of a day, and all that is known of it is in memory.
fn is_new(lake: &Lake, org: &str, day: Day, parts: &[Part]) -> bool {
    parts.iter().all(|part| matches!(part, Part::Memory { .. }))
        && !lake.day_file("events", org, day).exists()
}

/// Writes a day as it will stand in the lake.
fn seal(beside: &Lake, org: String, day: Day, parts: &[Part]) -> Result<Part, LakeError> {
    let in_memory = |part| match part {
        &Part::Memory { rank, ref batch } => Some(Source::whole(rank, batch)),
        _ => None,
    };
    let sources: Vec<Source<'_>> = parts.iter().filter_map(in_memory).collect();
    let mut merged = day::merge_sources(&sources);
    let kept = std::mem::take(&mut merged.kept);
    let sorted = Sorted::of(&merged);
    let entry = write_sorted(beside, &org, day, &sorted)?;
    if kept.len() > 1 {
        // Who brought which row is asked again only if more of the day turns up.
        Frame::new(sorted.len())
            .int("rank", sorted.ranks.iter().map(|rank| Some(i64::from(*rank))))
            .write(&beside.day_file("ranks", &org, day))?;
    }
    Ok(Part::Sealed(Box::new(Sealed { entry, kept, root: beside.root.clone() })))
}

/// Writes what is in memory of a day to `path`, input by input.
fn spill(parts: Vec<Part>, path: PathBuf) -> Result<Vec<Part>, LakeError> {
    let mut memory: Vec<(u32, Box<EventBatch>)> = Vec::new();
    let mut rest = Vec::new();
    for part in parts {
        match part {
            Part::Memory { rank, batch } => memory.push((rank, batch)),
            other => rest.push(other),
        }
    }
    let runs: Vec<(u32, usize)> = memory.iter().map(|(rank, batch)| (*rank, batch.len())).collect();
    let batches: Vec<&EventBatch> = memory.iter().map(|(_, batch)| batch.as_ref()).collect();
    day::write_part(&path, &batches)?;
    rest.push(Part::Disk { runs, path });
    Ok(rest)
}

impl Part {
    /// The rows, with the rank of each run of them.
    pub(super) fn load(self) -> Result<(Vec<(u32, usize)>, EventBatch), LakeError> {
        match self {
            Self::Memory { rank, batch } => Ok((vec![(rank, batch.len())], *batch)),
            Self::Disk { runs, path } => Ok((runs, day::read(&path)?)),
            Self::Sealed(sealed) => sealed.load(),
        }
    }
}

impl Sealed {
    fn beside(&self) -> Lake {
        Lake { root: self.root.clone(), index: Index::default() }
    }

    fn load(&self) -> Result<(Vec<(u32, usize)>, EventBatch), LakeError> {
        let (beside, org, day) = (self.beside(), &self.entry.org, self.entry.day);
        let batch = day::read(&beside.day_file("events", org, day))?;
        let mut ranks = self.kept.keys();
        let runs = match (ranks.next(), ranks.next()) {
            (Some(only), None) => vec![(*only, batch.len())],
            _ => {
                let table = crate::lake::frame::Table::read(&beside.day_file("ranks", org, day))?;
                let rank =
                    |cell: &Option<i64>| cell.and_then(|rank| u32::try_from(rank).ok()).unwrap_or(u32::MAX);
                table.int("rank").iter().map(|cell| (rank(cell), 1)).collect()
            }
        };
        Ok((runs, batch))
    }

    /// Moves the day's files to where the lake looks for them, the events last.
    pub(super) fn move_into(&self, lake: &Lake) -> Result<(), LakeError> {
        let beside = self.beside();
        for table in crate::lake::derive::DAILY.iter().copied().chain(["events"]) {
            let from = beside.day_file(table, &self.entry.org, self.entry.day);
            let to = lake.day_file(table, &self.entry.org, self.entry.day);
            let (Some(from), Some(to)) = (from.parent(), to.parent()) else { continue };
            make_folder(to)?;
            let files = std::fs::read_dir(from).map_err(|e| LakeError::io("read", from, e))?;
            for file in files {
                let file = file.map_err(|e| LakeError::io("read", from, e))?;
                let target = to.join(file.file_name());
                std::fs::rename(file.path(), &target).map_err(|e| LakeError::io("write", &target, e))?;
            }
        }
        Ok(())
    }
}
