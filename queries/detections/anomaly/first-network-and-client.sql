--! id          = "PAT-A001"
--! title       = "Token used from a first network with a first client"
--! severity    = "high"
--! confidence  = "high"
--! subject     = "token"
--! tables      = ["firsts", "policy", "seen"]
--! message     = "The token '{name}' of {owner} was used from the network {place} with the client {client}, both for the first time."
--! fix         = "Ask the owner whether this use was theirs; if not, revoke the token and review what it changed."
--! rationale   = "A new network alone is a move and a new client alone is an upgrade; both within an hour are what a stolen token looks like. Its weight is learned from the token itself: a network counts little where new ones come every week (hosted agents, people who travel), half where others of the organisation use it already, and a quarter where three do, as in the office or its VPN. One of the organisation's own networks or a known operator counts less, a country new to the token more. High from about sixteen steady days on, medium from five, low below that or in the first week. Also low where the token moved: it continues from there for a week or more without a pause, and none of its older networks shows again, while a thief works at the same time as the owner. So a move is high until a week has passed. Reads are not in the log, so the first visible use may be late."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST AC-2(12)", "OWASP NHI2"]
--! attack      = ["T1528", "T1078.004"]
--! equivalents = ["AN-07", "P5"]
--! keys        = ["network", "client"]
--! confirm     = ["network"]
WITH networks AS (
  SELECT org, token_id, value AS network, first_time AS network_time, token_first, values_before, active_before, fresh_before,
    last_time AS network_last, active_days, weight AS surprise, known_before, shared_before, place
  FROM firsts WHERE dimension = 'network'
),
clients AS (
  SELECT org, token_id, value AS client, first_time AS client_time, last_time AS client_last, n, values_before, novelty AS surprise
  FROM firsts WHERE dimension = 'client'
),
moves AS (
  SELECT n.org AS org, n.token_id AS token_id, n.network AS network, n.network_time AS network_time, n.token_first AS token_first, n.values_before AS networks_before,
    n.active_before AS active_before, n.fresh_before AS fresh_before, n.known_before AS known_before, n.shared_before AS shared_before,
    n.network_last AS network_last, n.active_days AS active_days, n.place AS place, c.client AS client, c.client_time AS client_time,
    c.client_last AS client_last, c.n AS n, c.values_before AS clients_before,
    CASE WHEN n.surprise > 0 THEN n.surprise ELSE 0 END + CASE WHEN c.surprise > 0 THEN c.surprise ELSE 0 END AS surprise
  FROM networks AS n JOIN clients AS c ON n.org = c.org AND n.token_id = c.token_id
  WHERE c.client_time >= n.network_time - INTERVAL '1 hours' AND c.client_time <= n.network_time + INTERVAL '1 hours'
    AND n.values_before >= 1 AND c.values_before >= 1 AND n.active_before >= 1
),
older AS (
  SELECT m.org AS org, m.token_id AS token_id, m.network AS network, m.client AS client, MAX(s.last_time) AS old_last
  FROM moves AS m JOIN seen AS s ON m.org = s.org AND m.token_id = s.token_id
  WHERE s.dimension = 'network' AND s.first_time < m.network_time - INTERVAL '1 days' GROUP BY m.org, m.token_id, m.network, m.client
),
settled AS (
  SELECT m.org AS org, m.token_id AS token_id, m.network AS network, m.client AS client, COALESCE(o.old_last < m.network_time + INTERVAL '1 days'
      AND o.old_last >= m.network_time - INTERVAL '1 days' * policy.move_days AND m.network_last >= m.network_time + INTERVAL '1 days' * policy.move_days
      AND m.active_days >= policy.learning_active_days, FALSE) AS moved
  FROM moves AS m LEFT JOIN older AS o ON m.org = o.org AND m.token_id = o.token_id AND m.network = o.network AND m.client = o.client CROSS JOIN policy
)
SELECT m.org AS org, m.token_id AS subject, m.network_time AS first_time,
  CASE WHEN m.client_last > m.network_time + INTERVAL '1 days' THEN m.network_time + INTERVAL '1 days' ELSE m.client_last END AS last_time, m.n AS count,
  m.network AS network, m.client AS client, m.networks_before AS networks_before, m.clients_before AS clients_before,
  m.active_before AS active_days_before, m.fresh_before AS days_with_new_networks, m.known_before AS network_known_to_others, m.client_last AS last_seen, m.surprise AS surprise, m.place AS place, t.moved AS moved_for_good,
  CASE WHEN t.moved OR m.network_time < m.token_first + INTERVAL '1 days' * policy.joint_days THEN 'low'
    WHEN m.surprise >= policy.surprise_high THEN 'high' WHEN m.surprise >= policy.surprise_medium THEN 'medium' ELSE 'low' END AS severity
FROM moves AS m JOIN settled AS t ON m.org = t.org AND m.token_id = t.token_id AND m.network = t.network AND m.client = t.client CROSS JOIN policy
WHERE m.network_time >= m.token_first + INTERVAL '1 days' AND m.surprise >= policy.surprise_low
