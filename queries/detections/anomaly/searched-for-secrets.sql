--! id          = "PAT-A026"
--! title       = "Code searched for secrets, or searched in bulk"
--! severity    = "low"
--! confidence  = "low"
--! subject     = "user"
--! tables      = ["notable"]
--! message     = "{subject} ran {count} code searches, {secret_searches} of them for words that name secrets."
--! fix         = "Ask what the search was for, and scan the repositories for secrets that it could have found."
--! rationale   = "Only newer organisations log searches at all. Low: developers search for passwords to remove them."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST AC-2(12)", "OWASP NHI2"]
--! attack      = ["T1552.004"]
--! equivalents = ["BEN-2", "BEN-3"]
WITH searches AS (
  SELECT org, actor, time, event_id,
    CASE WHEN LOWER(d_search) LIKE '%password%' OR LOWER(d_search) LIKE '%secret%' OR LOWER(d_search) LIKE '%apikey%' OR LOWER(d_search) LIKE '%token%' THEN 1 ELSE 0 END AS secret
  FROM notable WHERE action LIKE 'Search.%' AND actor IS NOT NULL
)
SELECT org, actor AS subject, MIN(time) AS first_time, MAX(time) AS last_time, COUNT(*) AS count, SUM(secret) AS secret_searches, STRING_AGG(event_id, ' ') AS event_ids
FROM searches GROUP BY org, actor HAVING COUNT(*) >= 20 OR SUM(secret) >= 1
