--! id          = "PAT-P003"
--! title       = "Conditional access no longer enforced"
--! severity    = "high"
--! confidence  = "high"
--! subject     = "user"
--! tables      = ["notable"]
--! message     = "{subject} switched off the enforcement of conditional access ({what})."
--! fix         = "Switch it on again, and ask who decided this."
--! rationale   = "Tokens then work from places from which their owners could not sign in."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST AU-12", "NIST CM-6", "ISO A.8.15", "SOC 2 CC7.2", "PCI 10.4.1", "CICD-SEC-10"]
--! attack      = ["T1562"]
--! equivalents = ["SEN-H01"]
--! keys        = ["action"]
SELECT org, COALESCE(actor, 'an actor not known') AS subject, MIN(time) AS first_time, MAX(time) AS last_time, COUNT(*) AS count, MAX(action) AS action,
  MAX(kind) AS kind, MAX(CONCAT(d_policy_name, ' = ', d_policy_value)) AS what, MAX(network) AS network, MAX(token_id) AS token_id, STRING_AGG(event_id, ' ') AS event_ids
FROM notable WHERE action = 'OrganizationPolicy.PolicyValueUpdated' AND d_policy_name = 'Policy.EnforceAADConditionalAccess' AND LOWER(d_policy_value) IN ('false', 'off', '0', 'null')
GROUP BY org, COALESCE(actor, 'an actor not known'), action
