//! `connection_runs`: which pipeline ran with which service connection, per day.
//!
//! Runs are among the most frequent events of all, and what matters of them is one row a pair and day.

use crate::lake::LakeError;
use crate::lake::day::DayRow;
use crate::lake::frame::Frame;
use crate::model::time::{Micros, day_of};
use hashbrown::HashMap;
use memchr::memmem::Finder;
use std::path::Path;
use std::sync::LazyLock;

/// The action that records a run.
const RUN: &str = "Library.ServiceConnectionExecuted";

/// What of a pair is kept: how often, from when to when, and the greatest of its event ids.
struct Runs<'a> {
    n: i64,
    first: Micros,
    last: Micros,
    event: &'a str,
}

/// Writes the table.
///
/// # Errors
/// When the file cannot be written.
pub fn write(path: &Path, org: &str, rows: &[DayRow<'_>]) -> Result<(), LakeError> {
    let mut folds: HashMap<(&str, &str, &str), Runs<'_>> = HashMap::new();
    for row in rows.iter().filter(|r| r.action() == RUN) {
        let (connection, definition) = (connection(row.data()), definition(row.data()));
        if connection.is_empty() || definition.is_empty() {
            continue;
        }
        let (time, event) = (row.time(), row.event_id());
        let fold = folds.entry((row.project(), definition, connection)).or_insert(Runs {
            n: 0,
            first: time,
            last: time,
            event,
        });
        fold.n += 1;
        fold.first = fold.first.min(time);
        fold.last = fold.last.max(time);
        fold.event = fold.event.max(event);
    }
    let mut folds: Vec<_> = folds.into_iter().collect();
    folds.sort_unstable_by_key(|(key, _)| *key);
    let day = rows.first().map(|r| day_of(r.time()));
    let f = || folds.iter();
    Frame::new(folds.len())
        .same_text("org", org)
        .date("date", f().map(|_| day))
        .text("project", f().map(|(k, _)| k.0))
        .text("definition_id", f().map(|(k, _)| k.1))
        .text("connection_id", f().map(|(k, _)| k.2))
        .int("n", f().map(|(_, r)| Some(r.n)))
        .time("first_time", f().map(|(_, r)| Some(r.first)))
        .time("last_time", f().map(|(_, r)| Some(r.last)))
        .text("event_id", f().map(|(_, r)| r.event))
        .write(path)?;
    Ok(())
}

/// Finds what stands behind a key: this runs over every run there is.
struct After(LazyLock<Finder<'static>>, usize);

impl After {
    fn of<'d>(&self, data: &'d str) -> &'d str {
        self.0.find(data.as_bytes()).and_then(|at| data.get(at + self.1..)).unwrap_or_default()
    }
}

macro_rules! after {
    ($key:literal) => {
        After(LazyLock::new(|| Finder::new($key)), $key.len())
    };
}

static CONNECTION: After = after!("\"ConnectionId\":\"");
static DEFINITION: After = after!("\"DefinitionId\":");

/// The id of the connection, found as text.
fn connection(data: &str) -> &str {
    CONNECTION.of(data).split('"').next().unwrap_or_default()
}

/// The id of the pipeline's definition, which is a number in some shapes and text in others.
fn definition(data: &str) -> &str {
    DEFINITION.of(data).split([',', '}']).next().unwrap_or_default().trim().trim_matches('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_whatever_their_type() {
        let data = r#"{"ConnectionId":"c-1","ConnectionName":"x","DefinitionId":"17","RunId":"3"}"#;
        assert_eq!((connection(data), definition(data)), ("c-1", "17"));
        assert_eq!(definition(r#"{"DefinitionId":17}"#), "17");
        assert_eq!((connection("{}"), definition("{}")), ("", ""));
    }
}
