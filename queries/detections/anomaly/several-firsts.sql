--! id          = "PAT-A004"
--! title       = "Several things new about a token within an hour"
--! severity    = "medium"
--! confidence  = "medium"
--! subject     = "token"
--! tables      = ["firsts", "policy"]
--! message     = "The token '{name}' of {owner} showed {dimensions} kinds of new behaviour within an hour: {what}."
--! fix         = "Ask the owner whether this use was theirs; if not, revoke the token and review what it changed."
--! rationale   = "One new value is ordinary work; three kinds at once suggest another person. The weight of each is learned from the token: a kind that is new every week counts nothing, a network that others of the organisation use or that the same operator runs counts half, and so does an hour. One of the organisation's own networks counts nothing, a country new to the token counts more. Without a new network or client among them it stays low: a legitimate owner who starts on a new project does new things."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST AC-2(12)", "OWASP NHI2"]
--! attack      = ["T1078.004"]
--! equivalents = ["AN-03"]
WITH news AS (
  SELECT org, token_id, dimension, value, first_time, first_event,
    CASE WHEN dimension = 'hour' THEN novelty / 2 ELSE weight END AS surprise
  FROM firsts CROSS JOIN policy
  WHERE values_before >= 1 AND novelty >= policy.surprise_low AND NOT own AND first_time >= token_first + INTERVAL '1 days' * policy.joint_days
),
anchors AS (SELECT org, token_id, first_time AS anchor FROM news WHERE dimension <> 'hour' GROUP BY org, token_id, first_time),
near AS (
  SELECT a.org AS org, a.token_id AS token_id, a.anchor AS anchor, s.dimension AS dimension, s.value AS value, s.first_time AS time, s.surprise AS surprise, s.first_event AS event_id
  FROM anchors AS a JOIN news AS s ON a.org = s.org AND a.token_id = s.token_id
  WHERE (s.dimension <> 'hour' AND s.first_time >= a.anchor AND s.first_time <= a.anchor + INTERVAL '1 hours')
    OR (s.dimension = 'hour' AND s.first_time > a.anchor - INTERVAL '1 hours' AND s.first_time <= a.anchor)
),
kinds AS (
  SELECT org, token_id, anchor, dimension, MAX(surprise) AS surprise, MAX(time) AS last_new, COUNT(*) AS news,
    STRING_AGG(CONCAT(dimension, ' ', value), ', ') AS what, STRING_AGG(event_id, ' ') AS event_ids
  FROM near GROUP BY org, token_id, anchor, dimension
),
events_of AS (SELECT org, token_id, anchor, COUNT(DISTINCT event_id) AS n FROM near GROUP BY org, token_id, anchor),
summed AS (
  SELECT org, token_id, anchor, COUNT(*) AS dimensions, SUM(surprise) AS surprise, MAX(last_new) AS last_new, SUM(news) AS news,
    MAX(CASE WHEN dimension IN ('network', 'client') THEN 1 ELSE 0 END) AS placed, MAX(CASE WHEN dimension = 'hour' THEN 1 ELSE 0 END) AS timed,
    STRING_AGG(what, ', ') AS what, STRING_AGG(event_ids, ' ') AS event_ids
  FROM kinds GROUP BY org, token_id, anchor
)
SELECT s.org AS org, s.token_id AS subject, s.anchor AS first_time, CASE WHEN s.last_new > s.anchor THEN s.last_new ELSE s.anchor END AS last_time, e.n AS count, s.news AS news, s.dimensions AS dimensions,
  s.what AS what, s.surprise AS surprise, s.event_ids AS event_ids,
  CASE WHEN s.placed = 0 OR s.dimensions - s.timed < 3 OR s.surprise < policy.surprise_high THEN 'low'
    WHEN s.surprise >= 2 * policy.surprise_high AND s.dimensions - s.timed >= 4 THEN 'high' ELSE 'medium' END AS severity
FROM summed AS s JOIN events_of AS e ON s.org = e.org AND s.token_id = e.token_id AND s.anchor = e.anchor CROSS JOIN policy
WHERE s.dimensions >= 3
