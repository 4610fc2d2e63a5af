//! Where an input lost audit records: rejected ones, and what lies behind a place where it breaks off.
//!
//! In: the chunks of an input, in order. Out: the whole UTC days that it therefore does not hold. A rejected record with a
//! readable time costs its day. One without lies between the readable records around it. At either end of an input, and
//! behind a cut, the order of the input decides which side is open; where there is no order, every day may be missing.

use super::row::Parsed;
use crate::model::time::{DAY, Micros, Span, day_of, day_start};
use std::collections::BTreeSet;

/// The times of readable records, in the order of the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sequence {
    /// Of the first record.
    pub first: Micros,
    /// Of the last one.
    pub last: Micros,
    min: Micros,
    max: Micros,
    /// The furthest that a record lies before the newest one ahead of it.
    fall: Micros,
    /// The furthest that a record lies behind the oldest one ahead of it.
    rise: Micros,
}

impl Sequence {
    /// Starts with one record.
    pub(super) const fn new(time: Micros) -> Self {
        Self { first: time, last: time, min: time, max: time, fall: 0, rise: 0 }
    }

    /// Adds a record.
    #[inline]
    pub(super) fn push(&mut self, time: Micros) {
        self.fall = self.fall.max(self.max - time);
        self.rise = self.rise.max(time - self.min);
        self.min = self.min.min(time);
        self.max = self.max.max(time);
        self.last = time;
    }

    /// Adds the records that follow.
    fn join(self, next: Self) -> Self {
        Self {
            first: self.first,
            last: next.last,
            min: self.min.min(next.min),
            max: self.max.max(next.max),
            fall: self.fall.max(next.fall).max(self.max - next.min),
            rise: self.rise.max(next.rise).max(next.max - self.min),
        }
    }

    /// Returns true if it is in order of time, but for records that come up to a day late.
    const fn ascends(&self) -> bool {
        self.fall <= DAY && self.fall * 4 <= self.rise && self.rise > 0
    }

    const fn descends(&self) -> bool {
        self.rise <= DAY && self.rise * 4 <= self.fall && self.fall > 0
    }

    /// The times that may be missing in front of the first record.
    fn before(&self) -> Span {
        if self.ascends() {
            Span { from: Micros::MIN, to: self.min + self.fall }
        } else if self.descends() {
            Span { from: self.max - self.rise, to: Micros::MAX }
        } else {
            ALWAYS
        }
    }

    /// The times that may be missing behind the last record.
    fn behind(&self) -> Span {
        if self.ascends() {
            Span { from: self.max - self.fall, to: Micros::MAX }
        } else if self.descends() {
            Span { from: Micros::MIN, to: self.min + self.rise }
        } else {
            ALWAYS
        }
    }
}

const ALWAYS: Span = Span { from: Micros::MIN, to: Micros::MAX };

/// The losses of one input.
#[derive(Debug, Clone, Default)]
pub struct Losses {
    sequence: Option<Sequence>,
    /// Between two readable records, or the time of a record itself.
    known: BTreeSet<(Micros, Micros)>,
    /// Rejected before any readable record.
    in_front: bool,
    /// Rejected after the last readable record so far.
    open: bool,
}

impl Losses {
    /// Takes the next chunk of the input.
    pub fn take(&mut self, chunk: &Parsed) {
        let last = self.sequence.map(|s| s.last);
        if let Some(next) = chunk.sequence {
            if std::mem::take(&mut self.open) {
                match last {
                    Some(last) => drop(self.known.insert(sorted(last, next.first))),
                    None => self.in_front = true,
                }
            }
            self.sequence = Some(self.sequence.map_or(next, |s| s.join(next)));
        }
        for reject in &chunk.rejected {
            match (reject.time, reject.previous.or(last), reject.next) {
                (Some(time), ..) => drop(self.known.insert((time, time))),
                (None, Some(previous), Some(next)) => drop(self.known.insert(sorted(previous, next))),
                (None, None, Some(_)) => self.in_front = true,
                (None, _, None) => self.open = true,
            }
        }
    }

    /// Returns true if an event was read.
    #[must_use]
    pub const fn has_events(&self) -> bool {
        self.sequence.is_some()
    }

