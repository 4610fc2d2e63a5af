-- Events that name neither a person nor the service.
SELECT org, action, COUNT(*) AS events, MIN(time) AS earliest, MAX(time) AS latest
FROM events WHERE actor IS NULL AND NOT COALESCE(service_actor, FALSE)
GROUP BY org, action ORDER BY events DESC NULLS LAST
