--! id          = "PAT-P016"
--! title       = "Variable group changed by a user new to it in this window"
--! severity    = "low"
--! confidence  = "medium"
--! subject     = "user"
--! tables      = ["notable", "policy"]
--! message     = "{subject} changed, for the first time in this window, {list}."
--! fix         = "Ask the user what the change was for."
--! rationale   = "Changing a variable that a pipeline trusts runs code with the pipeline's rights. Low, since teams share groups; groups are compared by id, so groups with one name in two projects are kept apart. Events before the window are not considered."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST AU-12", "NIST CM-6"]
--! attack      = ["T1578"]
--! equivalents = ["SEN-A11", "SUM-S00097"]
--! list        = { column = "thing", noun = "variable group" }
WITH changes AS (SELECT org, actor, time, event_id, token_id, COALESCE(d_variable_group_id, d_variable_group_name, 'a variable group') AS thing FROM notable WHERE action LIKE 'Library.VariableGroupModified%' AND actor IS NOT NULL),
firsts_of AS (SELECT org, actor, thing, MIN(time) AS first_time, MAX(time) AS last_time, COUNT(*) AS n, STRING_AGG(event_id, ' ') AS event_ids FROM changes GROUP BY org, actor, thing),
known AS (SELECT org, thing, MIN(time) AS known_since FROM changes GROUP BY org, thing)
SELECT f.org AS org, f.actor AS subject, f.first_time AS first_time, f.last_time AS last_time, f.n AS count, f.thing AS thing, f.event_ids AS event_ids
FROM firsts_of AS f JOIN known AS k ON f.org = k.org AND f.thing = k.thing CROSS JOIN policy
WHERE f.first_time >= k.known_since + INTERVAL '1 days' * policy.learning_days AND f.first_time >= policy.window_from + INTERVAL '1 days' * policy.learning_days
