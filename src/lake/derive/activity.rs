//! `activity`: a day's events folded by who, what, from where and with what.

use crate::lake::LakeError;
use crate::lake::day::{DayRow, Sorted};
use crate::lake::frame::Frame;
use crate::model::time::{HOUR, day_of};
use hashbrown::HashMap;
use std::path::Path;

/// A row of the table.
pub(super) struct Fold<'a> {
    /// The first of its events, which stands for what they share.
    pub key: DayRow<'a>,
    pub n: i64,
    pub origins: i64,
    pub hour_bits: i64,
    /// Time and id of the first event.
    pub oldest: (i64, &'a str),
    /// Time and id of the last event.
    pub newest: (i64, &'a str),
}

/// Folds the rows of a day.
pub(super) fn fold<'a>(rows: &[DayRow<'a>]) -> Vec<Fold<'a>> {
    let mut index = HashMap::new();
    let mut folds: Vec<Fold<'_>> = Vec::new();
    for row in rows {
        let own = (row.time(), row.event_id());
        let at = *index.entry(row.codes()).or_insert_with(|| {
            folds.push(Fold { key: *row, n: 0, origins: 0, hour_bits: 0, oldest: own, newest: own });
            folds.len() - 1
        });
        let fold = &mut folds[at];
        fold.n += 1;
        fold.origins += i64::from(row.origin());
        fold.hour_bits |= 1 << (row.time().rem_euclid(24 * HOUR) / HOUR);
        // Rows come sorted by time within a credential, but one without a credential mixes many actors: compare.
        fold.oldest = fold.oldest.min(own);
        fold.newest = fold.newest.max(own);
    }
    folds.sort_unstable_by(|a, b| (a.key.credential(), a.oldest).cmp(&(b.key.credential(), b.oldest)));
    folds
}

/// Writes the table.
///
/// # Errors
/// When the file cannot be written.
pub(super) fn write(
    path: &Path,
    org: &str,
    sorted: &Sorted<'_>,
    folds: &[Fold<'_>],
) -> Result<(), LakeError> {
    let keys: Vec<DayRow<'_>> = folds.iter().map(|f| f.key).collect();
    let f = || folds.iter();
    let frame = Frame::new(folds.len()).same_text("org", org);
    let frame = sorted.add(frame, &["credential"], &keys).text("kind", f().map(|f| f.key.kind().as_str()));
    let frame = sorted
        .add(frame, &["class", "actor", "actor_id"], &keys)
        .flag("service_actor", f().map(|f| Some(f.key.service_actor())))
        .date("date", f().map(|f| Some(day_of(f.key.time()))));
    let frame = sorted.add(frame, &["action", "area", "address", "network", "client", "project"], &keys);
    frame
        .int("n", f().map(|f| Some(f.n)))
        .int("origins", f().map(|f| Some(f.origins)))
        .int("hour_bits", f().map(|f| Some(f.hour_bits)))
        .int("shapes", f().map(|f| Some(i64::from(f.key.shapes()))))
        .time("first_time", f().map(|f| Some(f.oldest.0)))
        .time("last_time", f().map(|f| Some(f.newest.0)))
        .unique_text("first_event", f().map(|f| f.oldest.1))
        .unique_text("last_event", f().map(|f| f.newest.1))
        .write(path)?;
    Ok(())
}
