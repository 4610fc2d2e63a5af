-- Creation, change, revoke, expiry and leak of tokens and keys, as the log tells it.
SELECT org, time, action, actor, d_display_name AS name, d_authorization_id AS token, d_scopes AS scopes, d_valid_to AS valid_to, network, client
FROM notable WHERE action LIKE 'Token.%' ORDER BY time
