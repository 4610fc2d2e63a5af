--! id          = "PAT-A008"
--! title       = "Token used from two distant networks within an hour"
--! severity    = "medium"
--! confidence  = "medium"
--! subject     = "token"
--! tables      = ["firsts", "policy", "activity"]
--! message     = "The token '{name}' of {owner} was used from the network {network}, new to it, while {other_network} was in use within the same hour."
--! fix         = "Ask the owner whether this use was theirs; if not, revoke the token and review what it changed."
--! rationale   = "One script does not sit in two places. Only a network that is new to a settled token counts, so laptops that switch between home, office and VPN and tokens shared by runners do not fire. Medium when the known network is seen both before and after within an hour and the two differ in their first byte; else low. No location database is used."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST AC-2(12)", "OWASP NHI2"]
--! attack      = ["T1078.004"]
--! equivalents = ["AN-07", "P8"]
--! keys        = ["network"]
--! confirm     = ["network"]
WITH fresh AS (
  SELECT org, token_id, value AS network, first_time AS network_time
  FROM firsts CROSS JOIN policy
  WHERE dimension = 'network' AND values_before >= 1 AND values_before <= policy.settled_values
    AND late_before <= policy.settled_late_values AND active_before >= policy.joint_active_days
),
points AS (
  SELECT org, token_id, network, first_time AS time FROM activity WHERE token_id IS NOT NULL AND network IS NOT NULL
  UNION ALL
  SELECT org, token_id, network, last_time AS time FROM activity WHERE token_id IS NOT NULL AND network IS NOT NULL
),
here AS (
  SELECT f.org AS org, f.token_id AS token_id, f.network AS network, p.time AS here_time
  FROM fresh AS f JOIN points AS p ON f.org = p.org AND f.token_id = p.token_id AND f.network = p.network
  WHERE p.time <= f.network_time + INTERVAL '1 days'
),
pairs AS (
  SELECT h.org AS org, h.token_id AS token_id, h.network AS network, h.here_time AS here_time, p.network AS other_network,
    CASE WHEN p.time <= h.here_time THEN 1 ELSE 0 END AS before, CASE WHEN p.time >= h.here_time THEN 1 ELSE 0 END AS after
  FROM here AS h JOIN points AS p ON h.org = p.org AND h.token_id = p.token_id
  WHERE h.network <> p.network AND p.time >= h.here_time - INTERVAL '1 hours' AND p.time <= h.here_time + INTERVAL '1 hours'
),
summed AS (
  SELECT org, token_id, network, other_network, MIN(here_time) AS first_time, MAX(here_time) AS last_time, MAX(before) AS before, MAX(after) AS after
  FROM pairs GROUP BY org, token_id, network, other_network
)
SELECT s.org AS org, s.token_id AS subject, s.first_time AS first_time, s.last_time AS last_time, s.network AS network,
  s.other_network AS other_network, s.before + s.after = 2 AS interleaved,
  CASE WHEN s.before + s.after = 2 AND SPLIT_PART(s.network, '.', 1) <> SPLIT_PART(s.other_network, '.', 1) THEN 'medium' ELSE 'low' END AS severity
FROM summed AS s
