--! id          = "PAT-A029"
--! title       = "Audit stream disabled, deleted or changed with a token"
--! severity    = "high"
--! confidence  = "high"
--! subject     = "token"
--! tables      = ["notable"]
--! message     = "The token '{name}' of {owner} touched audit streams {count} times: {actions}."
--! fix         = "Restore the stream, revoke the token unless its owner vouches for it, and review what it changed meanwhile."
--! rationale   = "Whoever wants to work unseen starts here, and no routine job needs it. Needs no history, so a new token cannot hide."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST AC-2(12)", "OWASP NHI2"]
--! attack      = ["T1562.008"]
--! equivalents = ["SEN-A02", "SEN-A04"]
WITH touched AS (
  SELECT org, token_id, action, MIN(time) AS first_time, MAX(time) AS last_time, COUNT(*) AS n, STRING_AGG(event_id, ' ') AS event_ids
  FROM notable WHERE action IN ('AuditLog.StreamDisabledByUser', 'AuditLog.StreamDeleted', 'AuditLog.StreamModified') AND token_id IS NOT NULL
  GROUP BY org, token_id, action
),
told AS (SELECT org, token_id, first_time, last_time, n, event_ids, CONCAT(action, ' (', n, ')') AS act FROM touched)
SELECT org, token_id AS subject, MIN(first_time) AS first_time, MAX(last_time) AS last_time, SUM(n) AS count, STRING_AGG(act, ', ') AS actions, STRING_AGG(event_ids, ' ') AS event_ids
FROM told GROUP BY org, token_id
