--! id          = "PAT-S001"
--! title       = "Granted scope whose use would have shown, and did not"
--! severity    = "medium"
--! confidence  = "high"
--! subject     = "token"
--! tables      = ["token_scopes", "tokens"]
--! message     = "The token '{name}' of {owner} holds {scope}, and {covered_days} covered days show nothing that needs it; every use of it would have been in the log."
--! fix         = "Replace the token by one without this scope; the proposed scopes list the rest."
--! rationale   = "Every operation of such a scope raises an audited action, so its absence is evidence, in every organisation that the token reaches; where the run does not see one of them, PAT-S002 fires instead. Days count from when the token got the scope. The confidence is that of the verdict and follows the coverage."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/accounts/use-personal-access-tokens-to-authenticate"]
--! controls    = ["NIST AC-6", "OWASP NHI5"]
--! keys        = ["scope"]
--! rests_on    = ["scopes"]
SELECT s.org AS org, s.token_id AS subject, 0 AS count, s.scope AS scope, s.visibility AS visibility, s.high_privilege AS high_privilege,
  COALESCE(s.unseen_operations, 'none known') AS unseen_operations, t.proposed_scopes AS proposed_scopes, t.reduced_scopes AS reduced_scopes, s.covered_days AS covered_days,
  s.confidence AS confidence
FROM token_scopes AS s JOIN tokens AS t ON s.org = t.org AND s.token_id = t.token_id
WHERE s.state = 'not-seen' AND s.granted AND s.visibility = 'full' AND NOT t.over AND NOT COALESCE(t.full_access, FALSE) AND NOT COALESCE(t.unseen_orgs, false)
