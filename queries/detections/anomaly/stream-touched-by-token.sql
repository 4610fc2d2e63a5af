--! id          = "PAT-A029"
--! title       = "Audit stream disabled, deleted or changed with a token"
--! severity    = "high"
--! confidence  = "high"
--! subject     = "token"
--! tables      = ["notable"]
--! message     = "The token '{name}' of {owner} did {action} on an audit stream {count} times."
--! fix         = "Restore the stream, revoke the token unless its owner vouches for it, and review what it changed meanwhile."
--! rationale   = "Whoever wants to work unseen starts here, and no routine needs it. Without history, so that a young token cannot hide."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST AC-2(12)", "OWASP NHI2", "NIST AU-6", "ISO A.8.16", "SOC 2 CC7.2", "PCI 10.4.1"]
--! attack      = ["T1562.008"]
--! equivalents = ["SEN-A02", "SEN-A04"]
SELECT org, token_id AS subject, MIN(time) AS first_time, MAX(time) AS last_time, COUNT(*) AS count, MAX(action) AS action, STRING_AGG(event_id, ' ') AS event_ids
FROM notable WHERE action IN ('AuditLog.StreamDisabledByUser', 'AuditLog.StreamDeleted', 'AuditLog.StreamModified') AND token_id IS NOT NULL
GROUP BY org, token_id
