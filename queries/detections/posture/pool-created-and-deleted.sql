--! id          = "PAT-P011"
--! title       = "Agent pool created and deleted within a week"
--! severity    = "high"
--! confidence  = "high"
--! subject     = "user"
--! tables      = ["notable"]
--! needs       = { actions = ["Library.AgentPoolCreated", "Library.AgentPoolDeleted"], fields = ["d_pool_id|d_pool_name"] }
--! message     = "{subject} created the agent pool {thing}, and {remover} deleted it at {last_time}."
--! fix         = "Ask why it was needed for so short a time, and what ran on it."
--! rationale   = "A short-lived self-hosted pool runs code where nobody looks. The week may begin on any day, so a pair at the edge of a calendar week is not missed; pools of a cloud provider are left out."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST AU-12", "NIST CM-6"]
--! attack      = ["T1578.002"]
--! equivalents = ["SEN-A03", "SUM-S00022"]
--! keys        = ["thing"]
WITH made AS (SELECT org, COALESCE(d_pool_id, d_pool_name) AS thing, actor, time AS made_time, event_id AS made_event FROM notable WHERE action IN ('Library.AgentPoolCreated') AND COALESCE(d_pool_id, d_pool_name) IS NOT NULL AND d_agent_cloud_id IS NULL),
gone AS (SELECT org, COALESCE(d_pool_id, d_pool_name) AS thing, actor AS remover, time AS gone_time, event_id AS gone_event FROM notable WHERE action IN ('Library.AgentPoolDeleted') AND COALESCE(d_pool_id, d_pool_name) IS NOT NULL)
SELECT m.org AS org, COALESCE(m.actor, 'an actor not known') AS subject, m.made_time AS first_time, g.gone_time AS last_time, 2 AS count, m.thing AS thing,
  COALESCE(g.remover, 'an actor not known') AS remover, CONCAT(m.made_event, ' ', g.gone_event) AS event_ids
FROM made AS m JOIN gone AS g ON m.org = g.org AND m.thing = g.thing
WHERE g.gone_time >= m.made_time AND g.gone_time <= m.made_time + INTERVAL '7 days'
