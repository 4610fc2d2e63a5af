--! id          = "PAT-P029"
--! title       = "Variables added and removed again"
--! severity    = "low"
--! confidence  = "low"
--! subject     = "user"
--! tables      = ["notable"]
--! needs       = { actions = ["Library.VariableGroupModified*"], fields = ["d_variables", "d_variable_group_id|d_variable_group_name"] }
--! message     = "{subject} shortened the variable group {thing} within a day of an earlier change."
--! fix         = "Look at which variables were there in between, and which runs used them."
--! rationale   = "A variable that exists for a short time can redirect a pipeline. Fires on two changes of one group within a day, the later with fewer variables; groups are compared by id where there is one. Low, since ordinary editing looks the same."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST AU-12", "NIST CM-6"]
--! attack      = ["T1578"]
--! equivalents = ["SEN-H10"]
--! keys        = ["thing"]
WITH changes AS (
  SELECT org, COALESCE(d_variable_group_id, CONCAT(project, '/', d_variable_group_name)) AS thing, actor, time, event_id, LENGTH(d_variables) AS size FROM notable
  WHERE action LIKE 'Library.VariableGroupModified%' AND d_variables IS NOT NULL AND actor IS NOT NULL
),
lagged AS (
  SELECT org, thing, actor, time, event_id, size, LAG(size) OVER (PARTITION BY org, thing ORDER BY time) AS before_size,
    LAG(time) OVER (PARTITION BY org, thing ORDER BY time) AS before_time, LAG(event_id) OVER (PARTITION BY org, thing ORDER BY time) AS before_event
  FROM changes WHERE thing IS NOT NULL
)
SELECT org, actor AS subject, before_time AS first_time, time AS last_time, 2 AS count, thing, CONCAT(before_event, ' ', event_id) AS event_ids
FROM lagged WHERE size < before_size AND before_time >= time - INTERVAL '1 days'
