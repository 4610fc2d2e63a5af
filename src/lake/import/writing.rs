//! Days written: the parts of a day in, its file and derived tables out, several days at a time.

use super::staged::Part;
use crate::lake::day::{DayRow, Sorted, Source};
use crate::lake::index::DayEntry;
use crate::lake::{Lake, LakeError, day, derive};
use crate::model::batch::EventBatch;
use crate::model::hash::sha256;
use crate::model::time::{Day, Micros};
use std::collections::{BTreeMap, BTreeSet};

/// A day as written, or nothing where nothing changed; and how many events each rank brought.
pub(super) type Written = (Option<DayEntry>, BTreeMap<u32, u64>);

/// Does `work` on every job, as many at a time as there are cores; `tick` hears of each one done.
pub(super) fn on_all_cores<J: Send, R: Send>(
    jobs: impl IntoIterator<Item = J, IntoIter: Send>,
    work: impl Fn(J) -> Result<R, LakeError> + Sync,
    mut tick: impl FnMut(),
) -> Result<Vec<R>, LakeError> {
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
    let path = lake.day_file("events", org, day);
    if let [Part::Sealed(sealed)] = parts.as_slice()
        && sealed.entry.org == org
        && !path.exists()
    {
        sealed.move_into(lake)?;
        return Ok((Some(sealed.entry.clone()), sealed.kept.clone()));
    }
    let held = lake.index.days.iter().find(|d| d.org == org && d.day == day);
    let counted = held.map_or(0, |entry| entry.rows);
    // A file that is not the one that the index names was left by a killed import: whole, but not counted yet.
    let held =
        held.is_some_and(|entry| std::fs::read(&path).is_ok_and(|bytes| sha256(&bytes) == entry.content));
    let on_disk = if path.exists() { day::read(&path)? } else { EventBatch::default() };
    let loaded: Vec<(Vec<(u32, usize)>, EventBatch)> =
        parts.into_iter().map(Part::load).collect::<Result<_, _>>()?;
    let mut sources = vec![Source::whole(0, &on_disk)];
    sources.extend(loaded.iter().map(|(runs, batch)| Source { batch, runs: runs.clone() }));
    let mut merged = day::merge_sources(&sources);
    let mut kept = std::mem::take(&mut merged.kept);
    if !merged.changed && held {
        return Ok((None, kept));
    }
    if !held && !on_disk.is_empty() {
        // What a killed import left behind was never counted, so this run brings it.
        let first = loaded.iter().flat_map(|(runs, _)| runs).map(|(rank, _)| *rank).min();
        if let (Some(first), Some(left)) = (first, kept.remove(&0)) {
            *kept.entry(first).or_default() += left.saturating_sub(counted);
        }
    }
    let sorted = Sorted::of(&merged);
    Ok((Some(write_sorted(lake, org, day, &sorted)?), kept))
}

/// Writes the file of a day and the tables derived from it.
pub(super) fn write_sorted(
    lake: &Lake,
    org: &str,
    day: Day,
    sorted: &Sorted<'_>,
) -> Result<DayEntry, LakeError> {
    let content = sorted.write(&lake.day_file("events", org, day), org)?;
    let rows = sorted.rows();
    derive::write_all(lake, org, day, &content, sorted, &rows)?;
    let areas: BTreeSet<&str> = sorted.areas().collect();
    Ok(DayEntry {
        org: org.to_owned(),
        day,
        content,
        rows: rows.len() as u64,
        first_time: rows.iter().map(DayRow::time).min().unwrap_or_default(),
        last_time: rows.iter().map(DayRow::time).max().unwrap_or_default(),
        shapes: rows.iter().fold(0, |bits, r| bits | r.shapes()),
        hours: derive::hours::count(&rows),
        areas: areas.into_iter().map(str::to_owned).collect(),
    })
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
    let sorted = Sorted::of(&merged);
    let content = sorted.write(&scratch.day_file("events", org, day), org)?;
    derive::write_all(scratch, org, day, &content, &sorted, &sorted.rows())?;
    Ok(content)
}
