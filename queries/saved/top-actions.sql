-- What tokens do: actions by number of events.
SELECT org, value AS action, SUM(n) AS events, COUNT(DISTINCT credential) AS credentials, MAX(last_time) AS latest
FROM seen WHERE dimension = 'action' GROUP BY org, value ORDER BY events DESC NULLS LAST
