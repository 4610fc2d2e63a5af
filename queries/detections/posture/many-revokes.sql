--! id          = "PAT-P033"
--! title       = "Many tokens revoked within an hour"
--! severity    = "low"
--! confidence  = "medium"
--! subject     = "user"
--! tables      = ["notable"]
--! message     = "{subject} revoked {count} tokens from {first_time} until {last_time}, each one of at least five within an hour."
--! fix         = "Ask whether this was a clean-up or the answer to an incident."
--! rationale   = "Tokens are revoked in bulk in an incident, or by an attacker who locks others out. The hour may begin at any time; hours that overlap are one burst, and the message describes the latest one."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST AU-12", "NIST CM-6"]
--! attack      = ["T1531"]
--! equivalents = ["P15"]
WITH removals AS (
  SELECT org, actor, time, event_id FROM notable
  WHERE action IN ('Token.PatRevokeEvent', 'Token.PatSystemRevokeEvent') AND actor IS NOT NULL AND NOT COALESCE(service_actor, FALSE)
),
hours AS (
  SELECT org, actor, time, event_id, CASE WHEN LAG(time, 4) OVER (PARTITION BY org, actor ORDER BY time, event_id) >= time - INTERVAL '1 hours' THEN 1 ELSE 0 END AS full_hour
  FROM removals
),
ahead AS (
  SELECT org, actor, time, event_id, full_hour, LEAD(full_hour, 1) OVER (PARTITION BY org, actor ORDER BY time, event_id) AS full_1, LEAD(full_hour, 2) OVER (PARTITION BY org, actor ORDER BY time, event_id) AS full_2, LEAD(full_hour, 3) OVER (PARTITION BY org, actor ORDER BY time, event_id) AS full_3, LEAD(full_hour, 4) OVER (PARTITION BY org, actor ORDER BY time, event_id) AS full_4 FROM hours
),
bulk AS (
  SELECT org, actor, time, event_id, full_hour + COALESCE(full_1, 0) + COALESCE(full_2, 0) + COALESCE(full_3, 0) AS with_before, COALESCE(full_4, 0) AS with_next FROM ahead
),
begun AS (
  SELECT org, actor, time, event_id, CASE WHEN with_before = 0 THEN 1 ELSE 0 END AS begins FROM bulk WHERE with_before + with_next > 0
),
numbered AS (SELECT org, actor, time, event_id, SUM(begins) OVER (PARTITION BY org, actor ORDER BY time, event_id) AS burst FROM begun)
SELECT org, actor AS subject, MIN(time) AS first_time, MAX(time) AS last_time, COUNT(*) AS count, STRING_AGG(event_id, ' ') AS event_ids
FROM numbered GROUP BY org, actor, burst
