--! id          = "PAT-A017"
--! title       = "Branch policies bypassed with a token"
--! severity    = "medium"
--! confidence  = "high"
--! subject     = "token"
--! tables      = ["notable"]
--! message     = "The token '{name}' of {owner} bypassed branch policies {count} times on {days} days, last in {repo}."
--! fix         = "Take the bypass permission from the owner, or move the push to a pipeline identity."
--! rationale   = "A bypass with a token merges code without review and without a person at the keyboard. Medium while it is rare for the token; low when it does so on more than five days, which is a release job that needs a policy exemption of its own."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST CM-3"]
--! attack      = ["T1098", "T1195.002"]
--! equivalents = ["SEN-A13", "SEN-H13", "SUM-S00098"]
WITH bypasses AS (
  SELECT org, token_id, time, date, event_id, COALESCE(d_repo_name, project, 'a repository') AS repo,
    ROW_NUMBER() OVER (PARTITION BY org, token_id ORDER BY time DESC NULLS LAST, event_id DESC NULLS LAST) AS place
  FROM notable WHERE action = 'Git.RefUpdatePoliciesBypassed' AND token_id IS NOT NULL
)
SELECT org, token_id AS subject, MIN(time) AS first_time, MAX(time) AS last_time, COUNT(*) AS count, COUNT(DISTINCT date) AS days,
  MAX(CASE WHEN place = 1 THEN repo END) AS repo, STRING_AGG(event_id, ' ') AS event_ids,
  CASE WHEN COUNT(DISTINCT date) > 5 THEN 'low' ELSE 'medium' END AS severity
FROM bypasses GROUP BY org, token_id
