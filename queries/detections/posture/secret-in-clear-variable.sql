--! id          = "PAT-P014"
--! title       = "Variable that looks like a secret, not marked as one"
--! severity    = "medium"
--! confidence  = "medium"
--! subject     = "user"
--! tables      = ["notable"]
--! needs       = { actions = ["Library.VariableGroupModified", "Library.VariableGroupCreated"], fields = ["d_variables"] }
--! message     = "{subject} changed the variable group {group_name}, in which {variables} look like secrets by name and are not marked as such."
--! fix         = "Mark the variable as secret or move it to a key vault, and change the value."
--! rationale   = "Each variable is judged alone: one variable that is marked does not excuse the rest, and the word isSecret in the data is not a name. Names are split into words, so monkey and KeyVaultName do not count as keys; references to other variables and groups of a key vault are left out. One finding per group, however often it is changed. Only the name is known, so confidence is medium."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST AU-12", "NIST CM-6"]
--! attack      = ["T1552"]
--! equivalents = ["SEN-A10"]
--! keys        = ["group_name", "variables"]
WITH changed AS (
  SELECT org, COALESCE(actor, 'an actor not known') AS actor, time, event_id, COALESCE(d_variable_group_name, d_variable_group_id, 'without a name') AS group_name,
    COALESCE(project, 'no project') AS project, d_clear_secrets AS variables
  FROM notable WHERE action IN ('Library.VariableGroupModified', 'Library.VariableGroupCreated') AND d_clear_secrets IS NOT NULL
    AND LOWER(COALESCE(d_group_type, 'vsts')) <> 'azurekeyvault'
),
lasts AS (
  SELECT org, project, group_name, variables, MIN(time) AS first_time, MAX(time) AS last_time, COUNT(*) AS n, STRING_AGG(event_id, ' ') AS event_ids
  FROM changed GROUP BY org, project, group_name, variables
)
SELECT l.org AS org, c.actor AS subject, l.first_time AS first_time, l.last_time AS last_time, l.n AS count, l.group_name AS group_name, l.project AS project,
  l.variables AS variables, l.event_ids AS event_ids
FROM lasts AS l JOIN changed AS c ON l.org = c.org AND l.project = c.project AND l.group_name = c.group_name AND l.variables = c.variables
WHERE c.time <= l.first_time
