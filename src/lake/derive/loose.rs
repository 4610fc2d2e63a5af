//! `loose`: PAT events of a day that follow an origin which the day does not hold.
//!
//! An event that follows an origin of the same day proves nothing and is no row here. For the others the neighbouring
//! day may hold the origin, and if it does not, the event is an orphan ([`super::orphans`]).

use crate::lake::LakeError;
use crate::lake::day::DayRow;
use crate::lake::frame::Frame;
use crate::model::mechanism::MechanismKind;
use hashbrown::{HashMap, HashSet};
use std::path::Path;

/// Writes the table.
///
/// # Errors
/// When the file cannot be written.
pub fn write(path: &Path, org: &str, rows: &[DayRow<'_>]) -> Result<(), LakeError> {
    let follows = |r: &&DayRow<'_>| r.kind() == MechanismKind::Pat && !r.credential().is_empty() && !r.origin();
    let mut correlations: HashMap<&str, bool> = rows
        .iter()
        .filter(follows)
        .filter(|r| !r.correlation_id().is_empty())
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
    let loose: Vec<&DayRow<'_>> =
        rows.iter().filter(follows).filter(|r| !held.contains(r.correlation_id())).collect();
    let r = || loose.iter();
    Frame::new(loose.len())
        .text("org", r().map(|_| org))
        .unique_text("event_id", r().map(|r| r.event_id()))
        .text("correlation_id", r().map(|r| r.correlation_id()))
        .write(path)?;
    Ok(())
}
