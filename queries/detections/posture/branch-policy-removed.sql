--! id          = "PAT-P023"
--! title       = "Branch policy removed"
--! severity    = "medium"
--! confidence  = "high"
--! subject     = "user"
--! tables      = ["notable"]
--! message     = "{subject} removed {count} branch policies of {what}."
--! fix         = "Restore the policy unless its removal was decided."
--! rationale   = "A removed policy lets code in without review, and leaves less trace than a bypass."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST AU-12", "NIST CM-6", "ISO A.8.15", "SOC 2 CC7.2", "PCI 10.4.1", "CICD-SEC-10"]
--! attack      = ["T1562"]
--! keys        = ["what"]
SELECT org, COALESCE(actor, 'an actor not known') AS subject, MIN(time) AS first_time, MAX(time) AS last_time, COUNT(*) AS count, MAX(action) AS action,
  MAX(kind) AS kind, MAX(COALESCE(d_repo_name, project, 'a project')) AS what, MAX(network) AS network, MAX(token_id) AS token_id, STRING_AGG(event_id, ' ') AS event_ids
FROM notable WHERE action = 'Policy.PolicyConfigRemoved'
GROUP BY org, COALESCE(actor, 'an actor not known'), COALESCE(d_repo_name, project, 'a project')
