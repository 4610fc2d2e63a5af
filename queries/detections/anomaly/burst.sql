--! id          = "PAT-A005"
--! title       = "Burst far above the token's own past"
--! severity    = "medium"
--! confidence  = "medium"
--! subject     = "token"
--! tables      = ["token_dates", "policy"]
--! message     = "The token '{name}' of {owner} made {peak} events within ten minutes on {day}; its largest burst on {past_days} earlier days was {past_peak}."
--! fix         = "Ask the owner whether this use was theirs; if not, revoke the token and review what it changed."
--! rationale   = "Measured against the token's own past, never against others: many events are normal for a release bot. One busy day is ignored, so that a single deployment does not hide the next burst: the new peak is compared with the second largest one, and no earlier day may have reached half of the new one. Medium needs the factor of the policy, one and a half times the floor and enough past; a smaller rise or a shorter past is low. The ten minutes may begin at any time; folded entries and the events that one call causes (a cascade) are left out."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST AC-2(12)", "OWASP NHI2"]
--! attack      = ["T1119"]
--! equivalents = ["AN-02"]
--! confirm     = []
WITH days AS (SELECT org, token_id, date, peak, peak_time, start_time AS first_time FROM token_dates),
hot AS (
  SELECT org, token_id, date AS hot_date, peak AS hot_peak, COALESCE(peak_time, first_time) AS hot_time
  FROM days CROSS JOIN policy WHERE peak >= policy.burst_floor
),
pairs AS (
  SELECT h.org AS org, h.token_id AS token_id, h.hot_date AS hot_date, h.hot_peak AS hot_peak, h.hot_time AS hot_time, d.peak AS peak,
    ROW_NUMBER() OVER (PARTITION BY h.org, h.token_id, h.hot_date ORDER BY d.peak DESC NULLS LAST, d.date DESC NULLS LAST) AS place
  FROM hot AS h JOIN days AS d ON h.org = d.org AND h.token_id = d.token_id WHERE d.date < h.hot_date
),
past AS (
  SELECT org, token_id, hot_date, MAX(hot_peak) AS hot_peak, MAX(hot_time) AS hot_time, MAX(peak) AS past_peak, MEDIAN(peak) AS past_median,
    MAX(CASE WHEN place = 2 THEN peak ELSE 0 END) AS second_peak, SUM(CASE WHEN 2 * peak >= hot_peak THEN 1 ELSE 0 END) AS similar_days, COUNT(*) AS past_days
  FROM pairs GROUP BY org, token_id, hot_date
),
judged AS (
  SELECT p.org AS org, p.token_id AS token_id, p.hot_date AS hot_date, p.hot_peak AS hot_peak, p.hot_time AS hot_time, p.past_peak AS past_peak, p.past_median AS past_median,
    p.similar_days AS similar_days, p.past_days AS past_days, CASE WHEN p.past_days >= policy.learning_active_days THEN p.second_peak ELSE p.past_peak END AS usual_peak
  FROM past AS p CROSS JOIN policy
)
SELECT j.org AS org, j.token_id AS subject, j.hot_time AS first_time, j.hot_time + INTERVAL '10 minutes' AS last_time, j.hot_peak AS count,
  j.hot_date AS day, j.hot_peak AS peak, j.past_peak AS past_peak, j.usual_peak AS usual_peak, j.past_median AS past_median, j.similar_days AS similar_days, j.past_days AS past_days,
  CASE WHEN j.hot_peak >= policy.burst_factor * j.usual_peak AND j.similar_days = 0 AND j.hot_peak >= 1.5 * policy.burst_floor AND j.past_days >= policy.learning_active_days
    THEN 'medium' ELSE 'low' END AS severity
FROM judged AS j CROSS JOIN policy
WHERE j.hot_peak >= policy.burst_factor / 2 * j.usual_peak AND j.similar_days <= 1
