--! id          = "PAT-P001"
--! title       = "Audit stream disabled, deleted or changed"
--! severity    = "high"
--! confidence  = "high"
--! subject     = "user"
--! tables      = ["notable"]
--! message     = "{subject} did {action} on an audit stream {count} times, last on {last_time} (that one: {what})."
--! fix         = "Restore the stream, and ask who decided this."
--! rationale   = "Whoever wants to work unseen starts here. Deleting a stream or changing its target blinds the receiver as disabling does; the published rule that this detection covers leaves both out. Azure DevOps itself still keeps the log for 90 days."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST AU-12", "NIST CM-6"]
--! attack      = ["T1562.008"]
--! equivalents = ["SEN-A04", "SEN-A05", "P13"]
--! keys        = ["action"]
WITH hits AS (
  SELECT org, COALESCE(actor, 'an actor not known') AS who, time, event_id, action, kind, COALESCE(d_consumer_type, details, 'no details') AS what, network, token_id
  FROM notable WHERE action IN ('AuditLog.StreamDisabledByUser', 'AuditLog.StreamDeleted', 'AuditLog.StreamModified')
),
placed AS (
  SELECT org, who, time, event_id, action, kind, what, network, token_id,
    ROW_NUMBER() OVER (PARTITION BY org, who, action ORDER BY time DESC NULLS LAST, event_id DESC NULLS LAST) AS place
  FROM hits
)
SELECT org, who AS subject, MIN(time) AS first_time, MAX(time) AS last_time, COUNT(*) AS count, action,
  MAX(CASE WHEN place = 1 THEN kind END) AS kind, MAX(CASE WHEN place = 1 THEN what END) AS what, MAX(CASE WHEN place = 1 THEN network END) AS network, MAX(CASE WHEN place = 1 THEN token_id END) AS token_id,
  STRING_AGG(event_id, ' ') AS event_ids
FROM placed GROUP BY org, who, action
