--! id          = "PAT-U004"
--! title       = "Owner has not been seen for long"
--! severity    = "low"
--! confidence  = "low"
--! subject     = "token"
--! tables      = ["tokens", "users", "actors", "policy"]
--! message     = "The owner {owner} of the token '{name}' last accessed the organisation on {last_access}, and the token shows no audited event {place} in {covered_days} covered days until {held_until}."
--! fix         = "Ask the owner, or their manager, whether the token is still needed."
--! rationale   = "A person who is away for two months rarely needs a token, but automation runs without its owner, so this is a hint and low. An event of the owner, or of the token in any organisation of the run, that is later than the last access in the list of users ends the hint, since the list may be old."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/accounts/use-personal-access-tokens-to-authenticate"]
--! controls    = ["CIS 5.3", "NIST AC-2(3)"]
--! rests_on    = ["owner"]
WITH acted AS (SELECT org, actor_id, MAX(last_time) AS acted_at FROM actors WHERE actor_id IS NOT NULL GROUP BY org, actor_id),
owners AS (
  SELECT u.org AS org, u.actor_id AS actor_id, u.last_access AS last_access, a.acted_at AS acted_at FROM users AS u LEFT JOIN acted AS a ON u.org = a.org AND u.actor_id = a.actor_id
)
SELECT t.org AS org, t.token_id AS subject, o.last_access AS first_time, policy.as_of AS last_time, 0 AS count, o.last_access AS last_access, t.covered_days AS covered_days,
  COALESCE(t.held_until, policy.as_of) AS held_until, CASE WHEN t.unseen_orgs THEN 'here (other organisations not seen)' ELSE 'in any organisation of the run' END AS place
FROM tokens AS t JOIN owners AS o ON t.org = o.org AND t.owner_id = o.actor_id CROSS JOIN policy
WHERE NOT t.over AND t.use_verdict = 'not-observed' AND o.last_access < policy.as_of - INTERVAL '1 days' * policy.idle_user_days
  AND COALESCE(o.acted_at < policy.as_of - INTERVAL '1 days' * policy.idle_user_days, TRUE)
  AND COALESCE(t.last_observed_anywhere < policy.as_of - INTERVAL '1 days' * policy.idle_user_days, TRUE)
