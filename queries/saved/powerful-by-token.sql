-- Powerful actions that tokens did, newest first: rights, logging, secrets.
SELECT s.org AS org, s.token_id AS token_id, p.grade AS grade, s.value AS action, s.n AS events, s.first_time AS earliest, s.last_time AS latest
FROM seen AS s JOIN powerful AS p ON s.value = p.action
WHERE s.dimension = 'action' ORDER BY latest DESC NULLS LAST
