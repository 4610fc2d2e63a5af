--! id          = "PAT-P024"
--! title       = "Branch policies bypassed by a person"
--! severity    = "low"
--! confidence  = "high"
--! subject     = "user"
--! tables      = ["notable"]
--! message     = "{subject} bypassed branch policies {count} times in {what}."
--! fix         = "Ask whether the bypass was agreed; take the permission away where it is not needed."
--! rationale   = "Bypasses with tokens are a separate finding. Low for people: the permission was given on purpose."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST AU-12", "NIST CM-6"]
--! attack      = ["T1098"]
--! equivalents = ["SEN-A13", "SEN-H13", "SUM-S00098"]
--! keys        = ["what"]
WITH hits AS (
  SELECT org, COALESCE(actor, 'an actor not known') AS who, time, event_id, action, kind, COALESCE(d_repo_name, project, 'a repository') AS what, network, token_id
  FROM notable WHERE action = 'Git.RefUpdatePoliciesBypassed' AND COALESCE(kind, 'other') <> 'pat'
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
