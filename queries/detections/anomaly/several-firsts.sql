--! id          = "PAT-A004"
--! title       = "Several things new about a token within an hour"
--! severity    = "medium"
--! confidence  = "medium"
--! subject     = "token"
--! tables      = ["firsts", "policy"]
--! message     = "The token '{name}' of {owner} showed {dimensions} kinds of new behaviour within an hour: {what}."
--! fix         = "Ask the owner whether this use was theirs; if not, revoke the token and review what it changed."
--! rationale   = "One new value is work, three kinds at once are another hand. Only dimensions in which the token is settled count. An hour alone does not make the third. Without a new network or client among them it stays low: a legitimate owner who starts on a new project does new things."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST AC-2(12)", "OWASP NHI2"]
--! attack      = ["T1078.004"]
--! equivalents = ["AN-03", "P9"]
WITH settled AS (
  SELECT org, token_id, dimension, value, first_time, first_event, n, active_before
  FROM firsts CROSS JOIN policy
  WHERE values_before >= 1 AND late_before <= policy.settled_late_values AND active_before >= policy.joint_active_days
    AND first_time >= token_first + INTERVAL '1 days' * policy.joint_days
    AND (values_before <= policy.settled_values OR (dimension = 'hour' AND values_before <= 12) OR (dimension = 'action' AND values_before <= 12))
    AND (dimension NOT IN ('hour', 'action') OR active_before >= 10)
),
anchors AS (SELECT org, token_id, first_time AS anchor FROM settled WHERE dimension <> 'hour' GROUP BY org, token_id, first_time),
near AS (
  SELECT a.org AS org, a.token_id AS token_id, a.anchor AS anchor, s.dimension AS dimension, s.value AS value, s.first_time AS time, s.n AS n, s.first_event AS event_id
  FROM anchors AS a JOIN settled AS s ON a.org = s.org AND a.token_id = s.token_id
  WHERE (s.dimension <> 'hour' AND s.first_time >= a.anchor AND s.first_time <= a.anchor + INTERVAL '1 hours')
    OR (s.dimension = 'hour' AND s.first_time > a.anchor - INTERVAL '1 hours' AND s.first_time <= a.anchor)
),
summed AS (
  SELECT org, token_id, anchor, COUNT(DISTINCT dimension) AS dimensions, MAX(time) AS last_new, COUNT(*) AS news,
    MAX(CASE WHEN dimension IN ('network', 'client') THEN 1 ELSE 0 END) AS placed, MAX(CASE WHEN dimension = 'hour' THEN 1 ELSE 0 END) AS timed,
    STRING_AGG(CONCAT(dimension, ' ', value), ', ') AS what, STRING_AGG(event_id, ' ') AS event_ids
  FROM near GROUP BY org, token_id, anchor
)
SELECT s.org AS org, s.token_id AS subject, s.anchor AS first_time, CASE WHEN s.last_new > s.anchor THEN s.last_new ELSE s.anchor END AS last_time, s.news AS count, s.dimensions AS dimensions,
  s.what AS what, s.event_ids AS event_ids,
  CASE WHEN s.placed = 0 OR s.dimensions - s.timed < 3 THEN 'low' WHEN s.dimensions >= 4 THEN 'high' ELSE 'medium' END AS severity
FROM summed AS s
WHERE s.dimensions >= 3
