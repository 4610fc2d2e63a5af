--! id          = "PAT-H006"
--! title       = "Extended or regenerated instead of replaced"
--! severity    = "low"
--! confidence  = "medium"
--! subject     = "token"
--! tables      = ["notable", "tokens", "policy"]
--! needs       = { actions = ["Token.PatUpdateEvent"], fields = ["d_valid_to"] }
--! message     = "The token '{name}' of {owner} got another end date {count} times; the log does not say whether it was extended or regenerated."
--! fix         = "Replace tokens by new ones with a new secret, and revoke the old ones."
--! rationale   = "Extending keeps an old secret alive; regenerating does not. The log shows the same event for both, so confidence is medium and severity low. A change of the name or the scopes that leaves the end where it was does not count."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/accounts/use-personal-access-tokens-to-authenticate"]
--! controls    = ["NIST IA-5"]
--! equivalents = ["P11"]
WITH told AS (
  SELECT org, LOWER(d_authorization_id) AS token_id, action, event_id, d_valid_to, LAG(d_valid_to) OVER (PARTITION BY org, LOWER(d_authorization_id) ORDER BY time, event_id) AS end_before
  FROM notable WHERE action IN ('Token.PatCreateEvent', 'Token.PatUpdateEvent') AND d_authorization_id IS NOT NULL AND d_valid_to IS NOT NULL
),
moved AS (
  SELECT org, token_id, STRING_AGG(event_id, ' ') AS event_ids FROM told
  WHERE action = 'Token.PatUpdateEvent' AND (end_before IS NULL OR end_before <> d_valid_to) GROUP BY org, token_id
)
SELECT t.org AS org, t.token_id AS subject, t.valid_from AS first_time, policy.as_of AS last_time, t.extended AS count, t.extended AS extended,
  t.valid_from AS valid_from, t.valid_to AS valid_to, m.event_ids AS event_ids
FROM tokens AS t LEFT JOIN moved AS m ON t.org = m.org AND t.token_id = m.token_id CROSS JOIN policy WHERE NOT t.over AND t.extended >= 1
