--! id          = "PAT-A014"
--! title       = "Token created shortly before its owner left"
--! severity    = "medium"
--! confidence  = "medium"
--! subject     = "token"
--! tables      = ["tokens", "policy"]
--! message     = "The token '{name}' was created at {created_at}, shortly before its owner {owner} was {owner_state} at {gone_at}."
--! fix         = "Revoke the token unless a current owner vouches for it."
--! rationale   = "A token made in the last days may be meant to outlive the account. High with full access or an end date over half a year away, since both suit a back door better than a handover."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["CIS 5.3"]
--! attack      = ["T1098.001"]
--! equivalents = ["P16"]
SELECT t.org AS org, t.token_id AS subject, COALESCE(t.created_at, t.valid_from) AS first_time, t.owner_gone_at AS last_time,
  COALESCE(t.created_at, t.valid_from) AS created_at, t.owner_state AS owner_state, t.owner_gone_at AS gone_at, t.full_access AS full_access,
  t.valid_to AS valid_to, t.created_event AS event_id,
  CASE WHEN t.full_access OR t.valid_to > t.owner_gone_at + INTERVAL '180 days' THEN 'high' ELSE 'medium' END AS severity
FROM tokens AS t CROSS JOIN policy
WHERE t.owner_state IN ('disabled', 'removed') AND t.owner_gone_at >= policy.window_from
  AND COALESCE(t.created_at, t.valid_from) <= t.owner_gone_at
  AND COALESCE(t.created_at, t.valid_from) >= t.owner_gone_at - INTERVAL '1 days' * policy.departure_days
