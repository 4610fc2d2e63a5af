//! What a run sees of a lake: its days up to an instant, with every derived table current.
//!
//! In: a lake, organisations, an instant. Out: paths of day files and month folds. What is missing or stale is made
//! here: in the lake by an import, in a throw-away folder by a run that looks at an earlier instant.

use super::derive::{self, changes, orphans, uses};
use super::import::write_cut;
use super::{Lake, LakeError, day};
use crate::model::hash::{hex, sha256};
use crate::model::time::{Day, Micros, day_text, parse_day};
use hashbrown::{HashMap, HashSet};
use rayon::prelude::*;
use sha2::{Digest as _, Sha256};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The days of a lake as they stood at an instant.
#[derive(Debug)]
pub struct View {
    lake: Lake,
    /// Where missing tables are made; the lake itself in an import.
    made: Lake,
    days: Vec<ViewDay>,
    months: Vec<Month>,
}

#[derive(Debug)]
struct ViewDay {
    org: String,
    day: Day,
    content: String,
    /// Names the day and its neighbours, on which `orphans` depends.
    around: String,
    events: PathBuf,
}

/// Days of one organisation and month that are folded together, as a range of the view's days.
#[derive(Debug)]
struct Month {
    org: String,
    /// `2026-10`.
    name: String,
    days: std::ops::Range<usize>,
}

/// The first sixteen digits name a file well enough: a clash needs two contents of one day.
pub(super) fn short(content: &str) -> &str {
    content.get(..16).unwrap_or(content)
}

fn digest<'a>(parts: impl Iterator<Item = &'a str>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hex(&hash.finalize())
}

impl View {
    /// Sees the whole of `lake` and makes what is missing there; an import ends with this.
    ///
    /// # Errors
    /// When a file cannot be read or written.
    pub fn refresh(lake: &Lake) -> Result<Self, LakeError> {
        for table in derive::RETIRED {
            // What stays behind is only in the way: nothing names it any more.
            for org in lake.orgs() {
                let _ = std::fs::remove_dir_all(lake.org_folder(table, &org));
            }
            let _ = std::fs::remove_dir(lake.root().join(table));
        }
        let view = Self::open(lake, &lake.orgs(), Micros::MAX, lake.root())?;
        // Not before all are made: one fold grows out of another that then goes.
        view.months.iter().for_each(|month| view.tidy(month));
        Ok(view)
    }

    /// Sees `orgs` up to `as_of`; what is missing is made below `scratch`.
    ///
    /// # Errors
    /// When a file cannot be read or written.
    pub fn open(lake: &Lake, orgs: &[String], as_of: Micros, scratch: &Path) -> Result<Self, LakeError> {
        let found = Lake::beside(&lake.root, Arc::clone(&lake.kept));
        Self::with(lake, found, orgs, as_of, scratch)
    }

    /// Makes every table below `scratch`, whether the lake has it or not.
    pub(super) fn anew(lake: &Lake, scratch: &Path) -> Result<Self, LakeError> {
        Self::with(lake, Lake::beside(scratch, Arc::default()), &lake.orgs(), Micros::MAX, scratch)
    }

