--! id          = "PAT-P032"
--! title       = "Critical permission allowed"
--! severity    = "low"
--! confidence  = "medium"
--! subject     = "user"
--! tables      = ["notable"]
--! needs       = { actions = ["Security.ModifyPermission"], fields = ["d_permission|details"] }
--! message     = "{subject} allowed a critical permission {count} times ({what})."
--! fix         = "Check that the permission was asked for."
--! rationale   = "Only permissions to change builds, to change rights or to skip review count, and only when they are allowed; the published rule that this detection covers fires on every change in the Git namespace. Side effects of another change are left out."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST AU-12", "NIST CM-6"]
--! attack      = ["T1098.003"]
--! equivalents = ["BEN-1"]
--! keys        = ["action"]
WITH hits AS (
  SELECT org, COALESCE(actor, 'an actor not known') AS who, time, event_id, action, kind, COALESCE(d_permission, details, 'no details') AS what, network, token_id
  FROM notable WHERE action = 'Security.ModifyPermission' AND COALESCE(origin, TRUE) AND LOWER(COALESCE(d_permission, details)) LIKE '%allow%' AND (LOWER(COALESCE(d_permission, details)) LIKE '%bypass policies%' OR LOWER(COALESCE(d_permission, details)) LIKE '%manage permissions%' OR LOWER(COALESCE(d_permission, details)) LIKE '%administer build%' OR LOWER(COALESCE(d_permission, details)) LIKE '%edit build pipeline%')
),
placed AS (
  SELECT org, who, time, event_id, action, kind, what, network, token_id,
    ROW_NUMBER() OVER (PARTITION BY org, who, action ORDER BY time DESC NULLS LAST, event_id DESC NULLS LAST) AS place
  FROM hits
)
SELECT org, who AS subject, MIN(time) AS first_time, MAX(time) AS last_time, COUNT(*) AS count, action,
  MAX(CASE WHEN place = 1 THEN kind END) AS kind, MAX(CASE WHEN place = 1 THEN what END) AS what, MAX(CASE WHEN place = 1 THEN network END) AS network, MAX(CASE WHEN place = 1 THEN token_id END) AS token_id,
  STRING_AGG(event_id, ' ') AS event_ids
FROM placed GROUP BY org, who, action
