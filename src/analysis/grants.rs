//! Changes of a token's grant: scopes, reach and end date, each with before and after.
//!
//! In: one token with its known grants and its life. Out: one [`GrantChange`] for each field that an update event
//! changed. A grant that only a list shows can be a "before", never an "after": the list has no event.

use super::ledger::Change;
use crate::model::catalogue::catalogue;
use crate::model::time::{DAY, Micros, format_time};
use crate::model::token::{Grant, Token, is_full_scope};

text_enum! {
    /// The field of a grant that changed.
    Field { Scopes = "scopes", Reach = "reach", End = "end" }
}

text_enum! {
    /// The strongest access among the scopes that a change added.
    Gained { Read = "read", Write = "write", HighPrivilege = "high-privilege", Full = "full" }
}

/// One changed field of one grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantChange {
    /// Organisation.
    pub org: String,
    /// The token.
    pub token_id: String,
    /// When.
    pub time: Micros,
    /// The update event.
    pub event_id: String,
    /// Who made the change.
    pub actor: String,
    /// From which network.
    pub network: String,
    /// With which client.
    pub client: String,
    /// What changed.
    pub field: Field,
    /// The value before.
    pub before: String,
    /// The value after.
    pub after: String,
    /// Whether the token can do more, or do it longer, than before.
    pub widened: bool,
    /// Scopes that the old grant did not give.
    pub gained: Vec<String>,
    /// The strongest access among them.
    pub gained_access: Option<Gained>,
    /// Whole days from the change to the new end date.
    pub days_ahead: Option<i64>,
}

/// Lists every change of a token's grant that an event shows, oldest first.
#[must_use]
pub fn changes(token: &Token) -> Vec<GrantChange> {
    let mut known = Known::default();
    let mut out = Vec::new();
    for grant in &token.grants {
        if !grant.listed {
            out.extend(of_event(token, &known, grant));
        }
        known.add(grant);
    }
    out
}

/// What was in force before a grant, field by field.
#[derive(Default)]
struct Known<'a> {
    scopes: Option<&'a [String]>,
    all_orgs: Option<bool>,
    targets: usize,
    valid_to: Option<Micros>,
}

impl<'a> Known<'a> {
    fn add(&mut self, grant: &'a Grant) {
        self.scopes = grant.scopes.as_deref().or(self.scopes);
        if grant.all_orgs.is_some() {
            (self.all_orgs, self.targets) = (grant.all_orgs, grant.targets.len());
        }
        self.valid_to = grant.valid_to.or(self.valid_to);
    }
}

fn of_event(token: &Token, known: &Known<'_>, grant: &Grant) -> Vec<GrantChange> {
    let updates = |time| {
        let same = move |l: &&crate::model::token::LifeEvent| l.time == time;
        token.life.iter().filter(same).find(|l| Change::of(&l.action) == Some(Change::Updated))
    };
    let Some(event) = updates(grant.since) else { return Vec::new() };
    let change = |field, before: String, after: String, widened| GrantChange {
        org: token.org.clone(),
        token_id: token.token_id.clone(),
        time: event.time,
        event_id: event.event_id.clone(),
        actor: event.actor.clone(),
        network: event.network.clone(),
        client: event.client.clone(),
        field,
        before,
        after,
        widened,
        gained: Vec::new(),
        gained_access: None,
        days_ahead: None,
    };
    let mut out = Vec::new();
    if let (Some(old), Some(new)) = (known.scopes, grant.scopes.as_deref())
        && old != new
    {
        let gained: Vec<String> =
            new.iter().filter(|s| !old.iter().any(|g| catalogue().gives(g, s))).cloned().collect();
        let access = gained.iter().map(|s| access(s)).max();
        out.push(GrantChange {
            gained_access: access,
            gained: gained.clone(),
            ..change(Field::Scopes, old.join(" "), new.join(" "), !gained.is_empty())
        });
    }
    if let (Some(old), Some(new)) = (known.all_orgs, grant.all_orgs)
        && old != new
    {
        let (before, after) = (reach(old, known.targets), reach(new, grant.targets.len()));
        out.push(change(Field::Reach, before, after, new));
    }
    if let (Some(old), Some(new)) = (known.valid_to, grant.valid_to)
        && old != new
    {
        out.push(GrantChange {
            days_ahead: Some((new - event.time).div_euclid(DAY)),
            ..change(Field::End, format_time(old), format_time(new), new > old)
        });
    }
    out
}

