//! `patwatch lake`: what the lake holds, and whether its files agree with the index.

use super::Context;
use super::args::{LakeArgs, LakeCommand};
use super::error::{CliError, Outcome};
use crate::lake::Lake;
use crate::model::time::{day_text, format_time};
use std::collections::BTreeMap;
use std::fmt::Write as _;

pub(super) fn run(context: &Context, args: &LakeArgs) -> Result<Outcome, CliError> {
    match args.command {
        LakeCommand::Show => {
            let lake = Lake::open(&context.lake)?;
            context.ui.write(None, super::error::clean(&show(&lake)).as_bytes())?;
            Ok(Outcome::Done)
        }
        LakeCommand::Verify => {
            let (mut lake, _lock, fault) = Lake::open_to_verify(&context.lake)?;
            let verified = lake.verify(fault.as_deref())?;
            for line in &verified.mended {
                context.ui.info(line);
            }
            for line in &verified.lost {
                context.ui.warn(line);
            }
            context.ui.info(&format!(
                "{} days looked at, {} mended, {} lost",
                verified.days,
                verified.mended.len(),
                verified.lost.len()
            ));
            Ok(if verified.lost.is_empty() { Outcome::Done } else { Outcome::Incomplete })
        }
    }
}

fn show(lake: &Lake) -> String {
    let mut orgs: BTreeMap<&str, (i32, i32, u64, u64)> = BTreeMap::new();
    for day in &lake.index.days {
        let slot = orgs.entry(&day.org).or_insert((day.day, day.day, 0, 0));
        *slot = (slot.0.min(day.day), slot.1.max(day.day), slot.2 + 1, slot.3 + day.rows);
    }
    let mut text = String::new();
    for (org, (first, last, days, rows)) in orgs {
        let _ =
            writeln!(text, "{org}: {rows} events on {days} days, {} to {}", day_text(first), day_text(last));
    }
    for snapshot in &lake.index.snapshots {
        let complete = if snapshot.complete { "complete" } else { "partial" };
        let _ = writeln!(
            text,
            "{}: {} of {} rows, {complete}, taken {}",
            snapshot.org,
            snapshot.kind,
            snapshot.rows,
            format_time(snapshot.taken)
        );
    }
    let _ = writeln!(text, "{} ingest runs", lake.index.runs.len());
    text
}