    /// The whole days that the input may lack; `cut` where it breaks off.
    #[must_use]
    pub fn days(&self, cut: bool) -> Vec<Span> {
        let mut lost: Vec<Span> = self.known.iter().map(|(from, to)| Span { from: *from, to: *to }).collect();
        if self.in_front || (self.open && self.sequence.is_none()) {
            lost.push(self.sequence.map_or(ALWAYS, |s| s.before()));
        }
        if self.open || cut {
            lost.push(self.sequence.map_or(ALWAYS, |s| s.behind()));
        }
        let whole = |span: Span| Span {
            from: if span.from == Micros::MIN { span.from } else { day_start(day_of(span.from)) },
            to: if span.to == Micros::MAX { span.to } else { day_start(day_of(span.to)) + DAY },
        };
        lost.into_iter().map(whole).collect()
    }
}

fn sorted(a: Micros, b: Micros) -> (Micros, Micros) {
    (a.min(b), a.max(b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::row::Reject;

    /// A chunk of readable days, and rejects: (own day, day before, day after).
    fn chunk(days: &[i64], rejects: &[(Option<i64>, Option<i64>, Option<i64>)]) -> Parsed {
        let noon = |day: i64| day * DAY + DAY / 2;
        let mut parsed = Parsed::default();
        for day in days {
            match &mut parsed.sequence {
                Some(sequence) => sequence.push(noon(*day)),
                none => *none = Some(Sequence::new(noon(*day))),
            }
        }
        parsed.rejected = rejects
            .iter()
            .map(|(own, previous, next)| Reject {
                time: own.map(noon),
                previous: previous.map(noon),
                next: next.map(noon),
                ..Reject::default()
            })
            .collect();
        parsed
    }

    /// The lost days, both ends included.
    fn lost(chunks: &[Parsed], cut: bool) -> Vec<(i64, i64)> {
        let mut losses = Losses::default();
        chunks.iter().for_each(|chunk| losses.take(chunk));
        let end = |time: Micros| if time == Micros::MAX { i64::MAX } else { time / DAY - 1 };
        let start = |time: Micros| if time == Micros::MIN { i64::MIN } else { time / DAY };
        losses.days(cut).iter().map(|s| (start(s.from), end(s.to))).collect()
    }

    const UNKNOWN: (Option<i64>, Option<i64>, Option<i64>) = (None, None, None);

    #[test]
    fn a_record_costs_its_day_or_those_between_its_neighbours() {
        assert_eq!(lost(&[chunk(&[1, 2, 9], &[])], false), []);
        assert_eq!(lost(&[chunk(&[1, 2, 9], &[(Some(5), None, None)])], false), [(5, 5)]);
        assert_eq!(lost(&[chunk(&[1, 2, 9], &[(None, Some(2), Some(9))])], false), [(2, 9)]);
        assert_eq!(lost(&[chunk(&[9, 2, 1], &[(None, Some(9), Some(2))])], false), [(2, 9)]);
        // The neighbours may be in other chunks.
        let chunks = [chunk(&[1, 2], &[(None, Some(2), None)]), chunk(&[], &[UNKNOWN]), chunk(&[4, 5], &[])];
        assert_eq!(lost(&chunks, false), [(2, 4)]);
        let chunks = [chunk(&[1, 2], &[]), chunk(&[4, 5], &[(None, None, Some(4))])];
        assert_eq!(lost(&chunks, false), [(2, 4)]);
    }

    #[test]
    fn at_the_ends_the_order_of_the_input_decides() {
        let (first, last) = ((None, None, Some(1)), (None, Some(9), None));
        assert_eq!(lost(&[chunk(&[1, 5, 9], &[first])], false), [(i64::MIN, 1)]);
        assert_eq!(lost(&[chunk(&[1, 5, 9], &[last])], false), [(9, i64::MAX)]);
        assert_eq!(lost(&[chunk(&[9, 5, 1], &[(None, Some(1), None)])], false), [(i64::MIN, 1)]);
        assert_eq!(lost(&[chunk(&[9, 5, 1], &[(None, None, Some(9))])], false), [(9, i64::MAX)]);
        assert_eq!(lost(&[chunk(&[5, 1, 9], &[last])], false), [(i64::MIN, i64::MAX)], "no order");
        assert_eq!(lost(&[chunk(&[], &[UNKNOWN])], false)[0], (i64::MIN, i64::MAX));
    }

    #[test]
    fn behind_a_cut_nothing_is_held() {
        assert_eq!(lost(&[chunk(&[1, 2], &[]), chunk(&[3], &[])], true), [(3, i64::MAX)]);
        assert_eq!(lost(&[chunk(&[3], &[]), chunk(&[2, 1], &[])], true), [(i64::MIN, 1)]);
        assert_eq!(lost(&[chunk(&[3], &[])], true), [(i64::MIN, i64::MAX)], "one record has no order");
        assert_eq!(lost(&[], true), [(i64::MIN, i64::MAX)]);
    }
}
