--! id          = "PAT-A013"
--! title       = "Token found in public"
--! severity    = "high"
--! confidence  = "high"
--! subject     = "token"
--! tables      = ["tokens", "notable", "policy"]
--! message     = "The token '{name}' of {owner} was found in a public place at {leaked_at}; its state is {state}."
--! fix         = "Revoke the token if it is still valid, and replace it by one that is kept in a secret store."
--! rationale   = "Microsoft's scanner found it in a public repository; there is no doubt left about the leak. Low when it was revoked within a day, which the service does by itself; use after the leak is a finding of its own."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["OWASP NHI2"]
--! attack      = ["T1552.004"]
--! equivalents = ["P3"]
WITH leaks AS (SELECT org, time AS leaked_at, STRING_AGG(event_id, ' ') AS event_ids FROM notable WHERE action = 'Token.PatPublicDiscoveryEvent' GROUP BY org, time)
SELECT t.org AS org, t.token_id AS subject, t.leaked_at AS first_time, t.leaked_at AS last_time, t.leaked_at AS leaked_at, t.state AS state, l.event_ids AS event_ids,
  CASE WHEN t.revoked_at <= t.leaked_at + INTERVAL '1 days' THEN 'low' ELSE 'high' END AS severity
FROM tokens AS t LEFT JOIN leaks AS l ON t.org = l.org AND t.leaked_at = l.leaked_at CROSS JOIN policy WHERE t.leaked_at >= policy.window_from
