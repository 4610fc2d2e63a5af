--! id          = "PAT-A011"
--! title       = "Token used after its owner was disabled or removed"
--! severity    = "high"
--! confidence  = "high"
--! subject     = "token"
--! tables      = ["tokens", "activity", "policy"]
--! message     = "The token '{name}' was used {count} times after its owner {owner} was {owner_state} at {gone_at}."
--! fix         = "Revoke the token, move its job to a token of a current owner, and review the changes."
--! rationale   = "Tokens of a removed user stop within an hour, so use after that means that access came back or the state is wrong; either needs a person. The grace covers that hour. Access that returns makes the owner active again, and the finding goes away."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["CIS 5.3", "OWASP NHI1", "NIST AC-2(3)"]
--! attack      = ["T1078.004"]
--! equivalents = ["P1"]
--! confirm     = []
WITH late AS (
  SELECT t.org AS org, t.token_id AS token_id, t.owner_state AS owner_state, t.owner_gone_at AS gone_at, a.n AS n, a.last_time AS last_time,
    CASE WHEN a.first_time > t.owner_gone_at THEN a.first_time ELSE a.last_time END AS first_time
  FROM tokens AS t JOIN activity AS a ON t.org = a.org AND t.token_id = a.token_id CROSS JOIN policy
  WHERE t.owner_state IN ('disabled', 'removed') AND a.last_time > t.owner_gone_at + INTERVAL '1 hours' * policy.grace_hours
)
SELECT org, token_id AS subject, MIN(first_time) AS first_time, MAX(last_time) AS last_time, SUM(n) AS count, MIN(owner_state) AS owner_state, MIN(gone_at) AS gone_at
FROM late GROUP BY org, token_id
