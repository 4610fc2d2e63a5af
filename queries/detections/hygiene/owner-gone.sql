--! id          = "PAT-H004"
--! title       = "Owner is gone but the token is not over"
--! severity    = "high"
--! confidence  = "high"
--! subject     = "token"
--! tables      = ["tokens", "token_claims", "policy"]
--! message     = "The owner {owner} of the token '{name}' is {owner_state}{elsewhere}. The token is not revoked and ends at {ends}."
--! fix         = "Revoke the token unless its owner still works in another organisation that it reaches, and give its job a token of a current owner or a managed identity."
--! rationale   = "Tokens of a removed user are not deleted: they stop within an hour and work again if access comes back. High while a list shows the token as valid; medium when its state is not known. Where another organisation that the token reaches shows access by the owner, or use of the token since, the owner may not be gone: the confidence is medium at most."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/accounts/use-personal-access-tokens-to-authenticate"]
--! controls    = ["CIS 5.3", "OWASP NHI1"]
--! equivalents = ["P1"]
--! rests_on    = ["owner", "owner state"]
WITH contrary AS (
  SELECT org, token_id, MIN(stated_in) AS stated_in, COUNT(DISTINCT stated_in) AS orgs FROM token_claims
  WHERE field = 'owner state' AND standing = 'contradicts' AND stated_in IS NOT NULL GROUP BY org, token_id
)
SELECT t.org AS org, t.token_id AS subject, t.owner_gone_at AS first_time, policy.as_of AS last_time, 0 AS count, t.owner_state AS owner_state, t.state AS state,
  COALESCE(CAST(CAST(t.valid_to AS DATE) AS VARCHAR), 'a date not known') AS ends, t.last_observed AS last_observed,
  CASE WHEN c.stated_in IS NULL THEN '' WHEN c.orgs > 1 THEN CONCAT(', but ', c.stated_in, ' and other organisations show that owner or token is still active')
    ELSE CONCAT(', but ', c.stated_in, ' shows that owner or token is still active') END AS elsewhere,
  CASE WHEN t.state = 'active' THEN 'high' ELSE 'medium' END AS severity
FROM tokens AS t LEFT JOIN contrary AS c ON t.org = c.org AND t.token_id = c.token_id CROSS JOIN policy
WHERE t.owner_state IN ('disabled', 'removed') AND NOT t.over
