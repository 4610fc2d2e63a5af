--! id          = "PAT-P012"
--! title       = "Pipeline created and deleted within a day"
--! severity    = "medium"
--! confidence  = "high"
--! subject     = "user"
--! tables      = ["notable"]
--! message     = "{subject} created the pipeline {thing}, and {remover} deleted it at {last_time}."
--! fix         = "Ask why it was needed for so short a time, and what ran on it."
--! rationale   = "A pipeline that lives for hours can have run anything. The span slides across midnight, and build pipelines count as well as classic releases."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST AU-12", "NIST CM-6", "ISO A.8.15", "SOC 2 CC7.2", "PCI 10.4.1", "CICD-SEC-10"]
--! attack      = ["T1072"]
--! equivalents = ["SEN-A16", "SUM-S00021"]
--! keys        = ["thing"]
WITH made AS (SELECT org, COALESCE(d_pipeline_id, d_pipeline_name) AS thing, actor, time AS made_time, event_id AS made_event FROM notable WHERE action IN ('Release.ReleasePipelineCreated', 'Pipelines.PipelineCreated') AND COALESCE(d_pipeline_id, d_pipeline_name) IS NOT NULL),
gone AS (SELECT org, COALESCE(d_pipeline_id, d_pipeline_name) AS thing, actor AS remover, time AS gone_time, event_id AS gone_event FROM notable WHERE action IN ('Release.ReleasePipelineDeleted', 'Pipelines.PipelineDeleted') AND COALESCE(d_pipeline_id, d_pipeline_name) IS NOT NULL)
SELECT m.org AS org, COALESCE(m.actor, 'an actor not known') AS subject, m.made_time AS first_time, g.gone_time AS last_time, 2 AS count, m.thing AS thing,
  COALESCE(g.remover, 'an actor not known') AS remover, CONCAT(m.made_event, ' ', g.gone_event) AS event_ids
FROM made AS m JOIN gone AS g ON m.org = g.org AND m.thing = g.thing
WHERE g.gone_time >= m.made_time AND g.gone_time <= m.made_time + INTERVAL '1 days'
