//! What tokens are made for: names, grant, ordinary actions, client and rhythm of each trade.

use super::agents::Family;
use super::tokens::Pace;

type Weights = &'static [(&'static str, u32)];

/// What a token was made for.
pub(super) struct Purpose {
    pub(super) names: &'static [&'static str],
    pub(super) scopes: &'static [&'static str],
    pub(super) actions: Weights,
    pub(super) client: Family,
    pub(super) pace: Pace,
    pub(super) per_day: f64,
    pub(super) run: i64,
}

pub(super) const INFRA: Purpose = Purpose {
    names: &["terraform-platform", "iac-apply", "landing-zone"],
    scopes: &[
        "vso.variablegroups_manage",
        "vso.serviceendpoint_manage",
        "vso.build_execute",
        "vso.code_manage",
    ],
    actions: &[
        ("Library.VariableGroupModified", 9),
        ("Library.ServiceConnectionModified", 3),
        ("Pipelines.PipelineModified", 5),
        ("Git.RepositoryCreated", 1),
        ("Policy.PolicyConfigModified", 4),
        ("Pipelines.ResourceAuthorizedForPipeline", 3),
    ],
    client: Family::Terraform,
    pace: Pace::AllDay,
    per_day: 2.0,
    run: 5,
};
pub(super) const RELEASE: Purpose = Purpose {
    names: &["release-bot", "ship-it", "deploy-orchestrator"],
    scopes: &["vso.release_manage", "vso.build_execute"],
    actions: &[
        ("Release.ReleaseCreated", 9),
        ("Release.ApprovalCompleted", 4),
        ("Release.ReleasePipelineModified", 1),
        ("Pipelines.RunRetained", 6),
    ],
    client: Family::DotNet,
    pace: Pace::AllDay,
    per_day: 2.5,
    run: 3,
};
pub(super) const FEEDS: Purpose = Purpose {
    names: &["feed-publisher", "package-promote"],
    scopes: &["vso.packaging_manage"],
    actions: &[
        ("Artifacts.Feed.Project.FeedView.Modify", 4),
        ("Artifacts.Feed.Project.Modify", 3),
        ("Artifacts.Feed.Project.FeedView.Create", 1),
    ],
    client: Family::NuGet,
    pace: Pace::Nightly(2),
    per_day: 0.8,
    run: 4,
};
pub(super) const PROVISION: Purpose = Purpose {
    names: &["team-onboarding", "project-factory"],
    scopes: &[
        "vso.project_manage",
        "vso.graph_manage",
        "vso.memberentitlementmanagement_write",
        "vso.security_manage",
    ],
    actions: &[
        ("Project.CreateQueued", 1),
        ("Group.UpdateGroupMembership.Add", 9),
        ("Group.UpdateGroupMembership.Remove", 3),
        ("Licensing.Assigned", 6),
        ("Security.ModifyPermission", 6),
    ],
    client: Family::VsTeam,
    pace: Pace::Office,
    per_day: 0.7,
    run: 6,
};
pub(super) const BACKUP: Purpose = Purpose {
    names: &["audit-archive", "log-shipper"],
    scopes: &["vso.auditlog"],
    actions: &[("AuditLog.AccessLog", 20), ("AuditLog.DownloadLog", 1)],
    client: Family::Requests,
    pace: Pace::AllDay,
    per_day: 2.0,
    run: 1,
};
pub(super) const EXTENSIONS: Purpose = Purpose {
    names: &["marketplace-sync"],
    scopes: &["vso.extension_manage"],
    actions: &[("Extension.VersionUpdated", 5), ("Extension.Installed", 2), ("Extension.Disabled", 1)],
    client: Family::Node,
    pace: Pace::Office,
    per_day: 0.25,
    run: 3,
};
pub(super) const AGENTS: Purpose = Purpose {
    names: &["agent-pool-register", "scale-set-agents"],
    scopes: &["vso.agentpools_manage"],
    actions: &[("Library.AgentAdded", 1), ("Library.AgentDeleted", 1)],
    client: Family::BuildAgent,
    pace: Pace::AllDay,
    per_day: 2.5,
    run: 2,
};
pub(super) const GIT_BOT: Purpose = Purpose {
    names: &["version-bump", "mirror-sync"],
    scopes: &["vso.code_manage"],
    actions: &[
        ("Git.RefUpdatePoliciesBypassed", 8),
        ("Git.RepositoryDefaultBranchChanged", 1),
        ("Policy.PolicyConfigModified", 1),
    ],
    client: Family::Git,
    pace: Pace::Office,
    per_day: 0.9,
    run: 3,
};
pub(super) const BOARDS: Purpose = Purpose {
    names: &["boards-sync", "area-import"],
    scopes: &["vso.work_write"],
    actions: &[
        ("Project.AreaPath.Create", 4),
        ("Project.IterationPath.Create", 4),
        ("Process.Field.Edit", 2),
        ("Process.List.Update", 2),
    ],
    client: Family::PythonSdk,
    pace: Pace::Nightly(4),
    per_day: 1.0,
    run: 4,
};
pub(super) const CHECKS: Purpose = Purpose {
    names: &["pipeline-governance", "template-rollout"],
    scopes: &["vso.build_execute"],
    actions: &[
        ("Pipelines.PipelineModified", 6),
        ("CheckConfiguration.Updated", 3),
        ("Pipelines.ResourceAuthorizedForPipeline", 3),
        ("Pipelines.RunRetained", 3),
    ],
    client: Family::GoSdk,
    pace: Pace::Office,
    per_day: 1.0,
    run: 4,
};
pub(super) const SCRIPT: Purpose = Purpose {
    names: &["laptop scripts", "my automation", "cli work", "reporting helper"],
    scopes: &["vso.build_execute", "vso.code_manage", "vso.work_write"],
    actions: &[
        ("Pipelines.PipelineModified", 5),
        ("Git.RepositoryRenamed", 1),
        ("Project.AreaPath.Update", 3),
        ("Policy.PolicyConfigModified", 2),
        ("Pipelines.RunRetained", 3),
    ],
    client: Family::PowerShell,
    pace: Pace::Office,
    per_day: 0.7,
    run: 4,
};
pub(super) const FULL: Purpose = Purpose {
    names: &["everything", "admin helper", "migration 2025"],
    scopes: &["app_token"],
    actions: &[
        ("Pipelines.PipelineModified", 5),
        ("Library.VariableGroupModified", 4),
        ("Project.AreaPath.Create", 3),
        ("Git.RepositoryRenamed", 1),
    ],
    client: Family::Curl,
    pace: Pace::Office,
    per_day: 0.7,
    run: 3,
};
pub(super) const READER: Purpose = Purpose {
    names: &["dashboard feed", "metrics export", "wiki mirror", "code search index"],
    scopes: &["vso.code", "vso.build", "vso.work"],
    actions: &[],
    client: Family::Axios,
    pace: Pace::AllDay,
    per_day: 0.0,
    run: 1,
};
pub(super) const GCM: Purpose = Purpose {
    names: &["Git: "],
    scopes: &["vso.code_write", "vso.packaging"],
    actions: &[("Git.RepositoryDefaultBranchChanged", 1)],
    client: Family::Git,
    pace: Pace::Office,
    per_day: 0.02,
    run: 1,
};
