--! id          = "PAT-H018"
--! title       = "Change of a token that the event does not identify"
--! severity    = "low"
--! confidence  = "medium"
--! subject     = "user"
--! tables      = ["unclear_token_events"]
--! message     = "{count} events about a token '{token_name}' of {subject} give no id ({what}): {why}. The state of no token was changed."
--! fix         = "Look the tokens up in the list of their owner. If the event is a leak, revoke the one that was found in public. Give tokens names of their own."
--! rationale   = "An event without an id is about the token of that owner with that name at that time. Where several tokens fit, or the display name alone does, one of them was changed and the log does not say which, so a revoked or leaked token may still be shown as it was before. High for a discovery in public, medium for a revocation, low for the rest; the display name alone is a question, so its confidence is low."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST AU-12", "NIST IA-4"]
--! keys        = ["token_name"]
WITH named AS (
  SELECT org, COALESCE(owner, 'an owner not named') AS owner, time, COALESCE(name, 'no name') AS name, action, event_id, COALESCE(candidates, 0) AS candidates, candidate_ids,
    CASE WHEN action LIKE 'Token.PatPublicDiscover%' THEN 3 WHEN action LIKE 'Token.Pat%Revoke%' THEN 2 ELSE 1 END AS weight,
    CASE WHEN fit = 'name only' THEN 0 ELSE 1 END AS owned
  FROM unclear_token_events
),
folded AS (
  SELECT org, owner, name, MIN(time) AS first_time, MAX(time) AS last_time, COUNT(*) AS n, MAX(candidates) AS candidates, MAX(weight) AS weight, MIN(owned) AS owned,
    STRING_AGG(candidate_ids, ' ') AS candidate_ids, STRING_AGG(action, ' ') AS actions, STRING_AGG(event_id, ' ') AS event_ids
  FROM named GROUP BY org, owner, name
)
SELECT org, owner AS subject, first_time, last_time, n AS count, name AS token_name, candidates, candidate_ids, actions, event_ids,
  CASE WHEN weight = 3 THEN 'found in public' WHEN weight = 2 THEN 'revoked' ELSE 'created or changed' END AS what,
  CASE WHEN candidates = 0 THEN 'no token that is known fits'
    WHEN owned = 0 THEN CONCAT('the display name alone fits ', candidate_ids)
    ELSE CONCAT('owner and name fit ', candidate_ids) END AS why,
  CASE WHEN weight = 3 THEN 'high' WHEN weight = 2 THEN 'medium' ELSE 'low' END AS severity,
  CASE WHEN owned = 0 THEN 'low' ELSE 'medium' END AS confidence
FROM folded
