--! id          = "PAT-P028"
--! title       = "Several agent pools deleted within an hour"
--! severity    = "medium"
--! confidence  = "high"
--! subject     = "user"
--! tables      = ["notable"]
--! message     = "{subject} deleted {count} agent pools from {first_time} until {last_time}, each one of at least three within an hour."
--! fix         = "Ask whether the clean-up was planned; pipelines that use these pools have stopped."
--! rationale   = "At least three pools by one user within any hour. A fixed minimum instead of three standard deviations, because such deletions are too rare for a deviation to mean anything. Hours that overlap are one burst, and the message describes the latest one."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST AU-12", "NIST CM-6"]
--! attack      = ["T1578.002"]
--! equivalents = ["SUM-S00030"]
WITH removals AS (SELECT org, actor, time, event_id FROM notable WHERE action = 'Library.AgentPoolDeleted' AND actor IS NOT NULL),
hours AS (
  SELECT org, actor, time, event_id, CASE WHEN LAG(time, 2) OVER (PARTITION BY org, actor ORDER BY time, event_id) >= time - INTERVAL '1 hours' THEN 1 ELSE 0 END AS full_hour
  FROM removals
),
ahead AS (
  SELECT org, actor, time, event_id, full_hour, LEAD(full_hour, 1) OVER (PARTITION BY org, actor ORDER BY time, event_id) AS full_1, LEAD(full_hour, 2) OVER (PARTITION BY org, actor ORDER BY time, event_id) AS full_2 FROM hours
),
bulk AS (
  SELECT org, actor, time, event_id, full_hour + COALESCE(full_1, 0) AS with_before, COALESCE(full_2, 0) AS with_next FROM ahead
),
begun AS (
  SELECT org, actor, time, event_id, CASE WHEN with_before = 0 THEN 1 ELSE 0 END AS begins FROM bulk WHERE with_before + with_next > 0
),
numbered AS (SELECT org, actor, time, event_id, SUM(begins) OVER (PARTITION BY org, actor ORDER BY time, event_id) AS burst FROM begun)
SELECT org, actor AS subject, MIN(time) AS first_time, MAX(time) AS last_time, COUNT(*) AS count, STRING_AGG(event_id, ' ') AS event_ids
FROM numbered GROUP BY org, actor, burst
