--! id          = "PAT-P031"
--! title       = "Pipeline that runs many service connections"
--! severity    = "low"
--! confidence  = "medium"
--! subject     = "other"
--! tables      = ["connection_runs", "policy"]
--! message     = "The pipeline {subject} ran {count} service connections, {latest} of them new after the learning span."
--! fix         = "Check the pipeline for steps that were added, and limit which pipelines may use the connections."
--! rationale   = "A pipeline that reaches for ever more connections may be harvesting them. More than the policy's number in the window, and at least one that it did not run in its learning span: medium then, else low."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST AU-12", "NIST CM-6"]
--! attack      = ["T1098", "T1496"]
--! equivalents = ["SEN-A14", "SEN-A15"]
WITH first_runs AS (
  SELECT org, COALESCE(project, 'a project') AS project, definition_id AS definition, connection_id AS connection,
    MIN(first_time) AS first_run, MAX(last_time) AS last_run, MAX(event_id) AS event_id
  FROM connection_runs GROUP BY org, COALESCE(project, 'a project'), definition_id, connection_id
),
starts AS (SELECT org, project, definition, MIN(first_run) AS started FROM first_runs GROUP BY org, project, definition),
judged AS (
  SELECT r.org AS org, r.project AS project, r.definition AS definition, r.connection AS connection, r.first_run AS first_run, r.last_run AS last_run, r.event_id AS event_id,
    CASE WHEN r.first_run >= s.started + INTERVAL '1 days' * policy.learning_days THEN 1 ELSE 0 END AS late
  FROM first_runs AS r JOIN starts AS s ON r.org = s.org AND r.project = s.project AND r.definition = s.definition CROSS JOIN policy
),
summed AS (
  SELECT org, CONCAT(project, '/', definition) AS pipeline, MIN(first_run) AS first_time, MAX(last_run) AS last_time, COUNT(*) AS connections, SUM(late) AS latest, STRING_AGG(event_id, ' ') AS event_ids
  FROM judged GROUP BY org, CONCAT(project, '/', definition)
)
SELECT s.org AS org, s.pipeline AS subject, s.first_time AS first_time, s.last_time AS last_time, s.connections AS count, s.latest AS latest, s.event_ids AS event_ids,
  CASE WHEN s.latest >= 1 THEN 'medium' ELSE 'low' END AS severity
FROM summed AS s CROSS JOIN policy WHERE s.connections > policy.pipeline_connections
