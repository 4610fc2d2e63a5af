--! id          = "PAT-U004"
--! title       = "Owner has not been seen for long"
--! severity    = "low"
--! confidence  = "low"
--! subject     = "token"
--! tables      = ["tokens", "users", "policy"]
--! message     = "The owner {owner} of the token '{name}' last accessed the organisation on {last_access}, and the token shows no audited change."
--! fix         = "Ask the owner, or their manager, whether the token is still needed."
--! rationale   = "A person who is away for two months seldom needs a token, but automation outlives visits, so this is a hint and low."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/accounts/use-personal-access-tokens-to-authenticate"]
--! controls    = ["CIS 5.3", "NIST AC-2(3)"]
--! rests_on    = ["owner"]
SELECT t.org AS org, t.token_id AS subject, u.last_access AS first_time, policy.as_of AS last_time, 0 AS count, u.last_access AS last_access, t.covered_days AS covered_days
FROM tokens AS t JOIN users AS u ON t.org = u.org AND t.owner_id = u.actor_id CROSS JOIN policy
WHERE NOT t.over AND t.use_verdict = 'not-observed' AND u.last_access < policy.as_of - INTERVAL '1 days' * policy.idle_user_days
