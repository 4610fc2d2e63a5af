--! id          = "PAT-P025"
--! title       = "External upstream source added to a feed"
--! severity    = "medium"
--! confidence  = "medium"
--! subject     = "user"
--! tables      = ["notable"]
--! needs       = { actions = ["Artifacts.Feed.Org.Modify", "Artifacts.Feed.Project.Modify"], fields = ["d_feed_changes|details"] }
--! message     = "{subject} changed the upstream sources of the feed {what}; a source outside the organisation may be among them."
--! fix         = "Check the source; a package of an internal name can come from it."
--! rationale   = "Dependency confusion starts with an upstream that answers for internal names. Names are not trusted here: a hostile feed that is named like a known gallery fires too."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST AU-12", "NIST CM-6"]
--! attack      = ["T1199"]
--! equivalents = ["SEN-A17"]
--! keys        = ["what"]
WITH hits AS (
  SELECT org, COALESCE(actor, 'an actor not known') AS who, time, event_id, action, kind, COALESCE(d_feed_name, 'without a name') AS what, network, token_id
  FROM notable WHERE action IN ('Artifacts.Feed.Org.Modify', 'Artifacts.Feed.Project.Modify') AND (LOWER(COALESCE(d_feed_changes, details)) LIKE '%upstream%') AND (LOWER(COALESCE(d_feed_changes, details)) NOT LIKE '%internal%' OR LOWER(COALESCE(d_feed_changes, details)) LIKE '%"public"%'
    OR (LOWER(COALESCE(d_feed_changes, details)) LIKE '%http%' AND LOWER(COALESCE(d_feed_changes, details)) NOT LIKE '%upstreamsourcetype%'))
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
