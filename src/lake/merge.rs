//! Folded, partial and rival copies of one event, merged field by field.
//!
//! A value wins over none; of two values content decides, never the order of arrival: the longer one (a cut
//! mechanism or agent loses), then the greater one. So merging is associative, and importing the same files in
//! any order gives the same lake.

use crate::model::event::EventRow;
use std::cmp::Reverse;

/// The one action that the service folds (facts, section 1).
const FOLDABLE: &str = "AuditLog.AccessLog";

/// Merges `other` into `row`.
pub(super) fn merge<'a>(row: &mut EventRow<'a>, other: &EventRow<'a>) {
    if row.action == FOLDABLE || other.action == FOLDABLE {
        // A folded entry lists the times of many reads; the copy of the single read is the truer one.
        let order = |text: &'a str| (!text.is_empty(), Reverse(entries(text)), text.len(), text);
        if order(other.data) > order(row.data) {
            row.data = other.data;
        }
        let order = |text: &'a str| (!text.is_empty(), Reverse(text.len()), text);
        if order(other.details) > order(row.details) {
            row.details = other.details;
        }
    } else {
        take_better(&mut row.data, other.data);
        take_better(&mut row.details, other.details);
    }
    row.folded = row.folded.min(other.folded);
    // A coarser copy is a cut one, so the later time is the finer.
    row.time = row.time.max(other.time);
    for (mine, theirs) in [
        (&mut row.action, other.action),
        (&mut row.area, other.area),
        (&mut row.mechanism, other.mechanism),
        (&mut row.actor_upn, other.actor_upn),
        (&mut row.actor_name, other.actor_name),
        (&mut row.actor_id, other.actor_id),
        (&mut row.actor_cuid, other.actor_cuid),
        (&mut row.actor_client_id, other.actor_client_id),
        (&mut row.correlation_id, other.correlation_id),
        (&mut row.activity_id, other.activity_id),
        (&mut row.address, other.address),
        (&mut row.user_agent, other.user_agent),
        (&mut row.project_id, other.project_id),
        (&mut row.project, other.project),
        (&mut row.scope_id, other.scope_id),
        (&mut row.scope_name, other.scope_name),
    ] {
        take_better(mine, theirs);
    }
    for (mine, theirs) in [(&mut row.category, other.category), (&mut row.scope_type, other.scope_type)] {
        if *mine == "unknown" {
            *mine = theirs;
        } else if theirs != "unknown" {
            take_better(mine, theirs);
        }
    }
}

/// Counts the entries of `EventSummary` in a `data` text.
fn entries(data: &str) -> usize {
    let Some((_, rest)) = data.split_once("\"EventSummary\"") else { return 0 };
    rest.split(']').next().map_or(0, |list| list.matches(',').count() + 1)
}

fn take_better<'a>(mine: &mut &'a str, theirs: &'a str) {
    if (theirs.len(), theirs) > (mine.len(), *mine) {
        *mine = theirs;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merged<'a>(rows: &[EventRow<'a>]) -> EventRow<'a> {
        let mut out = rows[0];
        for row in &rows[1..] {
            merge(&mut out, row);
        }
        out
    }

    #[test]
    fn order_changes_nothing() {
        let folded = EventRow {
            action: FOLDABLE,
            folded: 3,
            data: "{\"EventSummary\":[1,2,3]}",
            details: "read 3 times",
            ..EventRow::EMPTY
        };
        let single = EventRow {
            action: FOLDABLE,
            data: "{}",
            details: "read",
            mechanism: "PAT_Unscoped",
            ..EventRow::EMPTY
        };
        let cut = EventRow {
            time: 7,
            mechanism: "PAT",
            category: "unknown",
            address: "1.2.3.4",
            ..EventRow::EMPTY
        };
        let all = [folded, single, cut];
        let expected = merged(&all);
        assert_eq!((expected.data, expected.details, expected.folded), ("{}", "read", 1));
        assert_eq!(expected.mechanism, "PAT_Unscoped");
        assert_eq!(expected.category, "");
        for order in [[0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            assert_eq!(merged(&order.map(|i| all[i])), expected, "{order:?}");
        }
    }
}
