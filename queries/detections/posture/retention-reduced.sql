--! id          = "PAT-P013"
--! title       = "Retention reduced"
--! severity    = "low"
--! confidence  = "high"
--! subject     = "user"
--! tables      = ["notable"]
--! needs       = { actions = ["Pipelines.PipelineRetentionSettingChanged"], fields = ["d_old_value", "d_new_value"] }
--! message     = "{subject} reduced the retention {setting} from {old_value} to {new_value}."
--! fix         = "Restore the value unless the change was decided."
--! rationale   = "Short retention removes the traces of a run. Any lowering counts; medium when the new value is 1 or below half of the old one."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST AU-12", "NIST CM-6"]
--! attack      = ["T1564"]
--! equivalents = ["SEN-A09", "SUM-S00993"]
--! keys        = ["setting", "project"]
WITH changes AS (
  SELECT org, actor, time, event_id, d_setting AS setting, CAST(d_old_value AS DOUBLE) AS old_number, CAST(d_new_value AS DOUBLE) AS new_number, d_old_value, d_new_value, project
  FROM notable WHERE action = 'Pipelines.PipelineRetentionSettingChanged' AND d_old_value ~ '^[0-9]+$' AND d_new_value ~ '^[0-9]+$'
)
SELECT org, COALESCE(actor, 'an actor not known') AS subject, time AS first_time, time AS last_time, event_id, COALESCE(setting, 'without a name') AS setting,
  d_old_value AS old_value, d_new_value AS new_value, COALESCE(project, 'none') AS project,
  CASE WHEN new_number <= 1 OR new_number < old_number / 2 THEN 'medium' ELSE 'low' END AS severity
FROM changes WHERE new_number < old_number
