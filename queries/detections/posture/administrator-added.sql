--! id          = "PAT-P010"
--! title       = "Member added to an administrator group"
--! severity    = "medium"
--! confidence  = "high"
--! subject     = "user"
--! tables      = ["notable"]
--! message     = "{subject} added {member} to {group_name}, by {kind} sign-in."
--! fix         = "Check that the membership was asked for, and remove it if not."
--! rationale   = "All administrator groups of projects and collection count, build administrators and service accounts included, which the rules that this stands for miss by their spelling or project list. High for groups of the whole collection and for any addition by a token."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST AC-2(7)"]
--! attack      = ["T1098", "T1078.004"]
--! equivalents = ["SEN-A12", "SEN-A19", "SEN-H11", "XF-05", "XF-06", "SUM-S00994", "SUM-S00995"]
--! keys        = ["member", "group_name"]
SELECT org, COALESCE(actor, 'an actor not known') AS subject, time AS first_time, time AS last_time, event_id, COALESCE(d_member_name, d_member_id, 'a member not known') AS member,
  COALESCE(d_group_name, details) AS group_name, COALESCE(kind, 'another') AS kind, token_id, network,
  CASE WHEN LOWER(COALESCE(d_group_name, details)) LIKE '%project collection%' OR kind = 'pat' THEN 'high' ELSE 'medium' END AS severity
FROM notable
WHERE action = 'Group.UpdateGroupMembership.Add' AND NOT COALESCE(service_actor, FALSE)
  AND (LOWER(COALESCE(d_group_name, details)) LIKE '%project administrators%' OR LOWER(COALESCE(d_group_name, details)) LIKE '%collection administrators%'
    OR LOWER(COALESCE(d_group_name, details)) LIKE '%build administrators%' OR LOWER(COALESCE(d_group_name, details)) LIKE '%collection service accounts%'
    OR LOWER(COALESCE(d_group_name, details)) LIKE '%release administrators%' OR LOWER(COALESCE(d_group_name, details)) LIKE '%endpoint administrators%')
