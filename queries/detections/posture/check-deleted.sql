--! id          = "PAT-P022"
--! title       = "Check on a protected resource removed"
--! severity    = "medium"
--! confidence  = "high"
--! subject     = "user"
--! tables      = ["notable"]
--! message     = "{subject} removed or disabled {count} checks on protected resources ({what})."
--! fix         = "Restore the check unless its removal was decided."
--! rationale   = "Checks keep a changed pipeline away from production; without them one edit is enough."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST AU-12", "NIST CM-6", "ISO A.8.15", "SOC 2 CC7.2", "PCI 10.4.1", "CICD-SEC-10"]
--! attack      = ["T1578"]
--! equivalents = ["SEN-H02"]
--! keys        = ["action"]
SELECT org, COALESCE(actor, 'an actor not known') AS subject, MIN(time) AS first_time, MAX(time) AS last_time, COUNT(*) AS count, MAX(action) AS action,
  MAX(kind) AS kind, MAX(COALESCE(details, 'no details')) AS what, MAX(network) AS network, MAX(token_id) AS token_id, STRING_AGG(event_id, ' ') AS event_ids
FROM notable WHERE action IN ('CheckConfiguration.Deleted', 'CheckConfiguration.Disabled')
GROUP BY org, COALESCE(actor, 'an actor not known'), action
