//! `loose`: PAT events of a day that follow an origin which the day does not hold.
//!
//! An event that follows an origin of the same day proves nothing and is no row here. For the others the neighbouring
//! day may hold the origin, and if it does not, the event is an orphan ([`super::orphans`]).

use super::cascades::follows;
use crate::lake::LakeError;
use crate::lake::day::DayRow;
use crate::lake::frame::Frame;
use hashbrown::HashSet;
use std::path::Path;

/// Writes the table; `cascades` are those whose origin the day holds ([`super::cascades`]).
///
/// # Errors
/// When the file cannot be written.
pub fn write(path: &Path, org: &str, rows: &[DayRow<'_>], cascades: &HashSet<&str>) -> Result<(), LakeError> {
    let loose: Vec<&DayRow<'_>> =
        rows.iter().filter(|r| follows(r) && !cascades.contains(r.correlation_id())).collect();
    let r = || loose.iter();
    Frame::new(loose.len())
        .same_text("org", org)
        .unique_text("event_id", r().map(|r| r.event_id()))
        .text("correlation_id", r().map(|r| r.correlation_id()))
        .write(path)?;
    Ok(())
}
