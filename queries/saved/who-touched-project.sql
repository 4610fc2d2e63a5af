-- Who changed what in each project, with which kind of sign-in, busiest first.
SELECT org, project, actor, kind, token_id, SUM(n) AS events, MIN(first_time) AS earliest, MAX(last_time) AS latest
FROM activity WHERE project IS NOT NULL
GROUP BY org, project, actor, kind, token_id ORDER BY events DESC NULLS LAST
