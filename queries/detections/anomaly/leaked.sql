--! id          = "PAT-A013"
--! title       = "Token found in public"
--! severity    = "high"
--! confidence  = "high"
--! subject     = "token"
--! tables      = ["tokens", "policy"]
--! message     = "The token '{name}' of {owner} was found in a public place at {leaked_at}; its state is {state}."
--! fix         = "Revoke the token if it is still valid, and replace it by one that is kept in a secret store."
--! rationale   = "Microsoft's scanner found it in a public repository; there is no doubt left about the leak. Low when it was revoked within a day, which the service does by itself; use after the leak is a finding of its own."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["OWASP NHI2", "NIST AU-6", "ISO A.8.16", "SOC 2 CC7.2", "PCI 10.4.1"]
--! attack      = ["T1552.004"]
--! equivalents = ["P3"]
SELECT t.org AS org, t.token_id AS subject, t.leaked_at AS first_time, t.leaked_at AS last_time, t.leaked_at AS leaked_at, t.state AS state,
  CASE WHEN t.revoked_at <= t.leaked_at + INTERVAL '1 days' THEN 'low' ELSE 'high' END AS severity
FROM tokens AS t CROSS JOIN policy WHERE t.leaked_at >= policy.window_from
