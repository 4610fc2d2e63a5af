//! Batches that wait for the end of their import, under a byte budget.
//!
//! A day that nothing was added to for a while is most likely whole: it is *sealed*, written beside the lake as it will
//! stand in it, and only moved at the end. So a log in order of time is written once, and while it is still being read.
//! When the budget is spent all the same, the days that were left longest give way: one that still grows goes to disk
//! as it is and is merged at the end. Both are done by threads of their own ([`super::workers`]).

use super::workers::Workers;
use super::writing::write_sorted;
use crate::lake::day::{self, Sorted, Source};
use crate::lake::derive::kept::Kept;
use crate::lake::frame::{Frame, move_file};
use crate::lake::held::scratch;
use crate::lake::index::DayEntry;
use crate::lake::projects::ProjectNames;
use crate::lake::table::Table;
use crate::lake::{Lake, LakeError};
use crate::model::batch::EventBatch;
use crate::model::inventory::OrgKey;
use crate::model::time::Day;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Bytes that staged batches may hold before some of them go to disk.
const BUDGET: usize = 256 << 20;
/// A day is taken for whole when so many bytes were staged since it last grew.
const QUIET: usize = 16 << 20;

/// What is staged.
#[derive(Debug)]
pub(super) struct Staged {
    days: BTreeMap<(OrgKey, Day), Held>,
    /// Bytes in memory, those that are being written among them.
    held: usize,
    /// Bytes that are being written.
    leaving: usize,
    /// Bytes staged so far, the clock by which days age.
    passed: usize,
    pub(super) budget: usize,
    pub(super) quiet: usize,
    spilled: usize,
    /// Before the folder, so that nobody writes any more when it goes.
    workers: Workers<Job, Put>,
    folder: Option<tempfile::TempDir>,
}

/// The parts of one day, in the order they came.
#[derive(Debug, Default)]
struct Held {
    parts: Vec<Part>,
    /// Bytes of those in memory.
    bytes: usize,
    touched: usize,
    /// Whether something of it went to disk: such a day is merged at the end, and not sealed again.
    begun: bool,
}

/// Parts of a day on their way to disk.
#[derive(Debug)]
struct Job {
    key: (OrgKey, Day),
    parts: Vec<Part>,
    bytes: usize,
    /// The organisation, where the day is to be sealed.
    seal: Option<String>,
    root: PathBuf,
    kept: Arc<Kept>,
    number: usize,
}

/// What became of a job.
#[derive(Debug)]
struct Put {
    key: (OrgKey, Day),
    bytes: usize,
    parts: Result<Vec<Part>, LakeError>,
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
    /// Projects as its events name them: id and name.
    projects: Vec<(String, String)>,
    /// Where it lies: a folder laid out like a lake.
    root: PathBuf,
}

