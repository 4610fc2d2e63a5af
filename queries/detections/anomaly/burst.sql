--! id          = "PAT-A005"
--! title       = "Burst far above the token's own past"
--! severity    = "medium"
--! confidence  = "medium"
--! subject     = "token"
--! tables      = ["token_day", "policy"]
--! message     = "The token '{name}' of {owner} made {peak} changes within ten minutes on {day}; its largest burst on {past_days} earlier days was {past_peak}."
--! fix         = "Ask the owner whether this use was theirs; if not, revoke the token and review what it changed."
--! rationale   = "Measured against the token's own largest past burst and its median, never against others: a release bot is not loud for itself. Medium needs the factor of the policy, one and a half times the floor and enough past; a smaller rise is low. Folded entries are left out."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST AC-2(12)", "OWASP NHI2"]
--! attack      = ["T1119"]
--! equivalents = ["AN-02"]
--! confirm     = []
WITH days AS (
  SELECT org, token_id, date, MAX(peak_10m) AS peak, MAX(peak_time) AS peak_time, MAX(first_time) AS first_time
  FROM token_day WHERE token_id IS NOT NULL GROUP BY org, token_id, date
),
hot AS (
  SELECT org, token_id, date AS hot_date, peak AS hot_peak, COALESCE(peak_time, first_time) AS hot_time
  FROM days CROSS JOIN policy WHERE peak >= policy.burst_floor
),
pairs AS (
  SELECT h.org AS org, h.token_id AS token_id, h.hot_date AS hot_date, h.hot_peak AS hot_peak, h.hot_time AS hot_time, d.peak AS peak
  FROM hot AS h JOIN days AS d ON h.org = d.org AND h.token_id = d.token_id WHERE d.date < h.hot_date
),
past AS (
  SELECT org, token_id, hot_date, MAX(hot_peak) AS hot_peak, MAX(hot_time) AS hot_time, MAX(peak) AS past_peak, MEDIAN(peak) AS past_median, COUNT(*) AS past_days
  FROM pairs GROUP BY org, token_id, hot_date
)
SELECT p.org AS org, p.token_id AS subject, p.hot_time AS first_time, p.hot_time + INTERVAL '10 minutes' AS last_time, p.hot_peak AS count,
  p.hot_date AS day, p.hot_peak AS peak, p.past_peak AS past_peak, p.past_median AS past_median, p.past_days AS past_days,
  CASE WHEN p.hot_peak >= policy.burst_factor * p.past_peak AND p.hot_peak >= 1.5 * policy.burst_floor AND p.past_days >= policy.learning_active_days
    THEN 'medium' ELSE 'low' END AS severity
FROM past AS p CROSS JOIN policy
WHERE p.past_days >= policy.joint_active_days AND p.hot_peak >= policy.burst_factor / 2 * p.past_peak
