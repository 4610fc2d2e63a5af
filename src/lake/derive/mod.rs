//! The tables derived from events: detections and verdicts read these, and raw events only to confirm.
//!
//! In: the sorted rows of a day. Out: one small file a table and day, and folds of them a month. Each is named after
//! the content it was made from, so that a stale one is seen without opening it and made anew, and nothing else.
//!
//! ```text
//! day, from its events:         activity token_day notable actors connection_runs loose
//! day, with its neighbours:     orphans
//! month, from its days' tables: seen uses changes
//! ```
//!
//! Of an organisation's newest month the newest day is folded by itself: it is the one that the next import adds to, and
//! the days before it need not be folded anew for that.

pub mod activity;
pub mod actors;
mod cascades;
pub mod changes;
pub mod hours;
pub mod kept;
pub mod loose;
mod members;
pub mod notable;
pub mod orphans;
pub mod runs;
pub mod seen;
pub mod token_day;
pub mod uses;
mod variables;

use super::day::{DayRow, Sorted};
use super::{Lake, LakeError};
use crate::model::time::Day;
use std::path::{Path, PathBuf};

/// Version of what the derived tables hold; a change makes all of them anew.
pub(crate) const VERSION: u32 = 3;

/// Tables made from a day's events alone.
pub const DAILY: [&str; 6] = ["activity", "token_day", "notable", "actors", "connection_runs", "loose"];

/// The table of a day that needs its neighbours.
pub const SETTLED: &str = "orphans";

/// Tables of earlier versions, which nothing reads any more.
pub const RETIRED: [&str; 2] = ["origins", "proof"];

/// Tables a month.
pub const FOLDED: [&str; 3] = ["seen", "uses", "changes"];

/// Every table that has a folder an organisation: the events, and what is made of them.
pub(super) fn with_events() -> impl Iterator<Item = &'static str> {
    ["events", SETTLED].into_iter().chain(DAILY).chain(FOLDED)
}

/// Writes every table that follows from a day's events; `content` is the id of the day file,
/// `rows` are all of `sorted`.
///
/// # Errors
/// When a file cannot be written.
pub fn write_all(
    lake: &Lake,
    org: &str,
    day: Day,
    content: &str,
    sorted: &Sorted<'_>,
    rows: &[DayRow<'_>],
) -> Result<(), LakeError> {
    let path = |table| lake.derived_file(table, org, day, content);
    let cascades = cascades::held(rows);
    let folds = activity::fold(rows);
    lake.kept.add(org, day, content, &folds);
    activity::write(&path("activity"), org, sorted, &folds)?;
    token_day::write(&path("token_day"), org, rows, &cascades)?;
    notable::write(&path("notable"), org, sorted, rows)?;
    actors::write(&path("actors"), org, sorted, rows)?;
    runs::write(&path("connection_runs"), org, rows)?;
    loose::write(&path("loose"), org, rows, &cascades)
}

/// Removes tables of a day that were made of other events than those of `content`.
pub(super) fn keep_of(lake: &Lake, org: &str, day: Day, content: &str) {
    for table in DAILY {
        keep_only(&lake.derived_file(table, org, day, content));
    }
}

/// Removes what stands beside a derived file: the same table of older content. A file that cannot be removed
/// is only in the way, since nothing names it any more.
pub(super) fn keep_only(path: &Path) {
    if let Some(folder) = path.parent() {
        keep_only_in(folder, &[path.to_owned()]);
    }
}

/// The same of a folder where several files stand.
pub(super) fn keep_only_in(folder: &Path, kept: &[PathBuf]) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let other = entry.path();
        if !kept.contains(&other) && other.extension().is_some_and(|e| e == "parquet") {
            let _ = std::fs::remove_file(other);
        }
    }
}
