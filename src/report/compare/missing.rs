//! Which class of evidence one run had of an organisation and the other lacks.
//!
//! In: the [`Evidence`] of both. Out: the first class that is missing, with a sentence that says which side lacks it. Where
//! a class is missing, what is not found there is not known to be gone, and what is found is not known to be new.

use crate::model::noun::counted;
use crate::model::time::{Day, day_of, day_text};
use crate::report::evidence::{Evidence, days};
use std::collections::BTreeSet;

text_enum! {
    /// A class of evidence.
    Class {
        Organisation = "organisation",
        Detection = "detection",
        Severity = "severity",
        List = "list",
        Users = "users",
        Usage = "usage",
        Log = "log",
        Window = "window",
        Token = "token",
    }
}

text_enum! {
    /// A side of the comparison.
    Side { Earlier = "earlier", Now = "now" }
}

/// A class of evidence that one side lacks.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Missing {
    /// Which.
    pub class: Class,
    /// Where.
    pub side: Side,
    /// A sentence.
    #[serde(skip)]
    pub why: String,
}

impl Missing {
    pub(super) fn new(class: Class, side: Side, why: impl Into<String>) -> Self {
        Self { class, side, why: why.into() }
    }
}

/// What a comparison of one finding or token rests on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Needs {
    /// Whether usage records could change it.
    pub usage: bool,
    /// Days of the log that could change it: from this one on.
    pub log_from: Day,
    /// The last day of the window of the side that may lack something.
    pub log_to: Day,
}

/// Returns the first class of evidence that `has` and not `lacks`, which is `side`.
pub(super) fn missing(has: &Evidence, lacks: &Evidence, side: Side, needs: Needs) -> Option<Missing> {
    let (this, other) = match side {
        Side::Now => ("This run", "the earlier one"),
        Side::Earlier => ("The earlier run", "this one"),
    };
    let say = |class, what: String| Some(Missing::new(class, side, format!("{this} {what}.")));
    match (has.taken(), lacks.taken()) {
        (Some(_), None) => {
            return say(
                Class::List,
                format!("has no list of the organisation's tokens, and {other} has one"),
            );
        }
        // That a later run has a newer list is how it should be.
        (Some(there), Some(here)) if side == Side::Now && here < there => {
            let day = |t| day_text(day_of(t));
            return say(
                Class::List,
                format!("has a list of {}, and {other} a newer one, of {}", day(here), day(there)),
            );
        }
        _ => {}
    }
    if has.inventory_complete && !lacks.inventory_complete {
        return say(
            Class::List,
            format!("has only a partial list of the organisation's tokens, and {other} a complete one"),
        );
    }
    for (there, here, what) in [
        (has.users, lacks.users, "list of the organisation's users"),
        (has.user_states, lacks.user_states, "list that says which users can sign in"),
        (has.last_access, lacks.last_access, "list with the last access of users"),
    ] {
        if there > 0 && here == 0 {
            return say(Class::Users, format!("has no {what}, and {other} has one"));
        }
    }
    if needs.usage {
        if !has.usage_days.is_empty() && lacks.usage_days.is_empty()
            || has.usage_users > 0 && lacks.usage_users == 0
        {
            return say(Class::Usage, format!("has no usage records, and {other} has them"));
        }
        let here: BTreeSet<Day> = days(&lacks.usage_days).collect();
        let within = |day: &Day| (needs.log_from..=needs.log_to).contains(day);
        if side == Side::Now
            && let Some(day) = days(&has.usage_days).filter(within).find(|day| !here.contains(day))
        {
            return say(
                Class::Usage,
                format!("has no usage records of {}, and {other} has them", day_text(day)),
            );
        }
        if side == Side::Now && lacks.usage_users < has.usage_users {
            return say(
                Class::Usage,
                format!(
                    "has usage records of {}, and {other} of {}",
                    counted(lacks.usage_users, "user"),
                    has.usage_users
                ),
            );
        }
    }
    // What the earlier run lacked of the log and this one has is news.
    if side == Side::Earlier { None } else { thinner(has, lacks, needs, other) }
}

