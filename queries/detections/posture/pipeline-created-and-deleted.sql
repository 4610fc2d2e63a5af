--! id          = "PAT-P012"
--! title       = "Pipeline created and deleted within a day"
--! severity    = "medium"
--! confidence  = "high"
--! subject     = "user"
--! tables      = ["notable"]
--! needs       = { actions = ["Release.ReleasePipelineCreated", "Release.ReleasePipelineDeleted", "Pipelines.PipelineCreated", "Pipelines.PipelineDeleted"], fields = ["d_pipeline_id|d_pipeline_name"] }
--! message     = "{subject} created the {sort} pipeline {thing} of {project}, and {remover} deleted it at {last_time}."
--! fix         = "Ask why it was needed for so short a time, and what ran on it."
--! rationale   = "A pipeline that exists for hours can have run anything. The day may begin at any hour, and build pipelines count as well as classic releases. Each project numbers both on its own, so the kind of pipeline and the project must agree too."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST AU-12", "NIST CM-6"]
--! attack      = ["T1072"]
--! equivalents = ["SEN-A16", "SUM-S00021"]
--! keys        = ["sort", "project", "thing"]
WITH made AS (
  SELECT org, CASE WHEN action = 'Release.ReleasePipelineCreated' THEN 'release' ELSE 'build' END AS sort, COALESCE(project_id, project, '') AS project_key,
    COALESCE(project, 'a project not known') AS project, COALESCE(d_pipeline_id, d_pipeline_name) AS thing, actor, time, event_id
  FROM notable WHERE action IN ('Release.ReleasePipelineCreated', 'Pipelines.PipelineCreated') AND COALESCE(d_pipeline_id, d_pipeline_name) IS NOT NULL
),
gone AS (
  SELECT org, CASE WHEN action = 'Release.ReleasePipelineDeleted' THEN 'release' ELSE 'build' END AS sort, COALESCE(project_id, project, '') AS project_key,
    COALESCE(project, 'a project not known') AS project, COALESCE(d_pipeline_id, d_pipeline_name) AS thing, actor, time, event_id
  FROM notable WHERE action IN ('Release.ReleasePipelineDeleted', 'Pipelines.PipelineDeleted') AND COALESCE(d_pipeline_id, d_pipeline_name) IS NOT NULL
)
SELECT m.org AS org, COALESCE(m.actor, 'an actor not known') AS subject, m.time AS first_time, g.time AS last_time, 2 AS count, m.sort AS sort, m.project AS project, m.thing AS thing,
  COALESCE(g.actor, 'an actor not known') AS remover, CONCAT(m.event_id, ' ', g.event_id) AS event_ids
FROM made AS m JOIN gone AS g ON m.org = g.org AND m.sort = g.sort AND m.project_key = g.project_key AND m.thing = g.thing
WHERE g.time >= m.time AND g.time <= m.time + INTERVAL '1 days'
