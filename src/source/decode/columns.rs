//! The columns of a table: names in, keys out, once for all its rows.

use super::fields::{Form, Key, key_of, key_of_spelling};
use super::spelling::{prefix_of, without_prefix};
use crate::model::secret;
use serde_json::Value;
use std::sync::Arc;

/// Columns of a CSV file or of a query's answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::source) struct Columns(Vec<(String, Option<Key>)>);

impl Columns {
    /// Reads the names of columns. Log Analytics adds the zone: `TimeGenerated [UTC]`.
    pub(in crate::source) fn of_names<'n>(names: impl Iterator<Item = &'n str>) -> Self {
        let bare = |name: &'n str| {
            let name = name.trim().trim_start_matches('\u{feff}').trim_matches('"');
            name.split(" [").next().unwrap_or(name).trim()
        };
        let names: Vec<&str> = names.map(bare).collect();
        let is_action = |name: &str| matches!(any_key(name), Some(Key::ActionId | Key::OperationName));
        if !names.iter().any(|name| is_action(name))
            && let Some(prefix) = prefix_of(names.iter().copied(), is_action)
        {
            return Self::keyed(
                names.iter().map(|name| (*name, without_prefix(name, prefix).unwrap_or_default())),
            );
        }
        Self::keyed(names.iter().map(|name| (*name, *name)))
    }

    /// Columns by their names, each with the text that its key is known by.
    fn keyed<'n>(names: impl Iterator<Item = (&'n str, &'n str)>) -> Self {
        let mut columns: Vec<(String, Option<Key>)> = Vec::new();
        let mut other_spellings = Vec::new();
        for (name, key) in names {
            let exact = key_of(key);
            if exact.is_none()
                && let Some(key) = key_of_spelling(key)
            {
                other_spellings.push((columns.len(), key));
            }
            columns.push((name.to_owned(), exact));
        }
        // The key itself counts before another spelling of it.
        for (at, key) in other_spellings {
            if columns.iter().all(|(_, known)| *known != Some(key)) {
                columns[at].1 = Some(key);
            }
        }
        Self(columns)
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

    /// Columns that are one and the same by their names: their places, from 0. Of columns without a key only those of a list
    /// count, since nothing reads the others.
    pub(in crate::source) fn twins(&self) -> Vec<(usize, usize)> {
        let list = self.0.iter().all(|(_, key)| !matches!(key, Some(Key::ActionId | Key::OperationName)));
        let mut twins = Vec::new();
        for (at, (name, key)) in self.0.iter().enumerate() {
            let same = |(other, known): &(String, Option<Key>)| match key.filter(|k| k.form() != Form::Mark) {
                Some(_) => known == key,
                None => list && !name.is_empty() && other.eq_ignore_ascii_case(name),
            };
            if let Some(first) = self.0[..at].iter().position(same) {
                twins.push((first, at));
            }
        }
        twins
    }

    /// Says that two columns are one and the same and yet differ.
    pub(super) fn ambiguous(&self, (first, second): (usize, usize), line: u64) -> String {
        let name = |at: usize| self.0.get(at).map_or("", |(name, _)| name.as_str());
        let (one, other) = (secret::start(name(first), 60), secret::start(name(second), 60));
        format!(
            "its header has two columns for one thing, \"{one}\" (column {}) and \"{other}\" (column {}), and their cells \
             differ in line {line}. Remove or rename one of the two columns and import the file again",
            first + 1,
            second + 1
        )
    }

    /// The names, to show to a user.
    pub(in crate::source) fn names(&self) -> String {
        let names: Vec<&str> = self.0.iter().map(|(name, _)| name.as_str()).take(12).collect();
        secret::start(&names.join(", "), 200)
    }
}

fn any_key(name: &str) -> Option<Key> {
    key_of(name).or_else(|| key_of_spelling(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(names: &str) -> Vec<Option<Key>> {
        Columns::of_names(names.split(',')).iter().map(|(_, key)| key).collect()
    }

    #[test]
    fn columns_that_occur_twice_are_found() {
        let twins = |names: &str| Columns::of_names(names.split(',')).twins();
        assert_eq!(twins("Id,Timestamp,ActionId,id,x,x,,"), [(0, 3)]);
        assert_eq!(twins("authorizationId,scope,Note,NOTE,,"), [(2, 3)]);
        assert_eq!(twins("Id,Timestamp,ActionId,id_s,count,Count"), []);
    }

    #[test]
    fn columns_are_known_in_every_spelling() {
        assert_eq!(keys("Id,id_s,x"), [Some(Key::Id), None, None]);
        assert_eq!(
            keys("id_s,actor_upn,time stamp"),
            [Some(Key::Id), Some(Key::ActorUpn), Some(Key::Timestamp)]
        );
        assert_eq!(keys("Id,ado_id,ado_actionId_s"), [None, Some(Key::Id), Some(Key::ActionId)]);
    }
}
