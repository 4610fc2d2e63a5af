//! `token_day`: one row a PAT credential and day, with how much it did and its busiest ten minutes.
//!
//! The busiest minutes hold origins and orphans alone: one call that cascades through forty repositories is one act, no
//! burst and no sweep. An event counts as cascaded when its origin lies on the same day; one whose
//! origin lies before midnight is taken for an orphan here.

use super::notable;
use crate::lake::LakeError;
use crate::lake::day::DayRow;
use crate::lake::frame::Frame;
use crate::model::mechanism::MechanismKind;
use crate::model::time::{HOUR, SECOND, day_of};
use hashbrown::{HashMap, HashSet};
use std::borrow::Cow;
use std::path::Path;

/// The sliding span of the peaks.
const PEAK: i64 = 600 * SECOND;

#[derive(Default)]
struct TokenDay<'a> {
    credential: &'a str,
    class: &'a str,
    day: i32,
    n: i64,
    origins: i64,
    hour_bits: i64,
    distinct: [i64; 6],
    peak: i64,
    peak_projects: i64,
    peak_targets: i64,
    peak_time: i64,
    first_time: i64,
    last_time: i64,
}

/// Writes the table; `cascades` are correlation ids whose origin the day holds.
///
/// # Errors
/// When the file cannot be written.
pub fn write(path: &Path, org: &str, rows: &[DayRow<'_>], cascades: &HashSet<&str>) -> Result<(), LakeError> {
    let mut folder = Folder { cascades, targets: Numbers::default(), scratch: Scratch::default() };
    let days: Vec<TokenDay<'_>> = rows
        .chunk_by(|a, b| a.codes().credential == b.codes().credential)
        .filter(|rows| !rows[0].credential().is_empty())
        .filter_map(|rows| folder.fold(rows))
        .collect();
    let d = || days.iter();
    let mut frame = Frame::new(days.len())
        .same_text("org", org)
        .unique_text("credential", d().map(|d| d.credential))
        .text("class", d().map(|d| d.class))
        .date("date", d().map(|d| Some(d.day)))
        .int("n", d().map(|d| Some(d.n)))
        .int("origins", d().map(|d| Some(d.origins)))
        .int("hour_bits", d().map(|d| Some(d.hour_bits)));
    for (i, name) in ["actions", "projects", "networks", "clients", "addresses", "targets"].iter().enumerate()
    {
        frame = frame.int(name, d().map(|d| Some(d.distinct[i])));
    }
    frame
        .int("peak_10m", d().map(|d| Some(d.peak)))
        .int("peak_projects_10m", d().map(|d| Some(d.peak_projects)))
        .int("peak_targets_10m", d().map(|d| Some(d.peak_targets)))
        .time("peak_time", d().map(|d| Some(d.peak_time)))
        .time("first_time", d().map(|d| Some(d.first_time)))
        .time("last_time", d().map(|d| Some(d.last_time)))
        .write(path)?;
    Ok(())
}

/// Texts as numbers from 1 on, 0 for none.
#[derive(Default)]
struct Numbers<'a>(HashMap<Cow<'a, str>, u32>);

impl<'a> Numbers<'a> {
    fn number(&mut self, text: Cow<'a, str>) -> u32 {
        if text.is_empty() {
            return 0;
        }
        let next = u32::try_from(self.0.len()).unwrap_or(u32::MAX).saturating_add(1);
        *self.0.entry(text).or_insert(next)
    }
}

/// Room that one credential after the other uses.
#[derive(Default)]
struct Scratch {
    codes: Vec<u32>,
    /// Of the credential's rows.
    targets: Vec<u32>,
    projects: Vec<u32>,
    busy: Vec<usize>,
    projects_within: Tally,
    targets_within: Tally,
}

struct Folder<'c, 'a> {
    cascades: &'c HashSet<&'c str>,
    targets: Numbers<'a>,
    scratch: Scratch,
}

