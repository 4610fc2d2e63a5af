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
--! controls    = ["NIST AU-12", "NIST CM-6"]
--! attack      = ["T1578"]
--! equivalents = ["SEN-H05", "SUM-S00099"]
--! keys        = ["what"]
WITH hits AS (
  SELECT org, COALESCE(actor, 'an actor not known') AS who, time, event_id, action, kind, COALESCE(d_pool_name, 'without a name') AS what, network, token_id
  FROM notable WHERE action = 'Library.AgentPoolCreated'
),
placed AS (
  SELECT org, who, time, event_id, action, kind, what, network, token_id,
    ROW_NUMBER() OVER (PARTITION BY org, who, what ORDER BY time DESC NULLS LAST, event_id DESC NULLS LAST) AS place
  FROM hits
)
SELECT org, who AS subject, MIN(time) AS first_time, MAX(time) AS last_time, COUNT(*) AS count, MAX(CASE WHEN place = 1 THEN action END) AS action,
  MAX(CASE WHEN place = 1 THEN kind END) AS kind, what, MAX(CASE WHEN place = 1 THEN network END) AS network, MAX(CASE WHEN place = 1 THEN token_id END) AS token_id,
  STRING_AGG(event_id, ' ') AS event_ids
FROM placed GROUP BY org, who, what
