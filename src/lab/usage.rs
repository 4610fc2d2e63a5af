//! Usage records: what the organisation's Usage page would have shown, reads included, by user and not by token.
//!
//! World, tokens and their events in; one bucket of five minutes for each day and caller out. Real pages hold
//! many buckets a day; one says as much to whoever asks whether a user called with a PAT at all.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::agents::{Family, user_agent};
use super::dice::Dice;
use super::log::Event;
use super::purposes::{GCM, READER};
use super::routine;
use super::tokens::Token;
use super::world::World;
use crate::model::time::{DAY, HOUR, Micros, SECOND, day_start, format_time};

/// Length of a bucket.
const BUCKET: Micros = 300 * SECOND;

/// The records, and who called with which class of PAT.
pub(super) struct Usage {
    pub(super) rows: Vec<Value>,
    called: BTreeSet<(usize, &'static str)>,
}

impl Usage {
    /// Writes the records of the whole window.
    pub(super) fn new(world: &World, tokens: &[Token], events: &[Event]) -> Self {
        let mut usage = Self { rows: Vec::new(), called: BTreeSet::new() };
        usage.ends(world);
        for person in world.humans() {
            usage.portal(world, person);
        }
        let mut days: BTreeSet<(usize, i64)> = BTreeSet::new();
        for event in events {
            if let Some(at) = event.token
                && days.insert((at, event.time.div_euclid(DAY)))
            {
                let address = event.address.clone().unwrap_or_default();
                usage.token(world, tokens, at, event.time, address, event.user_agent.clone(), 6);
            }
        }
        for (at, token) in tokens.iter().enumerate() {
            if token.scopes == READER.scopes || token.scopes == GCM.scopes {
                usage.reads(world, tokens, at);
            }
        }
        usage.rows.sort_by_cached_key(|row| (row["startTime"].to_string(), row.to_string()));
        usage
    }

    /// Whether the owner of `token` called with a PAT of its class.
    pub(super) fn calls_of_class(&self, token: &Token) -> bool {
        self.called.contains(&(token.owner, token.class()))
    }

    /// Whether a person called with any PAT.
    pub(super) fn calls(&self, person: usize) -> bool {
        self.called.iter().any(|(who, _)| *who == person)
    }

    /// A monitor that signs in without a PAT, in the first and the last bucket: the records cover the window.
    fn ends(&mut self, world: &World) {
        let Some(monitor) = world.machines().last().copied() else { return };
        for start in [world.start, world.end - BUCKET] {
            let address = "198.18.0.9".to_owned();
            let agent = user_agent(Family::AzCli, 3, 1);
            self.row(world, monitor, start, "Basic_AAD", address, agent, ("Rest", "ConnectionData.Get"), 1);
        }
    }

    fn portal(&mut self, world: &World, person: usize) {
        let mut dice = Dice::new(world.seed, "usage-portal", person);
        let who = &world.people[person];
        for day in 0..world.days {
            let midnight = day_start(world.first_day + day);
            let gone = who.left.is_some_and(|(at, _)| midnight + DAY > at);
            let weekend = (world.first_day + day + 3).rem_euclid(7) >= 5;
            // Not everybody opens the portal on each day.
            if weekend || gone || who.holiday.contains(midnight) || !dice.chance(0.3) {
                continue;
            }
            let time = midnight + (dice.between(8, 18) - who.hours_from_utc) * HOUR;
            let address = who.site.address(&world.hosted, &mut dice);
            let agent = user_agent(Family::Browser, who.machine, 0);
            let count = dice.between(20, 400);
            self.row(
                world,
                person,
                time,
                "AAD_Cookie",
                address,
                agent,
                ("Web Access", "WorkItems.Query"),
                count,
            );
        }
    }

    /// A token that fetches and looks things up on most days, which no audit log shows.
    fn reads(&mut self, world: &World, tokens: &[Token], at: usize) {
        let token = &tokens[at];
        let mut dice = Dice::new(world.seed, "usage-reads", at);
        for day in 0..world.days {
            let time = day_start(world.first_day + day) + dice.between(0, 24) * HOUR;
            let gone = world.people[token.owner].left.is_some_and(|(left, _)| time > left);
            if dice.chance(0.25) || gone || !token.alive_at(time) || !token.habit.at_work.contains(time) {
                continue;
            }
            let call = routine::call_at(world, at, token, time, &mut dice);
            let count = dice.between(5, 900);
            self.token(world, tokens, at, time, call.address.unwrap_or_default(), call.user_agent, count);
        }
    }

    #[expect(clippy::too_many_arguments, reason = "a row has this many independent parts")]
    fn token(
        &mut self,
        world: &World,
        tokens: &[Token],
        at: usize,
        time: Micros,
        address: String,
        agent: String,
        count: i64,
    ) {
        let token = &tokens[at];
        self.called.insert((token.owner, token.class()));
        let command =
            if agent.starts_with("git/") { ("Git", "GitUploadPack") } else { ("Rest", "Items.Get") };
        self.row(world, token.owner, time, token.class(), address, agent, command, count);
    }

    #[expect(clippy::too_many_arguments, reason = "a row has this many independent parts")]
    fn row(
        &mut self,
        world: &World,
        person: usize,
        time: Micros,
        mechanism: &str,
        address: String,
        agent: String,
        (application, command): (&str, &str),
        count: i64,
    ) {
        let start = (time.div_euclid(BUCKET) * BUCKET).clamp(world.start, world.end - BUCKET);
        let who = &world.people[person];
        self.rows.push(json!({
            "user": who.upn, "vsid": who.user_id, "authenticationMechanism": mechanism, "ipAddress": address,
            "userAgent": agent, "application": application, "command": command, "status": "Normal",
            "count": count.to_string(), "startTime": format_time(start), "endTime": format_time(start + BUCKET),
        }));
    }
}
