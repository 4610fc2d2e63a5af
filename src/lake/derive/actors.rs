//! `actors`: who acted on a day, under which names and with which kind of sign-in.
//!
//! Small where `activity` is large: the analysis learns from it who uses a credential and which names a person
//! goes by, without touching what they did.

use crate::lake::LakeError;
use crate::lake::day::DayRow;
use crate::lake::frame::Frame;
use crate::model::mechanism::MechanismKind;
use crate::model::time::{Micros, day_of};
use hashbrown::HashMap;
use std::path::Path;

/// Credential and class (PATs alone), kind, actor, ids and name, and whether the service itself acted.
type Key<'a> = (&'a str, &'a str, &'a str, &'a str, &'a str, &'a str, &'a str, bool);

/// Writes the table.
///
/// # Errors
/// When the file cannot be written.
pub fn write(path: &Path, org: &str, rows: &[DayRow<'_>]) -> Result<(), LakeError> {
    let mut folds: HashMap<Key<'_>, (i64, Micros, Micros)> = HashMap::new();
    for row in rows {
        // Other mechanisms carry an id a session, which nothing asks for.
        let pat = row.kind == MechanismKind::Pat;
        let (credential, class) = if pat { (row.credential, row.class) } else { ("", "") };
        let r = &row.row;
        let key = (
            credential,
            class,
            row.kind.as_str(),
            row.actor,
            r.actor_id,
            r.actor_cuid,
            r.actor_name,
            row.service_actor,
        );
        let fold = folds.entry(key).or_insert((0, r.time, r.time));
        *fold = (fold.0 + 1, fold.1.min(r.time), fold.2.max(r.time));
    }
    let mut folds: Vec<_> = folds.into_iter().collect();
    folds.sort_unstable();
    let day = rows.first().map(|r| day_of(r.row.time));
    let f = || folds.iter();
    Frame::new(folds.len())
        .text("org", f().map(|_| org))
        .date("date", f().map(|_| day))
        .text("credential", f().map(|(k, _)| k.0))
        .text("class", f().map(|(k, _)| k.1))
        .text("kind", f().map(|(k, _)| k.2))
        .text("actor", f().map(|(k, _)| k.3))
        .text("actor_id", f().map(|(k, _)| k.4))
        .text("actor_cuid", f().map(|(k, _)| k.5))
        .text("actor_name", f().map(|(k, _)| k.6))
        .flag("service_actor", f().map(|(k, _)| Some(k.7)))
        .int("n", f().map(|(_, n)| Some(n.0)))
        .time("first_time", f().map(|(_, n)| Some(n.1)))
        .time("last_time", f().map(|(_, n)| Some(n.2)))
        .write(path)?;
    Ok(())
}
