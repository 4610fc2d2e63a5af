//! The tables derived from a day's rows: detections and verdicts read these, and raw events only to confirm.
//!
//! In: the sorted rows of a day. Out: one small file a table. Each names the content id of the day file that it
//! was made from (in its file name), so a mismatch is seen without opening it.

pub mod activity;
pub mod hours;
pub mod notable;
pub mod token_day;
mod variables;

use super::day::DayRow;
use super::{Lake, LakeError};
use crate::model::time::Day;

/// Tables derived from each day, each in a folder of its own name.
pub const TABLES: [&str; 3] = ["activity", "token_day", "notable"];

/// Writes every derived table of a day.
///
/// # Errors
/// When a file cannot be written.
pub fn write_all(lake: &Lake, org: &str, day: Day, rows: &[DayRow<'_>]) -> Result<(), LakeError> {
    activity::write(&lake.day_file("activity", org, day), org, rows)?;
    token_day::write(&lake.day_file("token_day", org, day), org, rows)?;
    notable::write(&lake.day_file("notable", org, day), org, rows)
}
