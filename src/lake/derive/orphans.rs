//! `orphans`: PAT events of a day whose origin the lake does not hold, once the day's neighbours are known.
//!
//! In: `loose` of a day, and the event ids of the days beside it. Out: one row an orphan. A cascade is the work of one
//! request, so the origin of a loose event is looked for on its own and the neighbouring days, and nowhere else.

use crate::lake::LakeError;
use crate::lake::frame::Frame;
use crate::lake::table::Table;
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
        Ok(Self { table: Table::read_all(path, &["event_id", "correlation_id"])? })
    }

    /// Finds which of the correlation ids that are looked for are ids of events.
    #[must_use]
    pub fn found(&self, ids: &[&str]) -> HashSet<String> {
        let column = self.table.cells("correlation_id");
        let wanted: HashSet<&str> = column.into_iter().filter(|id| !id.is_empty()).collect();
        if wanted.is_empty() {
            return HashSet::new();
        }
        ids.iter().filter(|id| wanted.contains(**id)).map(|id| (*id).to_owned()).collect()
    }

    /// Tells whether an origin is looked for at all.
    #[must_use]
    pub fn is_looking(&self) -> bool {
        self.table.cells("correlation_id").iter().any(|id| !id.is_empty())
    }
}

/// The ids of all events of a day.
///
/// # Errors
/// When the file cannot be read.
pub fn event_ids(events: &Path) -> Result<Table, LakeError> {
    Table::read_all(events, &["event_id"])
}

/// Writes the table of a day, of whose correlation ids `held` are ids of events of the days beside it.
///
/// # Errors
/// When the file cannot be written.
pub fn write(path: &Path, org: &str, loose: &Loose, held: &HashSet<String>) -> Result<(), LakeError> {
    let cells = loose.table.cells("event_id").into_iter().zip(loose.table.cells("correlation_id"));
    let orphans: Vec<&str> =
        cells.filter(|(_, correlation)| !held.contains(*correlation)).map(|(id, _)| id).collect();
    Frame::new(orphans.len())
        .same_text("org", org)
        .unique_text("event_id", orphans.iter().copied())
        .write(path)?;
    Ok(())
}
