--! id          = "PAT-U002"
--! title       = "No audited change since the token was created"
--! severity    = "medium"
--! confidence  = "medium"
--! subject     = "token"
--! tables      = ["tokens", "coverage", "policy"]
--! message     = "No audited change by the token '{name}' of {owner} since it was created at {valid_from}, {covered_days} covered days ago and more."
--! fix         = "Ask the owner whether the token was ever put to use."
--! rationale   = "Stronger than silence in the window: the log holds the whole life of the token. It is still no proof for scopes that only read, so the owner decides."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/accounts/use-personal-access-tokens-to-authenticate"]
--! controls    = ["CIS 5.3", "NIST AC-2(3)", "ISO A.5.18", "SOC 2 CC6.3", "PCI 8.2.6", "CICD-SEC-2"]
SELECT t.org AS org, t.token_id AS subject, t.valid_from AS first_time, policy.as_of AS last_time, 0 AS count, t.valid_from AS valid_from, t.covered_days AS covered_days,
  COALESCE(t.invisible_scopes, 'none') AS invisible, t.use_confidence AS confidence
FROM tokens AS t JOIN coverage AS c ON t.org = c.org CROSS JOIN policy
WHERE t.use_verdict = 'not-observed' AND NOT t.over AND t.last_observed_ever IS NULL AND t.valid_from >= c.from_time
