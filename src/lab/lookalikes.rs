//! Tokens that look like trouble for a while and are not: each the benign twin of an attack.
//!
//! A token and the card it was dealt in; the token bent accordingly out, perhaps with a second one.

use super::agents::Family;
use super::dice::Dice;
use super::place::Site;
use super::population::{Card, leaver};
use super::tokens::{Ending, Token};
use super::world::World;
use crate::model::time::{DAY, HOUR, SECOND, Span};

const MINUTE: i64 = 60 * SECOND;

/// Bends `token` to its card; `room` tells how many more tokens the organisation takes.
pub(super) fn shape(
    world: &mut World,
    card: Card,
    room: usize,
    token: &mut Token,
    dice: &mut Dice,
) -> Option<Token> {
    let habit = &mut token.habit;
    match card {
        // A team is set up in a project that did not exist for this token before.
        Card::NewProject => {
            let other = (habit.projects[0] + 1 + dice.below(world.projects.len() - 1)) % world.projects.len();
            habit.turns.joins = Some((world.at(0.4 + 0.4 * dice.unit()), other));
        }
        // The build service moves to another data centre, and the job is rewritten on the occasion.
        Card::Relocated => {
            let day = world.at(0.4 + 0.4 * dice.unit());
            habit.site = Site::Server(world.networks.fresh(), 15);
            habit.moved = Some((day, Site::Pair(world.networks.fresh(), world.networks.fresh())));
            habit.new_client = Some((day, Family::GoSdk));
        }
        // A new laptop with other tools on it, and a new line at home.
        Card::NewLaptop => {
            let day = world.at(0.4 + 0.4 * dice.unit());
            habit.new_client = Some((day, Family::Requests));
            if let Site::Person { office, vpn, .. } = &habit.site {
                let home = world.networks.fresh();
                habit.moved = Some((day, Site::Person { office: office.clone(), home, vpn: vpn.clone() }));
            }
        }
        // Made by a person in the portal, at work in hosted pipelines minutes later.
        Card::FreshForPipeline => {
            token.valid_from = world.at(0.4 + 0.4 * dice.unit());
            token.valid_to = token.valid_from + 90 * DAY;
            let first = token.valid_from + dice.between(8, 30) * MINUTE;
            habit.site = Site::Hosted;
            habit.at_work.from = first;
            habit.turns.extra.push((first, 4));
        }
        // Somebody who leaves renews a narrow token on the way out, and revokes it in time.
        Card::LeaverRotated => {
            let day = world.at(0.6 + 0.3 * dice.unit());
            token.owner = leaver(world, day, None, dice);
            token.valid_from = day - dice.between(12, 20) * DAY;
            token.valid_to = token.valid_from + 30 * DAY;
            token.habit.at_work.to = day - 5 * HOUR;
            token.ending = Ending::Revoked(day - dice.between(1, 4) * HOUR);
        }
        // Access goes within the hour, not at once: the last job still ends well.
        Card::InFlight => {
            let day = world.at(0.6 + 0.3 * dice.unit());
            token.owner = leaver(world, day, None, dice);
            token.habit.turns.extra.push((day + dice.between(3, 25) * MINUTE, 2));
        }
        // Hundreds of areas come from another system every other week.
        Card::BulkImport => {
            let mut time = world.start + dice.between(2, 9) * DAY + 5 * HOUR;
            while time < world.end {
                habit.turns.extra.push((time, 60 + dice.below(80)));
                time += 14 * DAY + dice.between(0, 40) * MINUTE;
            }
        }
        // Work for the turn of the quarter, from the same place and with the same client as last time.
        Card::Quarterly => {
            token.valid_from = token.valid_from.min(world.start - 30 * DAY);
            habit.per_day = 2.0;
            habit.turns.pause =
                Some(Span { from: world.start + 11 * DAY, to: world.end - dice.between(4, 9) * DAY });
        }
        Card::Toolkit => habit.client = Family::Toolkit,
        // Found in public and closed by the service; the owner makes another of the same name.
        Card::ReplacedAfterLeak => {
            let day = world.at(0.5 + 0.3 * dice.unit());
            token.habit.at_work.to = day;
            let mut next = token.clone();
            next.id = dice.guid();
            (next.valid_from, next.valid_to) = (day + 3 * HOUR, day + 93 * DAY);
            next.habit.at_work = Span { from: day + 4 * HOUR, to: world.end + DAY };
            // A leak is rare: once in a thousand tokens, the rest are plain renewals.
            let leaked = dice.chance(0.1);
            token.ending = if leaked { Ending::LeakedAndClosed(day) } else { Ending::Revoked(day + HOUR) };
            return (room > 1).then_some(next);
        }
        Card::OnCall => {
            let day = world.at(0.3 + 0.5 * dice.unit());
            habit.turns.nights = Some(Span { from: day, to: day + 7 * DAY });
            habit.per_day = 1.5;
        }
        Card::Trip => {
            let day = world.at(0.3 + 0.5 * dice.unit());
            let days = Span { from: day, to: day + dice.between(4, 10) * DAY };
            habit.turns.trip = Some((days, Site::Server(world.networks.fresh(), 44)));
        }
        _ => {}
    }
    None
}
