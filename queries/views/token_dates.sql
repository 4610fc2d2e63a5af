-- Days on which a token was active, whichever of its credentials was used: what it did and its busiest ten minutes.
SELECT org, token_id, date, SUM(n) AS n, MIN(first_time) AS first_time, MAX(first_time) AS start_time, MAX(last_time) AS last_time,
  MAX(peak_10m) AS peak, MAX(peak_projects_10m) AS peak_projects, MAX(peak_targets_10m) AS peak_targets, MAX(peak_time) AS peak_time
FROM token_day WHERE token_id IS NOT NULL GROUP BY org, token_id, date
