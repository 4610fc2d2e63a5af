--! id          = "SEN-A02"
--! title       = "Azure DevOps Personal Access Token (PAT) misuse (Sentinel, as published)"
--! severity    = "high"
--! confidence  = "medium"
--! subject     = "token"
--! tables      = ["events"]
--! message     = "The token '{name}' of {owner} did something for administrators on {day}."
--! fix         = "A baseline to compare with; see the pack's own detections."
--! rationale   = "Written from the rule's description, not from its text. Its allow list of persons is a placeholder as published, so it is empty here. Hourly, one row an event; here one a token and day, which is kinder."
--! keys        = ["day"]
SELECT org, token_id AS subject, MIN(time) AS first_time, MAX(time) AS last_time, COUNT(*) AS count, CAST(date AS VARCHAR) AS day
FROM events
WHERE kind = 'pat' AND token_id IS NOT NULL
  AND (action LIKE '%Security.%' OR action LIKE '%Project.%' OR action LIKE '%AuditLog.%' OR action LIKE '%Extension.%'
    OR action IN ('Group.UpdateGroupMembership.Add', 'Library.ServiceConnectionExecuted', 'Pipelines.PipelineModified',
      'Release.ReleasePipelineModified', 'Git.RefUpdatePoliciesBypassed'))
GROUP BY org, token_id, date
