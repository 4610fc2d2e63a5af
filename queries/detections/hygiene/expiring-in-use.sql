--! id          = "PAT-H002"
--! title       = "Token in use that ends soon"
--! severity    = "medium"
--! confidence  = "high"
--! subject     = "token"
--! tables      = ["tokens", "policy"]
--! message     = "The token '{name}' of {owner} ends at {valid_to} and was last seen in use at {last_observed}."
--! fix         = "Plan the replacement with the owner before the end date, or its job stops."
--! rationale   = "The end date is known in advance, so the token can be replaced before its job fails. The detection needs an audited event in the last month: it cannot warn about a job that only reads, because the log does not record reads."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/accounts/use-personal-access-tokens-to-authenticate"]
--! controls    = ["NIST IA-5"]
--! rests_on    = ["ends"]
SELECT org, token_id AS subject, policy.window_from AS first_time, policy.as_of AS last_time, n_events AS count, use_events AS event_ids, valid_to, last_observed
FROM tokens CROSS JOIN policy
WHERE NOT over AND valid_to > policy.as_of AND valid_to <= policy.as_of + INTERVAL '1 days' * policy.expiry_notice_days
  AND last_observed >= policy.as_of - INTERVAL '30 days'
