--! id          = "PAT-P024"
--! title       = "Branch policies bypassed by a person"
--! severity    = "low"
--! confidence  = "high"
--! subject     = "user"
--! tables      = ["notable"]
--! message     = "{subject} bypassed branch policies {count} times in {what}."
--! fix         = "Ask whether the bypass was agreed; take the permission away where it is not needed."
--! rationale   = "Bypasses by tokens are an anomaly of their own. Low for persons: the permission was given on purpose."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST AU-12", "NIST CM-6", "ISO A.8.15", "SOC 2 CC7.2", "PCI 10.4.1", "CICD-SEC-10"]
--! attack      = ["T1098"]
--! equivalents = ["SEN-A13", "SEN-H13", "SUM-S00098"]
--! keys        = ["what"]
SELECT org, COALESCE(actor, 'an actor not known') AS subject, MIN(time) AS first_time, MAX(time) AS last_time, COUNT(*) AS count, MAX(action) AS action,
  MAX(kind) AS kind, MAX(COALESCE(d_repo_name, project, 'a repository')) AS what, MAX(network) AS network, MAX(token_id) AS token_id, STRING_AGG(event_id, ' ') AS event_ids
FROM notable WHERE action = 'Git.RefUpdatePoliciesBypassed' AND COALESCE(kind, 'other') <> 'pat'
GROUP BY org, COALESCE(actor, 'an actor not known'), COALESCE(d_repo_name, project, 'a repository')
