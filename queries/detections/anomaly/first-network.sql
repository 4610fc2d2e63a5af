--! id          = "PAT-A019"
--! title       = "First network of a settled token"
--! severity    = "low"
--! confidence  = "medium"
--! subject     = "token"
--! tables      = ["firsts", "policy"]
--! message     = "The token '{name}' of {owner} first showed the network {value} after {active_days_before} active days with {values_before} others."
--! fix         = "Ask the owner if it comes with other findings; alone it is rarely more than a change of habit."
--! rationale   = "Low by itself: people move between home, office and VPN, and build servers get new addresses. It is kept as evidence for an analyst, and graded higher by the detections that ask for several signs at once."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST AC-2(12)", "OWASP NHI2"]
--! attack      = ["T1078.004"]
--! equivalents = ["AN-04", "P5"]
--! keys        = ["value"]
SELECT f.org AS org, f.token_id AS subject, f.first_time AS first_time, f.last_time AS last_time, f.n AS count, f.value AS value,
  f.values_before AS values_before, f.active_before AS active_days_before, f.first_event AS event_id
FROM firsts AS f CROSS JOIN policy
WHERE f.dimension = 'network' AND f.values_before >= 1 AND f.values_before <= policy.settled_values AND f.late_before <= policy.settled_late_values
  AND f.active_before >= policy.joint_active_days AND f.first_time >= f.token_first + INTERVAL '1 days' * policy.joint_days
