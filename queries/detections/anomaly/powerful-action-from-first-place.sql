--! id          = "PAT-A002"
--! title       = "Powerful action never done before, from a first network or with a first client"
--! severity    = "high"
--! confidence  = "high"
--! subject     = "token"
--! tables      = ["firsts", "policy", "seen", "powerful"]
--! message     = "The token '{name}' of {owner} did {action} for the first time, within three hours of first showing the {dimension} {value}."
--! fix         = "Ask the owner whether this use was theirs; if not, revoke the token and review what it changed."
--! rationale   = "An action that changes rights, logging or secrets, new to a token that meanwhile also moved, is hardly routine. High for actions that alone can hand over the organisation, medium for the rest. Low for tokens that do powerful things anyway. Settled tokens only, so that hosted agents do not fire."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST AC-2(12)", "OWASP NHI2"]
--! attack      = ["T1098", "T1562.008"]
--! equivalents = ["SEN-A02", "XF-04"]
--! keys        = ["action"]
--! confirm     = ["action"]
WITH places AS (
  SELECT org, token_id, dimension, value, first_time AS place_time, token_first, active_before
  FROM firsts CROSS JOIN policy
  WHERE dimension IN ('network', 'client') AND values_before >= 1 AND values_before <= policy.settled_values
    AND late_before <= policy.settled_late_values AND active_before >= policy.joint_active_days
    AND first_time >= token_first + INTERVAL '1 days' * policy.joint_days
),
power AS (
  SELECT s.org AS org, s.token_id AS token_id, s.first_time AS power_time FROM seen AS s JOIN powerful AS p ON s.value = p.action
  WHERE s.dimension = 'action' AND s.origins > 0 AND s.token_id IS NOT NULL
),
earliest AS (SELECT org, token_id, MIN(power_time) AS first_power FROM power GROUP BY org, token_id),
graded AS (
  SELECT f.org AS org, f.token_id AS token_id, f.value AS action, f.first_time AS action_time, f.last_time AS action_last, f.origins AS n, p.grade AS grade
  FROM firsts AS f JOIN powerful AS p ON f.value = p.action
  WHERE f.dimension = 'action' AND f.origins > 0
),
acts AS (
  SELECT g.org AS org, g.token_id AS token_id, g.action AS action, g.action_time AS action_time, g.action_last AS action_last, g.n AS n, g.grade AS grade, e.first_power AS first_power
  FROM graded AS g JOIN earliest AS e ON g.org = e.org AND g.token_id = e.token_id
)
SELECT a.org AS org, a.token_id AS subject, a.action_time AS first_time, a.action_last AS last_time, a.n AS count, a.action AS action,
  a.grade AS grade, l.dimension AS dimension, l.value AS value, l.active_before AS active_days_before,
  CASE WHEN a.first_power < a.action_time THEN 'low' WHEN a.grade = 'critical' THEN 'high' ELSE 'medium' END AS severity
FROM acts AS a JOIN places AS l ON a.org = l.org AND a.token_id = l.token_id
WHERE a.action_time >= l.place_time - INTERVAL '1 hours' AND a.action_time <= l.place_time + INTERVAL '3 hours'
