--! id          = "PAT-P019"
--! title       = "Release approved by an approver new in this window"
--! severity    = "low"
--! confidence  = "medium"
--! subject     = "user"
--! tables      = ["notable", "policy"]
--! message     = "{subject} approved releases for the first time in this window in {list}."
--! fix         = "Ask the user what the change was for."
--! rationale   = "An approval by somebody who never gave one may be a stand-in or a stolen session. Events before the window are not considered."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST AU-12", "NIST CM-6"]
--! attack      = ["T1078"]
--! equivalents = ["SEN-H08"]
--! list        = { column = "thing", noun = "project" }
WITH changes AS (SELECT org, actor, time, event_id, token_id, COALESCE(project, 'a project') AS thing FROM notable WHERE action LIKE 'Release.Approval%' AND actor IS NOT NULL),
firsts_of AS (SELECT org, actor, thing, MIN(time) AS first_time, MAX(time) AS last_time, COUNT(*) AS n, STRING_AGG(event_id, ' ') AS event_ids FROM changes GROUP BY org, actor, thing),
known AS (SELECT org, thing, MIN(time) AS known_since FROM changes GROUP BY org, thing)
SELECT f.org AS org, f.actor AS subject, f.first_time AS first_time, f.last_time AS last_time, f.n AS count, f.thing AS thing, f.event_ids AS event_ids
FROM firsts_of AS f JOIN known AS k ON f.org = k.org AND f.thing = k.thing CROSS JOIN policy
WHERE f.first_time >= k.known_since + INTERVAL '1 days' * policy.learning_days AND f.first_time >= policy.window_from + INTERVAL '1 days' * policy.learning_days