    /// Sees days of `lake`; tables that `found` lacks are made below `scratch`.
    fn with(
        lake: &Lake,
        found: Lake,
        orgs: &[String],
        as_of: Micros,
        scratch: &Path,
    ) -> Result<Self, LakeError> {
        let made = Lake::beside(scratch, Arc::default());
        let mut days = Vec::new();
        for entry in lake.index.days.iter().filter(|d| orgs.contains(&d.org) && d.first_time <= as_of) {
            let (mut content, mut events) =
                (entry.content.clone(), lake.day_file("events", &entry.org, entry.day));
            // Later events do not exist to the run, so the day that the instant cuts through is made anew.
            if entry.last_time > as_of {
                content = write_cut(lake, &made, &entry.org, entry.day, as_of)?;
                events = made.day_file("events", &entry.org, entry.day);
            }
            let (org, around) = (entry.org.clone(), String::new());
            days.push(ViewDay { org, day: entry.day, content, around, events });
        }
        days.sort_by(|a, b| (&a.org, a.day).cmp(&(&b.org, b.day)));
        for at in 0..days.len() {
            let beside = |step: i32| {
                let other = if step < 0 { at.checked_sub(1) } else { Some(at + 1) };
                other
                    .and_then(|i| days.get(i))
                    .filter(|d| d.org == days[at].org && d.day == days[at].day + step)
                    .map_or("", |d| d.content.as_str())
            };
            let around = digest([beside(-1), days[at].content.as_str(), beside(1)].into_iter());
            days[at].around = around;
        }
        let mut months: Vec<Month> = Vec::new();
        for (at, day) in days.iter().enumerate() {
            let name = day_text(day.day)[..7].to_owned();
            match months.last_mut() {
                Some(month) if month.org == day.org && month.name == name => month.days.end = at + 1,
                _ => months.push(Month { org: day.org.clone(), name, days: at..at + 1 }),
            }
        }
        let months = with_newest_apart(months);
        let view = Self { lake: found, made, days, months };
        view.make()?;
        Ok(view)
    }

    /// Makes what is missing: of days first, then what is folded of them.
    fn make(&self) -> Result<(), LakeError> {
        let tables = derive::FOLDED.iter().copied().chain([derive::SETTLED]);
        let folds: Vec<(&str, &Month)> =
            tables.flat_map(|table| self.months.iter().map(move |month| (table, month))).collect();
        let days = || self.months.par_iter().try_for_each(|month| self.make_days(month));
        let make = || {
            days()?;
            folds.par_iter().with_max_len(1).try_for_each(|(table, month)| self.fold(table, month))
        };
        // A few at a time: each holds the columns of some days.
        let threads = std::thread::available_parallelism().map_or(2, usize::from).min(4);
        match rayon::ThreadPoolBuilder::new().num_threads(threads).build() {
            Ok(pool) => pool.install(make),
            Err(_) => make(),
        }
    }

    /// Where a table of a day lies; nothing when it has to be made.
    fn find_day(&self, table: &str, day: &ViewDay) -> Option<PathBuf> {
        let content = if table == derive::SETTLED { &day.around } else { &day.content };
        [&self.lake, &self.made]
            .map(|l| l.derived_file(table, &day.org, day.day, content))
            .into_iter()
            .find(|path| path.exists())
    }

    fn find_month(&self, table: &str, month: &Month) -> Option<PathBuf> {
        [&self.lake, &self.made].map(|l| self.month_file(l, table, month)).into_iter().find(|p| p.exists())
    }

    fn month_file(&self, lake: &Lake, table: &str, month: &Month) -> PathBuf {
        self.fold_file(lake, table, month, month.days.len())
    }

    /// Where a fold of the first days of a month lies.
    fn fold_file(&self, lake: &Lake, table: &str, month: &Month, days: usize) -> PathBuf {
        let days = self.days[month.days.clone()].iter().take(days);
        let key = digest(days.map(|d| d.content.as_str()));
        let file = format!("{table}.{}.{}.parquet", derive::VERSION, short(&key));
        lake.org_folder(table, &month.org).join(format!("month={}", month.name)).join(file)
    }

    /// Removes folds of a month that stand for days of older content.
    fn tidy(&self, month: &Month) {
        let same = |other: &&Month| other.org == month.org && other.name == month.name;
        for table in derive::FOLDED {
            let kept: Vec<PathBuf> =
                self.months.iter().filter(same).map(|own| self.month_file(&self.made, table, own)).collect();
            if let Some(folder) = kept.first().and_then(|path| path.parent()) {
                derive::keep_only_in(folder, &kept);
            }
        }
    }

