--! id          = "PAT-A007"
--! title       = "Token used again after a long silence"
--! severity    = "low"
--! confidence  = "medium"
--! subject     = "token"
--! tables      = ["token_day", "seen", "tokens", "coverage", "policy", "firsts"]
--! message     = "The token '{name}' of {owner} made a change on {day} after {kind}; {novelties} networks or clients were new that day."
--! fix         = "Ask the owner whether this use was theirs; if not, revoke the token and review what it changed."
--! rationale   = "A forgotten token that wakes up is worth a question; quarterly jobs do it too, so it is low unless two networks or clients are new on the day it wakes. The silence counts audited changes only: reads are not in the log."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST AC-2(12)", "OWASP NHI2"]
--! attack      = ["T1528", "T1550.001"]
--! equivalents = ["P7"]
--! confirm     = []
WITH days AS (
  SELECT org, token_id, date, MIN(first_time) AS first_time, MAX(last_time) AS last_time, SUM(n) AS n
  FROM token_day WHERE token_id IS NOT NULL GROUP BY org, token_id, date
),
lagged AS (
  SELECT org, token_id, date, first_time, last_time, n, LAG(last_time) OVER (PARTITION BY org, token_id ORDER BY date) AS before
  FROM days
),
born AS (SELECT org, token_id, MIN(first_time) AS born_time FROM seen WHERE dimension = 'action' AND token_id IS NOT NULL GROUP BY org, token_id),
late AS (
  SELECT b.org AS org, b.token_id AS token_id, b.born_time AS born_time, t.valid_from AS valid_from
  FROM born AS b JOIN tokens AS t ON b.org = t.org AND b.token_id = t.token_id
),
covered AS (
  SELECT l.org AS org, l.token_id AS token_id, l.born_time AS born_time
  FROM late AS l JOIN coverage AS c ON l.org = c.org CROSS JOIN policy
  WHERE l.born_time > l.valid_from + INTERVAL '1 days' * policy.dormant_days AND l.born_time > c.from_time + INTERVAL '1 days' * policy.dormant_days
),
woken AS (
  SELECT l.org AS org, l.token_id AS token_id, l.date AS day, l.first_time AS first_time, l.last_time AS last_time, l.n AS n, 'a long silence' AS kind
  FROM lagged AS l CROSS JOIN policy WHERE l.first_time > l.before + INTERVAL '1 days' * policy.dormant_days
  UNION ALL
  SELECT d.org AS org, d.token_id AS token_id, d.date AS day, d.first_time AS first_time, d.last_time AS last_time, d.n AS n, 'no change since its creation' AS kind
  FROM days AS d JOIN covered AS c ON d.org = c.org AND d.token_id = c.token_id WHERE d.first_time <= c.born_time
),
fresh AS (
  SELECT org, token_id, CAST(first_time AS DATE) AS day, COUNT(*) AS novelties
  FROM firsts WHERE dimension IN ('network', 'client') AND values_before >= 1 AND active_before >= 1
  GROUP BY org, token_id, CAST(first_time AS DATE)
)
SELECT w.org AS org, w.token_id AS subject, w.first_time AS first_time, w.last_time AS last_time, w.n AS count, w.day AS day, w.kind AS kind,
  COALESCE(f.novelties, 0) AS novelties, CASE WHEN COALESCE(f.novelties, 0) >= 2 THEN 'medium' ELSE 'low' END AS severity
FROM woken AS w LEFT JOIN fresh AS f ON w.org = f.org AND w.token_id = f.token_id AND w.day = f.day
