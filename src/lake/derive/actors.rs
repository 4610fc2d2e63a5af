//! `actors`: who acted on a day, under which names and with which kind of sign-in.
//!
//! Small where `activity` is large: the analysis learns from it who uses a credential and which names a person
//! goes by, without touching what they did.

use crate::lake::LakeError;
use crate::lake::day::{DayRow, Sorted};
use crate::lake::frame::Frame;
use crate::model::mechanism::MechanismKind;
use crate::model::time::{Micros, day_of};
use hashbrown::HashMap;
use std::path::Path;

/// A row, as the first of its events: how often, from when, until when.
type Fold<'a> = (DayRow<'a>, i64, Micros, Micros);

/// Writes the table.
///
/// # Errors
/// When the file cannot be written.
pub fn write(path: &Path, org: &str, sorted: &Sorted<'_>, rows: &[DayRow<'_>]) -> Result<(), LakeError> {
    // Kind and service actor count beside the names: one actor signs in in several ways.
    let mut index = HashMap::new();
    let mut folds: Vec<Fold<'_>> = Vec::new();
    for row in rows {
        // Other mechanisms carry an id a session, which nothing asks for.
        let pat = row.kind() == MechanismKind::Pat;
        let codes = row.codes();
        let mechanism = pat.then_some((codes.credential, codes.class));
        let key = (mechanism, row.kind(), codes.actor, row.actor_codes(), row.service_actor());
        let at = *index.entry(key).or_insert_with(|| {
            folds.push((*row, 0, row.time(), row.time()));
            folds.len() - 1
        });
        let (_, n, first, last) = &mut folds[at];
        (*n, *first, *last) = (*n + 1, row.time().min(*first), row.time().max(*last));
    }
    // Rows come in the order of their credentials, so all but those without one need sorting only among their own.
    let rest = |(a, ..): &Fold<'_>, (b, ..): &Fold<'_>| {
        let kinds = (mechanism(a), a.kind().as_str()).cmp(&(mechanism(b), b.kind().as_str()));
        kinds.then_with(|| names(a).cmp(&names(b))).then_with(|| a.service_actor().cmp(&b.service_actor()))
    };
    let owned = |(row, ..): &Fold<'_>| !mechanism(row).0.is_empty();
    let (mut owned, mut others): (Vec<Fold<'_>>, Vec<Fold<'_>>) = folds.into_iter().partition(owned);
    for folds in owned.chunk_by_mut(|(a, ..), (b, ..)| a.codes().credential == b.codes().credential) {
        folds.sort_unstable_by(rest);
    }
    others.sort_unstable_by(rest);
    let folds = [others, owned].concat();
    let keys: Vec<DayRow<'_>> = folds.iter().map(|(row, ..)| *row).collect();
    let day = rows.first().map(|r| day_of(r.time()));
    let k = || keys.iter();
    let frame = Frame::new(folds.len())
        .same_text("org", org)
        .date("date", k().map(|_| day))
        .text("credential", k().map(|k| mechanism(k).0))
        .text("class", k().map(|k| mechanism(k).1))
        .text("kind", k().map(|k| k.kind().as_str()));
    let f = || folds.iter();
    sorted
        .add(frame, &["actor", "actor_id", "actor_cuid", "actor_name"], &keys)
        .flag("service_actor", k().map(|k| Some(k.service_actor())))
        .int("n", f().map(|f| Some(f.1)))
        .time("first_time", f().map(|f| Some(f.2)))
        .time("last_time", f().map(|f| Some(f.3)))
        .write(path)?;
    Ok(())
}

fn names<'a>(row: &DayRow<'a>) -> [&'a str; 4] {
    [row.actor(), row.actor_id(), row.actor_cuid(), row.actor_name()]
}

/// Credential and class, of PATs alone.
fn mechanism<'a>(row: &DayRow<'a>) -> (&'a str, &'a str) {
    if row.kind() == MechanismKind::Pat { (row.credential(), row.class()) } else { ("", "") }
}
