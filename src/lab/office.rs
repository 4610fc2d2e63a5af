//! Everything that is not a token at work: people in the portal, the service's own jobs, the life of tokens.

use serde_json::json;

use super::agents::{Family, user_agent};
use super::dice::Dice;
use super::log::{Call, Log, mechanism_text};
use super::payload::{Target, group_change, payload, payload_of, policy_value, retention};
use super::tokens::{Ending, Token};
use super::world::World;
use crate::model::time::{DAY, HOUR, Micros, SECOND, day_start, format_time};

const PORTAL: &[(&str, u32)] = &[
    ("Policy.PolicyConfigModified", 5),
    ("Pipelines.PipelineModified", 8),
    ("Release.ApprovalCompleted", 12),
    ("Project.AreaPath.Create", 4),
    ("Project.IterationPath.Create", 4),
    ("Library.VariableGroupModified", 6),
    ("Group.UpdateGroupMembership.Add", 3),
    ("Group.UpdateGroupMembership.Remove", 1),
    ("Git.RepositoryCreated", 3),
    ("CheckConfiguration.Updated", 2),
    ("Security.ModifyPermission", 2),
    ("Release.ReleasePipelineModified", 4),
    // No catalogue knows this one: the set of actions grows each month.
    ("Boards.DeliveryPlanShared", 1),
];

const SERVICE: &[(&str, u32)] = &[
    ("Release.DeploymentCompleted", 5),
    ("CheckSuite.Completed", 6),
    ("Library.ServiceConnectionExecuted", 6),
    ("Pipelines.RunRetained", 3),
    ("Extension.VersionUpdated", 1),
];

/// Returns a call by a person who sits at a browser or the command line, with no PAT.
pub(super) fn portal_call(world: &World, person: usize, dice: &mut Dice) -> Call {
    let who = &world.people[person];
    let (mechanism, family) = match dice.below(10) {
        0..=3 => ("UserAuthToken".to_owned(), Family::Browser),
        4..=6 => ("AAD_Cookie".to_owned(), Family::Browser),
        7 => (mechanism_text("SessionToken_Unscoped", &dice.guid()), Family::Browser),
        8 => ("Basic_AAD".to_owned(), Family::AzCli),
        _ => (mechanism_text("SessionToken", &dice.guid()), Family::Browser),
    };
    Call::person(person, mechanism, who.site.address(&world.hosted, dice), user_agent(family, who.machine, 0))
}

/// Writes the portal activity of people and the service's own events.
pub(super) fn write_people_and_service(world: &World, tokens: usize, log: &mut Log) {
    for person in world.humans() {
        let mut dice = Dice::new(world.seed, "portal", person);
        let who = &world.people[person];
        for day in 0..world.days {
            let midnight = day_start(world.first_day + day);
            let weekend = (world.first_day + day + 3).rem_euclid(7) >= 5;
            if weekend
                || who.holiday.contains(midnight)
                || who.left.is_some_and(|(at, _)| midnight + DAY > at)
            {
                continue;
            }
            for _ in 0..dice.count(0.32) {
                let time =
                    midnight + (dice.between(8, 18) - who.hours_from_utc) * HOUR + dice.between(0, HOUR);
                let call = portal_call(world, person, &mut dice);
                let id = dice.weighted(PORTAL);
                let at = Target { project: dice.below(6.min(world.projects.len())), item: dice.below(64) };
                let content = payload(id, world, at, &mut dice);
                log.origin(time, &call, id, at.project, content);
            }
        }
    }
    let mut dice = Dice::new(world.seed, "service", 0);
    for day in 0..world.days {
        for _ in 0..dice.count(2.0 + tokens as f64 * 0.18) {
            let time = day_start(world.first_day + day) + dice.between(0, DAY);
            let id = dice.weighted(SERVICE);
            let at = Target { project: dice.below(world.projects.len()), item: dice.below(64) };
            let content = payload(id, world, at, &mut dice);
            let unseen = dice.guid();
            log.follow(time, &Call::service(13), id, at.project, content, &unseen);
        }
    }
    quiet_changes(world, log);
}

