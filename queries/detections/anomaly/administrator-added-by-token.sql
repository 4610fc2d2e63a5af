--! id          = "PAT-A028"
--! title       = "Administrator added with a token"
--! severity    = "medium"
--! confidence  = "medium"
--! subject     = "token"
--! tables      = ["notable"]
--! needs       = { actions = ["Group.UpdateGroupMembership.Add"], fields = ["d_group_name|details"] }
--! message     = "The token '{name}' of {owner} added {member} to {group_name}; additions of administrators by it: {count}."
--! fix         = "Check that the membership was asked for; if not, remove it, revoke the token and review what it changed."
--! rationale   = "Scripts rarely make somebody an administrator. Low when the token does it on more than three days, which is a provisioning job. Needs no history, so a new token cannot hide."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST AC-2(12)", "OWASP NHI2"]
--! attack      = ["T1098"]
--! equivalents = ["SEN-A02", "SEN-A12", "XF-04"]
WITH adds AS (
  SELECT org, token_id, time, date, event_id, ROW_NUMBER() OVER (PARTITION BY org, token_id ORDER BY time DESC NULLS LAST, event_id DESC NULLS LAST) AS place,
    COALESCE(d_member_name, d_member_id, 'a member not known') AS member, COALESCE(d_group_name, details) AS group_name
  FROM notable WHERE action = 'Group.UpdateGroupMembership.Add' AND token_id IS NOT NULL AND COALESCE(origin, TRUE)
    AND (LOWER(COALESCE(d_group_name, details)) LIKE '%administrators%' OR LOWER(COALESCE(d_group_name, details)) LIKE '%collection service accounts%')
)
SELECT org, token_id AS subject, MIN(time) AS first_time, MAX(time) AS last_time, COUNT(*) AS count, MAX(CASE WHEN place = 1 THEN member END) AS member,
  MAX(CASE WHEN place = 1 THEN group_name END) AS group_name,
  COUNT(DISTINCT date) AS days, STRING_AGG(event_id, ' ') AS event_ids, CASE WHEN COUNT(DISTINCT date) > 3 THEN 'low' ELSE 'medium' END AS severity
FROM adds GROUP BY org, token_id
