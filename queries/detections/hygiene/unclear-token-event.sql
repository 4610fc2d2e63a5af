--! id          = "PAT-H018"
--! title       = "Change of a token that fits several tokens"
--! severity    = "low"
--! confidence  = "high"
--! subject     = "user"
--! tables      = ["unclear_token_events"]
--! message     = "{count} events about a token '{token_name}' of {subject} give no id, the last of them fits {candidates} tokens: {candidate_ids}; the state of none was changed."
--! fix         = "Look the tokens up in the list of their owner; give tokens names of their own."
--! rationale   = "An event without an id is about the token of that owner with that name at that time. Where several fit, one of them was changed and the log does not tell which, so a revoked or leaked token may still be shown as it was before."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST AU-12", "NIST IA-4"]
--! keys        = ["token_name"]
WITH placed AS (
  SELECT org, owner, name, time, event_id, action, candidates, candidate_ids,
    ROW_NUMBER() OVER (PARTITION BY org, owner, name ORDER BY time DESC NULLS LAST, event_id DESC NULLS LAST) AS place
  FROM unclear_token_events WHERE owner IS NOT NULL
)
SELECT org, owner AS subject, MIN(time) AS first_time, MAX(time) AS last_time, COUNT(*) AS count, name AS token_name, MAX(CASE WHEN place = 1 THEN candidates END) AS candidates,
  MAX(CASE WHEN place = 1 THEN candidate_ids END) AS candidate_ids, STRING_AGG(action, ' ') AS actions, STRING_AGG(event_id, ' ') AS event_ids
FROM placed GROUP BY org, owner, name
