--! id          = "PAT-A003"
--! title       = "Powerful action that this token never did before"
--! severity    = "low"
--! confidence  = "medium"
--! subject     = "token"
--! tables      = ["firsts", "powerful", "seen", "policy"]
--! message     = "The token '{name}' of {owner} did {action} for the first time, after {active_days_before} active days without it; {tokens} tokens of the organisation do it."
--! fix         = "Ask the owner whether the change was meant; if it was, consider a token of its own for it."
--! rationale   = "Sentinel's rule fires on every such action of every automation token each hour; here only a token's first counts. Medium when the token was steady for a week or more (half the policy's surprise_medium) and at most two tokens of the organisation ever do it; else low, and low where it became a habit (done on three days or more, over a week or longer), since work changes and duties move from token to token."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST AC-2(12)", "OWASP NHI2"]
--! attack      = ["T1098"]
--! equivalents = ["SEN-A02", "SUM-S00996", "AN-04"]
--! keys        = ["action"]
--! confirm     = ["action"]
WITH acts AS (
  SELECT f.org AS org, f.token_id AS token_id, f.value AS action, f.first_time AS first_time, f.last_time AS last_time, f.origins AS n,
    f.first_event AS event_id, f.active_before AS active_before, f.novelty AS novelty, p.grade AS grade,
    f.active_days >= 3 AND f.last_time >= f.first_time + INTERVAL '1 days' * policy.move_days AS became_habit
  FROM firsts AS f JOIN powerful AS p ON f.value = p.action CROSS JOIN policy
  WHERE f.dimension = 'action' AND f.origins > 0 AND f.active_before >= policy.joint_active_days
    AND f.first_time >= f.token_first + INTERVAL '1 days' * policy.joint_days
),
spread AS (
  SELECT s.org AS org, s.value AS action, COUNT(DISTINCT s.token_id) AS tokens FROM seen AS s JOIN powerful AS p ON s.value = p.action
  WHERE s.dimension = 'action' AND s.origins > 0 AND s.token_id IS NOT NULL GROUP BY s.org, s.value
)
SELECT a.org AS org, a.token_id AS subject, a.first_time AS first_time,
  CASE WHEN a.last_time > a.first_time + INTERVAL '1 days' THEN a.first_time + INTERVAL '1 days' ELSE a.last_time END AS last_time, a.n AS count, a.event_id AS event_id,
  a.action AS action, a.grade AS grade, a.active_before AS active_days_before, a.novelty AS surprise, s.tokens AS tokens,
  CASE WHEN a.novelty >= policy.surprise_medium / 2 AND s.tokens <= 2 AND NOT a.became_habit THEN 'medium' ELSE 'low' END AS severity
FROM acts AS a JOIN spread AS s ON a.org = s.org AND a.action = s.action CROSS JOIN policy
