-- Every notable event of each token, oldest first; for one, add AND token_id = '...' to what --show prints.
SELECT org, token_id, time, action, project, network, client, details
FROM notable WHERE token_id IS NOT NULL ORDER BY org, token_id, time
