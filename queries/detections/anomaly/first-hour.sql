--! id          = "PAT-A023"
--! title       = "Use far outside the hours of a settled token"
--! severity    = "low"
--! confidence  = "medium"
--! subject     = "token"
--! tables      = ["firsts", "policy", "seen"]
--! message     = "The token '{name}' of {owner} was first used at {value} o'clock UTC after {active_days_before} active days between {earliest} and {latest} o'clock."
--! fix         = "Ask the owner if it comes with other findings; alone it is rarely more than a change of habit."
--! rationale   = "Low by itself: people travel and schedules shift. Only hours more than two away from all that the token showed before count, after enough active days."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST AC-2(12)", "OWASP NHI2"]
--! attack      = ["T1078.004"]
--! equivalents = ["P5", "BEN-5"]
--! keys        = ["value"]
--! confirm     = []
WITH fresh AS (
  SELECT f.org AS org, f.token_id AS token_id, f.value AS value, f.first_time AS first_time, f.last_time AS last_time, f.n AS n, f.active_before AS active_before
  FROM firsts AS f CROSS JOIN policy
  WHERE f.dimension = 'hour' AND f.active_before >= policy.learning_active_days AND f.first_time >= f.token_first + INTERVAL '1 days' * policy.joint_days
),
known AS (SELECT org, token_id, CAST(value AS BIGINT) AS hour, first_time FROM seen WHERE dimension = 'hour' AND token_id IS NOT NULL),
pairs AS (
  SELECT f.org AS org, f.token_id AS token_id, f.value AS value, f.first_time AS first_time, f.last_time AS last_time, f.n AS n, f.active_before AS active_before,
    CAST(f.value AS BIGINT) AS fresh_hour, k.hour AS hour, k.first_time AS known_time
  FROM fresh AS f JOIN known AS k ON f.org = k.org AND f.token_id = k.token_id
),
spans AS (
  SELECT org, token_id, value, MAX(first_time) AS first_time, MAX(last_time) AS last_time, MAX(n) AS n, MAX(active_before) AS active_before, MAX(fresh_hour) AS fresh_hour,
    MIN(hour) AS earliest, MAX(hour) AS latest
  FROM pairs WHERE known_time < first_time GROUP BY org, token_id, value
)
SELECT org, token_id AS subject, first_time, first_time + INTERVAL '1 hours' AS last_time, n AS count, value, active_before AS active_days_before, earliest, latest
FROM spans WHERE fresh_hour < earliest - 2 OR fresh_hour > latest + 2
