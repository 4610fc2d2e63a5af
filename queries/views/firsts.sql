-- Values that a token showed for the first time inside the window, with how much of a surprise each one is.
-- values_before: other values of the dimension seen earlier. active_before: days with events before that day.
-- fresh_before: of those, days that brought a value new to the token, its first day left out: hosted agents have
-- many, a server in the cellar none. novelty: LN((active_before + 1) / (fresh_before + 0.5)), so 0 or less where news is
-- daily bread, 2 after three uneventful days, 4 after thirty. Tokens learn their own habits that way, whatever
-- their rhythm. known_before: somebody else of the organisation had shown the value earlier.
-- shared_before: three users or credentials had, so that it is a place of many, such as the office or its VPN.
-- What the table `places` tells of a network: own, one of the organisation's; kin_before, the same operator in the same
-- country as a place that the token showed earlier; country_new, a country that it never showed while others are known.
-- weight: the novelty as far as the place leaves it: nothing in an own network, a quarter in a place of many, half where
-- others had been or the operator is known, more in a new country. place: the value with what is known of it, for messages.
WITH networks AS (
  SELECT org, token_id, value, MIN(first_time) AS first_time FROM seen WHERE dimension = 'network' AND token_id IS NOT NULL GROUP BY org, token_id, value
),
sited AS (
  SELECT m.org AS org, m.token_id AS token_id, m.value AS value, m.first_time AS first_time, COALESCE(p.own, FALSE) AS own,
    p.country AS country, p.asn AS asn, p.as_name AS as_name, CASE WHEN p.country IS NOT NULL THEN m.first_time END AS located_time
  FROM networks AS m JOIN places AS p ON m.org = p.org AND m.value = p.network
),
since AS (
  SELECT org, token_id, value, first_time, own, country, asn, as_name,
    MIN(first_time) OVER (PARTITION BY org, token_id, country, asn) AS kin_time, MIN(first_time) OVER (PARTITION BY org, token_id, country) AS country_time,
    MIN(located_time) OVER (PARTITION BY org, token_id) AS located_since
  FROM sited
),
abroad AS (
  SELECT org, token_id, value, 'network' AS dimension, own, country, as_name,
    COALESCE(kin_time < first_time AND country IS NOT NULL AND asn IS NOT NULL, FALSE) AS kin_before,
    COALESCE(country_time >= first_time AND country IS NOT NULL AND located_since < first_time, FALSE) AS country_new
  FROM since
),
found AS (
  SELECT org, token_id, dimension, value, first_time, last_time, n, origins, active_days, first_event, token_first, values_before,
    active_before, fresh_before, LN((active_before + 1) / (fresh_before + 0.5)) AS novelty, known_before, third_time
  FROM first_shown
),
weighed AS (
  SELECT f.org AS org, f.token_id AS token_id, f.dimension AS dimension, f.value AS value, f.first_time AS first_time, f.last_time AS last_time,
    f.n AS n, f.origins AS origins, f.active_days AS active_days, f.first_event AS first_event, f.token_first AS token_first, f.values_before AS values_before,
    f.active_before AS active_before, f.fresh_before AS fresh_before, f.novelty AS novelty, f.known_before AS known_before,
    COALESCE(f.third_time < f.first_time, FALSE) AS shared_before, COALESCE(b.own, FALSE) AS own, b.country AS country, b.as_name AS as_name,
    COALESCE(b.kin_before, FALSE) AS kin_before, COALESCE(b.country_new, FALSE) AS country_new
  FROM found AS f LEFT JOIN abroad AS b ON f.org = b.org AND f.token_id = b.token_id AND f.dimension = b.dimension AND f.value = b.value
)
SELECT w.org AS org, w.token_id AS token_id, w.dimension AS dimension, w.value AS value, w.first_time AS first_time, w.last_time AS last_time,
  w.n AS n, w.origins AS origins, w.active_days AS active_days, w.first_event AS first_event, w.token_first AS token_first, w.values_before AS values_before,
  w.active_before AS active_before, w.fresh_before AS fresh_before, w.novelty AS novelty, w.known_before AS known_before, w.shared_before AS shared_before,
  w.own AS own, w.country AS country, w.kin_before AS kin_before, w.country_new AS country_new,
  CASE WHEN w.dimension <> 'network' THEN w.novelty
    WHEN w.own AND w.novelty > 0 THEN 0.0
    WHEN w.country_new AND w.novelty >= policy.surprise_low AND NOT w.known_before THEN w.novelty + policy.surprise_country
    WHEN w.shared_before AND w.novelty > 0 THEN w.novelty / 4
    WHEN w.known_before OR w.kin_before THEN w.novelty / 2 ELSE w.novelty END AS weight,
  CONCAT(w.value, CASE WHEN w.own THEN ' (one of the organisation''s own networks)'
    WHEN w.country IS NULL THEN ''
    ELSE CONCAT(' (', COALESCE(CONCAT(w.as_name, ', '), ''), w.country, CASE WHEN w.country_new THEN ', where the token never was' WHEN w.kin_before THEN ', as before' ELSE '' END, ')') END) AS place
FROM weighed AS w CROSS JOIN policy
