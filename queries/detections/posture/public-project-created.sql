--! id          = "PAT-P009"
--! title       = "Public project created"
--! severity    = "medium"
--! confidence  = "high"
--! subject     = "user"
--! tables      = ["notable"]
--! needs       = { actions = ["Project.CreateCompleted"], fields = ["d_visibility"] }
--! message     = "{subject} created the public project {what}."
--! fix         = "Check that it is meant to be public."
--! rationale   = "Medium rather than high: a new project holds nothing yet."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST AU-12", "NIST CM-6"]
--! attack      = ["T1213"]
--! equivalents = ["SEN-H16"]
--! keys        = ["what"]
WITH hits AS (
  SELECT org, COALESCE(actor, 'an actor not known') AS who, time, event_id, action, kind, COALESCE(project, 'without a name') AS what, network, token_id
  FROM notable WHERE action = 'Project.CreateCompleted' AND LOWER(d_visibility) = 'public'
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