fn access(scope: &str) -> Gained {
    let info = catalogue().scopes.get(scope);
    match info {
        _ if is_full_scope(scope) => Gained::Full,
        Some(info) if info.high_privilege => Gained::HighPrivilege,
        Some(info) if info.access == "read" => Gained::Read,
        // A scope that the catalogue does not list may allow anything short of full access.
        _ => Gained::Write,
    }
}

fn reach(all: bool, targets: usize) -> String {
    match (all, targets) {
        (true, _) => "all organisations".to_owned(),
        (false, 0 | 1) => "one organisation".to_owned(),
        (false, n) => format!("{n} organisations"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::tests_support::token;
    use crate::model::token::{LifeEvent, split_scopes};

    fn grant(since: Micros, scopes: &str) -> Grant {
        Grant { since, scopes: Some(split_scopes(scopes)), ..Grant::default() }
    }

    fn changed(grants: Vec<Grant>) -> Vec<GrantChange> {
        let life = grants
            .iter()
            .filter(|g| !g.listed)
            .enumerate()
            .map(|(n, g)| LifeEvent {
                time: g.since,
                event_id: format!("e{}", g.since),
                action: if n == 0 { "Token.PatCreateEvent" } else { "Token.PatUpdateEvent" }.into(),
                text: String::new(),
                actor: "bob@x.example".into(),
                network: String::new(),
                client: String::new(),
            })
            .collect();
        changes(&Token { grants, life, ..token("vso.code") })
    }

    #[test]
    fn a_widened_grant_says_what_it_gained() {
        let wider = changed(vec![grant(1, "vso.code"), grant(2, "vso.code vso.graph_manage")]);
        assert_eq!(wider.len(), 1);
        let c = &wider[0];
        assert_eq!((c.field, c.widened, c.gained_access), (Field::Scopes, true, Some(Gained::HighPrivilege)));
        assert_eq!((c.before.as_str(), c.after.as_str()), ("vso.code", "vso.code vso.graph_manage"));
        assert_eq!((c.event_id.as_str(), c.actor.as_str()), ("e2", "bob@x.example"));
        let full = changed(vec![grant(1, "vso.code"), grant(2, "app_token")]);
        assert_eq!(full[0].gained_access, Some(Gained::Full));
        let narrower = changed(vec![grant(1, "vso.code_manage"), grant(2, "vso.code")]);
        assert_eq!((narrower[0].widened, narrower[0].gained_access), (false, None));
        assert_eq!(changed(vec![grant(1, "vso.code"), grant(2, "vso.code")]), []);
    }

    #[test]
    fn a_reach_that_was_never_stated_did_not_change() {
        let all = |since, all| Grant { all_orgs: all, ..grant(since, "vso.code") };
        let wider = changed(vec![all(1, Some(false)), all(2, None), all(3, Some(true))]);
        assert_eq!(wider.len(), 1);
        assert_eq!((wider[0].field, wider[0].widened, wider[0].time), (Field::Reach, true, 3));
        assert_eq!(wider[0].before, "one organisation");
        assert_eq!(changed(vec![all(1, None), all(2, Some(true))]), []);
    }

    #[test]
    fn a_moved_end_counts_the_days_from_the_change() {
        let end = |since, to| Grant { valid_to: Some(to), ..grant(since, "vso.code") };
        let moved = changed(vec![end(0, 30 * DAY), end(10 * DAY, 210 * DAY)]);
        assert_eq!((moved[0].field, moved[0].days_ahead, moved[0].widened), (Field::End, Some(200), true));
    }

    #[test]
    fn a_list_is_a_before_and_never_an_after() {
        let listed = Grant { listed: true, ..grant(0, "vso.code") };
        // The first event is the creation in these tests, so the update comes second.
        let same = changed(vec![listed.clone(), grant(1, "vso.code"), grant(2, "vso.code_write")]);
        assert_eq!(same.len(), 1);
        let only = changed(vec![
            grant(1, "vso.code"),
            Grant { since: 2, listed: true, ..grant(2, "vso.code_write") },
        ]);
        assert_eq!(only, []);
    }
}
