-- Actions of the catalogue that change who may do what, what is recorded, or what secrets are reachable.
-- grade critical: they alone can hand over the organisation or blind its owners; grade sensitive: the rest.
SELECT action,
  CASE WHEN action LIKE 'Security.%' OR action LIKE 'OrganizationPolicy.%' OR action LIKE 'Organization.%'
      OR action LIKE 'Project.UpdateVisibility%' OR action LIKE 'Group.UpdateGroupMembership%'
      OR action LIKE 'Library.ServiceConnectionShared%' OR action LIKE 'Pipelines.OAuthConfiguration%'
      OR action IN ('AuditLog.StreamCreated', 'AuditLog.StreamDeleted', 'AuditLog.StreamDisabledByUser', 'AuditLog.StreamModified',
        'Extension.Installed', 'Policy.PolicyConfigRemoved')
    THEN 'critical' ELSE 'sensitive' END AS grade
FROM actions
WHERE action LIKE 'Security.%' OR action LIKE 'OrganizationPolicy.%' OR action LIKE 'Organization.%'
  OR action LIKE 'Project.UpdateVisibility%' OR action LIKE 'Project.%Delete%' OR action LIKE 'Group.%'
  OR action LIKE 'Library.ServiceConnection%' OR action LIKE 'Library.VariableGroup%' OR action LIKE 'Library.Agent%'
  OR action LIKE 'Pipelines.OAuthConfiguration%' OR action LIKE 'Pipelines.Resource%' OR action LIKE 'Policy.%'
  OR action LIKE 'CheckConfiguration.%' OR action LIKE 'AuditLog.Stream%' OR action LIKE 'ServiceHooks.%'
  OR action IN ('AuditLog.DownloadLog', 'Extension.Installed', 'Extension.Enabled', 'Git.RefUpdatePoliciesBypassed',
    'Git.RepositoryDeleted', 'Git.RepositoryDestroyed', 'Pipelines.PipelineRetentionSettingChanged',
    'Pipelines.ProjectSettings', 'Pipelines.OrganizationSettings', 'Pipelines.VariablesSetAtRuntime')
