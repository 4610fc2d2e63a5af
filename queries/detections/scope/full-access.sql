--! id          = "PAT-S003"
--! title       = "Full access token"
--! severity    = "high"
--! confidence  = "high"
--! subject     = "token"
--! tables      = ["tokens"]
--! message     = "The token '{name}' of {owner} {access}; its events in the window need {observed}."
--! fix         = "Replace it by a token with the scopes that it needs: start with those its events need, and ask the owner what it reads."
--! rationale   = "Full access covers everything that the owner may do, so a leak exposes the whole account. The observed scopes are a start, not a proposal: reads leave no trace. Tokens without events and tokens whose owner is gone fire too, until they end. Without a list, the class PAT_Unscoped means full access; confidence is then medium."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/accounts/use-personal-access-tokens-to-authenticate"]
--! controls    = ["NIST AC-6", "OWASP NHI5"]
--! rests_on    = ["scopes"]
SELECT org, token_id AS subject, n_events AS count, use_events AS event_ids, COALESCE(observed_scopes, 'nothing that is audited') AS observed, full_access, all_orgs, valid_to, scopes,
  CASE WHEN full_access_by_class THEN 'has full access, as the class of its mechanism says and no list does' ELSE 'has full access' END AS access
FROM tokens WHERE full_access AND NOT over
