--! id          = "PAT-A030"
--! title       = "Powerful action that the token does rarely"
--! severity    = "low"
--! confidence  = "low"
--! subject     = "token"
--! tables      = ["notable", "powerful", "token_dates"]
--! message     = "The token '{name}' of {owner} did {action} {count} times on {days} of its {active_days} active days."
--! fix         = "Ask the owner whether the change was meant."
--! rationale   = "Evidence for an analyst: changes to rights, logging or secrets on at most two days. Low, since rare changes are the rule; it needs no history, unlike the detections of higher severity."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST AC-2(12)", "OWASP NHI2"]
--! attack      = ["T1098"]
--! equivalents = ["SEN-A02"]
--! keys        = ["action"]
WITH acts AS (
  SELECT n.org AS org, n.token_id AS token_id, n.action AS action, n.time AS time, n.date AS date, n.event_id AS event_id
  FROM notable AS n JOIN powerful AS p ON n.action = p.action WHERE n.token_id IS NOT NULL AND COALESCE(n.origin, TRUE)
),
summed AS (
  SELECT org, token_id, action, MIN(time) AS first_time, MAX(time) AS last_time, COUNT(*) AS n, COUNT(DISTINCT date) AS days, STRING_AGG(event_id, ' ') AS event_ids
  FROM acts GROUP BY org, token_id, action
),
days AS (SELECT org, token_id, COUNT(*) AS active_days FROM token_dates GROUP BY org, token_id)
SELECT s.org AS org, s.token_id AS subject, s.first_time AS first_time, s.last_time AS last_time, s.n AS count, s.action AS action, s.days AS days, d.active_days AS active_days, s.event_ids AS event_ids
FROM summed AS s JOIN days AS d ON s.org = d.org AND s.token_id = d.token_id WHERE s.days <= 2
