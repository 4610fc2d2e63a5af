//! A token of the organisation: what it was granted, what it is for, and how it goes about it.

use super::agents::Family;
use super::log::mechanism_text;
use super::place::Site;
use crate::model::time::{Day, Micros, Span};

/// When a token works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pace {
    /// In the owner's working hours, Monday to Friday.
    Office,
    /// At any hour, less at weekends.
    AllDay,
    /// Each night at this hour, UTC.
    Nightly(i64),
    /// One long run each week on this weekday (0 = Monday).
    Weekly(i32),
    /// One run each 28 days.
    Monthly,
}

/// What changes for good or for a while, and means no harm.
#[derive(Debug, Clone, Default)]
pub(super) struct Turns {
    /// A project that it serves too from some day on.
    pub(super) joins: Option<(Micros, usize)>,
    /// Runs on top of its rhythm: when, and how many changes.
    pub(super) extra: Vec<(Micros, usize)>,
    /// A span without work.
    pub(super) pause: Option<Span>,
    /// Nights on call: work in this span is done at night.
    pub(super) nights: Option<Span>,
    /// A journey: other networks for some days.
    pub(super) trip: Option<(Span, Site)>,
}

/// How a token goes about its work.
#[derive(Debug, Clone)]
pub(super) struct Habit {
    /// Audited events on a working day, in the mean.
    pub(super) per_day: f64,
    /// Longest run of changes in one go.
    pub(super) run: i64,
    /// What it does, by weight.
    pub(super) actions: Vec<(&'static str, u32)>,
    pub(super) projects: Vec<usize>,
    pub(super) client: Family,
    pub(super) machine: usize,
    /// Days on which the client was upgraded.
    pub(super) upgrades: Vec<Day>,
    /// The client that replaced the first for good, and when.
    pub(super) new_client: Option<(Micros, Family)>,
    pub(super) site: Site,
    /// Where it moved to for good, and when.
    pub(super) moved: Option<(Micros, Site)>,
    pub(super) pace: Pace,
    /// From when to when it is at work.
    pub(super) at_work: Span,
    pub(super) turns: Turns,
}

/// How a token ends, if it ends inside the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// Nothing happens to it.
    None,
    /// Its owner revokes it.
    Revoked(Micros),
    /// It is found in public and the service revokes it at once.
    LeakedAndClosed(Micros),
    /// It reaches its end date inside the window.
    Expired,
}

/// What a token was before its owner, or an intruder, edited it.
#[derive(Debug, Clone)]
pub(super) struct Edit {
    pub(super) at: Micros,
    pub(super) name: Option<String>,
    pub(super) scopes: Vec<&'static str>,
    pub(super) all_orgs: bool,
    pub(super) valid_to: Micros,
}

/// One PAT.
#[derive(Debug, Clone)]
pub(super) struct Token {
    pub(super) id: String,
    pub(super) name: Option<String>,
    pub(super) owner: usize,
    pub(super) scopes: Vec<&'static str>,
    pub(super) all_orgs: bool,
    pub(super) valid_from: Micros,
    pub(super) valid_to: Micros,
    /// The end date before an update moved it, and when that was.
    pub(super) extended: Option<(Micros, Micros)>,
    /// The edit that gave it its present grant or name.
    pub(super) edited: Option<Edit>,
    /// The class that its events name, where that is not the one of its grant.
    pub(super) class_says: Option<&'static str>,
    pub(super) ending: Ending,
    pub(super) habit: Habit,
    /// Whether the inventory lists it.
    pub(super) listed: bool,
    /// Whether another token looks the same in a cut mechanism.
    pub(super) ambiguous: bool,
    /// Created where, if not at its owner's place: (address, agent).
    pub(super) made_from: Option<(String, String)>,
}

impl Token {
    /// Whether it opens everything.
    pub(super) fn full_access(&self) -> bool {
        self.scopes.contains(&"app_token")
    }

    /// The class that its mechanism names.
    pub(super) fn class(&self) -> &'static str {
        if let Some(class) = self.class_says {
            return class;
        }
        match (self.full_access(), self.all_orgs) {
            (false, false) => "PAT",
            (true, false) => "PAT_Unscoped",
            (false, true) => "PAT_Global",
            (true, true) => "PAT_UnscopedGlobal",
        }
    }

    /// The mechanism text of its calls.
    pub(super) fn mechanism(&self) -> String {
        mechanism_text(self.class(), &self.id)
    }

    /// The token as it was at `time`, its edit undone where that came later.
    pub(super) fn at(&self, time: Micros) -> std::borrow::Cow<'_, Self> {
        match &self.edited {
            Some(edit) if time < edit.at => std::borrow::Cow::Owned(Self {
                name: edit.name.clone(),
                scopes: edit.scopes.clone(),
                all_orgs: edit.all_orgs,
                valid_to: edit.valid_to,
                ..self.clone()
            }),
            _ => std::borrow::Cow::Borrowed(self),
        }
    }

    /// Whether it can be used at `time`, as far as its own dates say.
    pub(super) fn alive_at(&self, time: Micros) -> bool {
        let revoked = matches!(self.ending, Ending::Revoked(at) | Ending::LeakedAndClosed(at) if at <= time);
        !revoked && self.valid_from <= time && time < self.valid_to
    }
}
