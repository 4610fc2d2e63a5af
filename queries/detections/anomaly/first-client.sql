--! id          = "PAT-A020"
--! title       = "First client of a settled token"
--! severity    = "low"
--! confidence  = "medium"
--! subject     = "token"
--! tables      = ["firsts", "policy"]
--! message     = "The token '{name}' of {owner} first showed the client {value} after {active_days_before} active days with {values_before} others."
--! fix         = "Ask the owner if it comes with other findings; alone it is rarely more than a change of habit."
--! rationale   = "Low by itself: tools are exchanged. Whether it is news at all is learned from the token: one that shows a new client every week does not fire. Kept as evidence for an analyst; detections that need several signs at once have a higher severity."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST AC-2(12)", "OWASP NHI2"]
--! attack      = ["T1078.004"]
--! equivalents = ["AN-04", "P5", "AN-06"]
--! keys        = ["value"]
--! confirm     = ["client"]
SELECT f.org AS org, f.token_id AS subject, f.first_time AS first_time,
  CASE WHEN f.last_time > f.first_time + INTERVAL '1 days' THEN f.first_time + INTERVAL '1 days' ELSE f.last_time END AS last_time, f.n AS count, f.value AS value, f.value AS client,
  f.values_before AS values_before, f.active_before AS active_days_before, f.fresh_before AS days_with_news, f.known_before AS known_to_others, f.first_event AS event_id
FROM firsts AS f CROSS JOIN policy
WHERE f.dimension = 'client' AND f.values_before >= 1 AND f.novelty >= policy.surprise_low AND f.first_time >= f.token_first + INTERVAL '1 days' * policy.joint_days
