--! id          = "PAT-A013"
--! title       = "Token found in public"
--! severity    = "high"
--! confidence  = "high"
--! subject     = "token"
--! tables      = ["tokens", "notable", "policy"]
--! message     = "The token '{name}' of {owner} was found in a public place at {leaked_at}; its state is {state}."
--! fix         = "Revoke the token if it is still valid, and replace it by one that is kept in a secret store."
--! rationale   = "Microsoft's scanner found it in a public repository, so the leak is certain. Low when it was revoked within a day, which the service does by itself; use after the leak is a separate finding."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["OWASP NHI2"]
--! attack      = ["T1552.004"]
--! equivalents = ["P3"]
--! rests_on    = ["leaked"]
WITH leaked AS (SELECT org, token_id, name, leaked_at FROM tokens WHERE leaked_at IS NOT NULL),
at_once AS (SELECT org, leaked_at, COUNT(*) AS tokens_then FROM leaked GROUP BY org, leaked_at),
discoveries AS (
  SELECT org, time AS leaked_at, LOWER(d_authorization_id) AS told_id, d_display_name AS told_name, event_id FROM notable WHERE action = 'Token.PatPublicDiscoveryEvent'
),
met AS (
  SELECT k.org AS org, k.token_id AS token_id, k.name AS name, d.told_id AS told_id, d.told_name AS told_name, d.event_id AS event_id, o.tokens_then AS tokens_then
  FROM leaked AS k JOIN discoveries AS d ON k.org = d.org AND k.leaked_at = d.leaked_at JOIN at_once AS o ON k.org = o.org AND k.leaked_at = o.leaked_at
),
leaks AS (
  SELECT org, token_id, STRING_AGG(event_id, ' ') AS event_ids FROM met
  WHERE tokens_then = 1 OR told_id = token_id OR (told_id IS NULL AND told_name = name) GROUP BY org, token_id
)
SELECT t.org AS org, t.token_id AS subject, t.leaked_at AS first_time, t.leaked_at AS last_time, t.leaked_at AS leaked_at, t.state AS state, l.event_ids AS event_ids,
  CASE WHEN t.revoked_at >= t.leaked_at AND t.revoked_at <= t.leaked_at + INTERVAL '1 days' AND NOT COALESCE(t.joined_by_name, FALSE) THEN 'low' ELSE 'high' END AS severity
FROM tokens AS t LEFT JOIN leaks AS l ON t.org = l.org AND t.token_id = l.token_id CROSS JOIN policy WHERE t.leaked_at >= policy.window_from OR (t.leaked_at IS NOT NULL AND (t.state = 'active' OR t.state = 'unknown'))
