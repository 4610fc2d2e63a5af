--! id          = "PAT-P006"
--! title       = "Policy on tokens changed"
--! severity    = "medium"
--! confidence  = "high"
--! subject     = "user"
--! tables      = ["notable"]
--! message     = "{subject} changed a policy on tokens: {what}."
--! fix         = "Compare the value with what was decided."
--! rationale   = "These policies limit who may make tokens, with which reach and for how long. A change either way is worth a look, since the log does not say which direction is stricter."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST AU-12", "NIST CM-6", "ISO A.8.15", "SOC 2 CC7.2", "PCI 10.4.1", "CICD-SEC-10"]
--! attack      = ["T1562"]
--! keys        = ["action"]
SELECT org, COALESCE(actor, 'an actor not known') AS subject, MIN(time) AS first_time, MAX(time) AS last_time, COUNT(*) AS count, MAX(action) AS action,
  MAX(kind) AS kind, MAX(CONCAT(COALESCE(d_policy_name, 'a policy'), ' = ', COALESCE(d_policy_value, 'no value'))) AS what, MAX(network) AS network, MAX(token_id) AS token_id, STRING_AGG(event_id, ' ') AS event_ids
FROM notable WHERE action LIKE 'OrganizationPolicy.%' AND (LOWER(d_policy_name) LIKE '%pat%creation%' OR LOWER(d_policy_name) LIKE '%personalaccesstoken%' OR LOWER(d_policy_name) LIKE '%token%')
GROUP BY org, COALESCE(actor, 'an actor not known'), action
