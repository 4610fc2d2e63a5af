--! id          = "PAT-P014"
--! title       = "Variable that looks like a secret, not marked as one"
--! severity    = "medium"
--! confidence  = "low"
--! subject     = "user"
--! tables      = ["notable"]
--! message     = "{subject} changed the variable group {group_name}; a variable in it has a secret-like name and nothing in it is marked as a secret."
--! fix         = "Mark the variable as secret or move it to a key vault, and change the value."
--! rationale   = "Reads names in the event's data. A group without any secret flag and with a secret-like word is reported; a group that holds both kinds is not judged, since the columns do not tell them apart."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST AU-12", "NIST CM-6"]
--! attack      = ["T1552"]
--! equivalents = ["SEN-A10"]
--! keys        = ["group_name"]
WITH groups AS (
  SELECT org, actor, time, event_id, COALESCE(d_variable_group_name, d_variable_group_id, 'without a name') AS group_name, LOWER(d_variables) AS variables
  FROM notable WHERE action LIKE 'Library.VariableGroup%' AND d_variables IS NOT NULL AND COALESCE(d_group_type, 'Vsts') <> 'AzureKeyVault'
)
SELECT org, COALESCE(actor, 'an actor not known') AS subject, MIN(time) AS first_time, MAX(time) AS last_time, COUNT(*) AS count, group_name, STRING_AGG(event_id, ' ') AS event_ids
FROM groups
WHERE (variables LIKE '%password%' OR variables LIKE '%secret%' OR variables LIKE '%pwd%' OR variables LIKE '%cred%' OR variables LIKE '%apikey%' OR variables LIKE '%token%' OR variables LIKE '%_pat%' OR variables LIKE '%key%')
  AND variables NOT LIKE '%issecret":true%' AND variables NOT LIKE '%issecret": true%' AND variables NOT LIKE '%issecret":"true"%'
GROUP BY org, COALESCE(actor, 'an actor not known'), group_name
