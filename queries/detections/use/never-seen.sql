--! id          = "PAT-U002"
--! title       = "No audited event since the token was created"
--! severity    = "medium"
--! confidence  = "medium"
--! subject     = "token"
--! tables      = ["tokens", "policy"]
--! message     = "No audited event by the token '{name}' of {owner} since it was created at {valid_from}; the log is held without a gap from then until {held_until}."
--! fix         = "Ask the owner whether the token was ever put to use."
--! rationale   = "Stronger than silence in the window: the log is held from the token's creation to the run's instant, without a gap, in every organisation that it can reach, and shows it in none. Where the log ends earlier or the reach is not known, PAT-U001 fires instead. For scopes that only read it still proves nothing, so the owner decides."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/accounts/use-personal-access-tokens-to-authenticate"]
--! controls    = ["CIS 5.3", "NIST AC-2(3)"]
SELECT t.org AS org, t.token_id AS subject, t.valid_from AS first_time, policy.as_of AS last_time, 0 AS count, t.valid_from AS valid_from, t.covered_days AS covered_days,
  COALESCE(t.invisible_scopes, 'none') AS invisible, t.held_until AS held_until, t.use_confidence AS confidence
FROM tokens AS t CROSS JOIN policy
WHERE t.use_verdict = 'not-observed' AND NOT t.over AND t.held_whole AND t.last_observed_anywhere IS NULL
