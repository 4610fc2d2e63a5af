--! id          = "PAT-A018"
--! title       = "Token used with a known attack tool"
--! severity    = "critical"
--! confidence  = "high"
--! subject     = "token"
--! tables      = ["activity"]
--! message     = "The token '{name}' of {owner} was used with {client} {count} times, last from {network}."
--! fix         = "Treat the account as taken over: revoke its tokens and sessions, and review every change it made."
--! rationale   = "ADOKit names itself in its agent. One string and one tool: a renamed agent passes, which is why the other detections look at behaviour. The name must stand alone in the agent, so that adokitchen-sync does not fire."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST AC-2(12)", "OWASP NHI2", "NIST AU-6", "ISO A.8.16", "SOC 2 CC7.2", "PCI 10.4.1"]
--! attack      = ["T1119", "T1078"]
--! equivalents = ["SEN-A06", "XF-01", "SUM-S00998"]
--! confirm     = ["client"]
SELECT org, token_id AS subject, MIN(first_time) AS first_time, MAX(last_time) AS last_time, SUM(n) AS count, MIN(client) AS client,
  MAX(COALESCE(network, 'a network not known')) AS network
FROM activity WHERE client = 'ADOKit (attack tool)' AND token_id IS NOT NULL GROUP BY org, token_id
