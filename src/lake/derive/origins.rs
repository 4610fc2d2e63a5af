//! `origins` and `loose`: what a day's PAT events can prove, as far as the day alone can tell.
//!
//! An origin proves that its action was called. An event that follows an origin of the same day proves nothing
//! and is dropped here. What follows an origin that the day does not hold is kept as loose: the neighbouring day
//! may hold the origin, and if it does not, the event is an orphan ([`super::proof`]).

use crate::lake::LakeError;
use crate::lake::day::DayRow;
use crate::lake::frame::Frame;
use crate::model::mechanism::MechanismKind;
use crate::model::time::Micros;
use hashbrown::{HashMap, HashSet};
use std::collections::BTreeMap;
use std::path::Path;

/// Time and id as one text whose order is that of time, then id: the newest event is then a plain MAX.
#[must_use]
pub fn stamp(time: Micros, event_id: &str) -> String {
    format!("{:016}{event_id}", time.max(0))
}

/// The correlation ids of PAT events whose origin the day holds: what they stand on follows from that origin.
#[must_use]
pub fn cascades<'a>(rows: &[DayRow<'a>]) -> HashSet<&'a str> {
    let mut correlations: HashMap<&str, bool> = rows
        .iter()
        .filter(|r| r.kind == MechanismKind::Pat && !r.credential.is_empty())
        .filter(|r| !r.origin() && !r.row.correlation_id.is_empty())
        .map(|r| (r.row.correlation_id, false))
        .collect();
    if !correlations.is_empty() {
        for row in rows {
            if let Some(held) = correlations.get_mut(row.row.event_id) {
                *held = true;
            }
        }
    }
    correlations.into_iter().filter(|(_, held)| *held).map(|(id, _)| id).collect()
}

/// Writes both tables; `held` are the [`cascades`] of the day.
///
/// # Errors
/// When a file cannot be written.
pub fn write(
    origins: &Path,
    loose: &Path,
    org: &str,
    rows: &[DayRow<'_>],
    held: &HashSet<&str>,
) -> Result<(), LakeError> {
    let mine: Vec<&DayRow<'_>> =
        rows.iter().filter(|r| r.kind == MechanismKind::Pat && !r.credential.is_empty()).collect();
    write_origins(origins, org, &mine)?;
    let rows: Vec<&DayRow<'_>> =
        mine.into_iter().filter(|r| !r.origin() && !held.contains(r.row.correlation_id)).collect();
    let r = || rows.iter();
    Frame::new(rows.len())
        .text("org", r().map(|_| org))
        .text("credential", r().map(|r| r.credential))
        .text("action", r().map(|r| r.row.action))
        .time("time", r().map(|r| Some(r.row.time)))
        .text("event_id", r().map(|r| r.row.event_id))
        .text("correlation_id", r().map(|r| r.row.correlation_id))
        .write(loose)?;
    Ok(())
}

fn write_origins(path: &Path, org: &str, rows: &[&DayRow<'_>]) -> Result<(), LakeError> {
    let mut folds: Vec<(&str, &str, i64, String)> = Vec::new();
    for rows in rows.chunk_by(|a, b| a.credential == b.credential) {
        let mut actions: BTreeMap<&str, (i64, Micros, &str)> = BTreeMap::new();
        for row in rows.iter().filter(|r| r.origin()) {
            let own = (row.row.time, row.row.event_id);
            let fold = actions.entry(row.row.action).or_insert((0, own.0, own.1));
            let newest = (fold.1, fold.2).max(own);
            *fold = (fold.0 + 1, newest.0, newest.1);
        }
        let credential = rows[0].credential;
        folds.extend(actions.into_iter().map(|(a, (n, time, id))| (credential, a, n, stamp(time, id))));
    }
    let f = || folds.iter();
    Frame::new(folds.len())
        .text("org", f().map(|_| org))
        .text("credential", f().map(|f| f.0))
        .text("action", f().map(|f| f.1))
        .int("n", f().map(|f| Some(f.2)))
        .text("newest", f().map(|f| f.3.as_str()))
        .write(path)?;
    Ok(())
}
