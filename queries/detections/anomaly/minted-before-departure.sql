--! id          = "PAT-A014"
--! title       = "Token created shortly before its owner left"
--! severity    = "medium"
--! confidence  = "medium"
--! subject     = "token"
--! tables      = ["tokens", "absences", "policy"]
--! message     = "The token '{name}' was created at {created_at}, shortly before its owner {owner} lost access at {gone_at}."
--! fix         = "Revoke the token unless a current owner vouches for it."
--! rationale   = "A token made in the last days may be meant to outlive the account. Full access and an end date more than half a year away both fit a back door better than a handover: high with both, medium with one or where access came back later, low with neither, since people rotate tokens up to their last day."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["CIS 5.3"]
--! attack      = ["T1098.001"]
--! equivalents = ["P16"]
--! rests_on    = ["owner", "owner state"]
WITH leavers AS (
  SELECT t.org AS org, t.token_id AS token_id, COALESCE(t.created_at, t.valid_from) AS created_at, b.gone_at AS gone_at, b.back_at AS back_at,
    t.full_access AS full_access, t.valid_to AS valid_to, t.created_event AS created_event
  FROM tokens AS t JOIN absences AS b ON t.org = b.org AND t.token_id = b.token_id CROSS JOIN policy WHERE b.gone_at >= policy.window_from
)
SELECT l.org AS org, l.token_id AS subject, l.created_at AS first_time, l.gone_at AS last_time,
  l.created_at AS created_at, l.gone_at AS gone_at, l.back_at AS back_at, l.full_access AS full_access,
  l.valid_to AS valid_to, l.created_event AS event_id,
  CASE WHEN NOT COALESCE(l.full_access, FALSE) AND NOT COALESCE(l.valid_to > l.gone_at + INTERVAL '180 days', FALSE) THEN 'low'
    WHEN l.full_access AND l.valid_to > l.gone_at + INTERVAL '180 days' AND l.back_at IS NULL THEN 'high' ELSE 'medium' END AS severity
FROM leavers AS l CROSS JOIN policy
WHERE l.created_at <= l.gone_at AND l.created_at >= l.gone_at - INTERVAL '1 days' * policy.departure_days
