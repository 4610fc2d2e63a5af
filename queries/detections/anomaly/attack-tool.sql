--! id          = "PAT-A018"
--! title       = "Known attack tool"
--! severity    = "critical"
--! confidence  = "high"
--! subject     = "user"
--! tables      = ["activity"]
--! message     = "{subject} used {client} {count} times ({kind} sign-in), last with {last_action}."
--! fix         = "Treat the account as taken over: revoke its tokens and sessions, and review every change it made."
--! rationale   = "ADOKit names itself in its agent. One string and one tool: a renamed agent passes, which is why the other detections look at behaviour."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! attack      = ["T1119", "T1078"]
--! equivalents = ["SEN-A06", "XF-01", "SUM-S00998"]
SELECT org, actor AS subject, MIN(first_time) AS first_time, MAX(last_time) AS last_time, SUM(n) AS count, MIN(client) AS client, MIN(kind) AS kind,
  MAX(action) AS last_action, STRING_AGG(last_event, ' ') AS event_ids
FROM activity WHERE LOWER(client) LIKE 'adokit%' AND actor IS NOT NULL GROUP BY org, actor
