--! id          = "PAT-P032"
--! title       = "Critical permission allowed"
--! severity    = "low"
--! confidence  = "medium"
--! subject     = "user"
--! tables      = ["notable"]
--! message     = "{subject} allowed a critical permission {count} times ({what})."
--! fix         = "Check that the permission was asked for."
--! rationale   = "Only permissions that let someone change builds, rights or skip review count, and only when allowed; the rule that this stands for fires on every change in the Git namespace. Events that came along with another change are left out."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST AU-12", "NIST CM-6", "ISO A.8.15", "SOC 2 CC7.2", "PCI 10.4.1", "CICD-SEC-10"]
--! attack      = ["T1098.003"]
--! equivalents = ["BEN-1"]
--! keys        = ["action"]
SELECT org, COALESCE(actor, 'an actor not known') AS subject, MIN(time) AS first_time, MAX(time) AS last_time, COUNT(*) AS count, MAX(action) AS action,
  MAX(kind) AS kind, MAX(COALESCE(d_permission, details, 'no details')) AS what, MAX(network) AS network, MAX(token_id) AS token_id, STRING_AGG(event_id, ' ') AS event_ids
FROM notable WHERE action = 'Security.ModifyPermission' AND COALESCE(origin, TRUE) AND LOWER(COALESCE(d_permission, details)) LIKE '%allow%' AND (LOWER(COALESCE(d_permission, details)) LIKE '%bypass policies%' OR LOWER(COALESCE(d_permission, details)) LIKE '%manage permissions%' OR LOWER(COALESCE(d_permission, details)) LIKE '%administer build%' OR LOWER(COALESCE(d_permission, details)) LIKE '%edit build pipeline%')
GROUP BY org, COALESCE(actor, 'an actor not known'), action
