--! id          = "PAT-A012"
--! title       = "Token used after it was found in public"
--! severity    = "critical"
--! confidence  = "high"
--! subject     = "token"
--! tables      = ["tokens", "activity"]
--! message     = "The token '{name}' of {owner} was found in public at {leaked_at} and was used {confirmed} times after that."
--! fix         = "Revoke the token now, review every change since the leak, and replace what it could read."
--! rationale   = "Anyone who reads the public place can use the token. The service revokes such tokens unless the policy is off, so use afterwards is the worst case. Legitimate jobs keep running too: the finding says that the token was used, not by whom."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["OWASP NHI2"]
--! attack      = ["T1552.004", "T1528"]
--! equivalents = ["P3"]
--! confirm     = []
--! flagged     = "leaked"
--! rests_on    = ["leaked"]
WITH leaked AS (SELECT org, token_id, leaked_at FROM tokens WHERE leaked_at IS NOT NULL),
late AS (
  SELECT t.org AS org, t.token_id AS token_id, t.leaked_at AS leaked_at, a.last_time AS last_time,
    CASE WHEN a.first_time > t.leaked_at THEN a.n ELSE 1 END AS n
  FROM leaked AS t JOIN activity AS a ON t.org = a.org AND t.token_id = a.token_id WHERE a.last_time > t.leaked_at
)
SELECT org, token_id AS subject, MIN(leaked_at) + INTERVAL '1 microseconds' AS first_time, MAX(last_time) AS last_time, SUM(n) AS count, MIN(leaked_at) AS leaked_at
FROM late GROUP BY org, token_id
