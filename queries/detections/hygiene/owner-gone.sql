--! id          = "PAT-H004"
--! title       = "Owner is gone but the token is not over"
--! severity    = "high"
--! confidence  = "high"
--! subject     = "token"
--! tables      = ["tokens", "policy"]
--! message     = "The owner {owner} of the token '{name}' is {owner_state}, and the token is not revoked and ends at {ends}."
--! fix         = "Revoke the token, and give its job a token of a current owner or a managed identity."
--! rationale   = "Tokens of a removed user are not deleted: they stop within an hour and work again if access comes back. High while it is known to be listed as valid; medium when its state is not known."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/accounts/use-personal-access-tokens-to-authenticate"]
--! controls    = ["CIS 5.3", "OWASP NHI1"]
--! equivalents = ["P1"]
--! rests_on    = ["owner", "owner state"]
SELECT org, token_id AS subject, owner_gone_at AS first_time, policy.as_of AS last_time, 0 AS count, owner_state, state, COALESCE(CAST(CAST(valid_to AS DATE) AS VARCHAR), 'a date not known') AS ends,
  last_observed, CASE WHEN state = 'active' THEN 'high' ELSE 'medium' END AS severity
FROM tokens CROSS JOIN policy WHERE owner_state IN ('disabled', 'removed') AND NOT over
