--! id          = "PAT-P001"
--! title       = "Audit stream disabled, deleted or changed"
--! severity    = "high"
--! confidence  = "high"
--! subject     = "user"
--! tables      = ["notable"]
--! message     = "{subject} did {action} on an audit stream {count} times, last on {last_time} ({what})."
--! fix         = "Restore the stream, and ask who decided this."
--! rationale   = "Whoever wants to work unseen starts here. Deleting and re-pointing blind the receiver as disabling does, which the rule that this stands for leaves out. The log itself still holds 90 days."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST AU-12", "NIST CM-6", "ISO A.8.15", "SOC 2 CC7.2", "PCI 10.4.1", "CICD-SEC-10"]
--! attack      = ["T1562.008"]
--! equivalents = ["SEN-A04", "SEN-A05", "P13"]
--! keys        = ["action"]
SELECT org, COALESCE(actor, 'an actor not known') AS subject, MIN(time) AS first_time, MAX(time) AS last_time, COUNT(*) AS count, MAX(action) AS action,
  MAX(kind) AS kind, MAX(COALESCE(d_consumer_type, details, 'no details')) AS what, MAX(network) AS network, MAX(token_id) AS token_id, STRING_AGG(event_id, ' ') AS event_ids
FROM notable WHERE action IN ('AuditLog.StreamDisabledByUser', 'AuditLog.StreamDeleted', 'AuditLog.StreamModified')
GROUP BY org, COALESCE(actor, 'an actor not known'), action
