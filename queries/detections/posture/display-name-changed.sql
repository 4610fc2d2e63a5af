--! id          = "PAT-P030"
--! title       = "One user under several display names"
--! severity    = "low"
--! confidence  = "medium"
--! subject     = "user"
--! tables      = ["actors"]
--! message     = "{subject} appears under {name_count} display names: {names}."
--! fix         = "Check the directory for who changed the name, and why."
--! rationale   = "A changed name can hide an actor from readers of the log. People are compared by their stable id. Low, since people also change their names when they marry."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST AU-12", "NIST CM-6"]
--! attack      = ["T1036"]
--! equivalents = ["SEN-H12"]
WITH pairs AS (SELECT org, actor_cuid, actor_name, MIN(first_time) AS time, MAX(last_time) AS last_time FROM actors WHERE actor_cuid IS NOT NULL AND actor_name IS NOT NULL AND NOT COALESCE(service_actor, FALSE)
    AND actor_cuid <> '00000000-0000-0000-0000-000000000000' GROUP BY org, actor_cuid, actor_name)
SELECT org, actor_cuid AS subject, MIN(time) AS first_time, MAX(last_time) AS last_time, 0 AS count, COUNT(*) AS name_count, STRING_AGG(actor_name, ', ') AS names
FROM pairs GROUP BY org, actor_cuid HAVING COUNT(*) > 1
