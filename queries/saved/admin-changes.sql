-- Members added to or removed from administrator groups.
SELECT org, time, actor, kind, token_id, action, d_group_name AS group_name, d_member_name AS member, details
FROM notable
WHERE action LIKE 'Group.UpdateGroupMembership%'
  AND (LOWER(COALESCE(d_group_name, details)) LIKE '%administrators%' OR LOWER(COALESCE(d_group_name, details)) LIKE '%service accounts%')
ORDER BY time DESC NULLS LAST
