//! Events gathered by organisation and day, in order of first appearance.

use super::super::losses::Sequence;
use super::super::row::{OrgKey, Parsed};
use crate::model::batch::{EventBatch, Like, Room};
use crate::model::event::EventRow;
use crate::model::identity::org_name;
use crate::model::time::{Day, Micros, day_of};
use hashbrown::HashMap;

/// Organisations as their events write them; the same one may be written in several ways.
struct Written {
    scope_id: String,
    scope_name: String,
    project: bool,
    org: usize,
}

/// Events of one chunk.
#[derive(Default)]
pub(super) struct Groups {
    /// How the last organisations were written, newest last: most logs hold one or a few.
    written: Vec<Written>,
    orgs: Vec<(OrgKey, Micros)>,
    org_index: HashMap<OrgKey, usize>,
    batches: Vec<((usize, Day), EventBatch)>,
    batch_index: HashMap<(usize, Day), usize>,
    last: usize,
    /// The times of the events, in the order in which they came.
    sequence: Option<Sequence>,
    /// What the last rows of those who act were: their next ones are mostly like them.
    likes: Vec<Like>,
    room: Roominess,
}

/// What the groups of a chunk took, so that those of the next one like it are not grown piece by piece.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::source) struct Roominess {
    /// What the greatest took.
    greatest: Room,
    /// So many groups are given that much beforehand.
    groups: usize,
}

/// So many groups of a chunk are given room beforehand where they are not alike: the others are small.
const ROOMY: usize = 4;
/// So many of those who act are kept apart, at first and at most; powers of two.
const FEW: usize = 1 << 6;
const MANY: usize = 1 << 12;
/// So many ways to write an organisation are kept at hand.
const AT_HAND: usize = 8;

impl Groups {
    /// Starts without events, with `room` as the last chunk took it. Logs come mostly in order of time, so that one
    /// group takes most of a chunk; in shuffled ones all are alike.
    pub(super) fn with_room(room: Roominess) -> Self {
        Self { room, likes: vec![Like::default(); FEW], ..Self::default() }
    }

    /// Adds an event to its group.
    pub(super) fn push(&mut self, row: &EventRow<'_>) {
        match &mut self.sequence {
            Some(sequence) => sequence.push(row.time),
            none => *none = Some(Sequence::new(row.time)),
        }
        let org = self.org(row);
        let newest = &mut self.orgs[org].1;
        *newest = row.time.max(*newest);
        let key = (org, day_of(row.time));
        let at = match self.batches.get(self.last) {
            Some((last, _)) if *last == key => self.last,
            _ => *self.batch_index.entry(key).or_insert_with(|| {
                let batch = if self.batches.len() < self.room.groups {
                    EventBatch::with_room(&self.room.greatest)
                } else {
                    EventBatch::default()
                };
                self.batches.push((key, batch));
                self.batches.len() - 1
            }),
        };
        self.last = at;
        let batch = &mut self.batches[at].1;
        if self.likes.len() < MANY && batch.len() >= self.likes.len() {
            // Enough events to be worth it; what is forgotten is soon learnt again.
            self.likes = vec![Like::default(); MANY];
        }
        let slot = actor(row, at) & (self.likes.len() - 1);
        batch.push_like(row, &mut self.likes[slot]);
    }

    /// Time of the last event.
    pub(super) fn last_time(&self) -> Option<Micros> {
        self.sequence.map(|sequence| sequence.last)
    }

    fn org(&mut self, row: &EventRow<'_>) -> usize {
        let project = row.scope_type == "project";
        let known =
            self.written.iter().rev().find(|w| {
                w.project == project && w.scope_id == row.scope_id && w.scope_name == row.scope_name
            });
        if let Some(known) = known {
            return known.org;
        }
        let name = if project { String::new() } else { org_name(row.scope_name) };
        let key = OrgKey { scope_id: row.scope_id.to_owned(), name };
        let org = *self.org_index.entry(key.clone()).or_insert_with(|| {
            self.orgs.push((key, Micros::MIN));
            self.orgs.len() - 1
        });
        if self.written.len() >= AT_HAND {
            self.written.remove(0);
        }
        let (scope_id, scope_name) = (row.scope_id.to_owned(), row.scope_name.to_owned());
        self.written.push(Written { scope_id, scope_name, project, org });
        org
    }

    /// Hands the groups over; returns the room that they took.
    pub(super) fn finish(self, parsed: &mut Parsed) -> Roominess {
        let Self { orgs, mut batches, room, sequence, .. } = self;
        let greatest = batches.iter().map(|(_, batch)| batch).max_by_key(|batch| batch.len());
        let learnt = greatest.map(EventBatch::room).unwrap_or_default();
        let rows: usize = batches.iter().map(|(_, batch)| batch.len()).sum();
        let alike = learnt.rows() * batches.len() < rows * 2;
        let groups = if alike { batches.len() } else { ROOMY };
        // What is staged counts with all that it holds, and a block may hold the lesser part of a day.
        let greatest = room.greatest.rows().max(learnt.rows());
        let roomy = batches.iter_mut().take(room.groups).map(|(_, batch)| batch);
        roomy.filter(|batch| batch.len() < greatest / 4 * 3).for_each(EventBatch::shrink);
        parsed.batches =
            batches.into_iter().map(|((org, day), batch)| ((orgs[org].0.clone(), day), batch)).collect();
        parsed.orgs_seen = orgs;
        parsed.sequence = sequence;
        Roominess { greatest: learnt, groups: groups.max(ROOMY) }
    }
}

/// A number for who acts in a row of a batch; its low bits are as good as any.
#[inline]
fn actor(row: &EventRow<'_>, batch: usize) -> usize {
    // Odd constants without a pattern.
    let mixed = sample(row.mechanism).wrapping_mul(0x9E37_79B9_7F4A_7C15)
        ^ sample(row.actor_id).wrapping_mul(0xC2B2_AE3D_27D4_EB4F)
        ^ sample(row.actor_upn).wrapping_mul(0xFF51_AFD7_ED55_8CCD)
        ^ (batch as u64).wrapping_mul(0x9E37_79B1_85EB_CA87);
    // The upper half of a product depends on all bits of its factors.
    ((mixed ^ mixed >> 29).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 32) as usize
}

/// The ends of a text: enough to tell most apart.
#[inline]
fn sample(text: &str) -> u64 {
    let bytes = text.as_bytes();
    match (bytes.first_chunk(), bytes.last_chunk()) {
        (Some(first), Some(last)) => u64::from_le_bytes(*first) ^ u64::from_le_bytes(*last).rotate_left(29),
        _ => bytes.iter().fold(bytes.len() as u64, |n, b| n << 8 | u64::from(*b)),
    }
}