impl<'a> Folder<'_, 'a> {
    /// Folds the rows of one credential; nothing where none is a PAT's.
    fn fold(&mut self, rows: &[DayRow<'a>]) -> Option<TokenDay<'a>> {
        let pat = |row: &DayRow<'a>| row.kind() == MechanismKind::Pat;
        let own: Vec<DayRow<'a>>;
        // Nearly always all rows of a credential are.
        let rows = if rows.iter().all(pat) {
            rows
        } else {
            own = rows.iter().copied().filter(pat).collect();
            &own
        };
        let (first, last) = (rows.first()?, rows.last()?);
        let Scratch { codes, targets, projects, busy, projects_within, targets_within } = &mut self.scratch;
        targets.clear();
        targets.extend(rows.iter().map(|r| self.targets.number(notable::target(r.data()))));
        projects.clear();
        let project =
            |r: &DayRow<'_>| if r.project().is_empty() { 0 } else { r.codes().project.saturating_add(1) };
        projects.extend(rows.iter().map(project));
        let mut distinct = |get: &dyn Fn(&DayRow<'a>) -> (u32, &'a str)| {
            codes.clear();
            let mut before = u32::MAX;
            for (code, text) in rows.iter().map(get) {
                if code != before && !text.is_empty() {
                    codes.push(code);
                }
                before = code;
            }
            codes.sort_unstable();
            codes.dedup();
            count(codes.len())
        };
        let distinct = [
            distinct(&|r| (r.codes().action, r.action())),
            distinct(&|r| (r.codes().project, r.project())),
            distinct(&|r| (r.network_code(), r.network())),
            distinct(&|r| (r.codes().client, r.client())),
            distinct(&|r| (r.codes().address, r.address())),
            {
                codes.clear();
                codes.extend(targets.iter().copied().filter(|target| *target != 0));
                codes.sort_unstable();
                codes.dedup();
                count(codes.len())
            },
        ];
        let mut day = TokenDay {
            credential: first.credential(),
            class: first.class(),
            day: day_of(first.time()),
            n: count(rows.len()),
            origins: count(rows.iter().filter(|r| r.origin()).count()),
            hour_bits: rows.iter().fold(0, |bits, r| bits | 1 << (r.time().rem_euclid(24 * HOUR) / HOUR)),
            distinct,
            peak_time: first.time(),
            first_time: first.time(),
            last_time: last.time(),
            ..TokenDay::default()
        };
        // A folded entry stands for an unknown spread of calls, reading the log is what backups and patwatch do, and what a
        // call drags along was not done by its caller one by one.
        let dragged = |r: &DayRow<'_>| !r.origin() && self.cascades.contains(r.correlation_id());
        busy.clear();
        busy.extend(
            (0..rows.len())
                .filter(|&i| rows[i].folded() <= 1 && rows[i].action() != "AuditLog.AccessLog")
                .filter(|&i| !dragged(&rows[i])),
        );
        projects_within.clear();
        targets_within.clear();
        let mut start = 0;
        for end in 0..busy.len() {
            projects_within.add(projects[busy[end]]);
            targets_within.add(targets[busy[end]]);
            while rows[busy[end]].time() - rows[busy[start]].time() >= PEAK {
                projects_within.remove(projects[busy[start]]);
                targets_within.remove(targets[busy[start]]);
                start += 1;
            }
            if count(end - start + 1) > day.peak {
                day.peak = count(end - start + 1);
                day.peak_time = rows[busy[start]].time();
            }
            day.peak_projects = day.peak_projects.max(count(projects_within.distinct));
            day.peak_targets = day.peak_targets.max(count(targets_within.distinct));
        }
        Some(day)
    }
}

fn count(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// Distinct numbers inside a sliding span, each with how often it is there; 0 stands for nothing.
#[derive(Default)]
struct Tally {
    counts: HashMap<u32, u32>,
    distinct: usize,
}

impl Tally {
    fn clear(&mut self) {
        self.counts.clear();
        self.distinct = 0;
    }

    fn add(&mut self, value: u32) {
        if value != 0 {
            let count = self.counts.entry(value).or_default();
            *count += 1;
            self.distinct += usize::from(*count == 1);
        }
    }

    fn remove(&mut self, value: u32) {
        if let Some(count) = self.counts.get_mut(&value) {
            *count -= 1;
            self.distinct -= usize::from(*count == 0);
        }
    }
}
