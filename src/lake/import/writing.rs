//! Days written: the parts of a day in, its file and derived tables out, several days at a time.

use super::staged::Part;
use crate::lake::day::{DayRow, Sorted, Source};
use crate::lake::frame::move_file;
use crate::lake::held::{self, Held};
use crate::lake::index::DayEntry;
use crate::lake::leftovers::WRITING;
use crate::lake::{Lake, LakeError, day, derive};
use crate::model::batch::EventBatch;
use crate::model::time::{Day, Micros};
use std::collections::{BTreeMap, BTreeSet};

/// A day as written, or nothing where nothing changed; and how many events each rank brought.
pub(super) type Written = (Option<DayEntry>, BTreeMap<u32, u64>);

/// Does `work` on every job, as many at a time as there are cores; `tick` hears of each one done.
pub(in crate::lake) fn on_all_cores<J: Send, R: Send>(
    jobs: impl IntoIterator<Item = J, IntoIter: Send>,
    work: impl Fn(J) -> R + Sync,
    mut tick: impl FnMut(),
) -> Vec<R> {
    let queue = std::sync::Mutex::new(jobs.into_iter());
    let (send, receive) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from).min(8) {
            let (queue, work, send) = (&queue, &work, send.clone());
            scope.spawn(move || {
                loop {
                    let next = queue.lock().ok().and_then(|mut queue| queue.next());
                    let Some(job) = next else { break };
                    if send.send(work(job)).is_err() {
                        break;
                    }
                }
            });
        }
        drop(send);
        receive.into_iter().inspect(|_| tick()).collect()
    })
}

/// Merges one day into the lake.
pub(super) fn write_day(lake: &Lake, org: &str, day: Day, parts: Vec<Part>) -> Result<Written, LakeError> {
    if let [Part::Sealed(sealed)] = parts.as_slice()
        && sealed.entry.org == org
        && !lake.day_file("events", org, day).exists()
        && sealed.has_names_of(lake.projects(org))
    {
        sealed.move_into(lake)?;
        return Ok((Some(sealed.entry.clone()), sealed.kept.clone()));
    }
    let named = lake.index.days.iter().find(|d| d.org == org && d.day == day);
    let counted = named.map_or(0, |entry| entry.rows);
    let (held, on_disk) = match Held::read(lake, org, day)? {
        Held::Nothing if named.is_some() => return Err(held::gone(lake, org, day)),
        Held::Nothing => (false, EventBatch::default()),
        Held::Named(batch) => (true, batch),
        Held::Left(batch, _) => (false, batch),
    };
    let loaded: Vec<(Vec<(u32, usize)>, EventBatch)> =
        parts.into_iter().map(Part::load).collect::<Result<_, _>>()?;
    let sources = |rank| {
        let loaded = loaded.iter().map(|(runs, batch)| Source { batch, runs: runs.clone() });
        std::iter::once(Source::whole(rank, &on_disk)).chain(loaded).collect::<Vec<_>>()
    };
    let mut merged = day::merge_sources(&sources(0));
    let mut kept = std::mem::take(&mut merged.kept);
    if !merged.changed && held {
        return Ok((None, kept));
    }
    if !held && !on_disk.is_empty() {
        // What a killed import left was never counted: it is new to the inputs that bring it again.
        let left = (on_disk.len() as u64).saturating_sub(counted);
        credit(&mut kept, left, &day::merge_sources(&sources(u32::MAX)).kept);
    }
    let sorted = Sorted::of(&merged).with_projects(lake.projects(org));
    Ok((Some(write_sorted(lake, org, day, &sorted)?), kept))
}

/// Adds to what each rank brought so many events at the most of those that it holds and that were on disk uncounted;
/// `all` counts its events as if nothing had been there.
fn credit(kept: &mut BTreeMap<u32, u64>, mut left: u64, all: &BTreeMap<u32, u64>) {
    for (rank, all) in all.iter().filter(|(rank, _)| **rank != u32::MAX) {
        let own = kept.entry(*rank).or_default();
        let again = all.saturating_sub(*own).min(left);
        (*own, left) = (*own + again, left - again);
    }
}

/// Writes the file of a day and the tables derived from it.
pub(super) fn write_sorted(
    lake: &Lake,
    org: &str,
    day: Day,
    sorted: &Sorted<'_>,
) -> Result<DayEntry, LakeError> {
    // The tables first, and those of older events go last: a day file, whole or cut short at any moment, always has
    // tables beside it that are named after it, by which it is told from a damaged one.
    let path = lake.day_file("events", org, day);
    let waiting = path.with_file_name(format!("{WRITING}events"));
    let content = sorted.write(&waiting, org)?;
    let rows = sorted.rows();
    derive::write_all(lake, org, day, &content, sorted, &rows)?;
    move_file(&waiting, &path)?;
    derive::keep_of(lake, org, day, &content);
    Ok(entry_of(org, day, content, sorted, &rows))
}

/// The entry of a day in the index.
pub(in crate::lake) fn entry_of(
    org: &str,
    day: Day,
    content: String,
    sorted: &Sorted<'_>,
    rows: &[DayRow<'_>],
) -> DayEntry {
    let areas: BTreeSet<&str> = sorted.areas().collect();
    DayEntry {
        org: org.to_owned(),
        day,
        content,
        rows: rows.len() as u64,
        first_time: rows.iter().map(DayRow::time).min().unwrap_or_default(),
        last_time: rows.iter().map(DayRow::time).max().unwrap_or_default(),
        shapes: rows.iter().fold(0, |bits, r| bits | r.shapes()),
        hours: derive::hours::count(rows),
        areas: areas.into_iter().map(str::to_owned).collect(),
    }
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
    let merged = day::merge_one(&cut);
    let sorted = Sorted::of(&merged).with_projects(lake.projects(org));
    let content = sorted.write(&scratch.day_file("events", org, day), org)?;
    derive::write_all(scratch, org, day, &content, &sorted, &sorted.rows())?;
    Ok(content)
}
