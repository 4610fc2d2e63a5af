--! id          = "PAT-P027"
--! title       = "Release deleted soon after its pipeline was changed"
--! severity    = "medium"
--! confidence  = "medium"
--! subject     = "user"
--! tables      = ["notable"]
--! needs       = { actions = ["Release.ReleasePipelineModified", "Release.ReleaseDeleted"], fields = ["d_pipeline_id|d_pipeline_name"] }
--! message     = "{subject} changed the release pipeline {thing} of {project} and deleted a release of it at {last_time}, within an hour."
--! fix         = "Look at what the release ran before it was deleted."
--! rationale   = "Change, run, delete is a way to hide a run. The hour may begin at any minute, so a pair across the full hour is not missed. A deleted release gives the name of its pipeline, which is unique within a project."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST AU-12", "NIST CM-6"]
--! attack      = ["T1053", "T1070"]
--! equivalents = ["SEN-H03"]
--! keys        = ["project", "thing"]
WITH changed AS (
  SELECT org, actor, COALESCE(project_id, project, '') AS project_key, COALESCE(project, 'a project not known') AS project, COALESCE(d_pipeline_name, d_pipeline_id) AS thing, time, event_id
  FROM notable WHERE action = 'Release.ReleasePipelineModified' AND actor IS NOT NULL AND COALESCE(d_pipeline_name, d_pipeline_id) IS NOT NULL
),
deleted AS (
  SELECT org, actor, COALESCE(project_id, project, '') AS project_key, COALESCE(project, 'a project not known') AS project, COALESCE(d_pipeline_name, d_pipeline_id) AS thing, time, event_id
  FROM notable WHERE action = 'Release.ReleaseDeleted' AND actor IS NOT NULL AND COALESCE(d_pipeline_name, d_pipeline_id) IS NOT NULL
)
SELECT c.org AS org, c.actor AS subject, c.time AS first_time, d.time AS last_time, 2 AS count, c.project AS project, c.thing AS thing, CONCAT(c.event_id, ' ', d.event_id) AS event_ids
FROM changed AS c JOIN deleted AS d ON c.org = d.org AND c.actor = d.actor AND c.project_key = d.project_key AND c.thing = d.thing
WHERE d.time >= c.time AND d.time <= c.time + INTERVAL '1 hours'
