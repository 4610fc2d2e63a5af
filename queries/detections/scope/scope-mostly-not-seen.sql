--! id          = "PAT-S002"
--! title       = "Granted scope whose use would mostly have shown, and did not"
--! severity    = "low"
--! confidence  = "low"
--! subject     = "token"
--! tables      = ["token_scopes", "tokens"]
--! message     = "The token '{name}' of {owner} holds {scope}, and {covered_days} covered days show nothing that needs it; these operations would not have shown: {unseen_operations}."
--! fix         = "Confirm with the owner that the operations named are not needed, then replace the token by one without this scope."
--! rationale   = "Nearly every operation of the scope raises an audited action, but the exceptions named do not, so only the owner can tell."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/accounts/use-personal-access-tokens-to-authenticate"]
--! controls    = ["NIST AC-6", "OWASP NHI5", "ISO A.8.2", "SOC 2 CC6.3", "PCI 7.2.5.1", "CICD-SEC-2"]
--! keys        = ["scope"]
SELECT s.org AS org, s.token_id AS subject, 0 AS count, s.scope AS scope, s.visibility AS visibility, s.high_privilege AS high_privilege,
  COALESCE(s.unseen_operations, 'none known') AS unseen_operations, t.proposed_scopes AS proposed_scopes, t.reduced_scopes AS reduced_scopes, t.covered_days AS covered_days,
  s.confidence AS confidence
FROM token_scopes AS s JOIN tokens AS t ON s.org = t.org AND s.token_id = t.token_id
WHERE s.state = 'not-seen' AND s.granted AND s.visibility = 'mostly' AND NOT t.over
