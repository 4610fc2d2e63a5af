--! id          = "PAT-P025"
--! title       = "External upstream source added to a feed"
--! severity    = "medium"
--! confidence  = "medium"
--! subject     = "user"
--! tables      = ["notable"]
--! message     = "{subject} changed the upstream sources of the feed {what}; a source outside the organisation may be among them."
--! fix         = "Check the source; a package of an internal name can come from it."
--! rationale   = "Dependency confusion starts with an upstream that answers for internal names. Names are not trusted here: a hostile feed that is named like a known gallery fires too."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST AU-12", "NIST CM-6", "ISO A.8.15", "SOC 2 CC7.2", "PCI 10.4.1", "CICD-SEC-10"]
--! attack      = ["T1199"]
--! equivalents = ["SEN-A17"]
--! keys        = ["what"]
SELECT org, COALESCE(actor, 'an actor not known') AS subject, MIN(time) AS first_time, MAX(time) AS last_time, COUNT(*) AS count, MAX(action) AS action,
  MAX(kind) AS kind, MAX(COALESCE(d_feed_name, 'without a name')) AS what, MAX(network) AS network, MAX(token_id) AS token_id, STRING_AGG(event_id, ' ') AS event_ids
FROM notable WHERE action IN ('Artifacts.Feed.Org.Modify', 'Artifacts.Feed.Project.Modify') AND (LOWER(COALESCE(d_feed_changes, details)) LIKE '%upstream%') AND LOWER(COALESCE(d_feed_changes, details)) NOT LIKE '%internal%'
GROUP BY org, COALESCE(actor, 'an actor not known'), COALESCE(d_feed_name, 'without a name')
