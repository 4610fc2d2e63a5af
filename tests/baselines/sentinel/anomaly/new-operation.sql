--! id          = "SEN-H06"
--! title       = "New PAT Operation (Sentinel, as published)"
--! severity    = "medium"
--! confidence  = "medium"
--! subject     = "token"
--! tables      = ["events", "policy"]
--! message     = "The token '{name}' of {owner} did {action} on {day}, which no token had done for ten days."
--! fix         = "A baseline to compare with; see the pack's own detections."
--! rationale   = "Written from the hunting query's description, not from its text: run over a day, it looks back ten, over all tokens of the organisation. The first ten days are left out, since everything is new in them. A hunting query has no severity; medium, so that it counts."
--! keys        = ["action", "day"]
WITH used AS (
  SELECT org, action, date, COUNT(*) AS n FROM events WHERE kind = 'pat' GROUP BY org, action, date
),
known AS (
  SELECT u.org AS org, u.action AS action, u.date AS date,
    MAX(CASE WHEN p.date < u.date AND p.date >= u.date - INTERVAL '10 days' THEN 1 ELSE 0 END) AS before
  FROM used AS u JOIN used AS p ON u.org = p.org AND u.action = p.action
  GROUP BY u.org, u.action, u.date
)
SELECT e.org AS org, e.token_id AS subject, MIN(e.time) AS first_time, MAX(e.time) AS last_time, COUNT(*) AS count, e.action AS action,
  CAST(e.date AS VARCHAR) AS day
FROM events AS e JOIN known AS k ON e.org = k.org AND e.action = k.action AND e.date = k.date CROSS JOIN policy
WHERE e.kind = 'pat' AND e.token_id IS NOT NULL AND k.before = 0 AND e.time >= policy.window_from + INTERVAL '10 days'
GROUP BY e.org, e.token_id, e.action, e.date
