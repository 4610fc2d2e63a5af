-- Values that a token showed for the first time inside the window, with how much of a surprise each one is.
-- values_before: other values of the dimension seen earlier. active_before: days with events before that day.
-- fresh_before: of those, days that brought a value new to the token, its first day left out: hosted agents have
-- many, a server in the cellar none. novelty: LN((active_before + 1) / (fresh_before + 0.5)), so 0 or less where news is
-- daily bread, 2 after three uneventful days, 4 after thirty. Tokens learn their own habits that way, whatever
-- their rhythm. known_before: somebody else of the organisation had shown the value earlier.
WITH merged AS (
  SELECT org, token_id, dimension, value, MIN(first_time) AS first_time, MAX(last_time) AS last_time,
    SUM(n) AS n, SUM(origins) AS origins, MIN(first_event) AS first_event
  FROM seen WHERE token_id IS NOT NULL
  GROUP BY org, token_id, dimension, value
),
starts AS (
  SELECT org, token_id, MIN(first_time) AS token_first FROM merged WHERE dimension <> 'hour' GROUP BY org, token_id
),
placed AS (
  SELECT org, token_id, dimension, value, first_time, last_time, n, origins, first_event, CAST(first_time AS DATE) AS first_date,
    ROW_NUMBER() OVER (PARTITION BY org, token_id, dimension ORDER BY first_time) AS place
  FROM merged
),
fresh_days AS (
  SELECT org, token_id, dimension, first_date FROM placed GROUP BY org, token_id, dimension, first_date
),
fresh AS (
  SELECT org, token_id, dimension, first_date, ROW_NUMBER() OVER (PARTITION BY org, token_id, dimension ORDER BY first_date) AS fresh_place
  FROM fresh_days
),
days AS (
  SELECT org, token_id, date AS first_date FROM token_day WHERE token_id IS NOT NULL GROUP BY org, token_id, date
),
numbered AS (
  SELECT org, token_id, first_date, ROW_NUMBER() OVER (PARTITION BY org, token_id ORDER BY first_date) AS day_number FROM days
),
networks AS (SELECT org, network, MIN(first_time) AS first_time FROM activity WHERE network IS NOT NULL GROUP BY org, network),
clients AS (SELECT org, client, MIN(first_time) AS first_time FROM activity WHERE client IS NOT NULL GROUP BY org, client),
shown AS (
  SELECT org, 'network' AS dimension, network AS value, first_time FROM networks
  UNION ALL
  SELECT org, 'client' AS dimension, client AS value, first_time FROM clients
  UNION ALL
  SELECT org, dimension, value, first_time FROM merged
),
anybody AS (SELECT org, dimension, value, MIN(first_time) AS org_time FROM shown GROUP BY org, dimension, value),
judged AS (
  SELECT p.org AS org, p.token_id AS token_id, p.dimension AS dimension, p.value AS value, p.first_time AS first_time, p.last_time AS last_time,
    p.n AS n, p.origins AS origins, p.first_event AS first_event, p.place - 1 AS values_before, d.day_number - 1 AS active_before,
    CASE WHEN f.fresh_place > 2 THEN f.fresh_place - 2 ELSE 0 END AS fresh_before
  FROM placed AS p JOIN fresh AS f ON p.org = f.org AND p.token_id = f.token_id AND p.dimension = f.dimension AND p.first_date = f.first_date
  JOIN numbered AS d ON p.org = d.org AND p.token_id = d.token_id AND p.first_date = d.first_date
)
SELECT j.org AS org, j.token_id AS token_id, j.dimension AS dimension, j.value AS value, j.first_time AS first_time, j.last_time AS last_time,
  j.n AS n, j.origins AS origins, j.first_event AS first_event, s.token_first AS token_first, j.values_before AS values_before,
  j.active_before AS active_before, j.fresh_before AS fresh_before, LN((j.active_before + 1) / (j.fresh_before + 0.5)) AS novelty,
  a.org_time < j.first_time AS known_before
FROM judged AS j JOIN starts AS s ON j.org = s.org AND j.token_id = s.token_id
  JOIN anybody AS a ON j.org = a.org AND j.dimension = a.dimension AND j.value = a.value
CROSS JOIN policy
WHERE j.first_time >= policy.window_from
