--! id          = "PAT-H006"
--! title       = "Extended or regenerated instead of replaced"
--! severity    = "low"
--! confidence  = "medium"
--! subject     = "token"
--! tables      = ["notable", "tokens", "policy"]
--! message     = "The token '{name}' of {owner} was updated {count} times with an end date; extended or regenerated: the log does not tell."
--! fix         = "Replace tokens by new ones with a new secret, and revoke the old ones."
--! rationale   = "Extending keeps an old secret alive; regenerating does not. The log shows the same event for both, so confidence is medium and severity low."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/accounts/use-personal-access-tokens-to-authenticate"]
--! controls    = ["NIST IA-5", "ISO A.5.17", "SOC 2 CC6.1", "PCI 8.6.3", "CICD-SEC-6", "OWASP NHI7"]
--! equivalents = ["P11"]
WITH updates AS (
  SELECT org, LOWER(d_authorization_id) AS token_id, COUNT(*) AS updates, STRING_AGG(event_id, ' ') AS event_ids FROM notable
  WHERE action = 'Token.PatUpdateEvent' AND d_authorization_id IS NOT NULL AND d_valid_to IS NOT NULL GROUP BY org, LOWER(d_authorization_id)
),
paired AS (
  SELECT t.org AS org, t.token_id AS token_id, t.valid_from AS valid_from, t.valid_to AS valid_to, COALESCE(t.extended, 0) AS extended,
    COALESCE(u.updates, 0) AS updates, u.event_ids AS event_ids
  FROM tokens AS t LEFT JOIN updates AS u ON t.org = u.org AND t.token_id = u.token_id WHERE NOT t.over
)
SELECT b.org AS org, b.token_id AS subject, b.valid_from AS first_time, policy.as_of AS last_time,
  CASE WHEN b.updates > b.extended THEN b.updates ELSE b.extended END AS count, b.extended AS extended, b.valid_from AS valid_from, b.valid_to AS valid_to, b.event_ids AS event_ids
FROM paired AS b CROSS JOIN policy WHERE b.extended >= 1 OR b.updates >= 1
