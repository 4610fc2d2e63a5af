//! What an action says: action and target in, `data` and `details` out.
//!
//! The keys are those of the facts (section 2 and its table); the sentences are our own, in the form that
//! Microsoft documents. Values are text even for numbers, as in real samples.

use serde_json::{Map, Value, json};

use super::dice::Dice;
use super::world::{Person, World};

/// Where an action lands: a project, and a number that picks the thing inside.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target {
    pub(super) project: usize,
    pub(super) item: usize,
}

/// The variable part of an event.
#[derive(Debug, Clone, Default)]
pub(super) struct Payload {
    pub(super) data: Map<String, Value>,
    pub(super) details: String,
    /// Whether the event carries the project in its own columns.
    pub(super) in_project: bool,
}

pub(super) fn payload_of(data: Value, details: String, in_project: bool) -> Payload {
    let data = if let Value::Object(map) = data { map } else { Map::new() };
    Payload { data, details, in_project }
}

/// Membership of a group, named in full such as `[Harbour]\Readers`.
pub(super) fn group_change(group: &str, member: &Person, added: bool, dice: &mut Dice) -> Payload {
    let (group_id, verb) =
        (dice.guid(), if added { "added as a member of" } else { "removed as a member of" });
    payload_of(
        json!({
            "CallerProcedure": "prc_UpdateGroupMembership", "Idempotent": "True", "Incremental": "True",
            "Updates": [{"GroupId": group_id.to_uppercase(), "MemberId": member.user_id.to_uppercase(), "Active": added}],
            "GroupId": group_id, "GroupName": group, "MemberId": member.user_id, "MemberDisplayName": member.name,
        }),
        format!("{} was {verb} group {group}", member.name),
        false,
    )
}

/// A permission in a namespace, allowed to somebody.
pub(super) fn permission(world: &World, at: Target, name: &str, dice: &mut Dice) -> Payload {
    let project = &world.projects[at.project];
    let subject = format!("[{}]\\Contributors", project.name);
    payload_of(
        json!({
            "NamespaceId": "2e9eb7ed-3c0a-47d4-87c1-0ffdd275fd87", "NamespaceName": "Git Repositories",
            "Token": format!("repoV2/{}", project.id), "SubjectDisplayName": subject,
            "SubjectDescriptor": format!("Microsoft.TeamFoundation.Identity;S-1-9-{}", dice.below(1_000_000_000)),
            "EventSummary": [{"permissionNames": name, "change": "Allow", "subjectDisplayName": subject}],
        }),
        format!("Permission \"{name}\" was set to Allow for {subject} in namespace Git Repositories"),
        true,
    )
}

/// A setting of the organisation.
pub(super) fn policy_value(policy: &str, value: bool) -> Payload {
    payload_of(
        json!({"PolicyName": policy, "PolicyValue": if value { "True" } else { "False" }}),
        format!("Organization policy {policy} was set to {value}"),
        false,
    )
}

/// A number of days for which pipelines keep something.
pub(super) fn retention(world: &World, at: Target, old: u32, new: u32) -> Payload {
    let project = &world.projects[at.project].name;
    payload_of(
        json!({"SettingName": "PurgeRuns", "OldValue": old.to_string(), "NewValue": new.to_string(), "ProjectName": project}),
        format!("Retention setting PurgeRuns was changed from {old} to {new} in project {project}"),
        true,
    )
}

/// A stream of the audit log.
pub(super) fn stream(consumer: &str, verb: &str) -> Payload {
    payload_of(
        json!({"ConsumerType": consumer, "displayName": format!("{consumer} main")}),
        format!("Audit stream \"{consumer} main\" to {consumer} was {verb}"),
        false,
    )
}

/// Who can see a project.
pub(super) fn visibility(world: &World, at: Target, from: &str, to: &str) -> Payload {
    let project = &world.projects[at.project];
    payload_of(
        json!({"ProjectId": project.id, "ProjectName": project.name,
               "PreviousProjectVisibility": from, "ProjectVisibility": to}),
        format!("Visibility of project {} was changed from {from} to {to}", project.name),
        true,
    )
}

