--! id          = "PAT-P009"
--! title       = "Public project created"
--! severity    = "medium"
--! confidence  = "high"
--! subject     = "user"
--! tables      = ["notable"]
--! message     = "{subject} created the public project {what}."
--! fix         = "Check that it is meant to be public."
--! rationale   = "Medium rather than high: a new project holds nothing yet."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST AU-12", "NIST CM-6", "ISO A.8.15", "SOC 2 CC7.2", "PCI 10.4.1", "CICD-SEC-10"]
--! attack      = ["T1213"]
--! equivalents = ["SEN-H16"]
--! keys        = ["what"]
SELECT org, COALESCE(actor, 'an actor not known') AS subject, MIN(time) AS first_time, MAX(time) AS last_time, COUNT(*) AS count, MAX(action) AS action,
  MAX(kind) AS kind, MAX(COALESCE(project, 'without a name')) AS what, MAX(network) AS network, MAX(token_id) AS token_id, STRING_AGG(event_id, ' ') AS event_ids
FROM notable WHERE action = 'Project.CreateCompleted' AND LOWER(d_visibility) = 'public'
GROUP BY org, COALESCE(actor, 'an actor not known'), COALESCE(project, 'without a name')
