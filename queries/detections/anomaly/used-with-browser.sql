--! id          = "PAT-A015"
--! title       = "Token used with a browser"
--! severity    = "low"
--! confidence  = "medium"
--! subject     = "token"
--! tables      = ["seen", "activity", "firsts", "policy"]
--! flagged     = "browser"
--! message     = "The token '{name}' of {owner} was used with a browser {count} times on {days} days, first at {first_browser}."
--! fix         = "Ask the owner whether this use was theirs; if not, revoke the token and review what it changed."
--! rationale   = "Tokens are for scripts; a browser agent means that somebody pasted it into a web tool, or a script that poses as one. One finding per token, where Sentinel returns one row per event. Medium when the token was steady with other clients for ten days or more and the browser came on one or two days; low for tokens that always used one or that have no history: a script may send such an agent."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST AC-2(12)", "OWASP NHI2"]
--! attack      = ["T1528"]
--! equivalents = ["SEN-A01", "SUM-S00997"]
--! confirm     = ["client"]
WITH browser AS (
  SELECT org, token_id, MIN(first_time) AS first_browser, MAX(last_time) AS last_time, SUM(n) AS n
  FROM seen WHERE dimension = 'client' AND value = 'browser' AND token_id IS NOT NULL GROUP BY org, token_id
),
daily AS (
  SELECT b.org AS org, b.token_id AS token_id, COUNT(DISTINCT a.date) AS browser_days
  FROM browser AS b JOIN activity AS a ON b.org = a.org AND b.token_id = a.token_id WHERE a.client = 'browser' GROUP BY b.org, b.token_id
),
fresh AS (SELECT org, token_id, novelty FROM firsts WHERE dimension = 'client' AND value = 'browser' AND values_before >= 1)
SELECT b.org AS org, b.token_id AS subject, CASE WHEN b.first_browser > policy.window_from THEN b.first_browser ELSE policy.window_from END AS first_time,
  b.last_time AS last_time, b.n AS count, b.first_browser AS first_browser, d.browser_days AS days, 'browser' AS client,
  CASE WHEN f.novelty >= policy.surprise_steady AND d.browser_days <= 2 THEN 'medium' ELSE 'low' END AS severity
FROM browser AS b LEFT JOIN daily AS d ON b.org = d.org AND b.token_id = d.token_id LEFT JOIN fresh AS f ON b.org = f.org AND b.token_id = f.token_id CROSS JOIN policy
WHERE b.last_time >= policy.window_from
