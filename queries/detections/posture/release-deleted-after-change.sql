--! id          = "PAT-P027"
--! title       = "Release deleted soon after its pipeline was changed"
--! severity    = "medium"
--! confidence  = "medium"
--! subject     = "user"
--! tables      = ["notable"]
--! message     = "{subject} changed the pipeline {thing} and deleted a release of it at {last_time}, within an hour."
--! fix         = "Look at what the release ran before it was deleted."
--! rationale   = "Change, run, delete is how to hide a run. The hour slides, so a pair across the full hour is not missed."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST AU-12", "NIST CM-6", "ISO A.8.15", "SOC 2 CC7.2", "PCI 10.4.1", "CICD-SEC-10"]
--! attack      = ["T1053", "T1070"]
--! equivalents = ["SEN-H03"]
--! keys        = ["thing"]
WITH changed AS (SELECT org, actor, COALESCE(d_pipeline_name, d_pipeline_id) AS thing, time AS change_time, event_id AS change_event FROM notable WHERE action = 'Release.ReleasePipelineModified' AND actor IS NOT NULL),
deleted AS (SELECT org, actor, COALESCE(d_pipeline_name, d_pipeline_id) AS thing, time AS delete_time, event_id AS delete_event FROM notable WHERE action = 'Release.ReleaseDeleted' AND actor IS NOT NULL)
SELECT c.org AS org, c.actor AS subject, c.change_time AS first_time, d.delete_time AS last_time, 2 AS count, c.thing AS thing, CONCAT(c.change_event, ' ', d.delete_event) AS event_ids
FROM changed AS c JOIN deleted AS d ON c.org = d.org AND c.actor = d.actor AND c.thing = d.thing
WHERE d.delete_time >= c.change_time AND d.delete_time <= c.change_time + INTERVAL '1 hours'
