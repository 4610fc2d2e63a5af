//! The attacks: a victim and a time in, events and labels out.

use serde_json::json;

use super::actions::allowed;
use super::agents::{Family as Client, user_agent};
use super::dice::Dice;
use super::labels::Label;
use super::log::{Actor, Call, Log};
use super::office;
use super::payload::{
    Target, group_change, payload, payload_of, permission, policy_value, retention, stream, visibility,
};
use super::routine;
use super::tokens::Token;
use super::world::World;
use crate::model::finding::Family;
use crate::model::time::{DAY, HOUR, Micros, SECOND};

const MINUTE: Micros = 60 * SECOND;

/// An attack on a token; the order decides which ones a small organisation shows.
#[allow(missing_docs)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scenario {
    Stolen,
    Leaked,
    UsedAfterRevoke,
    Browser,
    Escalation,
    StreamDisabled,
    Burst,
    UsedAfterOwnerLeft,
    DormantThenActive,
    BreadthOfProjects,
    TwoPlaces,
    CreatedElsewhere,
    MintedBeforeDeparture,
    PolicyBypass,
    ServiceConnections,
    VariableGroups,
    AttackTool,
    UsedAfterExpiry,
    StreamDeleted,
    Permissions,
    Imitated,
    LowAndSlow,
    MintedAtNight,
    PlantedAgent,
    PlantedExtension,
    Destruction,
    ScopesWidened,
    ReachWidened,
    EndMoved,
    NameTaken,
    UsedByOther,
    ClassContradicts,
}

impl Scenario {
    pub(super) const ALL: &'static [Self] = &[
        Self::Stolen,
        Self::Leaked,
        Self::UsedAfterRevoke,
        Self::Browser,
        Self::Escalation,
        Self::StreamDisabled,
        Self::Burst,
        Self::UsedAfterOwnerLeft,
        Self::DormantThenActive,
        Self::BreadthOfProjects,
        Self::TwoPlaces,
        Self::CreatedElsewhere,
        Self::MintedBeforeDeparture,
        Self::PolicyBypass,
        Self::ServiceConnections,
        Self::VariableGroups,
        Self::AttackTool,
        Self::UsedAfterExpiry,
        Self::StreamDeleted,
        Self::Permissions,
        Self::Imitated,
        Self::LowAndSlow,
        Self::MintedAtNight,
        Self::PlantedAgent,
        Self::PlantedExtension,
        Self::Destruction,
        Self::ScopesWidened,
        Self::ReachWidened,
        Self::EndMoved,
        Self::NameTaken,
        Self::UsedByOther,
        Self::ClassContradicts,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Stolen => "stolen-token-new-place",
            Self::Leaked => "leaked-then-used",
            Self::UsedAfterRevoke => "used-after-revoke",
            Self::Browser => "pat-in-browser",
            Self::Escalation => "administrator-added-by-pat",
            Self::StreamDisabled => "stream-disabled-by-pat",
            Self::Burst => "burst",
            Self::UsedAfterOwnerLeft => "used-after-owner-left",
            Self::DormantThenActive => "dormant-then-active",
            Self::BreadthOfProjects => "breadth-of-projects",
            Self::TwoPlaces => "two-places-at-once",
            Self::CreatedElsewhere => "created-here-used-there",
            Self::MintedBeforeDeparture => "minted-before-departure",
            Self::PolicyBypass => "policy-bypass",
            Self::ServiceConnections => "service-connection-abuse",
            Self::VariableGroups => "variable-group-abuse",
            Self::AttackTool => "known-attack-tool",
            Self::UsedAfterExpiry => "used-after-expiry",
            Self::StreamDeleted => "stream-deleted-by-pat",
            Self::Permissions => "permissions-never-done-before",
            Self::Imitated => "stolen-token-same-client",
            Self::LowAndSlow => "stolen-token-low-and-slow",
            Self::MintedAtNight => "minted-at-night-then-powerful",
            Self::PlantedAgent => "agent-planted",
            Self::PlantedExtension => "extension-planted",
            Self::Destruction => "repositories-disabled",
            Self::ScopesWidened => "scopes-widened",
            Self::ReachWidened => "reach-widened",
            Self::EndMoved => "end-moved-beyond-policy",
            Self::NameTaken => "name-of-a-colleague",
            Self::UsedByOther => "used-by-another-person",
            Self::ClassContradicts => "class-wider-than-list",
        }
    }

    /// Whether the scenario takes most of a quarter to play out.
    pub(super) const fn needs_long_silence(self) -> bool {
        matches!(self, Self::DormantThenActive)
    }
}

