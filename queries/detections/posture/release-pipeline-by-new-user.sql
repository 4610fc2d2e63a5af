--! id          = "PAT-P018"
--! title       = "Pipeline created by a user new to it in this window"
--! severity    = "low"
--! confidence  = "medium"
--! subject     = "user"
--! tables      = ["notable", "policy"]
--! message     = "{subject} created a pipeline in the project {thing} for the first time in this window; users who did so in the window: {actors}."
--! fix         = "Ask the user what the change was for."
--! rationale   = "A new pipeline runs with the rights of the project's build identity. Low: that is how projects grow. Events before the window are not considered."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST AU-12", "NIST CM-6"]
--! attack      = ["T1053"]
--! equivalents = ["SEN-H09", "SUM-S00092"]
--! keys        = ["thing"]
WITH changes AS (SELECT org, actor, time, event_id, token_id, COALESCE(project, 'a project') AS thing FROM notable WHERE action IN ('Release.ReleasePipelineCreated', 'Pipelines.PipelineCreated') AND actor IS NOT NULL),
firsts_of AS (SELECT org, actor, thing, MIN(time) AS first_time, MAX(time) AS last_time, COUNT(*) AS n, STRING_AGG(event_id, ' ') AS event_ids FROM changes GROUP BY org, actor, thing),
known AS (SELECT org, thing, MIN(time) AS known_since, COUNT(DISTINCT actor) AS actors FROM changes GROUP BY org, thing)
SELECT f.org AS org, f.actor AS subject, f.first_time AS first_time, f.last_time AS last_time, f.n AS count, f.thing AS thing, k.actors AS actors, f.event_ids AS event_ids
FROM firsts_of AS f JOIN known AS k ON f.org = k.org AND f.thing = k.thing CROSS JOIN policy
WHERE f.first_time >= k.known_since + INTERVAL '1 days' * policy.learning_days AND f.first_time >= policy.window_from + INTERVAL '1 days' * policy.learning_days
