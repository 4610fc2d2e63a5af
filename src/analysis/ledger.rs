//! The ledger: tokens as `Token.*` events tell of them.
//!
//! In: those events, oldest first. Out: one entry a token, with every grant it had and every change of its
//! life; and the events that name no token and fit more than one. Key names come from a production parser of
//! another product (facts, section 2), so each is read tolerantly and none is required.

use super::target::{self, Target};
use crate::model::catalogue::catalogue;
use crate::model::identity;
use crate::model::time::{Micros, format_time, parse_time};
use crate::model::token::{Grant, LifeEvent, split_scopes};
use std::collections::BTreeMap;

/// One `Token.*` event about a PAT, as the `notable` table holds it.
#[derive(Debug, Clone, Default)]
pub struct TokenEvent {
    /// Organisation.
    pub org: String,
    /// Bare GUID.
    pub event_id: String,
    /// When.
    pub time: Micros,
    /// Action id.
    pub action: String,
    /// Who did it: label and storage key.
    pub actor: String,
    /// Storage key of the actor.
    pub actor_id: String,
    /// Whether the service did it.
    pub service_actor: bool,
    /// Network it came from.
    pub network: String,
    /// Client it came with.
    pub client: String,
    /// Rendered text; names the token in quotes.
    pub details: String,
    /// authorizationId of the token, where the event names it.
    pub token_id: String,
    /// Display name.
    pub name: String,
    /// Storage key of the owner.
    pub owner_id: String,
    /// Owner in words.
    pub owner: String,
    /// Scopes as written.
    pub scopes: String,
    /// Creation as written.
    pub valid_from: String,
    /// End date as written.
    pub valid_to: String,
    /// Target organisations as written.
    pub targets: String,
    /// Whether it is for all organisations, as written.
    pub all_orgs: String,
}

text_enum! {
    /// What happened to a token.
    Change {
        Created = "created", Updated = "updated", Revoked = "revoked", SystemRevoked = "revoked by the service",
        Expired = "expired", Discovered = "found in public",
    }
}

impl Change {
    /// Reads an action id; the shorter family of a withdrawn documentation page is taken as an alias.
    #[must_use]
    pub fn of(action: &str) -> Option<Self> {
        let action = action.to_ascii_lowercase();
        let verb = action.strip_prefix("token.pat")?;
        Some(match verb {
            v if v.starts_with("create") => Self::Created,
            v if v.starts_with("update") || v.starts_with("modif") || v.starts_with("regenerat") => {
                Self::Updated
            }
            v if v.starts_with("systemrevoke") || v.starts_with("inactiverevoke") => Self::SystemRevoked,
            v if v.starts_with("revoke") => Self::Revoked,
            v if v.starts_with("expire") => Self::Expired,
            v if v.starts_with("publicdiscover") => Self::Discovered,
            _ => return None,
        })
    }
}

/// A token as the ledger knows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entry {
    /// Newest name.
    pub name: Option<String>,
    /// When an event last told the name.
    pub named_at: Option<Micros>,
    /// Storage key of the owner.
    pub owner_id: Option<String>,
    /// Owner in words.
    pub owner: Option<String>,
    /// Creation.
    pub valid_from: Option<Micros>,
    /// Newest end date.
    pub valid_to: Option<Micros>,
    /// Grants, oldest first.
    pub grants: Vec<Grant>,
    /// Whether it reaches all organisations.
    pub all_orgs: Option<bool>,
    /// Ids of the organisations that it is for, where an event names them.
    pub targets: Vec<String>,
    /// When it was revoked.
    pub revoked_at: Option<Micros>,
    /// When it expired, as the service said.
    pub expired_at: Option<Micros>,
    /// When it was found in public.
    pub leaked_at: Option<Micros>,
    /// Life, oldest first.
    pub life: Vec<LifeEvent>,
    /// How often its end date was moved.
    pub extended: u64,
    /// The creating event.
    pub created: Option<LifeEvent>,
    /// When the last event about it happened.
    pub last_change: Option<Micros>,
    /// Some event was joined by owner and name alone.
    pub joined_by_name: bool,
}

