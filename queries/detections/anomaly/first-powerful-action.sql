--! id          = "PAT-A003"
--! title       = "Powerful action that this token never did before"
--! severity    = "low"
--! confidence  = "medium"
--! subject     = "token"
--! tables      = ["firsts", "powerful", "seen", "policy"]
--! message     = "The token '{name}' of {owner} did {action} for the first time, after {active_days_before} active days without it; {tokens} tokens of the organisation do it."
--! fix         = "Ask the owner whether the change was meant; if it was, consider a token of its own for it."
--! rationale   = "Sentinel's rule fires on every such action of every automation token each hour; here only a token's first counts. Medium when the action is critical, it is the token's first powerful action at all and at most two tokens of the organisation do it; else low, since work changes."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST AC-2(12)", "OWASP NHI2"]
--! attack      = ["T1098"]
--! equivalents = ["SEN-A02", "SUM-S00996", "AN-04"]
--! keys        = ["action"]
--! confirm     = ["action"]
WITH acts AS (
  SELECT f.org AS org, f.token_id AS token_id, f.value AS action, f.first_time AS first_time, f.last_time AS last_time, f.origins AS n,
    f.first_event AS event_id, f.token_first AS token_first, f.active_before AS active_before, p.grade AS grade
  FROM firsts AS f JOIN powerful AS p ON f.value = p.action
  WHERE f.dimension = 'action' AND f.origins > 0
),
power AS (
  SELECT s.org AS org, s.token_id AS token_id, s.value AS action, s.first_time AS power_time
  FROM seen AS s JOIN powerful AS p ON s.value = p.action
  WHERE s.dimension = 'action' AND s.origins > 0 AND s.token_id IS NOT NULL
),
earliest AS (SELECT org, token_id, MIN(power_time) AS first_power FROM power GROUP BY org, token_id),
spread AS (SELECT org, action, COUNT(DISTINCT token_id) AS tokens FROM power GROUP BY org, action),
paired AS (
  SELECT a.org AS org, a.token_id AS token_id, a.action AS action, a.first_time AS first_time, a.last_time AS last_time, a.n AS n,
    a.event_id AS event_id, a.token_first AS token_first, a.active_before AS active_before, a.grade AS grade, e.first_power AS first_power
  FROM acts AS a JOIN earliest AS e ON a.org = e.org AND a.token_id = e.token_id
)
SELECT b.org AS org, b.token_id AS subject, b.first_time AS first_time, b.last_time AS last_time, b.n AS count, b.event_id AS event_id,
  b.action AS action, b.grade AS grade, b.active_before AS active_days_before, s.tokens AS tokens,
  CASE WHEN b.grade = 'critical' AND b.first_power >= b.first_time AND s.tokens <= 2 AND b.active_before >= policy.learning_active_days
      AND b.first_time >= b.token_first + INTERVAL '1 days' * policy.learning_days
    THEN 'medium' ELSE 'low' END AS severity
FROM paired AS b JOIN spread AS s ON b.org = s.org AND b.action = s.action CROSS JOIN policy
WHERE b.active_before >= policy.joint_active_days AND b.first_time >= b.token_first + INTERVAL '1 days' * policy.joint_days
