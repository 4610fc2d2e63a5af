--! id          = "PAT-A016"
--! title       = "Action that no token of the organisation did before"
--! severity    = "low"
--! confidence  = "medium"
--! subject     = "token"
--! tables      = ["seen", "policy", "powerful"]
--! message     = "The token '{name}' of {owner} did {action}, which no token of the organisation had done in the log before."
--! fix         = "Ask the owner whether this use was theirs; if not, revoke the token and review what it changed."
--! rationale   = "An action that no token ever did and that one suddenly does deserves a look. This detection compares every token with the organisation, and others compare it with itself, so one busy token cannot hide the rest. No finding in the first two weeks of the log, from which it learns. Medium for critical actions, and for all actions after four weeks; low before that, and where the action became a habit of the token (done on three days or more, over a week or longer)."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST AC-2(12)", "OWASP NHI2"]
--! attack      = ["T1078"]
--! equivalents = ["SEN-H06", "P10"]
--! keys        = ["action"]
--! confirm     = ["action"]
WITH spelled AS (
  SELECT org, value AS action, token_id, first_time, last_time, origins, active_days, first_event,
    ROW_NUMBER() OVER (PARTITION BY org, token_id, value ORDER BY first_time, first_event) AS place
  FROM seen WHERE dimension = 'action' AND token_id IS NOT NULL AND origins > 0
),
first_uses AS (
  SELECT org, action, token_id, MIN(first_time) AS first_time, MAX(last_time) AS last_time, SUM(origins) AS origins, MAX(active_days) AS active_days,
    MAX(CASE WHEN place = 1 THEN first_event END) AS first_event
  FROM spelled GROUP BY org, token_id, action
),
org_first AS (SELECT org, action, MIN(first_time) AS org_time FROM first_uses GROUP BY org, action),
org_start AS (SELECT org, MIN(first_time) AS start_time, COUNT(DISTINCT token_id) AS tokens FROM first_uses GROUP BY org),
judged AS (
  SELECT f.org AS org, f.action AS action, f.org_time AS org_time, s.start_time AS start_time FROM org_first AS f JOIN org_start AS s ON f.org = s.org CROSS JOIN policy
  WHERE f.org_time >= s.start_time + INTERVAL '1 days' * policy.learning_days AND s.tokens >= 2 AND f.org_time >= policy.window_from
),
hits AS (
  SELECT j.org AS org, j.action AS action, j.start_time AS start_time, u.token_id AS token_id, u.first_time AS first_time, u.last_time AS last_time, u.origins AS n, u.active_days AS active_days, u.first_event AS event_id
  FROM judged AS j JOIN first_uses AS u ON j.org = u.org AND j.action = u.action WHERE u.first_time <= j.org_time
)
SELECT h.org AS org, h.token_id AS subject, h.first_time AS first_time, h.last_time AS last_time, h.n AS count, h.action AS action, h.event_id AS event_id,
  COALESCE(p.grade, 'ordinary') AS grade, CASE WHEN h.active_days >= 3 AND h.last_time >= h.first_time + INTERVAL '1 days' * policy.move_days THEN 'low'
    WHEN p.grade = 'critical' OR h.first_time >= h.start_time + INTERVAL '2 days' * policy.learning_days THEN 'medium' ELSE 'low' END AS severity
FROM hits AS h LEFT JOIN powerful AS p ON h.action = p.action CROSS JOIN policy
