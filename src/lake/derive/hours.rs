//! Events per hour of a day, for the organisation's own rhythm: what coverage calls quiet is measured by it.

use crate::lake::day::DayRow;
use crate::model::time::HOUR;

/// Counts a day's events by hour, without reads of the audit log and without the service's own events, since
/// both go on when nobody works.
#[must_use]
pub fn count(rows: &[DayRow<'_>]) -> Vec<u32> {
    let mut hours = vec![0; 24];
    for row in rows.iter().filter(|r| !r.service_actor() && !r.action().starts_with("AuditLog.AccessLog")) {
        let hour = usize::try_from(row.time().rem_euclid(24 * HOUR) / HOUR).unwrap_or(0);
        hours[hour] += 1;
    }
    hours
}
