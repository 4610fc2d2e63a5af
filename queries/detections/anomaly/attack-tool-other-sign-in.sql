--! id          = "PAT-A027"
--! title       = "Known attack tool with another sign-in"
--! severity    = "critical"
--! confidence  = "high"
--! subject     = "user"
--! tables      = ["activity"]
--! message     = "{subject} used {client} {count} times with {kind} sign-in, last with {last_action}."
--! fix         = "Treat the account as taken over: revoke its tokens and sessions, and review every change it made."
--! rationale   = "The same test as for tokens, for sessions and cookies, which the tool takes as well."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST AU-6", "ISO A.8.16", "SOC 2 CC7.2", "PCI 10.4.1"]
--! attack      = ["T1119", "T1078"]
--! equivalents = ["SEN-A06", "XF-01", "XF-02", "SUM-S00998"]
SELECT org, actor AS subject, MIN(first_time) AS first_time, MAX(last_time) AS last_time, SUM(n) AS count, MIN(client) AS client, MIN(kind) AS kind,
  MAX(action) AS last_action, STRING_AGG(last_event, ' ') AS event_ids
FROM activity WHERE client = 'ADOKit (attack tool)' AND actor IS NOT NULL AND token_id IS NULL GROUP BY org, actor
