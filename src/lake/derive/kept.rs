//! Folds of months that grow while an import writes their days, so that no day is read back for them.
//!
//! In: days as they are written, in any order. Out: the fold of a month, as long as the days that it was made of are
//! still those of the lake.

use super::activity::Fold;
use super::seen::Seen;
use crate::model::time::{Day, day_text};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// So many months are kept: each may take some ten megabytes, and a log goes through them one by one.
const MONTHS: usize = 3;

/// What an import has folded so far.
#[derive(Debug, Default)]
pub struct Kept(Mutex<Vec<Month>>);

#[derive(Debug)]
struct Month {
    org: String,
    name: String,
    /// The days in it, each with the content it was made from; nothing once one of them came twice.
    days: Option<BTreeMap<Day, String>>,
    seen: Seen,
}

impl Kept {
    /// Adds a day, `content` being the id of its day file.
    pub(super) fn add(&self, org: &str, day: Day, content: &str, rows: &[Fold<'_>]) {
        let name = day_text(day)[..7].to_owned();
        let mut months = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = months.iter().position(|month| month.org == org && month.name == name);
        let mut month = match found {
            Some(at) => months.remove(at),
            None => Month { org: org.to_owned(), name, days: Some(BTreeMap::new()), seen: Seen::default() },
        };
        let twice = month.days.as_mut().is_none_or(|days| days.insert(day, content.to_owned()).is_some());
        if twice {
            // What was added cannot be taken out again: the month is read from its days.
            (month.days, month.seen) = (None, Seen::default());
        } else {
            month.seen.add_rows(day, rows);
        }
        // The last is the newest.
        months.push(month);
        if months.len() > MONTHS {
            months.remove(0);
        }
    }

    /// Takes the fold of a month, with the days that it holds, if all of them are among `days`.
    pub fn take(&self, org: &str, name: &str, days: &[(Day, &str)]) -> Option<(Seen, Vec<Day>)> {
        let mut months = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = months.iter().position(|month| month.org == org && month.name == name)?;
        let month = months.remove(at);
        let held = month.days?;
        let current = held.iter().all(|(day, content)| days.contains(&(*day, content.as_str())));
        current.then(|| (month.seen, held.into_keys().collect()))
    }
}
