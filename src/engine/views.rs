//! Views: derived tables that several detections share, each one SQL file of `queries/views`.
//!
//! In: nothing. Out: name, columns and SQL; the engine runs a view once, when a query first names it.

use super::schema::Kind::{self, Bool, Date, Float, Int, Text, Time};

/// A derived table.
#[derive(Debug)]
pub struct View {
    /// Name.
    pub name: &'static str,
    /// One line of meaning.
    pub meaning: &'static str,
    /// Columns in order: name, type, meaning.
    pub columns: &'static [(&'static str, Kind, &'static str)],
    /// The query.
    pub sql: &'static str,
}

/// Looks a view up.
#[must_use]
pub fn view(name: &str) -> Option<&'static View> {
    VIEWS.iter().find(|v| v.name == name)
}

/// Every view. One may use those above it.
pub const VIEWS: &[View] = &[
    View {
        name: "powerful",
        meaning: "View: actions that change who may do what, what is recorded or what secrets are reachable.",
        columns: &[("action", Text, "action id"), ("grade", Text, "critical or sensitive")],
        sql: include_str!("../../queries/views/powerful.sql"),
    },
    View {
        name: "token_dates",
        meaning: "View: days on which a token was active, over all of its credentials.",
        columns: &[
            ("org", Text, "organisation"),
            ("token_id", Text, "the token"),
            ("date", Date, "UTC day"),
            ("n", Int, "events"),
            ("first_time", Time, "first event"),
            ("start_time", Time, "first event of the credential that began last"),
            ("last_time", Time, "last event"),
            ("peak", Int, "most events within ten minutes"),
            ("peak_projects", Int, "most projects within ten minutes"),
            ("peak_targets", Int, "most targets within ten minutes"),
            ("peak_time", Time, "when the busiest ten minutes began"),
        ],
        sql: include_str!("../../queries/views/token_dates.sql"),
    },
    View {
        name: "firsts",
        meaning: "View: values that a token showed for the first time inside the window.",
        columns: &[
            ("org", Text, "organisation"),
            ("token_id", Text, "the token"),
            ("dimension", Text, "action, network, client, project or hour"),
            ("value", Text, "the value"),
            ("first_time", Time, "first event with it"),
            ("last_time", Time, "last event with it"),
            ("n", Int, "events with it"),
            ("origins", Int, "of those, events that began a cascade"),
            ("active_days", Int, "days with it"),
            ("first_event", Text, "id of the first event"),
            ("token_first", Time, "first event of the token"),
            ("values_before", Int, "values of the dimension that the token showed earlier"),
            ("active_before", Int, "days with events before that day"),
            ("fresh_before", Int, "of those, days that brought something new, the first day left out"),
            ("novelty", Float, "how much of a surprise: LN((active_before + 1) / (fresh_before + 0.5))"),
            ("known_before", Bool, "whether anybody else of the organisation had shown it earlier"),
            (
                "shared_before",
                Bool,
                "whether it is a network that three users or credentials had shown earlier",
            ),
            ("own", Bool, "whether it is one of the organisation's own networks"),
            ("country", Text, "country of the network; null without a database"),
            ("kin_before", Bool, "whether the token had shown the same operator in the same country"),
            ("country_new", Bool, "whether the token had shown other countries, and never this one"),
            ("weight", Float, "novelty as far as the place leaves it, see queries/views/firsts.sql"),
            ("place", Text, "the value, for a network with what the context tells of it"),
        ],
        sql: include_str!("../../queries/views/firsts.sql"),
    },
];
