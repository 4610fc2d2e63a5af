-- Every notable event of each token, oldest first; add WHERE token_id = '...' for one.
SELECT org, token_id, time, action, project, network, client, details
FROM notable WHERE token_id IS NOT NULL ORDER BY org, token_id, time
