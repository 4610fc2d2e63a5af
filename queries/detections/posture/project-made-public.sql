--! id          = "PAT-P008"
--! title       = "Project made public"
--! severity    = "high"
--! confidence  = "high"
--! subject     = "user"
--! tables      = ["notable"]
--! needs       = { actions = ["Project.UpdateVisibilityCompleted"], fields = ["d_visibility"] }
--! message     = "{subject} made the project {what} public."
--! fix         = "Make it private again unless it was meant; its history was readable in between."
--! rationale   = "Anyone can read everything in a public project, including secrets in its history."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST AU-12", "NIST CM-6"]
--! attack      = ["T1213"]
--! equivalents = ["SEN-H15"]
--! keys        = ["what"]
WITH hits AS (
  SELECT org, COALESCE(actor, 'an actor not known') AS who, time, event_id, action, kind, COALESCE(project, 'without a name') AS what, network, token_id
  FROM notable WHERE action = 'Project.UpdateVisibilityCompleted' AND LOWER(d_visibility) = 'public' AND COALESCE(LOWER(d_previous_visibility), 'private') <> 'public'
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
