//! Ordinary work of tokens: habits in, events out, the look-alikes of every attack among them.

use super::agents::user_agent;
use super::dice::Dice;
use super::log::{Call, Log};
use super::office;
use super::payload::{Target, payload, payload_of};
use super::tokens::{Pace, Token};
use super::world::World;
use crate::model::time::{DAY, HOUR, Micros, SECOND, day_start};
use serde_json::json;

/// Writes what all tokens do by themselves over the whole window.
pub(super) fn write(world: &World, tokens: &[Token], log: &mut Log) {
    for (index, token) in tokens.iter().enumerate() {
        let mut dice = Dice::new(world.seed, "routine", index);
        for day in 0..world.days {
            for (start, length) in runs_of_day(world, token, day, &mut dice) {
                run(world, index, token, start, length, log, &mut dice);
            }
        }
        for (start, length) in &token.habit.turns.extra {
            run(world, index, token, *start, *length, log, &mut dice);
        }
    }
}

/// Decides when on a day the token works, and how many changes each run makes.
fn runs_of_day(world: &World, token: &Token, day: i32, dice: &mut Dice) -> Vec<(Micros, usize)> {
    let habit = &token.habit;
    let owner = &world.people[token.owner];
    let midnight = day_start(world.first_day + day);
    // 1970-01-01 was a Thursday.
    let weekday = (world.first_day + day + 3).rem_euclid(7);
    let weekend = weekday >= 5;
    let mut runs = Vec::new();
    let mut left = match habit.pace {
        Pace::Office if weekend || owner.holiday.contains(midnight) => 0,
        Pace::Office | Pace::Nightly(_) => dice.count(habit.per_day),
        Pace::AllDay => dice.count(if weekend { habit.per_day * 0.4 } else { habit.per_day }),
        Pace::Weekly(on) => {
            if on == weekday {
                dice.count(habit.per_day * 7.0)
            } else {
                0
            }
        }
        Pace::Monthly => {
            if day.rem_euclid(28) == 9 {
                dice.count(habit.per_day * 28.0).max(2)
            } else {
                0
            }
        }
    };
    while left > 0 {
        let length = match habit.pace {
            Pace::Weekly(_) | Pace::Monthly => left,
            _ => left.min(1 + dice.below(habit.run.max(1) as usize)),
        };
        left -= length;
        let start = match habit.pace {
            Pace::Office => {
                let on_call = habit.turns.nights.is_some_and(|nights| nights.contains(midnight));
                // An on-call night now and then: real work at an odd hour.
                let hour =
                    if on_call || dice.chance(0.03) { dice.between(20, 30) } else { dice.between(8, 18) };
                midnight + (hour - owner.hours_from_utc) * HOUR + dice.between(0, HOUR)
            }
            Pace::AllDay => midnight + dice.between(0, DAY),
            Pace::Nightly(hour) => midnight + hour * HOUR + dice.between(0, 20 * 60 * SECOND),
            Pace::Weekly(_) | Pace::Monthly => midnight + 9 * HOUR + dice.between(0, HOUR),
        };
        // A token stops with its owner's access, and goes on if access comes back.
        let barred =
            owner.left.is_some_and(|(left, back)| left <= start && back.is_none_or(|back| start < back));
        let paused = habit.turns.pause.is_some_and(|pause| pause.contains(start));
        let at_work = habit.at_work.contains(start) && token.alive_at(start) && !barred && !paused;
        if at_work && day_start(world.first_day) <= start {
            runs.push((start, length));
        }
    }
    runs
}

fn run(
    world: &World,
    index: usize,
    token: &Token,
    start: Micros,
    length: usize,
    log: &mut Log,
    dice: &mut Dice,
) {
    let habit = &token.habit;
    let mut call = call_at(world, index, token, start, dice);
    // A hosted job keeps its machine for the whole run; a long weekly sweep visits many projects.
    let mut project = *dice.pick(&habit.projects);
    let mut time = start;
    for _ in 0..length {
        if matches!(habit.pace, Pace::Weekly(_)) {
            project = *dice.pick(&habit.projects);
        }
        if let Some((since, joined)) = habit.turns.joins
            && since <= time
            && dice.chance(0.4)
        {
            project = joined;
        }
        let id = dice.weighted(&habit.actions);
        if !token.alive_at(time) {
            break;
        }
        event(world, &call, time, id, Target { project, item: dice.below(64) }, log, dice);
        time += dice.between(4, 140) * SECOND;
        if time - start > HOUR {
            call = call_at(world, index, token, time, dice);
        }
    }
}

/// Returns the call that the token makes at `time` from where it then runs, with what it then runs.
pub(super) fn call_at(world: &World, index: usize, token: &Token, time: Micros, dice: &mut Dice) -> Call {
    let habit = &token.habit;
    let site = match (&habit.turns.trip, &habit.moved) {
        (Some((days, site)), _) if days.contains(time) => site,
        (_, Some((at, site))) if *at <= time => site,
        _ => &habit.site,
    };
    let family = match habit.new_client {
        Some((at, family)) if at <= time => family,
        _ => habit.client,
    };
    let step = habit.upgrades.iter().filter(|day| day_start(**day) <= time).count();
    let address = site.address(&world.hosted, dice);
    Call::token(index, &token.at(time), address, user_agent(family, habit.machine, step))
}

/// Writes one action and what it drags along.
pub(super) fn event(
    world: &World,
    call: &Call,
    time: Micros,
    id: &'static str,
    at: Target,
    log: &mut Log,
    dice: &mut Dice,
) {
    match id {
        "Project.CreateQueued" => office::new_project(world, call, time, at, log, dice),
        "AuditLog.AccessLog" => {
            let reads: Vec<String> = (0..1 + dice.below(5))
                .map(|n| crate::model::time::format_time(time - n as i64 * 31 * 60 * SECOND))
                .collect();
            let details = match reads.len() {
                1 => "Accessed the audit log".to_owned(),
                n => format!("Accessed the audit log {n} times"),
            };
            let filter = json!({"StartTime": reads.last(), "EndTime": reads.first(), "BatchSize": 200, "HasMore": false});
            log.origin(
                time,
                call,
                id,
                at.project,
                payload_of(json!({"Filter": filter, "EventSummary": reads}), details, false),
            );
        }
        "AuditLog.DownloadLog" => {
            log.origin(
                time,
                call,
                id,
                at.project,
                payload_of(json!({"Format": "Json"}), "Downloaded the audit log as Json".to_owned(), false),
            );
        }
        _ => {
            let content = payload(id, world, at, dice);
            // A few changes hang on something that the log does not hold.
            if dice.chance(0.04) {
                let unseen = dice.guid();
                log.follow(time, call, id, at.project, content, &unseen);
                return;
            }
            let origin = log.origin(time, call, id, at.project, content);
            if id == "Git.RepositoryCreated" && dice.chance(0.7) {
                let content = payload("Security.ModifyPermission", world, at, dice);
                log.follow(time + SECOND, call, "Security.ModifyPermission", at.project, content, &origin);
            }
        }
    }
}
