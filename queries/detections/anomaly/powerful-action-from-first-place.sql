--! id          = "PAT-A002"
--! title       = "Powerful action never done before, from a first network or with a first client"
--! severity    = "high"
--! confidence  = "high"
--! subject     = "token"
--! tables      = ["firsts", "policy", "powerful"]
--! message     = "The token '{name}' of {owner} did {action} for the first time, within three hours of first showing the {dimension} {place}."
--! fix         = "Ask the owner whether this use was theirs; if not, revoke the token and review what it changed."
--! rationale   = "A first action that changes rights, logging or secrets, by a token that has also moved, is unlikely to be routine. Both surprises are learned from the token itself, so that hosted agents with their changing addresses and jobs that do something new every week stay low. A network of the organisation's own, or of an operator that the token used before, counts less, one in a new country more. High for actions that alone can hand over the organisation when the token was steady for weeks, medium for the rest above the threshold."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST AC-2(12)", "OWASP NHI2"]
--! attack      = ["T1098", "T1562.008"]
--! equivalents = ["SEN-A02", "XF-04"]
--! keys        = ["action"]
--! confirm     = ["action"]
WITH arrivals AS (
  SELECT org, token_id, dimension, value, first_time AS place_time, active_before, place, CASE WHEN dimension = 'client' AND known_before THEN weight / 2 ELSE weight END AS surprise
  FROM firsts CROSS JOIN policy
  WHERE dimension IN ('network', 'client') AND values_before >= 1 AND novelty >= policy.surprise_low
    AND first_time >= token_first + INTERVAL '1 days' * policy.joint_days
),
acts AS (
  SELECT f.org AS org, f.token_id AS token_id, f.value AS action, f.first_time AS action_time, f.last_time AS action_last, f.origins AS n, f.novelty AS novelty, p.grade AS grade
  FROM firsts AS f JOIN powerful AS p ON f.value = p.action
  WHERE f.dimension = 'action' AND f.origins > 0
),
pairs AS (
  SELECT a.org AS org, a.token_id AS token_id, a.action AS action, a.action_time AS action_time, a.action_last AS action_last, a.n AS n, a.grade AS grade,
    l.dimension AS dimension, l.value AS value, l.place AS place, l.active_before AS active_before, l.surprise + CASE WHEN a.novelty > 0 THEN a.novelty ELSE 0 END AS surprise
  FROM acts AS a JOIN arrivals AS l ON a.org = l.org AND a.token_id = l.token_id
  WHERE a.action_time >= l.place_time - INTERVAL '1 hours' AND a.action_time <= l.place_time + INTERVAL '3 hours'
)
SELECT p.org AS org, p.token_id AS subject, p.action_time AS first_time,
  CASE WHEN p.action_last > p.action_time + INTERVAL '1 days' THEN p.action_time + INTERVAL '1 days' ELSE p.action_last END AS last_time, p.n AS count, p.action AS action,
  p.grade AS grade, p.dimension AS dimension, p.value AS value, p.place AS place, p.active_before AS active_days_before, p.surprise AS surprise,
  CASE WHEN p.surprise < policy.surprise_medium THEN 'low' WHEN p.grade = 'critical' AND p.surprise >= policy.surprise_high THEN 'high' ELSE 'medium' END AS severity
FROM pairs AS p CROSS JOIN policy
