//! The actions that the simulated organisation raises: area, category, and what a token needs for each.
//!
//! Written from the facts (sections 2 and 10), for the simulator alone: it must not learn from the tables
//! that the detections read, or agreement between the two would prove nothing.

/// Category, with the number that Event Grid writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Category {
    Unknown = 0,
    Modify = 1,
    Remove = 2,
    Create = 3,
    Access = 4,
    Execute = 5,
}

impl Category {
    /// The display form, such as `Modify`.
    pub(super) const fn display(self) -> &'static str {
        match self {
            Self::Unknown => "Unknown",
            Self::Modify => "Modify",
            Self::Remove => "Remove",
            Self::Create => "Create",
            Self::Access => "Access",
            Self::Execute => "Execute",
        }
    }
}

/// What is known of one action.
#[derive(Debug, Clone, Copy)]
pub(super) struct Action {
    pub(super) id: &'static str,
    pub(super) area: &'static str,
    pub(super) category: Category,
    /// Any one of these lets a token do it; none: no scope short of full access does.
    pub(super) scopes: &'static [&'static str],
}

macro_rules! actions {
    ($($id:literal $area:literal $category:ident [$($scope:literal),*];)+) => {
        const ACTIONS: &[Action] = &[
            $(Action { id: $id, area: $area, category: Category::$category, scopes: &[$($scope),*] }),+
        ];
    };
}

actions! {
    "Artifacts.Feed.Project.Create" "Artifacts" Create ["vso.packaging_write"];
    "Artifacts.Feed.Project.Modify" "Artifacts" Modify ["vso.packaging_manage"];
    "Artifacts.Feed.Project.FeedView.Create" "Artifacts" Create ["vso.packaging_write"];
    "Artifacts.Feed.Project.FeedView.Modify" "Artifacts" Modify ["vso.packaging_manage"];
    "Artifacts.Feed.Project.Modify.Permissions" "Artifacts" Modify ["vso.packaging_manage"];
    "AuditLog.AccessLog" "Auditing" Access ["vso.auditlog"];
    "AuditLog.DownloadLog" "Auditing" Access ["vso.auditlog"];
    "AuditLog.StreamCreated" "Auditing" Create ["vso.auditstreams_manage"];
    "AuditLog.StreamDeleted" "Auditing" Remove ["vso.auditstreams_manage"];
    "AuditLog.StreamDisabledByUser" "Auditing" Modify ["vso.auditstreams_manage"];
    "AuditLog.StreamEnabled" "Auditing" Modify ["vso.auditstreams_manage"];
    "AuditLog.StreamModified" "Auditing" Modify ["vso.auditstreams_manage"];
    "CheckConfiguration.Updated" "Checks" Modify ["vso.build_execute", "vso.pipelineresources_manage"];
    "CheckConfiguration.Deleted" "Checks" Remove ["vso.build_execute", "vso.pipelineresources_manage"];
    "CheckSuite.Completed" "Checks" Execute [];
    "Extension.Installed" "Extension" Create ["vso.extension_manage"];
    "Extension.Enabled" "Extension" Modify ["vso.extension_manage"];
    "Extension.Disabled" "Extension" Modify ["vso.extension_manage"];
    "Extension.VersionUpdated" "Extension" Modify ["vso.extension_manage"];
    "Git.RefUpdatePoliciesBypassed" "Git" Modify ["vso.code_write"];
    "Git.RepositoryCreated" "Git" Create ["vso.code_manage"];
    "Git.RepositoryDefaultBranchChanged" "Git" Modify ["vso.code_write"];
    "Git.RepositoryRenamed" "Git" Modify ["vso.code_manage"];
    "Git.RepositoryDisabled" "Git" Modify ["vso.code_manage"];
    "Git.RepositoryEnabled" "Git" Modify ["vso.code_manage"];
    "Git.RepositoryForked" "Git" Create ["vso.code_manage"];
    "Group.CreateGroups" "Group" Create ["vso.graph_manage", "vso.project_manage"];
    "Group.UpdateGroupMembership.Add" "Group" Modify
        ["vso.graph_manage", "vso.memberentitlementmanagement_write", "vso.identity_manage", "vso.project_manage"];
    "Group.UpdateGroupMembership.Remove" "Group" Modify
        ["vso.graph_manage", "vso.memberentitlementmanagement_write", "vso.identity_manage", "vso.project_manage"];
    "Library.AgentAdded" "Library" Modify ["vso.agentpools_manage"];
    "Library.AgentDeleted" "Library" Modify ["vso.agentpools_manage"];
    "Library.AgentPoolCreated" "Library" Create ["vso.agentpools_manage"];
    "Library.AgentPoolDeleted" "Library" Remove ["vso.agentpools_manage"];
    "Library.ServiceConnectionCreated" "Library" Create ["vso.serviceendpoint_manage"];
    "Library.ServiceConnectionModified" "Library" Modify ["vso.serviceendpoint_manage"];
    "Library.ServiceConnectionShared" "Library" Modify ["vso.serviceendpoint_manage"];
    "Library.ServiceConnectionExecuted" "Library" Execute ["vso.build_execute"];
    "Library.VariableGroupCreated" "Library" Create ["vso.variablegroups_write", "vso.variablegroups_manage"];
    "Library.VariableGroupModified" "Library" Modify ["vso.variablegroups_manage"];
    "Library.VariableGroupDeleted" "Library" Remove ["vso.variablegroups_manage"];
    "Licensing.Assigned" "Licensing" Create ["vso.memberentitlementmanagement_write", "vso.graph_manage"];
    "Licensing.Modified" "Licensing" Modify ["vso.memberentitlementmanagement_write"];
    "Licensing.Removed" "Licensing" Remove ["vso.memberentitlementmanagement_write", "vso.graph_manage"];
    "OrganizationPolicy.PolicyValueUpdated" "OrganizationPolicy" Modify [];
    "Pipelines.PipelineCreated" "Pipelines" Create ["vso.build_execute"];
    "Pipelines.PipelineModified" "Pipelines" Modify ["vso.build_execute"];
    "Pipelines.PipelineDeleted" "Pipelines" Remove ["vso.build_execute"];
    "Pipelines.PipelineRetentionSettingChanged" "Pipelines" Modify ["vso.build_execute"];
    "Pipelines.ResourceAuthorizedForPipeline" "Pipelines" Modify
        ["vso.build_execute", "vso.pipelineresources_manage"];
    "Pipelines.ResourceAuthorizedForProject" "Pipelines" Modify
        ["vso.build_execute", "vso.pipelineresources_manage"];
    "Pipelines.ProjectSettings" "Pipelines" Modify ["vso.project_write"];
    "Pipelines.RunRetained" "Pipelines" Modify ["vso.build_execute"];
    "Policy.PolicyConfigCreated" "Policy" Create ["vso.code_write"];
    "Policy.PolicyConfigModified" "Policy" Modify ["vso.code_write"];
    "Policy.PolicyConfigRemoved" "Policy" Remove ["vso.code_write"];
    "Process.Field.Create" "Process" Create ["vso.work_write"];
    "Process.Field.Edit" "Process" Modify ["vso.work_write"];
    "Process.List.Update" "Process" Modify ["vso.work_write"];
    "Process.State.Update" "Process" Modify ["vso.work_write"];
    "Project.AreaPath.Create" "Project" Create ["vso.work_write"];
    "Project.AreaPath.Update" "Project" Modify ["vso.work_write"];
    "Project.IterationPath.Create" "Project" Create ["vso.work_write"];
    "Project.CreateQueued" "Project" Create ["vso.project_manage"];
    "Project.CreateCompleted" "Project" Create ["vso.project_manage"];
    "Project.UpdateVisibilityQueued" "Project" Modify ["vso.project_write"];
    "Project.UpdateVisibilityCompleted" "Project" Modify ["vso.project_write"];
    "Release.ApprovalCompleted" "Release" Modify ["vso.release_manage"];
    "Release.DeploymentCompleted" "Release" Execute ["vso.release_execute"];
    "Release.ReleaseCreated" "Release" Create ["vso.release_execute"];
    "Release.ReleaseDeleted" "Release" Remove ["vso.release_manage"];
    "Release.ReleasePipelineCreated" "Release" Create ["vso.release_execute"];
    "Release.ReleasePipelineDeleted" "Release" Remove ["vso.release_manage"];
    "Release.ReleasePipelineModified" "Release" Modify ["vso.release_execute"];
    "Security.ModifyPermission" "Permissions" Modify ["vso.security_manage"];
    "Security.RemovePermission" "Permissions" Remove ["vso.security_manage"];
    "Token.PatCreateEvent" "Token" Create [];
    "Token.PatUpdateEvent" "Token" Modify [];
    "Token.PatRevokeEvent" "Token" Remove ["vso.tokenadministration"];
    "Token.PatExpiredEvent" "Token" Modify [];
    "Token.PatPublicDiscoveryEvent" "Token" Access [];
    "Token.PatSystemRevokeEvent" "Token" Remove [];
    "Token.SshCreateEvent" "Token" Create [];
}

