--! id          = "PAT-A024"
--! title       = "Day far above the token's own past"
--! severity    = "low"
--! confidence  = "medium"
--! subject     = "token"
--! tables      = ["token_dates", "policy"]
--! message     = "The token '{name}' of {owner} made {count} events on {day}; the most on {past_days} earlier days was {past_most} and the median {past_median}."
--! fix         = "Ask the owner whether this use was theirs; if not, revoke the token and review what it changed."
--! rationale   = "A whole day far above the second largest day of the token's past, and none like it before. Low, because end-of-quarter work looks the same. Another detection judges a burst within ten minutes; this one finds the patient intruder who stays below that."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST AC-2(12)", "OWASP NHI2"]
--! attack      = ["T1119"]
--! confirm     = []
WITH days AS (
  SELECT org, token_id, date, n, first_time, last_time, MAX(n) OVER (PARTITION BY org, token_id ORDER BY date) AS most FROM token_dates
),
later AS (
  SELECT org, token_id, date, n, first_time, last_time, LAG(most) OVER (PARTITION BY org, token_id ORDER BY date) AS most_before FROM days
),
big AS (
  SELECT org, token_id, date AS big_date, n AS big_n, first_time, last_time FROM later CROSS JOIN policy WHERE n >= 1.5 * policy.burst_floor AND n > 2 * most_before
),
pairs AS (
  SELECT b.org AS org, b.token_id AS token_id, b.big_date AS big_date, b.big_n AS big_n, b.first_time AS first_time, b.last_time AS last_time, d.n AS n,
    ROW_NUMBER() OVER (PARTITION BY b.org, b.token_id, b.big_date ORDER BY d.n DESC NULLS LAST, d.date DESC NULLS LAST) AS place
  FROM big AS b JOIN days AS d ON b.org = d.org AND b.token_id = d.token_id WHERE d.date < b.big_date
),
past AS (
  SELECT org, token_id, big_date, MAX(big_n) AS big_n, MAX(first_time) AS first_time, MAX(last_time) AS last_time, MAX(n) AS past_most, MEDIAN(n) AS past_median,
    MAX(CASE WHEN place = 2 THEN n ELSE 0 END) AS second_most, SUM(CASE WHEN 2 * n >= big_n THEN 1 ELSE 0 END) AS similar_days, COUNT(*) AS past_days
  FROM pairs GROUP BY org, token_id, big_date
)
SELECT p.org AS org, p.token_id AS subject, p.first_time AS first_time, p.last_time AS last_time, p.big_n AS count, p.big_date AS day,
  p.past_most AS past_most, p.past_median AS past_median, p.past_days AS past_days
FROM past AS p CROSS JOIN policy
WHERE p.past_days >= policy.learning_active_days AND p.big_n >= policy.burst_factor * p.second_most AND p.similar_days = 0
