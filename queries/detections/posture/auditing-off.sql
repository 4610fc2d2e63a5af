--! id          = "PAT-P007"
--! title       = "Auditing switched off"
--! severity    = "critical"
--! confidence  = "high"
--! subject     = "user"
--! tables      = ["notable"]
--! message     = "{subject} switched auditing off ({what})."
--! fix         = "Switch it on again; treat the time until then as unseen."
--! rationale   = "Without the log nothing else here can be said. The setting is LogAuditEvents, and any value but true, on, 1 or enabled is off: the very rule by which the time after it is a gap of the log. Other settings with audit in their name, such as how long entries are kept, switch nothing off."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST AU-12", "NIST CM-6"]
--! attack      = ["T1562.008"]
--! equivalents = ["P13"]
--! keys        = ["action"]
SELECT org, COALESCE(actor, 'an actor not known') AS subject, MIN(time) AS first_time, MAX(time) AS last_time, COUNT(*) AS count, MAX(action) AS action,
  MAX(kind) AS kind, MAX(CONCAT(d_policy_name, ' = ', d_policy_value)) AS what, MAX(network) AS network, MAX(token_id) AS token_id, STRING_AGG(event_id, ' ') AS event_ids
FROM notable WHERE action = 'OrganizationPolicy.PolicyValueUpdated' AND (LOWER(d_policy_name) LIKE '%logauditevents%' OR LOWER(d_policy_name) LIKE '%log audit events%')
  AND d_policy_value IS NOT NULL AND LOWER(d_policy_value) NOT IN ('true', 'on', '1', 'enabled')
GROUP BY org, COALESCE(actor, 'an actor not known'), action