/// Administration that looks like weakening and is not: values raised, policies tightened, members removed.
fn quiet_changes(world: &World, log: &mut Log) {
    let mut dice = Dice::new(world.seed, "quiet", 0);
    let at = Target { project: 0, item: 1 };
    let call = portal_call(world, 0, &mut dice);
    log.origin(
        world.at(0.31),
        &call,
        "OrganizationPolicy.PolicyValueUpdated",
        0,
        policy_value("Policy.DisallowAadGuestUserAccess", true),
    );
    log.origin(
        world.at(0.47),
        &call,
        "Pipelines.PipelineRetentionSettingChanged",
        0,
        retention(world, at, 30, 45),
    );
    let member = world.people[world.people.len() - 1].clone();
    let content = group_change(
        &format!("[{}]\\Project Collection Administrators", world.org),
        &member,
        false,
        &mut dice,
    );
    log.origin(world.at(0.52), &call, "Group.UpdateGroupMembership.Remove", 0, content);
}

/// Writes a new project: one origin by the caller, then dozens of events that share its correlation id.
pub(super) fn new_project(
    world: &World,
    call: &Call,
    time: Micros,
    at: Target,
    log: &mut Log,
    dice: &mut Dice,
) {
    let name = format!("Pilot {}", 100 + dice.below(900));
    let id = dice.guid();
    let queued =
        payload_of(json!({"ProjectName": name}), format!("{name} project creation was queued"), false);
    let origin = log.origin(time, call, "Project.CreateQueued", at.project, queued);
    let service = Call::service(2);
    for (n, group) in
        ["Readers", "Contributors", "Build Administrators", "Project Administrators"].iter().enumerate()
    {
        let full = format!("[{name}]\\{group}");
        let content = payload_of(json!({"GroupName": full}), format!("Group {full} was created"), false);
        // Some of the cascade is written under the caller's own name and mechanism, the rest by the service.
        let by = if n % 2 == 0 { call } else { &service };
        log.follow(time + SECOND * (2 + n as i64), by, "Group.CreateGroups", at.project, content, &origin);
    }
    let owner = match call.actor {
        super::log::Actor::Person(person) => person,
        super::log::Actor::Service(_) => 0,
    };
    let added = group_change(&format!("[{name}]\\Project Administrators"), &world.people[owner], true, dice);
    log.follow(time + SECOND * 8, &service, "Group.UpdateGroupMembership.Add", at.project, added, &origin);
    for n in 0..6 {
        let content = payload("Security.ModifyPermission", world, at, dice);
        let by = if n % 3 == 0 { call } else { &service };
        log.follow(time + SECOND * (9 + n), by, "Security.ModifyPermission", at.project, content, &origin);
    }
    let done = payload_of(
        json!({"ProjectId": id, "ProjectName": name, "ProcessTemplate": "Agile", "ProjectVisibility": "Private"}),
        format!("{name} project was created successfully"),
        false,
    );
    log.follow(time + SECOND * 18, &service, "Project.CreateCompleted", at.project, done, &origin);
}

