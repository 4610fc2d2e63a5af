--! id          = "PAT-S004"
--! title       = "Token for all organisations"
--! severity    = "medium"
--! confidence  = "high"
--! subject     = "token"
--! tables      = ["tokens", "policy"]
--! message     = "The token '{name}' of {owner} reaches all organisations of its owner; {global_end}."
--! fix         = "Replace it by one token for each organisation, or by a managed identity; the end date of such tokens is 2026-12-01."
--! rationale   = "Microsoft blocked creating and regenerating global tokens on 2026-03-15 and retires them on 2026-12-01. Until then, one leak gives access to every organisation of the owner. High when it has full access as well; where only the class of its mechanism says so, confidence is medium."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/accounts/use-personal-access-tokens-to-authenticate"]
--! controls    = ["NIST AC-6", "OWASP NHI5"]
--! equivalents = ["P14"]
--! rests_on    = ["reach"]
SELECT org, token_id AS subject, n_events AS count, use_events AS event_ids, all_orgs, full_access, valid_to, last_observed,
  CASE WHEN CAST(CAST(policy.as_of AS DATE) AS VARCHAR) < '2026-12-01' THEN 'such tokens stop working on 2026-12-01'
    WHEN CAST(CAST(last_observed AS DATE) AS VARCHAR) >= '2026-12-01' THEN 'it should have stopped working on 2026-12-01 and is still seen'
    ELSE 'such tokens should have stopped working on 2026-12-01' END AS global_end,
  CASE WHEN full_access THEN 'high' ELSE 'medium' END AS severity
FROM tokens CROSS JOIN policy WHERE all_orgs AND NOT over
