--! id          = "PAT-P028"
--! title       = "Several agent pools deleted within an hour"
--! severity    = "medium"
--! confidence  = "high"
--! subject     = "user"
--! tables      = ["notable"]
--! message     = "{subject} deleted {count} agent pools within an hour, until {last_time}."
--! fix         = "Ask whether the clean-up was planned; pipelines that use these pools have stopped."
--! rationale   = "At least three pools by one user within any hour. A plain floor instead of three standard deviations, because such deletions are too rare for a deviation to mean anything."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST AU-12", "NIST CM-6"]
--! attack      = ["T1578.002"]
--! equivalents = ["SUM-S00030"]
WITH removals AS (SELECT org, actor, time, event_id FROM notable WHERE action = 'Library.AgentPoolDeleted' AND actor IS NOT NULL),
gone AS (SELECT org, actor, time, LAG(time, 2) OVER (PARTITION BY org, actor ORDER BY time) AS third_before FROM removals),
bulk AS (SELECT org, actor, MIN(third_before) AS first_time, MAX(time) AS last_time FROM gone WHERE third_before >= time - INTERVAL '1 hours' GROUP BY org, actor)
SELECT b.org AS org, b.actor AS subject, MIN(b.first_time) AS first_time, MAX(b.last_time) AS last_time, COUNT(*) AS count, STRING_AGG(r.event_id, ' ') AS event_ids
FROM bulk AS b JOIN removals AS r ON b.org = r.org AND b.actor = r.actor WHERE r.time >= b.first_time AND r.time <= b.last_time
GROUP BY b.org, b.actor
