--! id          = "PAT-U002"
--! title       = "No audited change since the token was created"
--! severity    = "medium"
--! confidence  = "medium"
--! subject     = "token"
--! tables      = ["tokens", "coverage", "gaps", "policy"]
--! message     = "No audited change by the token '{name}' of {owner} since it was created at {valid_from}; the log holds its whole life."
--! fix         = "Ask the owner whether the token was ever put to use."
--! rationale   = "Stronger than silence in the window: the log holds the whole life of the token, without a gap. It is still no proof for scopes that only read, so the owner decides."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/accounts/use-personal-access-tokens-to-authenticate"]
--! controls    = ["CIS 5.3", "NIST AC-2(3)"]
SELECT t.org AS org, t.token_id AS subject, t.valid_from AS first_time, policy.as_of AS last_time, 0 AS count, t.valid_from AS valid_from, t.covered_days AS covered_days,
  COALESCE(t.invisible_scopes, 'none') AS invisible, t.use_confidence AS confidence
FROM tokens AS t JOIN coverage AS c ON t.org = c.org
  LEFT JOIN (SELECT org, MAX(to_time) AS last_gap FROM gaps GROUP BY org) AS g ON t.org = g.org CROSS JOIN policy
WHERE t.use_verdict = 'not-observed' AND NOT t.over AND t.last_observed_ever IS NULL AND t.valid_from >= c.from_time
  AND (g.last_gap IS NULL OR g.last_gap <= t.valid_from)
