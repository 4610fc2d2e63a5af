--! id          = "PAT-A015"
--! title       = "Token used with a browser"
--! severity    = "low"
--! confidence  = "medium"
--! subject     = "token"
--! tables      = ["seen", "firsts", "policy"]
--! message     = "The token '{name}' of {owner} was used with a browser {count} times, first at {first_browser}."
--! fix         = "Ask the owner whether this use was theirs; if not, revoke the token and review what it changed."
--! rationale   = "Tokens are for scripts; a browser agent means that somebody pasted it into a web tool, or a script that poses as one. One finding a token, not one an event. Medium when a network new to the token came within a day of it, low otherwise: people do try a token in a web tool."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST AC-2(12)", "OWASP NHI2"]
--! attack      = ["T1528"]
--! equivalents = ["SEN-A01", "SUM-S00997"]
--! confirm     = ["client"]
WITH browser AS (
  SELECT org, token_id, MIN(first_time) AS first_browser, MAX(last_time) AS last_time, SUM(n) AS n
  FROM seen WHERE dimension = 'client' AND value = 'browser' AND token_id IS NOT NULL GROUP BY org, token_id
),
moved AS (
  SELECT org, token_id, MIN(first_time) AS place_time FROM firsts CROSS JOIN policy
  WHERE dimension = 'network' AND values_before >= 1 AND values_before <= policy.settled_values AND late_before <= policy.settled_late_values
    AND active_before >= policy.joint_active_days
  GROUP BY org, token_id
)
SELECT b.org AS org, b.token_id AS subject, CASE WHEN b.first_browser > policy.window_from THEN b.first_browser ELSE policy.window_from END AS first_time,
  b.last_time AS last_time, b.n AS count, b.first_browser AS first_browser, 'browser' AS client,
  CASE WHEN m.place_time >= b.first_browser - INTERVAL '1 days' AND m.place_time <= b.first_browser + INTERVAL '1 days' THEN 'medium' ELSE 'low' END AS severity
FROM browser AS b LEFT JOIN moved AS m ON b.org = m.org AND b.token_id = m.token_id CROSS JOIN policy
WHERE b.last_time >= policy.window_from