/// A day of which this run has less of the log than the earlier one.
fn thinner(has: &Evidence, lacks: &Evidence, needs: Needs, other: &str) -> Option<Missing> {
    let within = |day: Day| (needs.log_from..=needs.log_to).contains(&day);
    let say = |what: String| Some(Missing::new(Class::Log, Side::Now, format!("This run {what}.")));
    let here: std::collections::BTreeMap<Day, u64> = lacks.log().collect();
    let less = has.log().filter(|(day, _)| within(*day)).find_map(|(day, events)| {
        let held = here.get(&day).copied().unwrap_or_default();
        (held < events).then_some((day, held, events))
    });
    if let Some((day, held, events)) = less {
        let held = counted(held, "event");
        return say(format!("has {held} of {}, and {other} has {events}", day_text(day)));
    }
    let covered: BTreeSet<Day> = days(&lacks.covered).collect();
    let gap = days(&has.covered).filter(|day| within(*day)).find(|day| !covered.contains(day));
    gap.and_then(|day| {
        say(format!("does not know the log of {} to be complete, and {other} does", day_text(day)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::coverage::{Basis, Coverage};
    use crate::model::time::{DAY, Span};

    fn full() -> Evidence {
        let mut evidence = Evidence {
            org: "o".into(),
            inventory_taken: Some("1970-01-05T00:00:00Z".into()),
            inventory_complete: true,
            users_listed: 3,
            users: 3,
            user_states: 3,
            last_access: 2,
            usage_users: 3,
            ..Evidence::default()
        };
        evidence.set_usage(&[Span { from: 0, to: 9 * DAY }]);
        evidence.set_log((0..9).map(|day| (day, 5)).collect());
        evidence.set_covered(&coverage(0..9));
        evidence
    }

    fn coverage(days: std::ops::Range<Day>) -> Coverage {
        Coverage {
            org: "o".into(),
            span: Span { from: 0, to: 9 * DAY },
            basis: Basis::Pulled,
            gaps: vec![],
            covered: days.collect(),
            areas: 9,
            events: 9,
        }
    }

    fn class(has: &Evidence, lacks: &Evidence, side: Side) -> Option<Class> {
        missing(has, lacks, side, Needs { usage: true, log_from: 2, log_to: 8 }).map(|m| m.class)
    }

    type Change<'a> = &'a dyn Fn(&mut Evidence);

    #[test]
    fn each_class_that_one_side_lacks_is_named() {
        let all = full();
        assert_eq!(class(&all, &all, Side::Now), None);
        let with = |change: &dyn Fn(&mut Evidence)| {
            let mut less = full();
            change(&mut less);
            less
        };
        let both: [(Change<'_>, Class); 7] = [
            (&|e| e.inventory_taken = None, Class::List),
            (&|e| e.inventory_complete = false, Class::List),
            (&|e| e.users = 0, Class::Users),
            (&|e| e.user_states = 0, Class::Users),
            (&|e| e.last_access = 0, Class::Users),
            (&|e| e.usage_days.clear(), Class::Usage),
            (&|e| e.usage_users = 0, Class::Usage),
        ];
        for (change, expected) in both {
            let less = with(change);
            assert_eq!(class(&all, &less, Side::Now), Some(expected), "{less:?}");
            assert_eq!(class(&all, &less, Side::Earlier), Some(expected), "{less:?}");
            assert_eq!(class(&less, &all, Side::Now), None, "more than before lacks nothing");
        }
        let now: [(Change<'_>, Class); 6] = [
            (&|e| e.inventory_taken = Some("1970-01-04T00:00:00Z".into()), Class::List),
            (&|e| e.usage_users = 2, Class::Usage),
            (&|e| e.set_usage(&[Span { from: 0, to: 8 * DAY }]), Class::Usage),
            (&|e| e.log_events[4] = 4, Class::Log),
            (&|e| e.log_events.truncate(7), Class::Log),
            (&|e| e.set_covered(&coverage(0..8)), Class::Log),
        ];
        for (change, expected) in now {
            let less = with(change);
            assert_eq!(class(&all, &less, Side::Now), Some(expected), "{less:?}");
            assert_eq!(class(&all, &less, Side::Earlier), None, "an earlier run had less: {less:?}");
        }
        // Days before those that matter.
        assert_eq!(class(&all, &with(&|e| e.log_events[1] = 0), Side::Now), None);
    }

    #[test]
    fn the_sentence_names_the_side() {
        let (all, none) = (full(), Evidence::default());
        let why = |side| {
            missing(&all, &none, side, Needs { usage: true, log_from: 0, log_to: 9 }).expect("missing").why
        };
        assert!(why(Side::Now).starts_with("This run has no list"), "{}", why(Side::Now));
        assert!(why(Side::Earlier).starts_with("The earlier run has no list"), "{}", why(Side::Earlier));
    }
}
