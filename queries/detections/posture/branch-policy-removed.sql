--! id          = "PAT-P023"
--! title       = "Branch policy removed"
--! severity    = "medium"
--! confidence  = "high"
--! subject     = "user"
--! tables      = ["notable"]
--! message     = "{subject} removed {count} branch policies of {what}."
--! fix         = "Restore the policy unless its removal was decided."
--! rationale   = "Without the policy, code is merged without review, and with less trace than a bypass leaves."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST AU-12", "NIST CM-6"]
--! attack      = ["T1562"]
--! keys        = ["what"]
WITH hits AS (
  SELECT org, COALESCE(actor, 'an actor not known') AS who, time, event_id, action, kind, COALESCE(d_repo_name, project, 'a project') AS what, network, token_id
  FROM notable WHERE action = 'Policy.PolicyConfigRemoved'
),
placed AS (
  SELECT org, who, time, event_id, action, kind, what, network, token_id,
    ROW_NUMBER() OVER (PARTITION BY org, who, what ORDER BY time DESC NULLS LAST, event_id DESC NULLS LAST) AS place
  FROM hits
)
SELECT org, who AS subject, MIN(time) AS first_time, MAX(time) AS last_time, COUNT(*) AS count, MAX(CASE WHEN place = 1 THEN action END) AS action,
  MAX(CASE WHEN place = 1 THEN kind END) AS kind, what, MAX(CASE WHEN place = 1 THEN network END) AS network, MAX(CASE WHEN place = 1 THEN token_id END) AS token_id,
  STRING_AGG(event_id, ' ') AS event_ids
FROM placed GROUP BY org, who, what