/// One planned attack.
#[derive(Debug, Clone, Copy)]
pub(super) struct Attack {
    pub(super) scenario: Scenario,
    pub(super) token: usize,
    pub(super) time: Micros,
    pub(super) number: usize,
}

/// What an intruder looks for first.
const LOOT: &[&str] = &[
    "Library.VariableGroupModified",
    "Library.ServiceConnectionShared",
    "Pipelines.PipelineModified",
    "Pipelines.ResourceAuthorizedForProject",
    "Git.RepositoryForked",
    "Policy.PolicyConfigRemoved",
    "Project.AreaPath.Update",
    "Process.Field.Edit",
];

/// Plays every attack into the log and returns its labels.
pub(super) fn play(world: &mut World, tokens: &[Token], attacks: &[Attack], log: &mut Log) -> Vec<Label> {
    let mut labels = Vec::new();
    for attack in attacks {
        let mut dice = Dice::new(world.seed, "attack", attack.number);
        one(world, tokens, *attack, log, &mut labels, &mut dice);
    }
    posture(world, tokens.len(), log, &mut labels);
    labels
}

/// Plays `count` actions that the token is allowed, and returns the time of the last.
#[expect(clippy::too_many_arguments, reason = "who, when, what and how often are independent")]
fn steps(
    world: &World,
    token: &Token,
    call: &Call,
    from: Micros,
    wanted: &[&'static str],
    count: usize,
    pause: (i64, i64),
    spread: bool,
    log: &mut Log,
    dice: &mut Dice,
) -> Micros {
    let open: Vec<&'static str> = wanted.iter().copied().filter(|id| allowed(&token.scopes, id)).collect();
    let open = if open.is_empty() { token.habit.actions.iter().map(|(id, _)| *id).collect() } else { open };
    let mut time = from;
    for n in 0..count {
        let project = if spread {
            (n + dice.below(2)) % world.projects.len()
        } else {
            *dice.pick(&token.habit.projects)
        };
        let id = *dice.pick(&open);
        let at = Target { project, item: if spread { n } else { dice.below(64) } };
        let content = payload(id, world, at, dice);
        log.origin(time, call, id, project, content);
        if n + 1 < count {
            time += dice.between(pause.0, pause.1) * SECOND;
        }
    }
    time + SECOND
}

fn one(
    world: &mut World,
    tokens: &[Token],
    attack: Attack,
    log: &mut Log,
    labels: &mut Vec<Label>,
    dice: &mut Dice,
) {
    let token = &tokens[attack.token];
    let from = attack.time;
    let mut starts = from;
    let client =
        *dice.pick(&[Client::Requests, Client::Postman, Client::GoHttp, Client::Axios, Client::AgentServer]);
    let stranger = world.networks.fresh().address(dice.below(250));
    let agent = user_agent(client, dice.below(40), 1);
    let thief = Call::token(attack.token, token, stranger, agent);
    let own = routine::call_at(world, attack.token, token, from, dice);
    let habit: Vec<&'static str> = token.habit.actions.iter().map(|(id, _)| *id).collect();
    let others: Vec<usize> = world
        .humans()
        .into_iter()
        .filter(|at| *at != token.owner && world.people[*at].left.is_none())
        .collect();
    let other = others[attack.number % others.len()];
    let world = &*world;
    let mut walk = |call: &Call, wanted: &[&'static str], count: i64, pause, spread, log: &mut Log| {
        steps(world, token, call, from, wanted, count as usize, pause, spread, log, dice)
    };
    let to = match attack.scenario {
        Scenario::Stolen => walk(&thief, LOOT, 9, (20, 500), false, log),
        Scenario::CreatedElsewhere => {
            starts = token.valid_from;
            walk(&thief, LOOT, 9, (10, 120), false, log)
        }
        Scenario::Leaked => {
            starts = from - 3 * HOUR;
            let content =
                office::about(world, token, "Discover", "discovered in a public repository", token.valid_to);
            log.origin(starts, &Call::service(19), "Token.PatPublicDiscoveryEvent", 0, content);
            walk(&thief, LOOT, 6, (30, 900), false, log)
        }
        Scenario::UsedAfterRevoke | Scenario::UsedAfterExpiry | Scenario::UsedAfterOwnerLeft => {
            // Half come from where the token always ran: a job that nobody stopped, with a copy that still works.
            let call = if attack.number.is_multiple_of(2) { &thief } else { &own };
            walk(call, &habit, 5, (60, 3_000), false, log)
        }
        Scenario::Browser => {
            let mut call = own.clone();
            call.user_agent = user_agent(Client::Browser, attack.number, 1);
            walk(&call, &habit, 4, (30, 400), false, log)
        }
        Scenario::DormantThenActive => walk(&thief, &habit, 12, (20, 600), false, log),
        Scenario::Burst => walk(&own, &habit, 90, (1, 8), false, log),
        Scenario::BreadthOfProjects => {
            walk(&own, &["Pipelines.PipelineModified", "Git.RepositoryRenamed"], 24, (6, 28), true, log)
        }
        Scenario::TwoPlaces => {
            // The owner is at work with it at that very time.
            let end = walk(&own, &habit, 6, (100, 200), false, log);
            walk(&thief, &habit, 6, (90, 190), false, log).max(end)
        }
        Scenario::PolicyBypass => walk(&own, &["Git.RefUpdatePoliciesBypassed"], 3, (40, 400), false, log),
        Scenario::ServiceConnections => walk(
            &own,
            &[
                "Library.ServiceConnectionShared",
                "Library.ServiceConnectionModified",
                "Pipelines.ResourceAuthorizedForProject",
            ],
            10,
            (10, 90),
            true,
            log,
        ),
        Scenario::VariableGroups => walk(
            &thief,
            &["Library.VariableGroupModified", "Library.VariableGroupDeleted"],
            9,
            (10, 90),
            true,
            log,
        ),
        Scenario::AttackTool => {
            let mut call = thief.clone();
            call.user_agent = user_agent(Client::AttackTool, 0, 0);
            walk(&call, LOOT, 4, (20, 200), false, log)
        }
        Scenario::MintedBeforeDeparture => {
            starts = token.valid_from;
            from
        }
        Scenario::Imitated => {
            let mut call = thief.clone();
            call.user_agent.clone_from(&own.user_agent);
            walk(&call, LOOT, 9, (20, 500), false, log)
        }
        Scenario::ScopesWidened | Scenario::ReachWidened | Scenario::EndMoved => {
            starts = token.edited.as_ref().map_or(from, |edit| edit.at);
            walk(&own, &habit, 3, (30, 400), false, log)
        }
        Scenario::NameTaken => {
            starts = token.edited.as_ref().map_or(token.valid_from, |edit| edit.at);
            walk(&own, &habit, 3, (30, 400), false, log)
        }
        Scenario::UsedByOther => {
            let mut call = own.clone();
            call.actor = Actor::Person(other);
            walk(&call, &habit, 4, (30, 400), false, log)
        }
        Scenario::ClassContradicts => {
            let to = walk(&own, &habit, 3, (30, 400), false, log);
            let from = token.valid_from.max(world.start);
            labels.push(label(world, token, attack.scenario, Family::Scope, from, world.end.max(to)));
            return;
        }
        Scenario::LowAndSlow => walk(&thief, &habit, 14, (11 * 3_600, 20 * 3_600), false, log),
        Scenario::MintedAtNight => {
            starts = token.valid_from;
            let mut call = thief.clone();
            if let Some((address, _)) = &token.made_from {
                call.address = Some(address.clone());
            }
            walk(
                &call,
                &[
                    "Security.ModifyPermission",
                    "Library.ServiceConnectionShared",
                    "Policy.PolicyConfigRemoved",
                ],
                6,
                (20, 200),
                false,
                log,
            )
        }
        Scenario::PlantedAgent => walk(
            &thief,
            &["Library.AgentAdded", "Pipelines.ResourceAuthorizedForProject"],
            4,
            (20, 90),
            false,
            log,
        ),
        Scenario::PlantedExtension => {
            let content = payload_of(
                json!({"ExtensionName": "pipeline-insights", "PublisherName": "quickdeploytools", "Version": "0.0.2"}),
                "Extension \"pipeline-insights\" from publisher \"quickdeploytools\" was installed"
                    .to_owned(),
                false,
            );
            log.origin(from, &thief, "Extension.Installed", 0, content);
            from + SECOND
        }
        Scenario::Destruction => walk(&own, &["Git.RepositoryDisabled"], 26, (3, 25), true, log),
        Scenario::Permissions => {
            let mut time = from;
            for n in 0..5 {
                let at = Target { project: token.habit.projects[0], item: n };
                let content = permission(world, at, "Bypass policies when pushing", dice);
                log.origin(time, &own, "Security.ModifyPermission", at.project, content);
                time += dice.between(20, 90) * SECOND;
            }
            time
        }
        Scenario::Escalation => {
            let member = &world.people[token.owner];
            let group = format!("[{}]\\Project Collection Administrators", world.org);
            let content = group_change(&group, member, true, dice);
            log.origin(from, &thief, "Group.UpdateGroupMembership.Add", 0, content);
            let content = permission(world, Target { project: 0, item: 0 }, "Manage permissions", dice);
            log.origin(from + 3 * MINUTE, &thief, "Security.ModifyPermission", 0, content);
            labels.push(Label::posture(world, "administrator-added", from, from + MINUTE));
            from + 4 * MINUTE
        }
        Scenario::StreamDisabled | Scenario::StreamDeleted => {
            let deleted = attack.scenario == Scenario::StreamDeleted;
            let (id, verb, cure) = if deleted {
                ("AuditLog.StreamDeleted", "deleted", "AuditLog.StreamCreated")
            } else {
                ("AuditLog.StreamDisabledByUser", "disabled", "AuditLog.StreamEnabled")
            };
            let consumer = ["Splunk", "AzureEventGrid"][attack.number % 2];
            log.origin(from, &thief, id, 0, stream(consumer, verb));
            let name = if deleted { "stream-deleted" } else { "stream-disabled" };
            labels.push(Label::posture(world, name, from, from + MINUTE));
            let mender = office::portal_call(world, 0, dice);
            log.origin(from + 5 * HOUR, &mender, cure, 0, stream(consumer, "put back"));
            from + MINUTE
        }
    };
    labels.push(label(world, token, attack.scenario, Family::Anomaly, starts, to));
}

fn label(
    world: &World,
    token: &Token,
    scenario: Scenario,
    family: Family,
    from: Micros,
    to: Micros,
) -> Label {
    Label {
        org: world.org.clone(),
        token_id: Some(token.id.clone()),
        scenario: scenario.name().to_owned(),
        family,
        from,
        to,
    }
}

/// Weakenings of the organisation itself, done by people in the portal.
fn posture(world: &World, tokens: usize, log: &mut Log, labels: &mut Vec<Label>) {
    for n in 0..1 + tokens / 250 {
        let mut dice = Dice::new(world.seed, "posture", n);
        let call = office::portal_call(world, 1, &mut dice);
        let at = Target { project: 1 + n % 5, item: n };
        let mut mark = |name: &str, time: Micros, length: Micros| {
            labels.push(Label::posture(world, name, time, time + length));
        };
        let time = world.at(0.42 + 0.5 * dice.unit());
        mark("policy-weakened", time, MINUTE);
        log.origin(
            time,
            &call,
            "OrganizationPolicy.PolicyValueUpdated",
            0,
            policy_value("Policy.DisallowAadGuestUserAccess", false),
        );
        let time = world.at(0.42 + 0.5 * dice.unit());
        mark("retention-cut", time, MINUTE);
        log.origin(
            time,
            &call,
            "Pipelines.PipelineRetentionSettingChanged",
            at.project,
            retention(world, at, 30, 1),
        );
        let time = world.at(0.42 + 0.5 * dice.unit());
        mark("administrator-added", time, MINUTE);
        let member = &world.people[3 + n];
        let group = format!("[{}]\\Project Collection Administrators", world.org);
        let content = group_change(&group, member, true, &mut dice);
        log.origin(time, &call, "Group.UpdateGroupMembership.Add", 0, content);
        let time = world.at(0.42 + 0.5 * dice.unit());
        mark("project-made-public", time, MINUTE);
        let content = visibility(world, at, "Private", "Public");
        let origin = log.origin(time, &call, "Project.UpdateVisibilityQueued", at.project, content.clone());
        log.follow(
            time + 3 * SECOND,
            &Call::service(2),
            "Project.UpdateVisibilityCompleted",
            at.project,
            content,
            &origin,
        );
        // And closed again: good news in the same form.
        let back = visibility(world, at, "Public", "Private");
        let origin =
            log.origin(time + DAY, &call, "Project.UpdateVisibilityQueued", at.project, back.clone());
        log.follow(
            time + DAY + 3 * SECOND,
            &Call::service(2),
            "Project.UpdateVisibilityCompleted",
            at.project,
            back,
            &origin,
        );
        let key = payload_of(
            json!({"DisplayName": "build box"}),
            "SSH key \"build box\" was created.".to_owned(),
            false,
        );
        log.origin(time - DAY, &call, "Token.SshCreateEvent", 0, key);
    }
}
