--! id          = "PAT-S003"
--! title       = "Full access token"
--! severity    = "high"
--! confidence  = "high"
--! subject     = "token"
--! tables      = ["tokens"]
--! message     = "The token '{name}' of {owner} has full access; its events in the window need {observed}."
--! fix         = "Replace it by a token with the scopes that it needs: start with those its events need, and ask the owner what it reads."
--! rationale   = "Full access gives everything that the owner may do, so one leak costs the account. The observed scopes are a start, not a proposal: reads leave no trace. That holds for a silent token and for one whose owner is gone as well, as long as it is not over."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/accounts/use-personal-access-tokens-to-authenticate"]
--! controls    = ["NIST AC-6", "OWASP NHI5"]
--! rests_on    = ["scopes"]
SELECT org, token_id AS subject, n_events AS count, use_events AS event_ids, COALESCE(observed_scopes, 'nothing that is audited') AS observed, full_access, all_orgs, valid_to, scopes
FROM tokens WHERE full_access AND NOT over
