//! The ledger: tokens as `Token.*` events tell of them.
//!
//! In: those events, oldest first. Out: one entry a token, with every grant it had and every change of its
//! life; and the events that name no token and fit more than one. Key names come from a production parser of
//! another product (facts, section 2), so each is read tolerantly and none is required.

use super::claims::Stated;
use super::claims::token::{Reach, Said, join_of_person, validity};
use super::target::{self, Fit, Target};
use crate::model::catalogue::catalogue;
use crate::model::claim::{Claim, Field, Join, Source};
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
    /// What events say of it, field by field.
    pub said: Said,
    /// Newest name.
    pub name: Option<String>,
    /// Newest end date.
    pub valid_to: Option<Micros>,
    /// Grants, oldest first.
    pub grants: Vec<Grant>,
    /// When it expired, as the service said.
    pub expired_at: Option<Micros>,
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

/// A `Token.*` event that names no token by id, and whose owner and name do not fit exactly one.
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
    /// How they fit.
    pub fit: Fit,
}

/// A token listed by an inventory, for events that give owner and name only.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
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
            Target::Named(id) => (id, false),
            Target::Found(id) => (id, true),
            Target::Unclear(fit, candidates) => {
                unclear.push(Unclear {
                    org: event.org.clone(),
                    event_id: event.event_id.clone(),
                    time: event.time,
                    action: event.action.clone(),
                    owner: owner_of(event),
                    name: event.shown_name(),
                    candidates,
                    fit,
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
        if self.name.is_empty() { quoted(&self.details).to_owned() } else { self.name.clone() }
    }
}

/// The first quoted part of a text, with the quotes that the name itself contains: a quote that follows a blank opens an
/// inner part, every other one closes the innermost.
fn quoted(text: &str) -> &str {
    let Some(start) = text.find('"').map(|at| at + 1) else { return "" };
    let mut depth = 1;
    let mut before = '"';
    for (at, c) in text[start..].char_indices() {
        if c == '"' {
            let opens =
                before.is_whitespace() && text[start + at + 1..].starts_with(|c: char| !c.is_whitespace());
            depth += if opens { 1 } else { -1 };
            if depth == 0 {
                return &text[start..start + at];
            }
        }
        before = c;
    }
    // Quotes that do not pair up: the text up to the next one is all that is certain.
    text[start..].split('"').next().unwrap_or_default()
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
        entry.name = Some(name.clone());
    }
    let join = if by_name { Join::OwnerAndName } else { Join::Id };
    let claim = |field, value: String| {
        Claim::new(field, value, Some(event.time), Source::Event).joined(join).of_event(&event.event_id)
    };
    let said = &mut entry.said;
    if !name.is_empty() {
        said.names.push(Stated { claim: claim(Field::Name, name.clone()), value: name });
    }
    let person = |text: &String| {
        let claim = claim(Field::Owner, text.clone());
        Stated { claim: claim.joined(join_of_person(text).min(join)), value: text.clone() }
    };
    let owners: Vec<&String> =
        [&event.owner_id, &event.owner].into_iter().filter(|t| !t.is_empty()).collect();
    if change == Change::Created && owners.is_empty() && !event.service_actor {
        said.creators
            .extend([&event.actor_id, &event.actor].into_iter().filter(|t| !t.is_empty()).map(person));
    }
    // An event that found its token by owner and name says nothing new of the owner.
    if !by_name {
        said.owners.extend(owners.into_iter().map(person));
    }
    let from = parse_time(&event.valid_from).or((change == Change::Created).then_some(event.time));
    if let Some(from) = from {
        said.created.push(Stated { value: from, claim: claim(Field::Created, format_time(from)) });
    }
    let valid_to = parse_time(&event.valid_to);
    if let Some(to) = valid_to {
        said.ends.push(Stated { value: to, claim: claim(Field::Ends, format_time(to)) });
    }
    // Only a token that the service accepts is made, extended or regenerated (facts, section 7).
    let valid = || Stated { value: true, claim: claim(Field::State, validity(true).to_owned()) };
    match change {
        Change::Created => said.made_valid.push(valid()),
        Change::Updated => said.valid.push(valid()),
        _ => {}
    }
    let moved = (change == Change::Updated).then(|| entry.valid_to.zip(valid_to)).flatten();
    if let Some((old, to)) = moved.filter(|(old, to)| old != to) {
        entry.extended += 1;
        text = format!(
            "{text}; extended or regenerated: the log does not say which; end moved from {} to {}",
            format_time(old),
            format_time(to)
        );
    }
    entry.valid_to = valid_to.or(entry.valid_to);
    let scopes =
        Some(split_scopes(event.scopes.trim_matches(['[', ']', '"']))).filter(|scopes| !scopes.is_empty());
    let targets = target_ids(&event.targets);
    let reach = if event.all_orgs.eq_ignore_ascii_case("true") {
        Some(Reach::All)
    } else if !event.targets.is_empty() || event.all_orgs.eq_ignore_ascii_case("false") {
        Some(Reach::Only(targets.clone()))
    } else {
        None
    };
    let told = scopes.is_some() || valid_to.is_some() || reach.is_some();
    if matches!(change, Change::Created | Change::Updated) && told {
        let before = entry.grants.last().and_then(|g| g.scopes.clone());
        if let (Some(old), Some(new)) = (&before, &scopes)
            && old != new
        {
            text = format!("{text}; {}", change_of_scopes(old, new));
        }
        entry.grants.push(Grant {
            since: event.time,
            scopes: scopes.clone().or(before),
            valid_to: entry.valid_to,
            all_orgs: reach.as_ref().map(|reach| *reach == Reach::All),
            targets,
            listed: false,
        });
    }
    if matches!(change, Change::Created | Change::Updated) {
        if let Some(scopes) = scopes {
            said_scopes(entry, scopes, claim(Field::Scopes, String::new()));
        }
        if let Some(reach) = reach {
            entry.said.reach.push(Stated { claim: claim(Field::Reach, reach.words()), value: reach });
        }
    }
    if by_name {
        text = format!("{text} (the event names the token by owner and name alone; confidence medium)");
    }
    let at = Stated { value: event.time, claim: claim(Field::Revoked, format_time(event.time)) };
    match change {
        Change::Revoked | Change::SystemRevoked => entry.said.revoked.push(at),
        Change::Expired => entry.expired_at = Some(event.time),
        Change::Discovered => {
            entry.said.leaked.push(Stated { claim: Claim { field: Field::Leaked, ..at.claim }, ..at });
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

fn said_scopes(entry: &mut Entry, scopes: Vec<String>, claim: Claim) {
    entry.said.scopes.push(Stated { claim: Claim { value: scopes.join(" "), ..claim }, value: scopes });
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

    fn times(stated: &[Stated<Micros>]) -> Vec<Micros> {
        stated.iter().map(|s| s.value).collect()
    }

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
        assert_eq!(
            (times(&entry.said.leaked), times(&entry.said.revoked), entry.extended),
            (vec![3], vec![4], 1)
        );
        assert_eq!(entry.grants.len(), 2);
        assert_eq!(entry.grants[1].scopes, Some(vec!["vso.code_full".to_owned()]));
        let creators: Vec<&str> = entry.said.creators.iter().map(|c| c.value.as_str()).collect();
        assert_eq!(creators, ["bbbbbbbb-0000-1111-2222-333333333333", "ann@x"]);
        assert_eq!(entry.said.leaked[0].claim.join, Join::OwnerAndName);
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
        assert_eq!(unclear[0].fit, Fit::OwnerAndName);
        assert!(ledger.values().all(|e| e.said.revoked.is_empty()));
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
        assert_eq!((times(&first.said.leaked), first.name.as_deref()), (vec![3], Some("deploy-prod")));
        assert!(first.life[1].text.ends_with("confidence medium)"), "{:?}", first.life[1]);
        assert_eq!(times(&ledger[&("o".to_owned(), other.to_owned())].said.leaked), [8]);
    }

    #[test]
    fn a_name_alone_names_candidates_and_no_token() {
        let mut leak = event(3, "Token.PatPublicDiscoveryEvent", "");
        leak.owner = "Doe, Jo".into();
        leak.service_actor = true;
        let (ledger, unclear) = build(vec![event(1, "Token.PatCreateEvent", ID), leak.clone()], &[]);
        assert_eq!((unclear[0].fit, unclear[0].candidates.as_slice()), (Fit::NameOnly, &[ID.to_owned()][..]));
        assert!(ledger.values().all(|e| e.said.leaked.is_empty()));
        // Without an owner at all, whoever has a token of that name is a candidate and no more.
        leak.owner.clear();
        leak.actor.clear();
        leak.actor_id.clear();
        let (_, unclear) = build(vec![event(1, "Token.PatCreateEvent", ID), leak], &[]);
        assert_eq!(unclear[0].fit, Fit::NameOnly);
    }

    #[test]
    fn an_event_that_fits_nothing_is_still_there() {
        let (_, unclear) = build(vec![event(3, "Token.PatPublicDiscoveryEvent", "")], &[]);
        assert_eq!((unclear.len(), unclear[0].fit, unclear[0].candidates.len()), (1, Fit::Nothing, 0));
    }

    #[test]
    fn a_name_with_quotes_is_read_to_its_end() {
        for (text, name) in [
            (r#"Personal Access Token "deploy" was revoked."#, "deploy"),
            (r#"Personal Access Token "my "prod" token" of user "Jo" was revoked."#, r#"my "prod" token"#),
            (r#"Token "12" screen" was revoked."#, "12"),
            ("no name", ""),
        ] {
            assert_eq!(quoted(text), name, "{text}");
        }
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
