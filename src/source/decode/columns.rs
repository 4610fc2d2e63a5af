//! The columns of a table: names in, keys out, once for all its rows.

use super::fields::{Key, key_of};
use crate::model::secret;
use serde_json::Value;
use std::sync::Arc;

/// Columns of a CSV file or of a query's answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::source) struct Columns(Vec<(String, Option<Key>)>);

impl Columns {
    /// Reads the names of columns. Log Analytics adds the zone: `TimeGenerated [UTC]`.
    pub(in crate::source) fn of_names<'n>(names: impl Iterator<Item = &'n str>) -> Self {
        Self(
            names
                .map(|name| {
                    let name = name.trim().trim_start_matches('\u{feff}').trim_matches('"');
                    let bare = name.split(" [").next().unwrap_or(name).trim();
                    (bare.to_owned(), key_of(bare))
                })
                .collect(),
        )
    }

    /// Reads the columns of a query's answer: objects with a name, or names.
    pub(in crate::source) fn of_json(columns: &Value) -> Option<Arc<Self>> {
        let columns = columns.as_array()?;
        let name = |column: &Value| {
            let name =
                column.as_str().or_else(|| column.get("name").or_else(|| column.get("ColumnName"))?.as_str());
            name.unwrap_or_default().to_owned()
        };
        let names: Vec<String> = columns.iter().map(name).collect();
        Some(Arc::new(Self::of_names(names.iter().map(String::as_str))))
    }

    /// Name and key of each column.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, Option<Key>)> {
        self.0.iter().map(|(name, key)| (name.as_str(), *key))
    }

    /// Counts columns.
    pub(in crate::source) fn len(&self) -> usize {
        self.0.len()
    }

    /// The names, to show to a user.
    pub(in crate::source) fn names(&self) -> String {
        let names: Vec<&str> = self.0.iter().map(|(name, _)| name.as_str()).take(12).collect();
        secret::start(&names.join(", "), 200)
    }
}
