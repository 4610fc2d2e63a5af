--! id          = "PAT-S005"
--! title       = "Event that the known grant does not allow"
--! severity    = "medium"
--! confidence  = "low"
--! subject     = "token"
--! tables      = ["token_scopes", "tokens"]
--! message     = "The inventory may be old: the token '{name}' of {owner} did something {n} times that needs {scope}, which its known grant did not give at the time."
--! fix         = "Import a newer inventory first; if the grant is still narrower, ask the owner who widened the token."
--! rationale   = "Most often the inventory is older than the token's last edit, hence confidence low. If it is not, somebody widened the token, or the id was matched to the wrong token. Permission changes are left out, since other actions cause them."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/accounts/use-personal-access-tokens-to-authenticate"]
--! controls    = ["NIST AC-6", "OWASP NHI5"]
--! keys        = ["scope"]
--! rests_on    = ["scopes"]
SELECT s.org AS org, s.token_id AS subject, s.last_time AS last_time, s.n AS count, s.n AS n, s.scope AS scope, COALESCE(s.beyond_events, s.last_event) AS event_ids, t.scopes AS granted_scopes, t.inventory_taken AS inventory_taken
FROM token_scopes AS s JOIN tokens AS t ON s.org = t.org AND s.token_id = t.token_id
WHERE s.state = 'beyond-grant' AND NOT t.over
