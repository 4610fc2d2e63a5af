--! id          = "PAT-P010"
--! title       = "Member added to an administrator group"
--! severity    = "medium"
--! confidence  = "high"
--! subject     = "user"
--! tables      = ["notable"]
--! needs       = { actions = ["Group.UpdateGroupMembership.Add"], fields = ["d_group_name|details"] }
--! message     = "{subject} added {member} to {group_name}, by {kind} sign-in."
--! fix         = "Check that the membership was asked for, and remove it if not."
--! rationale   = "All administrator groups of projects and of the collection count, including build administrators and service accounts. The published rules that this detection covers miss some by their spelling or their list of projects. High for groups of the whole collection and for any addition by a token; low for a token that adds the same member on more than three days, which is provisioning."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST AC-2(7)"]
--! attack      = ["T1098", "T1078.004"]
--! equivalents = ["SEN-A12", "SEN-A19", "SEN-H11", "XF-05", "XF-06", "SUM-S00994", "SUM-S00995"]
--! keys        = ["member", "group_name"]
WITH adds AS (
  SELECT org, COALESCE(actor, 'an actor not known') AS actor, time, date, event_id, COALESCE(d_member_name, d_member_id, 'a member not known') AS member,
    COALESCE(d_group_name, details) AS group_name, COALESCE(kind, 'another') AS kind, token_id, network
  FROM notable
  WHERE action = 'Group.UpdateGroupMembership.Add' AND NOT COALESCE(service_actor, FALSE)
    AND (LOWER(COALESCE(d_group_name, details)) LIKE '%project administrators%' OR LOWER(COALESCE(d_group_name, details)) LIKE '%collection administrators%'
      OR LOWER(COALESCE(d_group_name, details)) LIKE '%build administrators%' OR LOWER(COALESCE(d_group_name, details)) LIKE '%collection service accounts%'
      OR LOWER(COALESCE(d_group_name, details)) LIKE '%release administrators%' OR LOWER(COALESCE(d_group_name, details)) LIKE '%endpoint administrators%')
),
habits AS (SELECT org, actor, member, kind, COUNT(DISTINCT date) AS days FROM adds GROUP BY org, actor, member, kind)
SELECT a.org AS org, a.actor AS subject, a.time AS first_time, a.time AS last_time, a.event_id AS event_id, a.member AS member,
  a.group_name AS group_name, a.kind AS kind, a.token_id AS token_id, a.network AS network,
  CASE WHEN a.kind = 'pat' AND h.days > 3 AND LOWER(a.group_name) NOT LIKE '%project collection%' THEN 'low'
    WHEN LOWER(a.group_name) LIKE '%project collection%' OR a.kind = 'pat' THEN 'high' ELSE 'medium' END AS severity
FROM adds AS a JOIN habits AS h ON a.org = h.org AND a.actor = h.actor AND a.member = h.member AND a.kind = h.kind
