//! The organisation itself made weaker, beyond what every simulated organisation shows: one of each kind.
//!
//! Kept apart from the attacks on tokens, since nobody's token is to blame: people do it in the portal.

use serde_json::{Value, json};

use super::dice::Dice;
use super::labels::Label;
use super::log::Log;
use super::office;
use super::payload::{Payload, Target, payload, payload_of, policy_value};
use super::world::World;
use crate::model::time::{HOUR, Micros, SECOND};

const MINUTE: Micros = 60 * SECOND;

/// One change: how long after the first, what, and its content.
type Step = (Micros, &'static str, Payload);

/// Smaller organisations are for reading, and have enough to show.
const FROM_TOKENS: usize = 60;

/// Plays each kind once, spread over the second half of the window.
pub(super) fn play(world: &World, tokens: usize, log: &mut Log) -> Vec<Label> {
    if tokens < FROM_TOKENS {
        return Vec::new();
    }
    let mut dice = Dice::new(world.seed, "weakening", 0);
    let mut labels = Vec::new();
    for (name, steps) in kinds(world, &mut dice) {
        // Without the variables nobody can see that one of them is a secret.
        if name == "secret-in-clear-variable" && !world.variables {
            continue;
        }
        let call = office::portal_call(world, 1, &mut dice);
        let time = world.at(0.42 + 0.5 * dice.unit());
        let mut last = time;
        for (after, id, content) in steps {
            last = time + after;
            log.origin(last, &call, id, 2, content);
        }
        // What is put back later is good news and part of no label.
        labels.push(Label::posture(world, name, time, time + MINUTE));
        debug_assert!(last >= time);
    }
    labels
}

fn of_project(world: &World, mut data: Value, details: String) -> Payload {
    if let Some(map) = data.as_object_mut() {
        map.insert("ProjectId".to_owned(), json!(world.projects[2].id));
    }
    payload_of(data, details, true)
}

fn variables(world: &World, names: &[(&str, bool)]) -> Payload {
    let group = &world.projects[2].variable_groups[0];
    let list: Vec<Value> = names.iter().map(|(n, secret)| json!({"name": n, "isSecret": secret})).collect();
    of_project(
        world,
        json!({"VariableGroupId": "21", "VariableGroupName": group.name, "Type": "Vsts", "Variables": list}),
        format!("Variable group \"{}\" was changed", group.name),
    )
}

fn pool(name: &str, id: usize, verb: &str) -> Payload {
    payload_of(
        json!({"AgentPoolName": name, "AgentPoolId": id.to_string()}),
        format!("Agent pool \"{name}\" was {verb}"),
        false,
    )
}

fn kinds(world: &World, dice: &mut Dice) -> Vec<(&'static str, Vec<Step>)> {
    let at = Target { project: 2, item: 1 };
    let policy = |name: &str, bad: bool| {
        let id = "OrganizationPolicy.PolicyValueUpdated";
        vec![(0, id, policy_value(name, bad)), (2 * HOUR, id, policy_value(name, !bad))]
    };
    let project = &world.projects[2];
    let release = |verb: &str, name: &str| {
        of_project(
            world,
            json!({"PipelineId": "77", "PipelineName": name, "ReleaseName": "Release-9"}),
            format!("Release pipeline \"{name}\" was {verb}"),
        )
    };
    let removed = payload("Policy.PolicyConfigRemoved", world, at, dice);
    let check = payload("CheckConfiguration.Deleted", world, at, dice);
    let bulk = (0..6).map(|n| {
        (20 * SECOND * n as i64, "Library.AgentPoolDeleted", pool(&format!("win-{n}"), 60 + n, "deleted"))
    });
    let executed = (0..7).map(|n| {
        let name = format!("{}-target-{n}", project.name.to_lowercase());
        let content = of_project(
            world,
            json!({"ConnectionId": dice.guid(), "ConnectionName": name, "ConnectionType": "azurerm",
                   "PlanType": "Build", "DefinitionId": "912"}),
            format!("Service connection \"{name}\" was used"),
        );
        (40 * SECOND * n as i64, "Library.ServiceConnectionExecuted", content)
    });
    let executed: Vec<Step> = executed.collect();
    vec![
        ("auditing-switched-off", {
            let mut steps = policy("Policy.LogAuditEvents", false);
            steps[1].0 = 10 * MINUTE;
            steps
        }),
        ("conditional-access-off", policy("Policy.EnforceAADConditionalAccess", false)),
        ("anonymous-access-on", policy("Policy.AllowAnonymousAccess", true)),
        ("branch-policy-removed", vec![(0, "Policy.PolicyConfigRemoved", removed)]),
        ("check-deleted", vec![(0, "CheckConfiguration.Deleted", check)]),
        (
            "pool-created-and-deleted",
            vec![
                (0, "Library.AgentPoolCreated", pool("build-tmp", 51, "created")),
                (26 * HOUR, "Library.AgentPoolDeleted", pool("build-tmp", 51, "deleted")),
            ],
        ),
        ("pools-deleted-in-bulk", bulk.collect()),
        (
            "release-pipeline-created-and-deleted",
            vec![
                (0, "Release.ReleasePipelineCreated", release("created", "one-off")),
                (5 * HOUR, "Release.ReleasePipelineDeleted", release("deleted", "one-off")),
            ],
        ),
        (
            "release-deleted-after-change",
            vec![
                (0, "Release.ReleasePipelineModified", release("changed", "shop-cd")),
                (20 * MINUTE, "Release.ReleaseDeleted", release("deleted", "shop-cd")),
            ],
        ),
        (
            "extension-installed",
            vec![(
                0,
                "Extension.Installed",
                payload_of(
                    json!({"ExtensionName": "free-burndown", "PublisherName": "gratis-widgets", "Version": "0.3.1"}),
                    "Extension \"free-burndown\" from publisher \"gratis-widgets\" was installed".to_owned(),
                    false,
                ),
            )],
        ),
        (
            "secret-in-clear-variable",
            vec![(
                0,
                "Library.VariableGroupModified",
                variables(world, &[("region", false), ("db_password", false), ("image-tag", false)]),
            )],
        ),
        (
            "public-project-created",
            vec![(
                0,
                "Project.CreateCompleted",
                payload_of(
                    json!({"ProjectId": dice.guid(), "ProjectName": "Showcase", "ProcessTemplate": "Agile",
                       "ProjectVisibility": "Public"}),
                    "Showcase project was created successfully".to_owned(),
                    false,
                ),
            )],
        ),
        ("many-service-connections-by-one-pipeline", executed),
    ]
}
