--! id          = "PAT-A023"
--! title       = "Use far outside the hours of a settled token"
--! severity    = "low"
--! confidence  = "medium"
--! subject     = "token"
--! tables      = ["firsts", "policy", "seen"]
--! message     = "The token '{name}' of {owner} was first used at {value} o'clock UTC, {hours_away} hours away from any of the {hours_known} hours that it showed on {active_days_before} active days."
--! fix         = "Ask the owner if it comes with other findings; alone it is rarely more than a change of habit."
--! rationale   = "Counts an hour that is three or more hours away from every hour that the token showed before, around the clock (23 is next to 0), after enough active days. Low, since people travel and are on call, and schedules shift: on simulated organisations, a medium grade reported more nights on call than thefts."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST AC-2(12)", "OWASP NHI2"]
--! attack      = ["T1078.004"]
--! equivalents = ["P5", "BEN-5"]
--! keys        = ["value"]
--! confirm     = []
WITH fresh AS (
  SELECT f.org AS org, f.token_id AS token_id, f.value AS value, f.first_time AS first_time, f.n AS n, f.active_before AS active_before, f.novelty AS novelty
  FROM firsts AS f CROSS JOIN policy
  WHERE f.dimension = 'hour' AND f.active_before >= policy.learning_active_days AND f.first_time >= f.token_first + INTERVAL '1 days' * policy.joint_days
),
known AS (SELECT org, token_id, CAST(value AS BIGINT) AS hour, first_time FROM seen WHERE dimension = 'hour' AND token_id IS NOT NULL),
pairs AS (
  SELECT f.org AS org, f.token_id AS token_id, f.value AS value, f.first_time AS first_time, f.n AS n, f.active_before AS active_before, f.novelty AS novelty,
    ABS(CAST(f.value AS BIGINT) - k.hour) AS apart, k.first_time AS known_time
  FROM fresh AS f JOIN known AS k ON f.org = k.org AND f.token_id = k.token_id
),
near AS (
  SELECT org, token_id, value, MAX(first_time) AS first_time, MAX(n) AS n, MAX(active_before) AS active_before, MAX(novelty) AS novelty,
    MIN(CASE WHEN apart > 12 THEN 24 - apart ELSE apart END) AS hours_away, COUNT(*) AS hours_known
  FROM pairs WHERE known_time < first_time GROUP BY org, token_id, value
)
SELECT n.org AS org, n.token_id AS subject, n.first_time AS first_time, n.first_time + INTERVAL '1 hours' AS last_time, n.n AS count, n.value AS value,
  n.active_before AS active_days_before, n.hours_away AS hours_away, n.hours_known AS hours_known
FROM near AS n WHERE n.hours_away >= 3