/// A `Token.*` event that names no token and fits several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unclear {
    /// Organisation.
    pub org: String,
    /// The event.
    pub event_id: String,
    /// When.
    pub time: Micros,
    /// Action id.
    pub action: String,
    /// Owner it names.
    pub owner: String,
    /// Name it gives.
    pub name: String,
    /// Tokens it could be about.
    pub candidates: Vec<String>,
}

/// A token listed by an inventory, for events that give owner and name only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Organisation.
    pub org: String,
    /// authorizationId.
    pub token_id: String,
    /// Name.
    pub name: String,
    /// Owner: storage key and label, lower case.
    pub owner: Vec<String>,
    /// Creation.
    pub valid_from: Option<Micros>,
    /// End date.
    pub valid_to: Option<Micros>,
}

/// Entries by organisation and token id.
pub type Ledger = BTreeMap<(String, String), Entry>;

/// Other texts that name a person, by organisation and one text.
pub type Aliases<'a> = &'a dyn Fn(&str, &str) -> Vec<String>;

/// Builds the ledger from events, which are sorted here.
///
/// Every event first finds its token, then all are applied in time order: an event that names its token by
/// owner and name alone must not undo what a later event with an id tells.
#[must_use]
pub fn build(mut events: Vec<TokenEvent>, listed: &[Listed], aliases: Aliases<'_>) -> (Ledger, Vec<Unclear>) {
    events.sort_by(|a, b| (a.time, &a.event_id).cmp(&(b.time, &b.event_id)));
    let targets = target::find(&events, listed, aliases);
    let mut ledger = Ledger::new();
    let mut unclear = Vec::new();
    for (event, target) in events.iter().zip(targets) {
        let Some(change) = Change::of(&event.action) else { continue };
        let (id, by_name) = match target {
            Target::None => continue,
            Target::Named(id) => (id, false),
            Target::Found(id) => (id, true),
            Target::Several(candidates) => {
                unclear.push(Unclear {
                    org: event.org.clone(),
                    event_id: event.event_id.clone(),
                    time: event.time,
                    action: event.action.clone(),
                    owner: owner_of(event),
                    name: event.shown_name(),
                    candidates,
                });
                continue;
            }
        };
        let entry = ledger.entry((event.org.clone(), id)).or_default();
        entry.joined_by_name |= by_name;
        apply(entry, event, change, by_name);
    }
    (ledger, unclear)
}

impl TokenEvent {
    /// The display name that the event gives: its own field, else the quoted part of its text.
    #[must_use]
    pub fn shown_name(&self) -> String {
        if self.name.is_empty() {
            self.details.split('"').nth(1).unwrap_or_default().to_owned()
        } else {
            self.name.clone()
        }
    }
}

fn owner_of(event: &TokenEvent) -> String {
    if event.owner.is_empty() { event.actor.clone() } else { event.owner.clone() }
}

