--! id          = "PAT-P021"
--! title       = "Agent pool created"
--! severity    = "low"
--! confidence  = "high"
--! subject     = "user"
--! tables      = ["notable"]
--! message     = "{subject} created the agent pool {what}."
--! fix         = "Check that the pool is wanted and who may use it."
--! rationale   = "A self-hosted pool is a way into the network behind it. Low: pools are made in the course of work."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST AU-12", "NIST CM-6", "ISO A.8.15", "SOC 2 CC7.2", "PCI 10.4.1", "CICD-SEC-10"]
--! attack      = ["T1578"]
--! equivalents = ["SEN-H05", "SUM-S00099"]
--! keys        = ["what"]
SELECT org, COALESCE(actor, 'an actor not known') AS subject, MIN(time) AS first_time, MAX(time) AS last_time, COUNT(*) AS count, MAX(action) AS action,
  MAX(kind) AS kind, MAX(COALESCE(d_pool_name, 'without a name')) AS what, MAX(network) AS network, MAX(token_id) AS token_id, STRING_AGG(event_id, ' ') AS event_ids
FROM notable WHERE action = 'Library.AgentPoolCreated'
GROUP BY org, COALESCE(actor, 'an actor not known'), COALESCE(d_pool_name, 'without a name')
