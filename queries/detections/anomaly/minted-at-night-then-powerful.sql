--! id          = "PAT-A025"
--! title       = "Token created outside working hours and used for a powerful action within a day"
--! severity    = "low"
--! confidence  = "medium"
--! subject     = "token"
--! tables      = ["tokens", "policy", "seen", "powerful"]
--! message     = "The token '{name}' of {owner} was created at {created_at}, outside working hours, and did {action} within a day."
--! fix         = "Ask the owner whether this use was theirs; if not, revoke the token and review what it changed."
--! rationale   = "Working hours are those of the configuration ([working_hours]), with its time zone and daylight saving; without one 06:00 to 20:00 UTC, which fits Europe only. Low for sensitive actions, medium for critical ones within three hours."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST AC-2(12)", "OWASP NHI2"]
--! attack      = ["T1098.001"]
--! equivalents = ["P12"]
--! confirm     = ["action"]
WITH made AS (
  SELECT org, token_id, created_at, created_event FROM tokens CROSS JOIN policy
  WHERE created_at >= policy.window_from AND created_outside_hours
),
acts AS (
  SELECT s.org AS org, s.token_id AS token_id, s.value AS action, s.first_time AS first_time, s.last_time AS last_time, s.origins AS n, p.grade AS grade
  FROM seen AS s JOIN powerful AS p ON s.value = p.action WHERE s.dimension = 'action' AND s.origins > 0
)
SELECT m.org AS org, m.token_id AS subject, m.created_at AS first_time, a.first_time AS last_time, a.n AS count, m.created_at AS created_at,
  a.action AS action, a.grade AS grade, m.created_event AS event_id,
  CASE WHEN a.grade = 'critical' AND a.first_time <= m.created_at + INTERVAL '3 hours' THEN 'medium' ELSE 'low' END AS severity
FROM made AS m JOIN acts AS a ON m.org = a.org AND m.token_id = a.token_id WHERE a.first_time >= m.created_at AND a.first_time <= m.created_at + INTERVAL '1 days'
