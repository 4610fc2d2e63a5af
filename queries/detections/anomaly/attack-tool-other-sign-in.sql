--! id          = "PAT-A027"
--! title       = "Known attack tool with another sign-in"
--! severity    = "critical"
--! confidence  = "high"
--! subject     = "user"
--! tables      = ["activity"]
--! message     = "{subject} used {client} {count} times, last with {kind} sign-in and {last_action}."
--! fix         = "Treat the account as taken over: revoke its tokens and sessions, and review every change it made."
--! rationale   = "The same test as for tokens, applied to sessions and cookies, which the tool also accepts."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! attack      = ["T1119", "T1078"]
--! equivalents = ["SEN-A06", "XF-01", "XF-02", "SUM-S00998"]
WITH used AS (
  SELECT org, actor, first_time, last_time, n, client, kind, action, last_event
  FROM activity WHERE client = 'ADOKit (attack tool)' AND actor IS NOT NULL AND token_id IS NULL
),
summed AS (
  SELECT org, actor, MIN(first_time) AS first_time, MAX(last_time) AS last_time, SUM(n) AS n, MIN(client) AS client, STRING_AGG(last_event, ' ') AS event_ids
  FROM used GROUP BY org, actor
),
placed AS (
  SELECT org, actor, kind, action, ROW_NUMBER() OVER (PARTITION BY org, actor ORDER BY last_time DESC NULLS LAST, action DESC NULLS LAST, kind DESC NULLS LAST) AS place FROM used
)
SELECT s.org AS org, s.actor AS subject, s.first_time AS first_time, s.last_time AS last_time, s.n AS count, s.client AS client, p.kind AS kind,
  p.action AS last_action, s.event_ids AS event_ids
FROM summed AS s JOIN placed AS p ON s.org = p.org AND s.actor = p.actor WHERE p.place = 1
