--! id          = "PAT-P017"
--! title       = "Agent added to a pool by a user new to it in this window"
--! severity    = "medium"
--! confidence  = "medium"
--! subject     = "user"
--! tables      = ["notable", "policy"]
--! message     = "{subject} added an agent to the pool {thing} for the first time in this window; users who added agents to it in the window: {actors}."
--! fix         = "Ask the user what the change was for."
--! rationale   = "Whoever adds an agent to a pool receives the jobs and the secrets of its pipelines. A pool that is new in the log is learned from first. Events before the window are not considered."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST AU-12", "NIST CM-6"]
--! attack      = ["T1053"]
--! equivalents = ["SEN-A18", "SUM-S00095"]
--! keys        = ["thing"]
WITH changes AS (SELECT org, actor, time, event_id, token_id, COALESCE(d_pool_name, 'a pool') AS thing FROM notable WHERE action = 'Library.AgentAdded' AND actor IS NOT NULL),
firsts_of AS (SELECT org, actor, thing, MIN(time) AS first_time, MAX(time) AS last_time, COUNT(*) AS n, STRING_AGG(event_id, ' ') AS event_ids FROM changes GROUP BY org, actor, thing),
known AS (SELECT org, thing, MIN(time) AS known_since, COUNT(DISTINCT actor) AS actors FROM changes GROUP BY org, thing)
SELECT f.org AS org, f.actor AS subject, f.first_time AS first_time, f.last_time AS last_time, f.n AS count, f.thing AS thing, k.actors AS actors, f.event_ids AS event_ids
FROM firsts_of AS f JOIN known AS k ON f.org = k.org AND f.thing = k.thing CROSS JOIN policy
WHERE f.first_time >= k.known_since + INTERVAL '1 days' * policy.learning_days AND f.first_time >= policy.window_from + INTERVAL '1 days' * policy.learning_days
