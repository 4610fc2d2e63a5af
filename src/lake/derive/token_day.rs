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
    let days: Vec<TokenDay<'_>> = rows
        .chunk_by(|a, b| a.codes().credential == b.codes().credential)
        .filter(|rows| !rows[0].credential().is_empty())
        .filter(|rows| rows.iter().any(|r| r.kind() == MechanismKind::Pat))
        .map(|rows| fold(rows, cascades))
        .collect();
    let d = || days.iter();
    let mut frame = Frame::new(days.len())
        .text("org", d().map(|_| org))
        .text("credential", d().map(|d| d.credential))
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

fn fold<'a>(rows: &[DayRow<'a>], cascades: &HashSet<&str>) -> TokenDay<'a> {
    let rows: Vec<&DayRow<'a>> = rows.iter().filter(|r| r.kind() == MechanismKind::Pat).collect();
    let mut codes: Vec<u32> = Vec::with_capacity(rows.len());
    let mut distinct = |get: &dyn Fn(&DayRow<'a>) -> (u32, &'a str)| {
        codes.clear();
        codes.extend(rows.iter().map(|r| get(r)).filter(|(_, text)| !text.is_empty()).map(|(code, _)| code));
        codes.sort_unstable();
        codes.dedup();
        count(codes.len())
    };
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return TokenDay::default() };
    // Targets as numbers, 0 for none.
    let mut index: HashMap<String, u32> = HashMap::from([(String::new(), 0)]);
    let mut number = |target: String| {
        let next = u32::try_from(index.len()).unwrap_or(u32::MAX);
        *index.entry(target).or_insert(next)
    };
    let targets: Vec<u32> = rows.iter().map(|r| number(notable::target(r.data()))).collect();
    let projects_of: Vec<u32> = rows
        .iter()
        .map(|r| if r.project().is_empty() { 0 } else { r.codes().project.saturating_add(1) })
        .collect();
    let mut day = TokenDay {
        credential: first.credential(),
        class: first.class(),
        day: day_of(first.time()),
        n: count(rows.len()),
        origins: count(rows.iter().filter(|r| r.origin()).count()),
        hour_bits: rows.iter().fold(0, |bits, r| bits | 1 << (r.time().rem_euclid(24 * HOUR) / HOUR)),
        distinct: [
            distinct(&|r| (r.codes().action, r.action())),
            distinct(&|r| (r.codes().project, r.project())),
            distinct(&|r| (r.network_code(), r.network())),
            distinct(&|r| (r.codes().client, r.client())),
            distinct(&|r| (r.codes().address, r.address())),
            count(index.len() - 1),
        ],
        peak_time: first.time(),
        first_time: first.time(),
        last_time: last.time(),
        ..TokenDay::default()
    };
    // A folded entry stands for an unknown spread of calls, reading the log is what backups and patwatch do, and what a
    // call drags along was not done by its caller one by one.
    let dragged = |r: &DayRow<'_>| !r.origin() && cascades.contains(r.correlation_id());
    let busy: Vec<usize> = (0..rows.len())
        .filter(|&i| rows[i].folded() <= 1 && rows[i].action() != "AuditLog.AccessLog")
        .filter(|&i| !dragged(rows[i]))
        .collect();
    let (mut start, mut projects, mut within) = (0, Tally::default(), Tally::default());
    for end in 0..busy.len() {
        projects.add(projects_of[busy[end]]);
        within.add(targets[busy[end]]);
        while rows[busy[end]].time() - rows[busy[start]].time() >= PEAK {
            projects.remove(projects_of[busy[start]]);
            within.remove(targets[busy[start]]);
            start += 1;
        }
        if count(end - start + 1) > day.peak {
            day.peak = count(end - start + 1);
            day.peak_time = rows[busy[start]].time();
        }
        day.peak_projects = day.peak_projects.max(count(projects.0.len()));
        day.peak_targets = day.peak_targets.max(count(within.0.len()));
    }
    day
}

fn count(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// Distinct numbers inside a sliding span, each with how often it is there; 0 stands for nothing.
#[derive(Default)]
struct Tally(HashMap<u32, u32>);

impl Tally {
    fn add(&mut self, value: u32) {
        if value != 0 {
            *self.0.entry(value).or_default() += 1;
        }
    }

    fn remove(&mut self, value: u32) {
        if let Some(n) = self.0.get_mut(&value) {
            *n -= 1;
            if *n == 0 {
                self.0.remove(&value);
            }
        }
    }
}
