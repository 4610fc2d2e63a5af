--! id          = "PAT-P007"
--! title       = "Auditing switched off"
--! severity    = "critical"
--! confidence  = "high"
--! subject     = "user"
--! tables      = ["notable"]
--! message     = "{subject} switched auditing off ({what})."
--! fix         = "Switch it on again; treat the time until then as unseen."
--! rationale   = "Without the log nothing else here can be said."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST AU-12", "NIST CM-6", "ISO A.8.15", "SOC 2 CC7.2", "PCI 10.4.1", "CICD-SEC-10"]
--! attack      = ["T1562.008"]
--! equivalents = ["P13"]
--! keys        = ["action"]
SELECT org, COALESCE(actor, 'an actor not known') AS subject, MIN(time) AS first_time, MAX(time) AS last_time, COUNT(*) AS count, MAX(action) AS action,
  MAX(kind) AS kind, MAX(CONCAT(d_policy_name, ' = ', d_policy_value)) AS what, MAX(network) AS network, MAX(token_id) AS token_id, STRING_AGG(event_id, ' ') AS event_ids
FROM notable WHERE action = 'OrganizationPolicy.PolicyValueUpdated' AND LOWER(d_policy_name) LIKE '%audit%' AND LOWER(d_policy_value) IN ('false', 'off', '0')
GROUP BY org, COALESCE(actor, 'an actor not known'), action