    /// Makes the tables that days of a month lack.
    fn make_days(&self, month: &Month) -> Result<(), LakeError> {
        for day in &self.days[month.days.clone()] {
            if derive::DAILY.iter().any(|table| self.find_day(table, day).is_none()) {
                let batch = day::read(&day.events)?;
                let merged = day::merge_one(&batch);
                let sorted = day::Sorted::of(&merged).with_projects(self.lake.projects(&day.org));
                derive::write_all(&self.made, &day.org, day.day, &day.content, &sorted, &sorted.rows())?;
                // A killed import may have left a newer day: the tables named after that tell that it is whole.
                if std::fs::read(&day.events).is_ok_and(|bytes| sha256(&bytes) == day.content) {
                    derive::keep_of(&self.made, &day.org, day.day, &day.content);
                }
            }
        }
        Ok(())
    }

    /// Makes what follows from more than a day of a month, where it is missing.
    fn fold(&self, table: &str, month: &Month) -> Result<(), LakeError> {
        if table == derive::SETTLED {
            return self.settle(month);
        }
        if self.find_month(table, month).is_some() {
            return Ok(());
        }
        let path = self.month_file(&self.made, table, month);
        match table {
            "seen" => self.see(month, &path),
            "uses" => {
                let first = parse_day(&format!("{}-01", month.name)).unwrap_or_default();
                let (earlier, days) = self.rest(month, table, "actors");
                uses::write(&path, &month.org, first, earlier.as_deref(), &days)
            }
            _ => {
                let (earlier, days) = self.rest(month, table, "notable");
                let files: Vec<PathBuf> = days.into_iter().map(|(_, path)| path).collect();
                changes::write(&path, earlier.as_deref(), &files)
            }
        }
    }

    /// The longest fold of a month's first days that there is, and how many days it holds.
    fn earlier(&self, month: &Month, table: &str) -> Option<(usize, PathBuf)> {
        (1..month.days.len()).rev().find_map(|n| {
            let found = [&self.lake, &self.made].map(|lake| self.fold_file(lake, table, month, n));
            found.into_iter().find(|path| path.exists()).map(|path| (n, path))
        })
    }

    /// An earlier fold of a month, and the tables of the days that it lacks: a log mostly grows at its end.
    fn rest(&self, month: &Month, table: &str, daily: &str) -> (Option<PathBuf>, Vec<(Day, PathBuf)>) {
        let (done, earlier) = self.earlier(month, table).map_or((0, None), |(n, path)| (n, Some(path)));
        let days = self.days[month.days.clone()].iter().skip(done);
        (earlier, days.filter_map(|d| Some((d.day, self.find_day(daily, d)?))).collect())
    }

    /// Makes `seen` of a month from what is folded already, and the days that are not.
    fn see(&self, month: &Month, path: &Path) -> Result<(), LakeError> {
        let days = &self.days[month.days.clone()];
        let contents: Vec<(Day, &str)> = days.iter().map(|d| (d.day, d.content.as_str())).collect();
        let (mut fold, done) = self.lake.kept.take(&month.org, &month.name, &contents).unwrap_or_default();
        let mut done: HashSet<Day> = done.into_iter().collect();
        let earlier = self.earlier(month, "seen");
        if let Some((n, path)) = earlier.filter(|(n, _)| days[..*n].iter().all(|d| !done.contains(&d.day))) {
            fold.add_fold(&path)?;
            done.extend(days[..n].iter().map(|d| d.day));
        }
        for day in days.iter().filter(|d| !done.contains(&d.day)) {
            if let Some(activity) = self.find_day("activity", day) {
                fold.add_day(day.day, &activity)?;
            }
        }
        fold.write(path, &month.org)
    }