fn apply(entry: &mut Entry, event: &TokenEvent, change: Change, by_name: bool) {
    let name = event.shown_name();
    let mut text = change.to_string();
    if !name.is_empty() {
        if let Some(old) = &entry.name
            && *old != name
        {
            text = format!("{text}, renamed from \"{old}\" to \"{name}\"");
        }
        entry.name = Some(name);
        entry.named_at = Some(event.time);
    }
    if !event.owner_id.is_empty() {
        entry.owner_id =
            identity::guid(&event.owner_id).map(std::borrow::Cow::into_owned).or(entry.owner_id.take());
    }
    if !event.owner.is_empty() {
        entry.owner = Some(event.owner.clone());
    }
    if change == Change::Created && entry.owner_id.is_none() && entry.owner.is_none() && !event.service_actor
    {
        entry.owner_id = identity::guid(&event.actor_id).map(std::borrow::Cow::into_owned);
        entry.owner = Some(event.actor.clone());
    }
    if let Some(from) = parse_time(&event.valid_from) {
        entry.valid_from = Some(entry.valid_from.map_or(from, |old| old.min(from)));
    } else if change == Change::Created {
        entry.valid_from = entry.valid_from.or(Some(event.time));
    }
    let valid_to = parse_time(&event.valid_to);
    let moved = (change == Change::Updated).then(|| entry.valid_to.zip(valid_to)).flatten();
    if let Some((old, to)) = moved.filter(|(old, to)| old != to) {
        entry.extended += 1;
        text = format!(
            "{text}; extended or regenerated: the log does not tell; end moved from {} to {}",
            format_time(old),
            format_time(to)
        );
    }
    entry.valid_to = valid_to.or(entry.valid_to);
    let scopes = (!event.scopes.is_empty()).then(|| split_scopes(event.scopes.trim_matches(['[', ']', '"'])));
    let all_orgs = if event.all_orgs.eq_ignore_ascii_case("true") {
        Some(true)
    } else {
        (!event.targets.is_empty() || event.all_orgs.eq_ignore_ascii_case("false")).then_some(false)
    };
    let targets = target_ids(&event.targets);
    let told = scopes.is_some() || valid_to.is_some() || all_orgs.is_some();
    if matches!(change, Change::Created | Change::Updated) && told {
        let before = entry.grants.last().and_then(|g| g.scopes.clone());
        if let (Some(old), Some(new)) = (&before, &scopes)
            && old != new
        {
            text = format!("{text}; {}", change_of_scopes(old, new));
        }
        entry.grants.push(Grant {
            since: event.time,
            scopes: scopes.or(before),
            valid_to: entry.valid_to,
            all_orgs,
            targets: targets.clone(),
            listed: false,
        });
    }
    if matches!(change, Change::Created | Change::Updated) {
        entry.all_orgs = all_orgs.or(entry.all_orgs);
        if !targets.is_empty() {
            entry.targets = targets;
        }
    }
    if by_name {
        text = format!("{text} (the event names the token by owner and name alone; confidence medium)");
    }
    match change {
        Change::Revoked | Change::SystemRevoked => {
            entry.revoked_at = Some(entry.revoked_at.map_or(event.time, |t| t.min(event.time)));
        }
        Change::Expired => entry.expired_at = Some(event.time),
        Change::Discovered => {
            entry.leaked_at = Some(entry.leaked_at.map_or(event.time, |t| t.min(event.time)))
        }
        Change::Created | Change::Updated => {}
    }
    let life = LifeEvent {
        time: event.time,
        event_id: event.event_id.clone(),
        action: event.action.clone(),
        text,
        actor: event.actor.clone(),
        network: event.network.clone(),
        client: event.client.clone(),
    };
    if change == Change::Created {
        entry.created = Some(life.clone());
    }
    entry.last_change = entry.last_change.max(Some(event.time));
    entry.life.push(life);
}

/// Says how a grant changed, an escalation first: what it gained counts by what the scopes include.
fn change_of_scopes(old: &[String], new: &[String]) -> String {
    let beyond = |a: &[String], b: &[String]| -> Vec<String> {
        a.iter().filter(|s| !b.iter().any(|g| catalogue().gives(g, s))).cloned().collect()
    };
    let (gained, lost) = (beyond(new, old), beyond(old, new));
    let mut parts = Vec::new();
    if !gained.is_empty() {
        parts.push(format!("widened by {}", gained.join(" ")));
    }
    if !lost.is_empty() {
        parts.push(format!("narrowed by {}", lost.join(" ")));
    }
    if parts.is_empty() {
        parts.push("written otherwise, with the same reach".to_owned());
    }
    format!("scopes {}: from {} to {}", parts.join(" and "), old.join(" "), new.join(" "))
}

