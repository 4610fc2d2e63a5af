--! id          = "PAT-P002"
--! title       = "Extension installed"
--! severity    = "low"
--! confidence  = "high"
--! subject     = "user"
--! tables      = ["notable"]
--! message     = "{subject} installed the extension {what}."
--! fix         = "Check the publisher and the permissions that the extension asks for."
--! rationale   = "An extension runs with its own rights in every project. Microsoft's publishers are left out. Low, since most extensions are wanted."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST AU-12", "NIST CM-6"]
--! attack      = ["T1505"]
--! equivalents = ["SEN-A07", "SUM-S00094"]
--! keys        = ["what"]
WITH hits AS (
  SELECT org, COALESCE(actor, 'an actor not known') AS who, time, event_id, action, kind, CONCAT(COALESCE(d_extension, 'without a name'), ' of ', COALESCE(d_publisher, 'a publisher not known')) AS what, network, token_id
  FROM notable WHERE action = 'Extension.Installed' AND COALESCE(LOWER(d_publisher), 'none') NOT IN ('ms', 'ms-devlabs', 'microsoft', 'ms-vsts', 'ms-azuretools')
),
placed AS (
  SELECT org, who, time, event_id, action, kind, what, network, token_id,
    ROW_NUMBER() OVER (PARTITION BY org, who, what ORDER BY time DESC NULLS LAST, event_id DESC NULLS LAST) AS place
  FROM hits
)
SELECT org, who AS subject, MIN(time) AS first_time, MAX(time) AS last_time, COUNT(*) AS count, MAX(CASE WHEN place = 1 THEN action END) AS action,
  MAX(CASE WHEN place = 1 THEN kind END) AS kind, what, MAX(CASE WHEN place = 1 THEN network END) AS network, MAX(CASE WHEN place = 1 THEN token_id END) AS token_id,
  STRING_AGG(event_id, ' ') AS event_ids
FROM placed GROUP BY org, who, what
