//! `activity`: a day's events folded by who, what, from where and with what.

use crate::lake::LakeError;
use crate::lake::day::DayRow;
use crate::lake::frame::Frame;
use crate::model::time::{HOUR, day_of};
use hashbrown::HashMap;
use std::path::Path;

struct Fold<'a> {
    key: &'a DayRow<'a>,
    n: i64,
    origins: i64,
    hour_bits: i64,
    oldest: (i64, &'a str),
    newest: (i64, &'a str),
}

/// Writes the table.
///
/// # Errors
/// When the file cannot be written.
pub fn write(path: &Path, org: &str, rows: &[DayRow<'_>]) -> Result<(), LakeError> {
    let mut index = HashMap::new();
    let mut folds: Vec<Fold<'_>> = Vec::new();
    for row in rows {
        let c = row.codes;
        let key = (c.credential, c.class, c.actor, c.action, c.address, c.client, c.project);
        let at = *index.entry(key).or_insert_with(|| {
            let own = (row.row.time, row.row.event_id);
            folds.push(Fold { key: row, n: 0, origins: 0, hour_bits: 0, oldest: own, newest: own });
            folds.len() - 1
        });
        let fold = &mut folds[at];
        fold.n += 1;
        fold.origins += i64::from(row.origin());
        fold.hour_bits |= 1 << (row.row.time.rem_euclid(24 * HOUR) / HOUR);
        // Rows come sorted by time within a credential, but one without a credential mixes many actors: compare.
        let own = (row.row.time, row.row.event_id);
        fold.oldest = fold.oldest.min(own);
        fold.newest = fold.newest.max(own);
    }
    folds.sort_unstable_by(|a, b| (a.key.credential, a.oldest).cmp(&(b.key.credential, b.oldest)));
    let f = || folds.iter();
    Frame::new(folds.len())
        .text("org", f().map(|_| org))
        .text("credential", f().map(|f| f.key.credential))
        .text("kind", f().map(|f| f.key.kind.as_str()))
        .text("class", f().map(|f| f.key.class))
        .text("actor", f().map(|f| f.key.actor))
        .text("actor_id", f().map(|f| f.key.row.actor_id))
        .flag("service_actor", f().map(|f| Some(f.key.service_actor)))
        .date("date", f().map(|f| Some(day_of(f.key.row.time))))
        .text("action", f().map(|f| f.key.row.action))
        .text("area", f().map(|f| f.key.row.area))
        .text("address", f().map(|f| f.key.row.address))
        .text("network", f().map(|f| f.key.network))
        .text("client", f().map(|f| f.key.client))
        .text("project", f().map(|f| f.key.row.project))
        .int("n", f().map(|f| Some(f.n)))
        .int("origins", f().map(|f| Some(f.origins)))
        .int("hour_bits", f().map(|f| Some(f.hour_bits)))
        .int("shapes", f().map(|f| Some(i64::from(f.key.shapes))))
        .time("first_time", f().map(|f| Some(f.oldest.0)))
        .time("last_time", f().map(|f| Some(f.newest.0)))
        .text("first_event", f().map(|f| f.oldest.1))
        .text("last_event", f().map(|f| f.newest.1))
        .write(path)?;
    Ok(())
}
