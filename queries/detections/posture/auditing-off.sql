--! id          = "PAT-P007"
--! title       = "Auditing switched off"
--! severity    = "critical"
--! confidence  = "high"
--! subject     = "user"
--! tables      = ["notable"]
--! needs       = { actions = ["OrganizationPolicy.PolicyValueUpdated"], fields = ["d_policy_name", "d_policy_value"] }
--! message     = "{subject} switched auditing off ({what})."
--! fix         = "Switch it on again, and treat the time until then as a gap of the log."
--! rationale   = "Every other detection needs the log. The setting is LogAuditEvents, and any value but true, on, 1 or enabled means off; the time after it counts as a gap of the log by the same rule. Other settings with audit in their name, such as how long entries are kept, do not switch auditing off."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST AU-12", "NIST CM-6"]
--! attack      = ["T1562.008"]
--! equivalents = ["P13"]
--! keys        = ["action"]
WITH hits AS (
  SELECT org, COALESCE(actor, 'an actor not known') AS who, time, event_id, action, kind, CONCAT(d_policy_name, ' = ', d_policy_value) AS what, network, token_id
  FROM notable WHERE action = 'OrganizationPolicy.PolicyValueUpdated' AND (LOWER(d_policy_name) LIKE '%logauditevents%' OR LOWER(d_policy_name) LIKE '%log audit events%')
  AND d_policy_value IS NOT NULL AND LOWER(d_policy_value) NOT IN ('true', 'on', '1', 'enabled')
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