/// Organisation ids as the event's data writes them: a JSON array, or ids with blanks or commas between.
fn target_ids(text: &str) -> Vec<String> {
    text.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '[' | ']' | '"'))
        .filter_map(identity::guid)
        .map(std::borrow::Cow::into_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn build(events: Vec<TokenEvent>, listed: &[Listed]) -> (Ledger, Vec<Unclear>) {
        super::build(events, listed, &|_, text| vec![text.to_lowercase()])
    }

    const ID: &str = "aaaaaaaa-0000-1111-2222-333333333333";

    fn event(time: Micros, action: &str, id: &str) -> TokenEvent {
        TokenEvent {
            org: "o".into(),
            event_id: format!("e{time}"),
            time,
            action: action.into(),
            actor: "ann@x".into(),
            actor_id: "bbbbbbbb-0000-1111-2222-333333333333".into(),
            token_id: id.into(),
            name: "deploy".into(),
            ..TokenEvent::default()
        }
    }

    #[test]
    fn a_life_is_rebuilt_in_time_order() {
        let mut create = event(1, "Token.PatCreateEvent", ID);
        create.scopes = "vso.code vso.build".into();
        create.valid_to = "2026-03-01T00:00:00Z".into();
        let mut update = event(2, "Token.PatUpdateEvent", &ID.to_uppercase());
        update.scopes = "vso.code_full".into();
        update.valid_to = "2026-06-01T00:00:00Z".into();
        let leak = event(3, "Token.PatPublicDiscoveryEvent", "");
        let revoke = event(4, "Token.PatSystemRevokeEvent", "");
        let (ledger, unclear) = build(vec![revoke, leak, update, create], &[]);
        assert!(unclear.is_empty());
        let entry = &ledger[&("o".to_owned(), ID.to_owned())];
        assert_eq!((entry.leaked_at, entry.revoked_at, entry.extended), (Some(3), Some(4), 1));
        assert_eq!(entry.grants.len(), 2);
        assert_eq!(entry.grants[1].scopes, Some(vec!["vso.code_full".to_owned()]));
        assert_eq!(entry.owner.as_deref(), Some("ann@x"));
        assert!(entry.joined_by_name);
        assert_eq!(entry.life.len(), 4);
    }

    #[test]
    fn two_tokens_of_one_name_are_not_told_apart() {
        let other = "cccccccc-0000-1111-2222-333333333333";
        let events = vec![
            event(1, "Token.PatCreateEvent", ID),
            event(2, "Token.PatCreateEvent", other),
            event(3, "Token.PatRevokeEvent", ""),
        ];
        let (ledger, unclear) = build(events, &[]);
        assert_eq!(unclear[0].candidates.len(), 2);
        assert!(ledger.values().all(|e| e.revoked_at.is_none()));
    }

    #[test]
    fn an_event_without_id_goes_by_the_name_in_force_and_undoes_nothing() {
        let mut rename = event(5, "Token.PatUpdateEvent", ID);
        rename.name = "deploy-prod".into();
        // A second token takes the old name after the first gave it up.
        let other = "cccccccc-0000-1111-2222-333333333333";
        let mut second = event(6, "Token.PatCreateEvent", other);
        second.name = "deploy".into();
        let create = event(1, "Token.PatCreateEvent", ID);
        let early = event(3, "Token.PatPublicDiscoveryEvent", "");
        let late = event(8, "Token.PatPublicDiscoveryEvent", "");
        let (ledger, unclear) = build(vec![late, early, second, rename, create], &[]);
        assert!(unclear.is_empty(), "{unclear:?}");
        let first = &ledger[&("o".to_owned(), ID.to_owned())];
        assert_eq!((first.leaked_at, first.name.as_deref()), (Some(3), Some("deploy-prod")));
        assert!(first.life[1].text.ends_with("confidence medium)"), "{:?}", first.life[1]);
        assert_eq!(ledger[&("o".to_owned(), other.to_owned())].leaked_at, Some(8));
    }

    #[test]
    fn a_rename_is_no_change_of_what_the_token_may_do() {
        let mut create = event(1, "Token.PatCreateEvent", ID);
        create.scopes = "vso.code_write vso.build".into();
        let mut wider = event(2, "Token.PatUpdateEvent", ID);
        wider.scopes = "vso.code_manage".into();
        let (ledger, _) = build(vec![create, wider], &[]);
        let text = &ledger[&("o".to_owned(), ID.to_owned())].life[1].text;
        assert_eq!(
            text,
            "updated; scopes widened by vso.code_manage and narrowed by vso.build: from vso.build vso.code_write to vso.code_manage"
        );
    }
}
