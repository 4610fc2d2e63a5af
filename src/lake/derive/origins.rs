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

/// Writes both tables.
///
/// # Errors
/// When a file cannot be written.
pub fn write(origins: &Path, loose: &Path, org: &str, rows: &[DayRow<'_>]) -> Result<(), LakeError> {
    let mine: Vec<&DayRow<'_>> =
        rows.iter().filter(|r| r.kind() == MechanismKind::Pat && !r.credential().is_empty()).collect();
    write_origins(origins, org, &mine)?;
    let mut correlations: HashMap<&str, bool> = mine
        .iter()
        .filter(|r| !r.origin() && !r.correlation_id().is_empty())
        .map(|r| (r.correlation_id(), false))
        .collect();
    if !correlations.is_empty() {
        for row in rows {
            if let Some(held) = correlations.get_mut(row.event_id()) {
                *held = true;
            }
        }
    }
    let held: HashSet<&str> = correlations.into_iter().filter(|(_, held)| *held).map(|(id, _)| id).collect();
    let rows: Vec<&DayRow<'_>> =
        mine.into_iter().filter(|r| !r.origin() && !held.contains(r.correlation_id())).collect();
    let r = || rows.iter();
    Frame::new(rows.len())
        .text("org", r().map(|_| org))
        .text("credential", r().map(|r| r.credential()))
        .text("action", r().map(|r| r.action()))
        .time("time", r().map(|r| Some(r.time())))
        .text("event_id", r().map(|r| r.event_id()))
        .text("correlation_id", r().map(|r| r.correlation_id()))
        .write(loose)?;
    Ok(())
}

fn write_origins(path: &Path, org: &str, rows: &[&DayRow<'_>]) -> Result<(), LakeError> {
    let mut folds: Vec<(&str, &str, i64, String)> = Vec::new();
    for rows in rows.chunk_by(|a, b| a.credential() == b.credential()) {
        let mut actions: BTreeMap<&str, (i64, Micros, &str)> = BTreeMap::new();
        for row in rows.iter().filter(|r| r.origin()) {
            let own = (row.time(), row.event_id());
            let fold = actions.entry(row.action()).or_insert((0, own.0, own.1));
            let newest = (fold.1, fold.2).max(own);
            *fold = (fold.0 + 1, newest.0, newest.1);
        }
        let credential = rows[0].credential();
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
