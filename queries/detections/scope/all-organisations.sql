--! id          = "PAT-S004"
--! title       = "Token for all organisations"
--! severity    = "medium"
--! confidence  = "high"
--! subject     = "token"
--! tables      = ["tokens"]
--! message     = "The token '{name}' of {owner} reaches all organisations of its owner; such tokens stop working on 2026-12-01."
--! fix         = "Replace it before 2026-12-01 by one token an organisation, or by a managed identity."
--! rationale   = "Microsoft blocked making and regenerating global tokens on 2026-03-15 and ends them on 2026-12-01. Until then one leak reaches every organisation of the owner. High when it has full access as well."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/accounts/use-personal-access-tokens-to-authenticate"]
--! controls    = ["NIST AC-6", "OWASP NHI5"]
--! equivalents = ["P14"]
--! rests_on    = ["reach"]
SELECT org, token_id AS subject, n_events AS count, use_events AS event_ids, all_orgs, full_access, valid_to, last_observed, CASE WHEN full_access THEN 'high' ELSE 'medium' END AS severity
FROM tokens WHERE all_orgs AND NOT over
