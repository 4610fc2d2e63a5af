-- Values that a token showed for the first time inside the window, with how settled the token was by then.
-- values_before: other values of the dimension seen earlier. late_before: those of them that came after the
-- token's learning span, so a token that keeps showing new networks (hosted agents) has many.
-- active_before: days with events before the day of the first appearance.
WITH merged AS (
  SELECT org, token_id, dimension, value, MIN(first_time) AS first_time, MAX(last_time) AS last_time,
    SUM(n) AS n, SUM(origins) AS origins, MIN(first_event) AS first_event
  FROM seen WHERE token_id IS NOT NULL
  GROUP BY org, token_id, dimension, value
),
starts AS (
  SELECT org, token_id, MIN(first_time) AS token_first FROM merged WHERE dimension <> 'hour' GROUP BY org, token_id
),
aged AS (
  SELECT m.org, m.token_id, m.dimension, m.value, m.first_time, m.last_time, m.n, m.origins, m.first_event, s.token_first,
    CAST(m.first_time AS DATE) AS first_date,
    CASE WHEN m.first_time < s.token_first + INTERVAL '1 days' * policy.learning_days THEN 1 ELSE 0 END AS early
  FROM merged AS m JOIN starts AS s ON m.org = s.org AND m.token_id = s.token_id CROSS JOIN policy
),
placed AS (
  SELECT org, token_id, dimension, value, first_time, last_time, n, origins, first_event, token_first, first_date, early,
    ROW_NUMBER() OVER (PARTITION BY org, token_id, dimension ORDER BY first_time) AS place,
    SUM(early) OVER (PARTITION BY org, token_id, dimension) AS early_values
  FROM aged
),
days AS (
  SELECT org, token_id, date AS first_date FROM token_day WHERE token_id IS NOT NULL GROUP BY org, token_id, date
),
numbered AS (
  SELECT org, token_id, first_date, ROW_NUMBER() OVER (PARTITION BY org, token_id ORDER BY first_date) AS day_number FROM days
)
SELECT p.org, p.token_id, p.dimension, p.value, p.first_time, p.last_time, p.n, p.origins, p.first_event, p.token_first,
  p.place - 1 AS values_before,
  CASE WHEN p.early = 1 THEN 0 ELSE p.place - 1 - p.early_values END AS late_before,
  d.day_number - 1 AS active_before
FROM placed AS p JOIN numbered AS d ON p.org = d.org AND p.token_id = d.token_id AND p.first_date = d.first_date
CROSS JOIN policy
WHERE p.first_time >= policy.window_from