/// Returns what is known of an action; an id that the catalogue lacks is an event of unknown category.
pub(super) fn action(id: &'static str) -> Action {
    ACTIONS.iter().copied().find(|action| action.id == id).unwrap_or(Action {
        id,
        area: "Boards",
        category: Category::Unknown,
        scopes: &[],
    })
}

/// What a scope brings with it, as far as the simulated tokens hold it.
pub(super) fn included(scope: &str) -> &'static [&'static str] {
    match scope {
        "vso.code_manage" => &["vso.code_write", "vso.code"],
        "vso.code_write" => &["vso.code"],
        "vso.project_manage" => &["vso.project_write", "vso.project"],
        "vso.project_write" => &["vso.project"],
        "vso.release_manage" => &["vso.release_execute", "vso.release"],
        "vso.release_execute" => &["vso.release"],
        "vso.packaging_manage" => &["vso.packaging_write", "vso.packaging"],
        "vso.variablegroups_manage" => &["vso.variablegroups_write", "vso.variablegroups_read"],
        "vso.auditstreams_manage" => &["vso.auditlog"],
        _ => &[],
    }
}

/// Scopes of which every use, or nearly every use, leaves an audited event (facts, section 10).
pub(super) const LEAVES_TRACES: &[&str] = &[
    "vso.auditstreams_manage",
    "vso.variablegroups_manage",
    "vso.memberentitlementmanagement_write",
    "vso.extension_manage",
    "vso.graph_manage",
    "vso.project_manage",
    "vso.release_manage",
    "vso.security_manage",
    "vso.serviceendpoint_manage",
];

/// Tells whether a token that holds `scopes` may do the action.
pub(super) fn allowed(scopes: &[&str], id: &'static str) -> bool {
    let need = action(id).scopes;
    scopes.iter().any(|scope| {
        *scope == "app_token"
            || need.contains(scope)
            || included(scope).iter().any(|inner| need.contains(inner))
    })
}
