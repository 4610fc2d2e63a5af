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
--! controls    = ["NIST AU-12", "NIST CM-6", "ISO A.8.15", "SOC 2 CC7.2", "PCI 10.4.1", "CICD-SEC-10"]
--! attack      = ["T1578.002"]
--! equivalents = ["SUM-S00030"]
WITH gone AS (SELECT org, actor, time, event_id, LAG(time, 2) OVER (PARTITION BY org, actor ORDER BY time) AS third_before FROM notable WHERE action = 'Library.AgentPoolDeleted' AND actor IS NOT NULL)
SELECT org, actor AS subject, MIN(third_before) AS first_time, MAX(time) AS last_time, COUNT(*) + 2 AS count, STRING_AGG(event_id, ' ') AS event_ids
FROM gone WHERE third_before >= time - INTERVAL '1 hours' GROUP BY org, actor
