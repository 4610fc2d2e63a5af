--! id          = "PAT-P026"
--! title       = "Internal upstream source added to a feed"
--! severity    = "low"
--! confidence  = "medium"
--! subject     = "user"
--! tables      = ["notable"]
--! message     = "{subject} added an internal upstream source to the feed {what}."
--! fix         = "Check the source; a package of an internal name can come from it."
--! rationale   = "One feed that trusts another extends the reach of whoever can publish there. Low: common practice."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST AU-12", "NIST CM-6", "ISO A.8.15", "SOC 2 CC7.2", "PCI 10.4.1", "CICD-SEC-10"]
--! attack      = ["T1195"]
--! equivalents = ["SEN-H04"]
--! keys        = ["what"]
SELECT org, COALESCE(actor, 'an actor not known') AS subject, MIN(time) AS first_time, MAX(time) AS last_time, COUNT(*) AS count, MAX(action) AS action,
  MAX(kind) AS kind, MAX(COALESCE(d_feed_name, 'without a name')) AS what, MAX(network) AS network, MAX(token_id) AS token_id, STRING_AGG(event_id, ' ') AS event_ids
FROM notable WHERE action IN ('Artifacts.Feed.Org.Modify', 'Artifacts.Feed.Project.Modify') AND (LOWER(COALESCE(d_feed_changes, details)) LIKE '%upstream%') AND LOWER(COALESCE(d_feed_changes, details)) LIKE '%internal%'
GROUP BY org, COALESCE(actor, 'an actor not known'), COALESCE(d_feed_name, 'without a name')
