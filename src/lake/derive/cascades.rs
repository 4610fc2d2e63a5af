//! Which cascades of a day began on it: rows in, the correlation ids of those whose origin is there out.
//!
//! What follows an origin of the same day proves nothing of its own and is no haste of its caller.

use crate::lake::day::DayRow;
use crate::model::mechanism::MechanismKind;
use hashbrown::{HashMap, HashSet};

/// Tells whether a PAT event follows from another event, or says that it does.
pub(super) fn follows(row: &DayRow<'_>) -> bool {
    row.kind() == MechanismKind::Pat && !row.credential().is_empty() && !row.origin()
}

/// The correlation ids of PAT events whose origin the day holds.
#[must_use]
pub fn held<'a>(rows: &[DayRow<'a>]) -> HashSet<&'a str> {
    let mut correlations: HashMap<&str, bool> = rows
        .iter()
        .filter(|r| follows(r) && !r.correlation_id().is_empty())
        .map(|r| (r.correlation_id(), false))
        .collect();
    if !correlations.is_empty() {
        for row in rows {
            if let Some(held) = correlations.get_mut(row.event_id()) {
                *held = true;
            }
        }
    }
    correlations.into_iter().filter(|(_, held)| *held).map(|(id, _)| id).collect()
}
