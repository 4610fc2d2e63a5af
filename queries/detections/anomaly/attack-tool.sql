--! id          = "PAT-A018"
--! title       = "Token used with a known attack tool"
--! severity    = "critical"
--! confidence  = "high"
--! subject     = "token"
--! tables      = ["activity"]
--! message     = "The token '{name}' of {owner} was used with {client} {count} times, last from {network}."
--! fix         = "Treat the account as taken over: revoke its tokens and sessions, and review every change it made."
--! rationale   = "ADOKit names itself in its user agent. This covers one string of one tool: a renamed agent is not found, which is why the other detections look at behaviour. The name must be a word of its own in the agent, so adokitchen-sync does not fire."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST AC-2(12)", "OWASP NHI2"]
--! attack      = ["T1119", "T1078"]
--! equivalents = ["SEN-A06", "XF-01", "SUM-S00998"]
--! confirm     = ["client"]
WITH used AS (
  SELECT org, token_id, first_time, last_time, n, client, COALESCE(network, 'a network not known') AS network
  FROM activity WHERE client = 'ADOKit (attack tool)' AND token_id IS NOT NULL
),
summed AS (
  SELECT org, token_id, MIN(first_time) AS first_time, MAX(last_time) AS last_time, SUM(n) AS n, MIN(client) AS client FROM used GROUP BY org, token_id
),
latest AS (
  SELECT org, token_id, network, ROW_NUMBER() OVER (PARTITION BY org, token_id ORDER BY last_time DESC NULLS LAST, network DESC NULLS LAST) AS place FROM used
)
SELECT s.org AS org, s.token_id AS subject, s.first_time AS first_time, s.last_time AS last_time, s.n AS count, s.client AS client, l.network AS network
FROM summed AS s JOIN latest AS l ON s.org = l.org AND s.token_id = l.token_id WHERE l.place = 1
