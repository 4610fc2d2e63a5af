//! Views: derived tables that several detections share, each one SQL file of `queries/views`.
//!
//! In: nothing. Out: name, columns and SQL; the engine runs a view once, when a query first names it.

use super::schema::Kind;

/// A derived table.
#[derive(Debug)]
pub struct View {
    /// Name.
    pub name: &'static str,
    /// One line of meaning.
    pub meaning: &'static str,
    /// Columns in order: name, type, meaning.
    pub columns: &'static [(&'static str, Kind, &'static str)],
    /// The query.
    pub sql: &'static str,
}

/// Looks a view up.
#[must_use]
pub fn view(name: &str) -> Option<&'static View> {
    VIEWS.iter().find(|v| v.name == name)
}

/// Every view. One may use those above it.
pub const VIEWS: &[View] = &[];