/// The ordinary content of an action.
pub(super) fn payload(id: &str, world: &World, at: Target, dice: &mut Dice) -> Payload {
    let project = &world.projects[at.project];
    let item = at.item;
    let repo = &project.repositories[item % project.repositories.len()];
    let connection = &project.connections[item % project.connections.len()];
    let group = &project.variable_groups[item % project.variable_groups.len()];
    let pipeline = &project.pipelines[item % project.pipelines.len()];
    let pipeline_id = (at.project * 10 + item % project.pipelines.len() + 1).to_string();
    let pid = &project.id;
    let within = format!("in project {}", project.name);
    match id {
        "Git.RepositoryCreated" | "Git.RepositoryForked" => {
            let name = format!("{}-{}", repo.name, dice.below(900) + 100);
            payload_of(
                json!({"RepoId": dice.guid(), "RepoName": name, "ProjectId": pid, "DefaultBranch": null}),
                format!("Git repository \"{name}\" was created {within}"),
                true,
            )
        }
        "Git.RepositoryDefaultBranchChanged" => payload_of(
            json!({"RepoId": repo.id, "RepoName": repo.name, "ProjectId": pid,
                   "DefaultBranch": "refs/heads/main", "PreviousDefaultBranch": "refs/heads/master"}),
            format!("Default branch of \"{}\" was set to refs/heads/main", repo.name),
            true,
        ),
        "Git.RefUpdatePoliciesBypassed" => payload_of(
            json!({"FriendlyName": "refs/heads/main", "RepoName": repo.name, "RepoId": repo.id, "ProjectId": pid}),
            format!("Branch policies were bypassed on refs/heads/main of \"{}\"", repo.name),
            true,
        ),
        id if id.starts_with("Git.") => payload_of(
            json!({"RepoId": repo.id, "RepoName": repo.name, "ProjectId": pid}),
            format!("Git repository \"{}\" was changed {within}", repo.name),
            true,
        ),
        id if id.starts_with("Library.ServiceConnection") => payload_of(
            json!({"ConnectionId": connection.id, "ConnectionName": connection.name, "ConnectionType": "azurerm",
                   "ProjectId": pid, "PlanType": "Build", "DefinitionId": pipeline_id}),
            format!("Service connection \"{}\" was used or changed {within}", connection.name),
            true,
        ),
        id if id.starts_with("Library.VariableGroup") => {
            let mut content = payload_of(
                json!({"VariableGroupId": (at.project * 10 + item % 3 + 1).to_string(), "VariableGroupName": group.name,
                   "Type": "Vsts", "ProjectId": pid,
                   "Variables": [{"name": "region", "isSecret": false}, {"name": "image-tag", "isSecret": false}]}),
                format!("Variable group \"{}\" was changed {within}", group.name),
                true,
            );
            if !world.variables {
                content.data.remove("Variables");
            }
            content
        }
        id if id.starts_with("Library.Agent") => {
            let agent = format!("agent-{:04}", dice.below(4_000));
            payload_of(
                json!({"AgentName": agent, "AgentPoolName": "linux-scale", "AgentPoolId": "14",
                       "AgentId": dice.below(90_000).to_string(), "OsDescription": "Ubuntu 22.04"}),
                format!("Agent \"{agent}\" in pool \"linux-scale\" was changed"),
                false,
            )
        }
        id if id.starts_with("Pipelines.Pipeline") => payload_of(
            json!({"PipelineId": pipeline_id, "PipelineName": pipeline.name,
                   "PipelineRevision": (dice.below(90) + 1).to_string(), "ProjectId": pid}),
            format!("Pipeline \"{}\" was changed {within}", pipeline.name),
            true,
        ),
        id if id.starts_with("Pipelines.Resource") => payload_of(
            json!({"ResourceType": "endpoint", "ResourceId": connection.id, "PipelineId": pipeline_id}),
            format!("Resource of type endpoint was authorized for pipeline {pipeline_id}"),
            true,
        ),
        "Pipelines.RunRetained" => payload_of(
            json!({"RunName": format!("2026.{}", dice.below(900)), "ProjectId": pid,
                   "RetentionLeaseId": dice.below(90_000).to_string()}),
            format!("A run was retained {within}"),
            true,
        ),
        id if id.starts_with("Release.") => {
            let release = format!("Release-{}", dice.below(900) + 1);
            payload_of(
                json!({"PipelineId": pipeline_id, "PipelineName": pipeline.name, "ReleaseName": release,
                       "ReleaseId": dice.below(9_000).to_string(), "StageName": "prod",
                       "DeploymentResult": "Succeeded", "ProjectId": pid}),
                format!("Release \"{release}\" of pipeline \"{}\": {}", pipeline.name, &id[8..]),
                true,
            )
        }
        id if id.starts_with("Artifacts.") => {
            let feed = format!("{}-packages", project.name.to_lowercase());
            payload_of(
                json!({"FeedName": feed, "ProjectId": pid, "FeedViewName": "Release", "FeedChanges": "retention"}),
                format!("Feed \"{feed}\" was changed {within}"),
                true,
            )
        }
        id if id.starts_with("Policy.") => payload_of(
            json!({"PolicyTypeDisplayName": "Minimum number of reviewers", "ProjectName": project.name,
                   "RepoId": repo.id, "RepoName": repo.name, "RefName": "refs/heads/main",
                   "ConfigProperties": [{"minimumApproverCount": "2"}]}),
            format!("Policy \"Minimum number of reviewers\" was changed on \"{}\"", repo.name),
            true,
        ),
        id if id.starts_with("Extension.") => {
            let name = ["sprint-goal", "release-notes", "code-metrics", "test-matrix"][item % 4];
            payload_of(
                json!({"ExtensionName": name, "PublisherName": "larkmoor-tools", "FromVersion": "1.0.3",
                       "Version": format!("1.{}.{}", dice.below(9), dice.below(30))}),
                format!("Extension \"{name}\" from publisher \"larkmoor-tools\" was changed"),
                false,
            )
        }
        id if id.starts_with("Group.") => {
            let member = &world.people[item % world.people.len()];
            let role = ["Contributors", "Readers"][item % 2];
            group_change(&format!("[{}]\\{role}", project.name), member, !id.ends_with("Remove"), dice)
        }
        id if id.starts_with("Licensing.") => {
            let user = &world.people[item % world.people.len()];
            payload_of(
                json!({"AccessLevel": "Account-Express", "UserIdentifier": user.user_id, "Reason": "by admin"}),
                format!("Access level of \"{}\" was changed", user.name),
                false,
            )
        }
        id if id.starts_with("Security.") => {
            permission(world, at, ["Contribute", "Create branch", "Read"][item % 3], dice)
        }
        id if id.starts_with("CheckConfiguration.") => payload_of(
            json!({"Type": "Approval", "ResourceType": "endpoint", "ResourceName": connection.name,
                   "ResourceId": connection.id}),
            format!("Check of type Approval on \"{}\" was changed", connection.name),
            true,
        ),
        "CheckSuite.Completed" => payload_of(
            json!({"StageName": "deploy", "RunName": format!("2026.{}", dice.below(900)),
                   "PipelineName": pipeline.name, "ProjectId": pid, "CheckSuiteStatus": "Approved"}),
            format!("Checks of a stage of \"{}\" finished", pipeline.name),
            true,
        ),
        id if id.starts_with("Process.") => payload_of(
            json!({"ProcessName": "Larkmoor Agile", "FieldName": format!("Field {}", dice.below(60)),
                   "PicklistName": "Severity"}),
            "Process \"Larkmoor Agile\" was changed".to_owned(),
            false,
        ),
        id if id.starts_with("Project.") => payload_of(
            json!({"Path": format!("\\{}\\Team {}", project.name, dice.below(20)), "ProjectName": project.name,
                   "ProjectId": pid}),
            format!("{} was changed: {}", project.name, &id[8..]),
            true,
        ),
        _ => payload_of(json!({"ProjectId": pid}), format!("{id} {within}"), true),
    }
}
