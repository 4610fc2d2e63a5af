--! id          = "PAT-P008"
--! title       = "Project made public"
--! severity    = "high"
--! confidence  = "high"
--! subject     = "user"
--! tables      = ["notable"]
--! message     = "{subject} made the project {what} public."
--! fix         = "Make it private again unless it was meant; its history was readable in between."
--! rationale   = "Everything in a public project can be read by anybody, secrets in its history included."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST AU-12", "NIST CM-6", "ISO A.8.15", "SOC 2 CC7.2", "PCI 10.4.1", "CICD-SEC-10"]
--! attack      = ["T1213"]
--! equivalents = ["SEN-H15"]
--! keys        = ["what"]
SELECT org, COALESCE(actor, 'an actor not known') AS subject, MIN(time) AS first_time, MAX(time) AS last_time, COUNT(*) AS count, MAX(action) AS action,
  MAX(kind) AS kind, MAX(COALESCE(project, 'without a name')) AS what, MAX(network) AS network, MAX(token_id) AS token_id, STRING_AGG(event_id, ' ') AS event_ids
FROM notable WHERE action = 'Project.UpdateVisibilityCompleted' AND LOWER(d_visibility) = 'public' AND COALESCE(LOWER(d_previous_visibility), 'private') <> 'public'
GROUP BY org, COALESCE(actor, 'an actor not known'), COALESCE(project, 'without a name')
