-- Service connections that were created, changed, shared or deleted.
SELECT org, time, actor, kind, token_id, action, d_connection_name AS connection, project, details
FROM notable WHERE action LIKE 'Library.ServiceConnection%' ORDER BY time DESC NULLS LAST
