--! id          = "PAT-S002"
--! title       = "Granted scope whose use would mostly have shown, and did not"
--! severity    = "low"
--! confidence  = "low"
--! subject     = "token"
--! tables      = ["token_scopes", "tokens"]
--! message     = "The token '{name}' of {owner} holds {scope}, and {covered_days} covered days show nothing that needs it; these operations are not in the log: {unseen_operations}."
--! fix         = "Confirm with the owner that the operations named are not needed, then replace the token by one without this scope."
--! rationale   = "Nearly every operation of the scope raises an audited action, but the exceptions listed do not, so only the owner can say. Where the token reaches organisations that the run does not see, nothing done there shows. Days count from when the token got the scope."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/accounts/use-personal-access-tokens-to-authenticate"]
--! controls    = ["NIST AC-6", "OWASP NHI5"]
--! keys        = ["scope"]
--! rests_on    = ["scopes"]
SELECT s.org AS org, s.token_id AS subject, 0 AS count, s.scope AS scope, s.visibility AS visibility, s.high_privilege AS high_privilege,
  CASE WHEN t.unseen_orgs AND s.visibility = 'full' THEN 'any in organisations not seen'
    WHEN t.unseen_orgs THEN COALESCE(s.unseen_operations, 'none known here') || '; any in organisations not seen'
    ELSE COALESCE(s.unseen_operations, 'none known') END AS unseen_operations, t.proposed_scopes AS proposed_scopes, t.reduced_scopes AS reduced_scopes, s.covered_days AS covered_days,
  s.confidence AS confidence
FROM token_scopes AS s JOIN tokens AS t ON s.org = t.org AND s.token_id = t.token_id
WHERE s.state = 'not-seen' AND s.granted AND NOT t.over AND NOT COALESCE(t.full_access, FALSE) AND (s.visibility = 'mostly' OR s.visibility = 'full' AND t.unseen_orgs)
