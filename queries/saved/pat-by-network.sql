-- Networks from which each token was used, newest first appearance on top.
SELECT org, token_id, value AS network, n, active_days, first_time, last_time
FROM seen WHERE dimension = 'network' ORDER BY first_time DESC NULLS LAST