/// Writes the events about tokens: created, changed, revoked, expired.
pub(super) fn write_lives(world: &World, tokens: &[Token], log: &mut Log) {
    for (index, token) in tokens.iter().enumerate() {
        let mut dice = Dice::new(world.seed, "life", index);
        let mut tell =
            |time: Micros, id: &'static str, operation: &str, verb: &str, until: Micros, log: &mut Log| {
                if time < world.start || time >= world.end {
                    return;
                }
                let content = about(world, &token.at(time), operation, verb, until);
                if id == "Token.PatExpiredEvent" {
                    log.origin(time, &Call::service(19), id, 0, content);
                    return;
                }
                let mut call = portal_call(world, token.owner, &mut dice);
                call.user_agent = user_agent(Family::Browser, world.people[token.owner].machine, 0);
                call.mechanism =
                    if dice.chance(0.5) { "UserAuthToken" } else { "S2S_ServicePrincipal" }.to_owned();
                if let (Some((address, agent)), "Token.PatCreateEvent") = (&token.made_from, id) {
                    (call.address, call.user_agent) = (Some(address.clone()), agent.clone());
                }
                log.origin(time, &call, id, 0, content);
            };
        let first_end = token.extended.map_or(token.at(token.valid_from).valid_to, |(_, old)| old);
        tell(token.valid_from, "Token.PatCreateEvent", "Create", "created", first_end, log);
        if let Some((at, _)) = token.extended {
            tell(at, "Token.PatUpdateEvent", "Update", "updated", token.valid_to, log);
        }
        if let Some(edit) = &token.edited {
            tell(edit.at, "Token.PatUpdateEvent", "Update", "updated", token.valid_to, log);
        }
        match token.ending {
            Ending::Revoked(at) => tell(at, "Token.PatRevokeEvent", "Revoke", "revoked", token.valid_to, log),
            Ending::Expired => {
                tell(token.valid_to, "Token.PatExpiredEvent", "Expire", "expired", token.valid_to, log)
            }
            Ending::LeakedAndClosed(at) if token.valid_from < at => {
                let found =
                    about(world, token, "Discover", "discovered in a public repository", token.valid_to);
                log.origin(at, &Call::service(19), "Token.PatPublicDiscoveryEvent", 0, found);
                let closed = about(world, token, "Discover", "revoked by the system", token.valid_to);
                log.origin(at + 40 * SECOND, &Call::service(19), "Token.PatSystemRevokeEvent", 0, closed);
            }
            Ending::LeakedAndClosed(_) | Ending::None => {}
        }
    }
}

/// The content of an event about a token.
pub(super) fn about(
    world: &World,
    token: &Token,
    operation: &str,
    verb: &str,
    until: Micros,
) -> super::payload::Payload {
    let owner = &world.people[token.owner];
    let mut data = json!({
        "AuthorizationId": token.id, "DisplayName": token.name, "OwnerId": owner.user_id, "OwnerName": owner.name,
        "OperationType": operation, "TokenType": "PersonalAccessToken", "Scopes": token.scopes,
        "ValidFrom": format_time(token.valid_from), "ValidTo": format_time(until),
        "TargetAccounts": if token.all_orgs { json!(null) } else { json!([world.org_id]) },
    });
    if token.edited.is_some()
        && let Some(map) = data.as_object_mut()
    {
        // A list of targets cannot say "all" where null may also mean that nothing was written.
        map.insert("AllOrgs".to_owned(), json!(token.all_orgs));
    }
    if operation == "Discover"
        && let Some(map) = data.as_object_mut()
    {
        // The discovery text documents only these two keys; the id is what makes it of use.
        map.retain(|key, _| matches!(key.as_str(), "AuthorizationId" | "DisplayName" | "OwnerName"));
    }
    let name = token.name.as_deref().unwrap_or("");
    let details = if operation == "Discover" {
        format!("Personal Access Token \"{name}\" associated with user \"{}\" was {verb}.", owner.name)
    } else {
        format!("Personal Access Token \"{name}\" was {verb}.")
    };
    payload_of(data, details, false)
}

/// Writes what happens in the log when people leave, and when some come back.
pub(super) fn write_leavers(world: &World, log: &mut Log) {
    let mut dice = Dice::new(world.seed, "leavers", 0);
    for (index, person) in world.people.iter().enumerate() {
        let Some((left, back)) = person.left else { continue };
        let call = portal_call(world, index % 2, &mut dice);
        let licence = |verb: &str| {
            payload_of(
                json!({"AccessLevel": "Account-Express", "UserIdentifier": person.user_id, "Reason": "by admin"}),
                format!("Access level of \"{}\" was {verb}", person.name),
                false,
            )
        };
        log.origin(left, &call, "Licensing.Removed", 0, licence("removed"));
        let content = group_change(
            &format!("[{}]\\Project Collection Valid Users", world.org),
            person,
            false,
            &mut dice,
        );
        log.origin(left + 4 * SECOND, &call, "Group.UpdateGroupMembership.Remove", 0, content);
        if let Some(back) = back {
            log.origin(back, &call, "Licensing.Assigned", 0, licence("assigned"));
        }
    }
}