    /// Makes `orphans` of the days that lack it: loose events are looked up among the events of the days beside.
    fn settle(&self, month: &Month) -> Result<(), LakeError> {
        let open: Vec<usize> = month
            .days
            .clone()
            .filter(|at| self.find_day(derive::SETTLED, &self.days[*at]).is_none())
            .collect();
        let mut loose: HashMap<usize, orphans::Loose> = HashMap::new();
        for at in &open {
            if let Some(path) = self.find_day("loose", &self.days[*at]) {
                loose.insert(*at, orphans::Loose::read(&path)?);
            }
        }
        let mut held: HashMap<usize, HashSet<String>> = HashMap::new();
        let from = open.first().map_or(0, |at| at.saturating_sub(1));
        let to = open.last().map_or(0, |at| (at + 2).min(self.days.len()));
        for beside in from..to {
            let day = &self.days[beside];
            let near = |at: &usize| {
                let other = &self.days[*at];
                other.org == day.org && (other.day - day.day).abs() == 1
            };
            let asking: Vec<usize> = [beside.wrapping_sub(1), beside + 1]
                .into_iter()
                .filter(|at| loose.get(at).is_some_and(orphans::Loose::is_looking) && near(at))
                .collect();
            if asking.is_empty() {
                continue;
            }
            let table = orphans::event_ids(&day.events)?;
            let ids = table.cells("event_id");
            for at in asking {
                held.entry(at).or_default().extend(loose[&at].found(&ids));
            }
        }
        for at in open {
            let day = &self.days[at];
            let Some(loose) = loose.get(&at) else { continue };
            let path = self.made.derived_file(derive::SETTLED, &day.org, day.day, &day.around);
            orphans::write(&path, &day.org, loose, held.get(&at).unwrap_or(&HashSet::new()))?;
            derive::keep_only(&path);
        }
        Ok(())
    }

    /// Files of a table a day, from `first` on; `events` are the events themselves.
    #[must_use]
    pub fn days(&self, table: &str, first: Day) -> Vec<PathBuf> {
        self.days
            .iter()
            .filter(|d| d.day >= first)
            .filter_map(|d| if table == "events" { Some(d.events.clone()) } else { self.find_day(table, d) })
            .collect()
    }

    /// Folds of every month.
    #[must_use]
    pub fn months(&self, table: &str) -> Vec<PathBuf> {
        self.months.iter().filter_map(|m| self.find_month(table, m)).collect()
    }

    /// Folds of months, and of the month that `first` falls into the days: what lies before `first` can then be
    /// told from what does not. `daily` names the table a day that the fold was made from.
    #[must_use]
    pub fn months_and_days(&self, table: &str, daily: &str, first: Day) -> Vec<PathBuf> {
        let cut = &day_text(first)[..7];
        let mut files = Vec::new();
        for month in &self.months {
            if month.name == cut {
                let days = self.days[month.days.clone()].iter();
                files.extend(days.filter_map(|d| self.find_day(daily, d)));
            } else {
                files.extend(self.find_month(table, month));
            }
        }
        files
    }
}

/// Splits the newest day off each organisation's newest month.
fn with_newest_apart(months: Vec<Month>) -> Vec<Month> {
    let mut all: Vec<Month> = Vec::with_capacity(months.len() + 1);
    let mut months = months.into_iter().peekable();
    while let Some(mut month) = months.next() {
        let is_newest = months.peek().is_none_or(|next| next.org != month.org);
        if is_newest && month.days.len() > 1 {
            let days = month.days.end - 1..month.days.end;
            month.days.end -= 1;
            let newest = Month { org: month.org.clone(), name: month.name.clone(), days };
            all.extend([month, newest]);
        } else {
            all.push(month);
        }
    }
    all
}

/// The day that a file of the lake holds, read off its folder.
#[must_use]
pub fn day_of_file(path: &Path) -> Option<Day> {
    let folder = path.parent()?.file_name()?.to_str()?;
    parse_day(folder.strip_prefix("date=")?)
}

/// The days that a row of `uses` tells of: those of the bits, or the one day of a row a day.
#[must_use]
pub fn days_of_use(date: Day, bits: Option<i64>) -> Vec<Day> {
    match bits {
        Some(bits) => (0..32).filter(|b| bits >> b & 1 == 1).map(|b| date + b).collect(),
        None => vec![date],
    }
}

#[cfg(test)]
mod tests;
