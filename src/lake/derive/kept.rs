//! Folds of months that grow while an import writes their days, so that no day is read back for them.
//!
//! In: days as they are written, in any order. Out: the fold of a month, as long as the days that it was made of are
//! still those of the lake; of the newest day apart, since that is folded by itself.

use super::activity::Fold;
use super::seen::Seen;
use crate::model::time::{Day, day_text};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// So many months are kept: each may take some ten megabytes, and a log goes through them one by one.
const MONTHS: usize = 3;

/// What an import has folded so far.
#[derive(Debug, Default)]
pub struct Kept(Mutex<Folds>);

#[derive(Debug, Default)]
struct Folds {
    months: Vec<Month>,
    /// The newest day of each organisation, once it is known.
    newest: BTreeMap<String, Newest>,
}

/// The newest day of an organisation.
#[derive(Debug)]
struct Newest {
    day: Day,
    /// The content that it was made from, and its fold.
    fold: Option<(String, Seen)>,
}

#[derive(Debug)]
struct Month {
    org: String,
    name: String,
    /// The days in it, each with the content it was made from; nothing once one of them came twice.
    days: Option<BTreeMap<Day, String>>,
    seen: Seen,
}

impl Kept {
    /// Learns which day of an organisation is its newest, before that is written.
    pub fn expect_newest(&self, org: &str, day: Day) {
        self.folds().newest.insert(org.to_owned(), Newest { day, fold: None });
    }

    fn folds(&self) -> MutexGuard<'_, Folds> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a day, `content` being the id of its day file.
    pub(super) fn add(&self, org: &str, day: Day, content: &str, rows: &[Fold<'_>]) {
        let Folds { months, newest } = &mut *self.folds();
        if let Some(newest) = newest.get_mut(org).filter(|newest| newest.day == day) {
            let mut seen = Seen::default();
            seen.add_rows(day, rows);
            newest.fold = Some((content.to_owned(), seen));
            return;
        }
        let name = day_text(day)[..7].to_owned();
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

    /// Takes the fold of days of a month, with the days that it holds, if all of them are among `days`.
    pub fn take(&self, org: &str, name: &str, days: &[(Day, &str)]) -> Option<(Seen, Vec<Day>)> {
        let Folds { months, newest } = &mut *self.folds();
        if let [(day, content)] = days {
            let own = newest.get_mut(org).filter(|newest| newest.day == *day);
            if let Some((made_from, seen)) = own.and_then(|newest| newest.fold.take()) {
                return (made_from == *content).then(|| (seen, vec![*day]));
            }
        }
        let at = months.iter().position(|month| month.org == org && month.name == name)?;
        let is_among = |held: &BTreeMap<Day, String>| {
            held.iter().all(|(day, content)| days.contains(&(*day, content.as_str())))
        };
        if !months[at].days.as_ref().is_some_and(is_among) {
            return None;
        }
        let month = months.remove(at);
        Some((month.seen, month.days?.into_keys().collect()))
    }
}
