--! id          = "PAT-A008"
--! title       = "Token used from two networks at once"
--! severity    = "medium"
--! confidence  = "medium"
--! subject     = "token"
--! tables      = ["firsts", "policy", "activity", "token_dates", "stays", "places"]
--! message     = "The token '{name}' of {owner} was used from the network {place}, new to it, while {other_network} was in use within the hour; its networks overlapped on {crossed_before} of {active_days_before} earlier days."
--! fix         = "Ask the owner whether this use was theirs; if not, revoke the token and review what it changed."
--! rationale   = "One script does not sit in two places. How often its stays in two networks overlap is learned from the token: laptops that switch between office and VPN and tokens shared by runners do so every week and do not fire. Two events within an hour of each other are needed. Medium when the two alternate, the token was steady for ten days or more, new networks are rare for it, nobody else of the organisation used this one and the two differ in their first byte; low otherwise, and where IPv4 and IPv6 alternate, since one machine speaks both. Where the places are known, they decide instead of the first byte: one of the organisation's own networks, or one operator in one country, does not count as distant; two countries do."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST AC-2(12)", "OWASP NHI2"]
--! attack      = ["T1078.004"]
--! equivalents = ["AN-07", "P8"]
--! keys        = ["network"]
--! confirm     = ["network"]
--! flagged     = "met"
WITH crossed_days AS (SELECT org, token_id, date FROM stays WHERE crossed GROUP BY org, token_id, date),
numbered AS (SELECT org, token_id, date, ROW_NUMBER() OVER (PARTITION BY org, token_id ORDER BY date) AS crossed_place FROM crossed_days),
active AS (SELECT org, token_id, date, ROW_NUMBER() OVER (PARTITION BY org, token_id ORDER BY date) AS day_number FROM token_dates),
odd AS (
  SELECT n.org AS org, n.token_id AS token_id, n.date AS date, n.crossed_place - 1 AS crossed_before, d.day_number - 1 AS active_before,
    LN(d.day_number / (n.crossed_place - 0.5)) AS surprise
  FROM numbered AS n JOIN active AS d ON n.org = d.org AND n.token_id = d.token_id AND n.date = d.date
),
rare AS (
  SELECT o.org AS org, o.token_id AS token_id, o.date AS date, o.crossed_before AS crossed_before, o.active_before AS active_before, o.surprise AS surprise
  FROM odd AS o CROSS JOIN policy WHERE o.surprise >= policy.surprise_low
),
fresh AS (
  SELECT org, token_id, CAST(first_time AS DATE) AS date, value AS network, novelty, known_before, place, own
  FROM firsts WHERE dimension = 'network' AND values_before >= 1
),
arrived AS (
  SELECT r.org AS org, r.token_id AS token_id, r.date AS date, f.network AS network, r.crossed_before AS crossed_before,
    r.active_before AS active_before, r.surprise AS surprise, f.novelty AS novelty, f.known_before AS known_before, f.place AS place, f.own AS own
  FROM rare AS r JOIN fresh AS f ON r.org = f.org AND r.token_id = f.token_id AND r.date = f.date
),
came AS (
  SELECT a.org AS org, a.token_id AS token_id, a.date AS date, a.network AS network, a.crossed_before AS crossed_before, a.active_before AS active_before,
    a.surprise AS surprise, a.novelty AS novelty, a.known_before AS known_before, a.place AS place, a.own AS own, s.first_time AS first_time, s.last_time AS last_time
  FROM arrived AS a JOIN stays AS s ON a.org = s.org AND a.token_id = s.token_id AND a.date = s.date AND a.network = s.network
),
met AS (
  SELECT c.org AS org, c.token_id AS token_id, c.date AS date, c.network AS network, s.network AS other_network,
    c.crossed_before AS crossed_before, c.active_before AS active_before, c.surprise AS surprise, c.novelty AS novelty, c.known_before AS known_before,
    c.place AS place, c.own AS own
  FROM came AS c JOIN stays AS s ON c.org = s.org AND c.token_id = s.token_id AND c.date = s.date
  WHERE c.network <> s.network AND c.first_time <= s.last_time AND s.first_time <= c.last_time
),
points AS (
  SELECT org, token_id, date, network, first_time AS time FROM activity WHERE token_id IS NOT NULL AND network IS NOT NULL
  UNION ALL
  SELECT org, token_id, date, network, last_time AS time FROM activity WHERE token_id IS NOT NULL AND network IS NOT NULL
),
here AS (
  SELECT m.org AS org, m.token_id AS token_id, m.date AS date, m.network AS network, m.other_network AS other_network, p.time AS here_time
  FROM met AS m JOIN points AS p ON m.org = p.org AND m.token_id = p.token_id AND m.date = p.date AND m.network = p.network
),
near AS (
  SELECT h.org AS org, h.token_id AS token_id, h.date AS date, h.network AS network, h.other_network AS other_network, h.here_time AS here_time, p.time AS there_time
  FROM here AS h JOIN points AS p ON h.org = p.org AND h.token_id = p.token_id AND h.date = p.date AND h.other_network = p.network
  WHERE p.time >= h.here_time - INTERVAL '1 hours' AND p.time <= h.here_time + INTERVAL '1 hours'
),
summed AS (
  SELECT org, token_id, date, network, other_network, MIN(here_time) AS first_time, MAX(here_time) AS last_time, MIN(there_time) AS there_from, MAX(there_time) AS there_to
  FROM near GROUP BY org, token_id, date, network, other_network
),
sites AS (SELECT org, network, COALESCE(country, '') AS country, COALESCE(asn, 0) AS asn FROM places),
sides AS (
  SELECT m.org AS org, m.token_id AS token_id, m.date AS date, m.network AS network, m.other_network AS other_network, COALESCE(a.country, '') AS country, COALESCE(a.asn, 0) AS asn
  FROM met AS m LEFT JOIN sites AS a ON m.org = a.org AND m.network = a.network
),
apart AS (
  SELECT s.org AS org, s.token_id AS token_id, s.date AS date, s.network AS network, s.other_network AS other_network,
    s.country <> '' AND COALESCE(b.country, '') <> '' AND s.country <> COALESCE(b.country, '') AS far,
    s.country <> '' AND s.asn > 0 AND s.country = COALESCE(b.country, '') AND s.asn = COALESCE(b.asn, 0) AS near_by
  FROM sides AS s LEFT JOIN sites AS b ON s.org = b.org AND s.other_network = b.network
)
SELECT m.org AS org, m.token_id AS subject, s.first_time AS first_time, s.last_time AS last_time, m.network AS network,
  m.other_network AS other_network, m.crossed_before AS crossed_before, m.active_before AS active_days_before, m.known_before AS network_known_to_others, m.surprise AS surprise, m.place AS place, d.far AS in_two_countries,
  CASE WHEN s.there_from <= s.last_time AND s.there_to >= s.first_time AND NOT m.known_before AND m.surprise >= policy.surprise_steady AND m.novelty >= policy.surprise_low AND NOT m.own AND NOT d.near_by
      AND m.network NOT LIKE '%:%' AND m.other_network NOT LIKE '%:%'
      AND (d.far OR SPLIT_PART(m.network, '.', 1) <> SPLIT_PART(m.other_network, '.', 1)) THEN 'medium' ELSE 'low' END AS severity
FROM met AS m JOIN summed AS s ON m.org = s.org AND m.token_id = s.token_id AND m.date = s.date AND m.network = s.network AND m.other_network = s.other_network
  JOIN apart AS d ON m.org = d.org AND m.token_id = d.token_id AND m.date = d.date AND m.network = d.network AND m.other_network = d.other_network
CROSS JOIN policy
