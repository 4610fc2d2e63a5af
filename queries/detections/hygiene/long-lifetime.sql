--! id          = "PAT-H001"
--! title       = "Lifetime above the policy"
--! severity    = "low"
--! confidence  = "high"
--! subject     = "token"
--! tables      = ["tokens", "policy"]
--! message     = "The token '{name}' of {owner} lives for {lifetime_days} days from {valid_from} to {valid_to}."
--! fix         = "Replace it by one with a shorter life, and set the tenant policy on maximum life span."
--! rationale   = "A leaked token stays useful for as long as it lives. Graded by length: above a year high, above twice the policy medium, else low."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/accounts/use-personal-access-tokens-to-authenticate"]
--! controls    = ["NIST IA-5"]
--! equivalents = ["P11", "AN-08"]
--! rests_on    = ["ends"]
SELECT org, token_id AS subject, valid_from AS first_time, policy.as_of AS last_time, 0 AS count, lifetime_days, valid_from, valid_to, extended,
  CASE WHEN lifetime_days > 366 THEN 'high' WHEN lifetime_days > 2 * policy.max_lifetime_days THEN 'medium' ELSE 'low' END AS severity
FROM tokens CROSS JOIN policy WHERE lifetime_days > policy.max_lifetime_days AND NOT over
