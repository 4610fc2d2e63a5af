//! The log being written: one event a push, kept as plain fields until a shape renders it.

use super::actions::{Action, action};
use super::dice::Dice;
use super::payload::Payload;
use super::tokens::Token;
use super::world::World;
use crate::model::time::{Micros, SECOND};

/// Who did it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Actor {
    /// A user.
    Person(usize),
    /// The service with this number, by itself.
    Service(u8),
}

/// One audit entry before it takes a shape.
#[derive(Debug, Clone)]
pub(super) struct Event {
    pub(super) time: Micros,
    /// Tenths of a microsecond, which only the finer shapes show.
    pub(super) fine: u8,
    pub(super) id: String,
    pub(super) correlation: String,
    pub(super) activity: String,
    pub(super) actor: Actor,
    pub(super) mechanism: String,
    pub(super) address: Option<String>,
    pub(super) user_agent: String,
    pub(super) action: Action,
    pub(super) project: Option<usize>,
    pub(super) payload: Payload,
    /// The token that made it, known to the simulator alone.
    pub(super) token: Option<usize>,
}

/// A call as it reaches the service.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) actor: Actor,
    pub(super) mechanism: String,
    pub(super) address: Option<String>,
    pub(super) user_agent: String,
    pub(super) token: Option<usize>,
}

impl Call {
    /// A call by the service itself.
    pub(super) fn service(number: u8) -> Self {
        let user_agent = if number == 13 { super::agents::JOB_AGENT.to_owned() } else { String::new() };
        Self {
            actor: Actor::Service(number),
            mechanism: String::new(),
            address: None,
            user_agent,
            token: None,
        }
    }

    /// A call by a person with something other than a PAT.
    pub(super) fn person(person: usize, mechanism: String, address: String, user_agent: String) -> Self {
        Self { actor: Actor::Person(person), mechanism, address: Some(address), user_agent, token: None }
    }

    /// A call by a token.
    pub(super) fn token(index: usize, token: &Token, address: String, user_agent: String) -> Self {
        Self {
            actor: Actor::Person(token.owner),
            mechanism: token.mechanism(),
            address: Some(address),
            user_agent,
            token: Some(index),
        }
    }
}

/// The number of characters after which the service cuts a mechanism text.
const MECHANISM_CUT: usize = 64;

/// Writes a mechanism with its id as the service does: cut, whatever that leaves of the id.
pub(super) fn mechanism_text(class: &str, authorization_id: &str) -> String {
    format!("{class} authorizationId: {authorization_id}").chars().take(MECHANISM_CUT).collect()
}

/// All events, in the order in which they were thought of.
pub(super) struct Log {
    pub(super) events: Vec<Event>,
    dice: Dice,
}

impl Log {
    pub(super) fn new(seed: u64) -> Self {
        Self { events: Vec::new(), dice: Dice::new(seed, "log", 0) }
    }

    /// Writes an event that began by itself; returns its id.
    pub(super) fn origin(
        &mut self,
        time: Micros,
        call: &Call,
        id: &'static str,
        project: usize,
        content: Payload,
    ) -> String {
        let event_id = self.dice.guid();
        self.push(time, call, id, project, content, event_id.clone(), event_id.clone());
        event_id
    }

    /// Writes an event that follows from another, or from something that is not in the log.
    pub(super) fn follow(
        &mut self,
        time: Micros,
        call: &Call,
        id: &'static str,
        project: usize,
        content: Payload,
        origin: &str,
    ) {
        let event_id = self.dice.guid();
        self.push(time, call, id, project, content, event_id, origin.to_owned());
    }

    #[expect(clippy::too_many_arguments, reason = "one event has this many independent parts")]
    fn push(
        &mut self,
        time: Micros,
        call: &Call,
        id: &'static str,
        project: usize,
        content: Payload,
        event_id: String,
        correlation: String,
    ) {
        self.events.push(Event {
            time: time + self.dice.between(0, SECOND),
            fine: self.dice.below(10) as u8,
            id: event_id,
            correlation,
            activity: self.dice.guid(),
            actor: call.actor,
            mechanism: call.mechanism.clone(),
            address: call.address.clone(),
            user_agent: call.user_agent.clone(),
            action: action(id),
            project: content.in_project.then_some(project),
            payload: content,
            token: call.token,
        });
    }

    /// Ends the writing: drops what the window and the gap do not hold, and sorts by time.
    pub(super) fn finish(self, world: &World) -> Vec<Event> {
        let mut events: Vec<Event> = self
            .events
            .into_iter()
            .filter(|event| event.time >= world.start && event.time < world.end)
            .filter(|event| !world.gap.contains(event.time))
            .collect();
        events.sort_by(|a, b| (a.time, a.fine, &a.id).cmp(&(b.time, b.fine, &b.id)));
        events
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mechanisms_are_cut_at_64_characters() {
        let id = "0a1b2c3d-4e5f-4a6b-8c7d-0e1f2a3b4c5d";
        for (class, left) in [
            ("PAT", 36),
            ("PAT_Global", 36),
            ("PAT_Unscoped", 34),
            ("PAT_UnscopedGlobal", 28),
            ("SessionToken_Unscoped", 25),
        ] {
            let text = mechanism_text(class, id);
            assert!(text.len() <= 64, "{text}");
            assert!(text.ends_with(&id[..left]), "{text}");
            assert_eq!(text.len() == 64, left < 36 || class == "PAT_Global", "{text}");
        }
    }
}
