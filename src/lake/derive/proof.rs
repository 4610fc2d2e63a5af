//! `proof`: what a day's PAT events prove, once its neighbours are known.
//!
//! In: `origins` and `loose` of a day, and the event ids of the days beside it. Out: one row a credential and
//! action with its origins, and one row an orphan. A cascade is the work of one request, so the origin of a loose
//! event is looked for on its own and the neighbouring days, and nowhere else.

use super::origins::stamp;
use crate::lake::LakeError;
use crate::lake::frame::{Frame, Table};
use hashbrown::HashSet;
use std::path::Path;

/// The loose events of a day, in columns.
pub struct Loose {
    table: Table,
}

impl Loose {
    /// Reads the loose events of a day.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read(path: &Path) -> Result<Self, LakeError> {
        Ok(Self { table: Table::read(path)? })
    }

    /// Finds which of the correlation ids that are looked for are ids of events.
    #[must_use]
    pub fn found(&self, ids: &[&str]) -> HashSet<String> {
        let column = self.table.text("correlation_id");
        let wanted: HashSet<&str> = column.cells().into_iter().filter(|id| !id.is_empty()).collect();
        if wanted.is_empty() {
            return HashSet::new();
        }
        ids.iter().filter(|id| wanted.contains(**id)).map(|id| (*id).to_owned()).collect()
    }

    /// Tells whether an origin is looked for at all.
    #[must_use]
    pub fn is_looking(&self) -> bool {
        self.table.text("correlation_id").cells().iter().any(|id| !id.is_empty())
    }
}

/// The ids of all events of a day.
///
/// # Errors
/// When the file cannot be read.
pub fn event_ids(events: &Path) -> Result<Table, LakeError> {
    Table::read_columns(events, &["event_id"])
}

/// Writes the table of a day, of whose correlation ids `held` are ids of events of the days beside it.
///
/// # Errors
/// When a file cannot be read or written.
pub fn write(
    path: &Path,
    org: &str,
    origins: &Path,
    loose: &Loose,
    held: &HashSet<String>,
) -> Result<(), LakeError> {
    let origins = Table::read(origins)?;
    let (credential, action) = (origins.text("credential"), origins.text("action"));
    let (newest, n) = (origins.text("newest"), origins.int("n"));
    let mut rows: Vec<(&str, &str, bool, i64, String)> = Vec::new();
    for (i, ((credential, action), newest)) in
        credential.cells().into_iter().zip(action.cells()).zip(newest.cells()).enumerate()
    {
        rows.push((credential, action, false, n[i].unwrap_or_default(), newest.to_owned()));
    }
    let (credential, action) = (loose.table.text("credential"), loose.table.text("action"));
    let (id, correlation) = (loose.table.text("event_id"), loose.table.text("correlation_id"));
    let time = loose.table.int("time");
    let cells = credential
        .cells()
        .into_iter()
        .zip(action.cells())
        .zip(id.cells().into_iter().zip(correlation.cells()));
    for (i, ((credential, action), (id, correlation))) in cells.enumerate() {
        if !held.contains(correlation) {
            rows.push((credential, action, true, 1, stamp(time[i].unwrap_or_default(), id)));
        }
    }
    rows.sort_unstable();
    let r = || rows.iter();
    Frame::new(rows.len())
        .text("org", r().map(|_| org))
        .text("credential", r().map(|r| r.0))
        .text("action", r().map(|r| r.1))
        .flag("orphan", r().map(|r| Some(r.2)))
        .int("n", r().map(|r| Some(r.3)))
        .text("newest", r().map(|r| r.4.as_str()))
        .write(path)?;
    Ok(())
}
