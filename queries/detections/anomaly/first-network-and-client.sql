--! id          = "PAT-A001"
--! title       = "Token used from a first network with a first client"
--! severity    = "high"
--! confidence  = "high"
--! subject     = "token"
--! tables      = ["firsts", "policy"]
--! message     = "The token '{name}' of {owner} was used from the network {network} with the client {client}, both for the first time."
--! fix         = "Ask the owner whether this use was theirs; if not, revoke the token and review what it changed."
--! rationale   = "A new network alone is a move and a new client alone is an upgrade; both within an hour are what a stolen token looks like. Less where the token showed many networks before, down to low for those that show new ones all the time (hosted agents), and low while fewer than three days are known. It cannot see reads, so the first visible use may be late."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST AC-2(12)", "OWASP NHI2"]
--! attack      = ["T1528", "T1078.004"]
--! equivalents = ["AN-07", "P5"]
--! keys        = ["network", "client"]
--! confirm     = ["network", "client"]
WITH networks AS (
  SELECT org, token_id, value AS network, first_time AS network_time, first_event AS network_event, token_first,
    values_before AS networks_before, late_before AS late_networks, active_before
  FROM firsts WHERE dimension = 'network'
),
clients AS (
  SELECT org, token_id, value AS client, first_time AS client_time, last_time AS client_last, first_event AS client_event,
    n, values_before AS clients_before, late_before AS late_clients
  FROM firsts WHERE dimension = 'client'
)
SELECT n.org AS org, n.token_id AS subject, n.network_time AS first_time, c.client_last AS last_time, c.n AS count,
  n.network AS network, c.client AS client, n.networks_before AS networks_before, c.clients_before AS clients_before,
  n.active_before AS active_days_before,
  CASE WHEN n.active_before < policy.joint_active_days THEN 'low'
    WHEN n.late_networks <= policy.settled_late_values AND n.networks_before <= policy.settled_values THEN 'high'
    WHEN n.late_networks <= 3 * policy.settled_late_values AND n.networks_before <= 2 * policy.settled_values AND 2 * n.networks_before <= n.active_before THEN 'medium'
    ELSE 'low' END AS severity
FROM networks AS n JOIN clients AS c ON n.org = c.org AND n.token_id = c.token_id CROSS JOIN policy
WHERE c.client_time >= n.network_time - INTERVAL '1 hours' AND c.client_time <= n.network_time + INTERVAL '1 hours'
  AND n.active_before >= 1
  AND n.network_time >= n.token_first + INTERVAL '1 days' * policy.joint_days
  AND n.networks_before >= 1 AND c.clients_before >= 1
  AND c.clients_before <= policy.settled_values AND c.late_clients <= policy.settled_late_values
