--! id          = "PAT-P022"
--! title       = "Check on a protected resource removed"
--! severity    = "medium"
--! confidence  = "high"
--! subject     = "user"
--! tables      = ["notable"]
--! message     = "{subject} removed or disabled {count} checks on protected resources (the last: {what})."
--! fix         = "Restore the check unless its removal was decided."
--! rationale   = "Checks keep a changed pipeline away from production; without them, one edit is enough."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST AU-12", "NIST CM-6"]
--! attack      = ["T1578"]
--! equivalents = ["SEN-H02"]
--! keys        = ["action"]
WITH hits AS (
  SELECT org, COALESCE(actor, 'an actor not known') AS who, time, event_id, action, kind, COALESCE(details, 'no details') AS what, network, token_id
  FROM notable WHERE action IN ('CheckConfiguration.Deleted', 'CheckConfiguration.Disabled')
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
