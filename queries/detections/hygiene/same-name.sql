--! id          = "PAT-H007"
--! title       = "Several live tokens of one owner with one name"
--! severity    = "low"
--! confidence  = "medium"
--! subject     = "token"
--! tables      = ["tokens", "policy"]
--! message     = "{owner} has {tokens} live tokens named '{name}'; rotation may have left old ones behind."
--! fix         = "Revoke the older ones once the newest is in place."
--! rationale   = "Rotation through the API creates a new token and should revoke the old one. The same name twice often means that the revocation was forgotten."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/accounts/use-personal-access-tokens-to-authenticate"]
--! controls    = ["NIST IA-5"]
--! equivalents = ["P11"]
WITH twins AS (
  SELECT org, owner, name, COUNT(*) AS tokens, MAX(valid_from) AS newest FROM tokens
  WHERE NOT over AND known_inventory AND name IS NOT NULL AND owner IS NOT NULL GROUP BY org, owner, name
)
SELECT t.org AS org, t.token_id AS subject, t.valid_from AS first_time, policy.as_of AS last_time, 0 AS count, w.tokens AS tokens, t.valid_from AS valid_from, w.newest AS newest
FROM twins AS w JOIN tokens AS t ON w.org = t.org AND w.owner = t.owner AND w.name = t.name CROSS JOIN policy
WHERE w.tokens >= 2 AND NOT t.over AND t.known_inventory