impl Default for Staged {
    fn default() -> Self {
        Self {
            days: BTreeMap::new(),
            held: 0,
            leaving: 0,
            passed: 0,
            budget: BUDGET,
            quiet: QUIET,
            spilled: 0,
            workers: Workers::new(put),
            folder: None,
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
        while let Some(put) = self.workers.done() {
            self.take_back(put)?;
        }
        self.relieve(lake)?;
        while self.held > self.budget {
            match self.workers.wait() {
                Some(put) => self.take_back(put)?,
                None => break,
            }
        }
        Ok(())
    }

    /// Organisations that something is staged for.
    pub(super) fn keys(&self) -> impl Iterator<Item = &OrgKey> {
        self.days.keys().map(|(key, _)| key)
    }

    /// Hands over everything staged. What is on disk stays there until `self` is dropped.
    ///
    /// # Errors
    /// When something could not be put on disk.
    pub(super) fn take(
        &mut self,
    ) -> Result<impl Iterator<Item = ((OrgKey, Day), Vec<Part>)> + use<>, LakeError> {
        while let Some(put) = self.workers.wait() {
            self.take_back(put)?;
        }
        self.held = 0;
        Ok(std::mem::take(&mut self.days).into_iter().map(|(key, held)| (key, held.parts)))
    }

    fn take_back(&mut self, put: Put) -> Result<(), LakeError> {
        self.held -= put.bytes;
        self.leaving -= put.bytes;
        self.days.entry(put.key).or_default().parts.extend(put.parts?);
        Ok(())
    }

    /// Sends days that went quiet on their way, and while the budget is spent those that were left longest, until half
    /// of it will be free.
    fn relieve(&mut self, lake: &Lake) -> Result<(), LakeError> {
        let spent = self.held > self.budget;
        let mut ages: Vec<(usize, (OrgKey, Day))> = self
            .days
            .iter()
            .filter(|(_, held)| held.bytes > 0 && (spent || (!held.begun && self.is_quiet(held))))
            .map(|(key, held)| (held.touched, key.clone()))
            .collect();
        ages.sort_unstable();
        for (_, key) in ages {
            if spent && self.held - self.leaving <= self.budget / 2 {
                break;
            }
            self.send(lake, key)?;
        }
        Ok(())
    }

    fn is_quiet(&self, held: &Held) -> bool {
        self.passed - held.touched >= self.quiet
    }

    fn send(&mut self, lake: &Lake, key: (OrgKey, Day)) -> Result<(), LakeError> {
        let root = match &self.folder {
            Some(folder) => folder.path().to_owned(),
            None => {
                let made = scratch(lake.root())?;
                self.folder.insert(made).path().to_owned()
            }
        };
        let seal = match self.days.get(&key) {
            Some(held) if !held.begun && self.is_quiet(held) => {
                org_to_be(lake, &key).filter(|org| !lake.day_file("events", org, key.1).exists())
            }
            _ => None,
        };
        let Some(held) = self.days.get_mut(&key) else { return Ok(()) };
        held.begun = true;
        let (parts, bytes) = (std::mem::take(&mut held.parts), std::mem::take(&mut held.bytes));
        self.leaving += bytes;
        self.spilled += 1;
        let kept = Arc::clone(&lake.kept);
        self.workers.send(Job { key, parts, bytes, seal, root, kept, number: self.spilled });
        Ok(())
    }
}

/// Puts parts of a day on disk.
fn put(job: Job) -> Put {
    let Job { key, parts, bytes, seal: whole, root, kept, number } = job;
    let parts = match whole {
        Some(org) => seal(&Lake::beside(&root, kept), org, key.1, &parts).map(|part| vec![part]),
        None => spill(parts, root.join(format!("{number}.parquet"))),
    };
    Put { key, bytes, parts }
}

/// The name under which a day will most likely be kept; the end of the import decides.
fn org_to_be(lake: &Lake, key: &(OrgKey, Day)) -> Option<String> {
    let known = lake.index.org_of_scope(&key.0.scope_id).map(str::to_owned);
    known.or_else(|| (!key.0.name.is_empty()).then(|| key.0.name.clone())).filter(|org| Lake::can_hold(org))
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
    let projects = sorted.shown_projects();
    Ok(Part::Sealed(Box::new(Sealed { entry, kept, projects, root: beside.root.clone() })))
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
    /// Adds how many records each rank brought; copies of an event in a sealed day count once.
    pub(super) fn count(&self, rows: &mut BTreeMap<u32, u64>) {
        match self {
            Self::Memory { rank, batch } => *rows.entry(*rank).or_default() += batch.len() as u64,
            Self::Disk { runs, .. } => {
                runs.iter().for_each(|(rank, n)| *rows.entry(*rank).or_default() += *n as u64);
            }
            Self::Sealed(sealed) => {
                sealed.kept.iter().for_each(|(rank, n)| *rows.entry(*rank).or_default() += n);
            }
        }
    }

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
    /// Returns true if its events call every project as the lake does; else the day has to be written again.
    pub(super) fn has_names_of(&self, names: Option<&ProjectNames>) -> bool {
        let known = |id: &str| names.and_then(|names| names.get(id));
        self.projects.iter().all(|(id, name)| known(id).is_none_or(|known| known == name))
    }

    fn beside(&self) -> Lake {
        Lake::beside(&self.root, Arc::default())
    }

    fn load(&self) -> Result<(Vec<(u32, usize)>, EventBatch), LakeError> {
        let (beside, org, day) = (self.beside(), &self.entry.org, self.entry.day);
        let batch = day::read(&beside.day_file("events", org, day))?;
        let mut ranks = self.kept.keys();
        let runs = match (ranks.next(), ranks.next()) {
            (Some(only), None) => vec![(*only, batch.len())],
            _ => {
                let table = Table::read(&beside.day_file("ranks", org, day), &["rank"])?;
                let rank =
                    |cell: &Option<i64>| cell.and_then(|rank| u32::try_from(rank).ok()).unwrap_or(u32::MAX);
                table.known_ints("rank").iter().map(|cell| (rank(cell), 1)).collect()
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
            move_folder(from, to)?;
        }
        Ok(())
    }
}

/// Moves a folder, or its files where there is one of that name already.
fn move_folder(from: &Path, to: &Path) -> Result<(), LakeError> {
    let failed = |e| LakeError::io("write", to, e);
    if !to.exists() {
        // To make a folder for every table and day costs more than to move the one there is.
        return move_file(from, to);
    }
    for file in std::fs::read_dir(from).map_err(|e| LakeError::io("read", from, e))? {
        let file = file.map_err(|e| LakeError::io("read", from, e))?;
        std::fs::rename(file.path(), to.join(file.file_name())).map_err(failed)?;
    }
    Ok(())
}
