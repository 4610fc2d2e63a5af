-- The twenty days with the fewest events of each organisation's log, quietest first.
SELECT org, date, SUM(n) AS events, COUNT(DISTINCT actor) AS actors
FROM activity GROUP BY org, date ORDER BY events, org, date LIMIT 20
