--! id          = "PAT-P033"
--! title       = "Many tokens revoked within an hour"
--! severity    = "low"
--! confidence  = "medium"
--! subject     = "user"
--! tables      = ["notable"]
--! message     = "{subject} revoked {count} tokens within an hour, until {last_time}."
--! fix         = "Ask whether this was a clean-up or the answer to an incident."
--! rationale   = "Revoking in bulk is either an incident or an attacker who locks others out. The hour slides."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST AU-12", "NIST CM-6", "ISO A.8.15", "SOC 2 CC7.2", "PCI 10.4.1", "CICD-SEC-10"]
--! attack      = ["T1531"]
--! equivalents = ["P15"]
WITH revokes AS (SELECT org, actor, time, event_id, LAG(time, 4) OVER (PARTITION BY org, actor ORDER BY time) AS fifth_before FROM notable WHERE action IN ('Token.PatRevokeEvent', 'Token.PatSystemRevokeEvent') AND actor IS NOT NULL AND NOT COALESCE(service_actor, FALSE))
SELECT org, actor AS subject, MIN(fifth_before) AS first_time, MAX(time) AS last_time, COUNT(*) + 4 AS count, STRING_AGG(event_id, ' ') AS event_ids
FROM revokes WHERE fifth_before >= time - INTERVAL '1 hours' GROUP BY org, actor
