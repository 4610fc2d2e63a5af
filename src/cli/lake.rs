//! `patwatch lake`: what the lake holds, and whether its files agree with the index.

use super::Context;
use super::args::{LakeArgs, LakeCommand};
use super::error::{CliError, Outcome};
use super::instants::{Bare, instant};
use crate::lake::Lake;
use crate::model::noun::counted;
use crate::model::time::{Micros, day_text, format_time};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::IsTerminal as _;

pub(super) fn run(context: &Context, args: &LakeArgs) -> Result<Outcome, CliError> {
    match &args.command {
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
                "{} looked at, {} mended, {} lost",
                counted(verified.days, "day"),
                verified.mended.len(),
                verified.lost.len()
            ));
            Ok(if verified.lost.is_empty() { Outcome::Done } else { Outcome::Incomplete })
        }
        LakeCommand::Prune { before, yes, dry_run } => {
            let before = instant("--before", before, Bare::Start)?;
            prune(Lake::open(&context.lake)?, before, *yes, *dry_run, &context.ui)
        }
    }
}

/// Deletes old days, once the user agrees; who pipes or schedules the command has agreed by it.
fn prune(
    mut lake: Lake,
    before: Micros,
    yes: bool,
    dry_run: bool,
    ui: &super::ui::Ui,
) -> Result<Outcome, CliError> {
    if lake.orgs().is_empty() {
        return Err(CliError::new(format!("the lake {} holds nothing yet", lake.root().display()))
            .hint("name the lake with --lake DIR"));
    }
    let lock = if dry_run { None } else { Some(lake.lock()?) };
    if lock.is_some() {
        // Another process may have written between the first look and the lock.
        lake = Lake::open(lake.root())?;
    }
    let plan = lake.prunable(before);
    let asks = !yes && !dry_run && !plan.orgs.is_empty() && std::io::stdin().is_terminal();
    for org in &plan.orgs {
        let line = format!(
            "{}: {} on {}, {} to {}, {}",
            org.org,
            counted(org.events, "event"),
            counted(org.days, "day"),
            day_text(org.first_day),
            day_text(org.last_day),
            if dry_run { "would be deleted" } else { "are to be deleted" }
        );
        // A question stands with what it asks, also with --quiet.
        if asks { ui.err(&line) } else { ui.info(&line) }
    }
    if plan.orgs.is_empty() {
        ui.info(&format!("no day lies whole before {}", format_time(before)));
    }
    if dry_run {
        return Ok(Outcome::Done);
    }
    if asks && !ui.agrees("Delete them? They cannot be brought back but by importing them again. [y/N] ")? {
        return Err(CliError::new("nothing was deleted").hint("answer y, or add --yes"));
    }
    let (pruned, stale) = lake.prune(before)?;
    let days: u64 = pruned.orgs.iter().map(|o| o.days).sum();
    if days > 0 {
        ui.info(&format!(
            "{} deleted; nothing before {} is held any more",
            counted(days, "day"),
            day_text(pruned.before)
        ));
    }
    if let Some(error) = stale {
        ui.warn(&format!(
            "the days are deleted, but the tables made of the others could not be rebuilt: {error}; reading is slower until the next import, which rebuilds them: make more room first"
        ));
    }
    Ok(Outcome::Done)
}

fn show(lake: &Lake) -> String {
    let mut orgs: BTreeMap<&str, (i32, i32, u64, u64)> = BTreeMap::new();
    for day in &lake.index.days {
        let slot = orgs.entry(&day.org).or_insert((day.day, day.day, 0, 0));
        *slot = (slot.0.min(day.day), slot.1.max(day.day), slot.2 + 1, slot.3 + day.rows);
    }
    let mut text = String::new();
    for (org, (first, last, days, rows)) in orgs {
        let _ = writeln!(
            text,
            "{org}: {} on {}, {} to {}",
            counted(rows, "event"),
            counted(days, "day"),
            day_text(first),
            day_text(last)
        );
    }
    for snapshot in &lake.index.snapshots {
        let complete = match snapshot.complete_for.len() {
            _ if snapshot.complete => "complete".to_owned(),
            0 => "partial".to_owned(),
            n => format!("complete for {}", counted(n, "user")),
        };
        let _ = writeln!(
            text,
            "{}: {} of {}, {complete}, taken {}",
            snapshot.org,
            snapshot.kind,
            counted(snapshot.rows, "row"),
            format_time(snapshot.taken)
        );
    }
    let pruned = || lake.index.runs.iter().filter_map(|run| run.pruned.as_ref());
    for run in pruned() {
        let newest = run.newest.map_or_else(|| "none".to_owned(), format_time);
        for org in &run.orgs {
            let _ = writeln!(
                text,
                "{}: {} on {} before {} were pruned, {} to {}; the newest event was then {newest}",
                org.org,
                counted(org.events, "event"),
                counted(org.days, "day"),
                day_text(run.before),
                day_text(org.first_day),
                day_text(org.last_day),
            );
        }
    }
    let _ = writeln!(text, "{}", counted(lake.index.runs.len() - pruned().count(), "ingest run"));
    text
}
