--! id          = "PAT-P002"
--! title       = "Extension installed"
--! severity    = "low"
--! confidence  = "high"
--! subject     = "user"
--! tables      = ["notable"]
--! message     = "{subject} installed the extension {what}."
--! fix         = "Check the publisher and the permissions that the extension asks for."
--! rationale   = "An extension runs with rights of its own in every project. Publishers of Microsoft are left out; low, since most are wanted."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST AU-12", "NIST CM-6", "ISO A.8.15", "SOC 2 CC7.2", "PCI 10.4.1", "CICD-SEC-10"]
--! attack      = ["T1505"]
--! equivalents = ["SEN-A07", "SUM-S00094"]
--! keys        = ["what"]
SELECT org, COALESCE(actor, 'an actor not known') AS subject, MIN(time) AS first_time, MAX(time) AS last_time, COUNT(*) AS count, MAX(action) AS action,
  MAX(kind) AS kind, MAX(CONCAT(COALESCE(d_extension, 'without a name'), ' of ', COALESCE(d_publisher, 'a publisher not known'))) AS what, MAX(network) AS network, MAX(token_id) AS token_id, STRING_AGG(event_id, ' ') AS event_ids
FROM notable WHERE action = 'Extension.Installed' AND COALESCE(LOWER(d_publisher), 'none') NOT IN ('ms', 'ms-devlabs', 'microsoft', 'ms-vsts', 'ms-azuretools')
GROUP BY org, COALESCE(actor, 'an actor not known'), CONCAT(COALESCE(d_extension, 'without a name'), ' of ', COALESCE(d_publisher, 'a publisher not known'))
