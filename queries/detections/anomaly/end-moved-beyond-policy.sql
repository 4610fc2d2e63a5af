--! id          = "PAT-A034"
--! title       = "End date of a token moved beyond the policy"
--! severity    = "low"
--! confidence  = "high"
--! subject     = "token"
--! tables      = ["grant_changes", "tokens", "policy"]
--! needs       = { actions = ["Token.PatUpdateEvent"], fields = ["d_valid_to"] }
--! message     = "{actor} moved the end of the token '{name}' of {owner} from {before} to {after}, {days_ahead} days ahead."
--! fix         = "Ask the owner why; set the end within the policy, or replace the token by a new one."
--! rationale   = "Counted from the day of the change to the new end, against the policy's longest life. An extension keeps a copied secret alive; a regeneration does not, and the log does not say which it was. Low, since owners extend tokens in good faith; medium for more than a year."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST IA-5"]
--! attack      = ["T1098.001"]
--! keys        = ["event_id"]
SELECT c.org AS org, c.token_id AS subject, c.time AS first_time, c.time AS last_time, c.event_id AS event_id, COALESCE(c.actor, 'An actor not known') AS actor,
  c.before AS before, c.after AS after, c.days_ahead AS days_ahead, c.network AS network, c.client AS client,
  CASE WHEN c.days_ahead > 366 THEN 'medium' ELSE 'low' END AS severity, CASE WHEN t.joined_by_name THEN 'medium' ELSE 'high' END AS confidence
FROM grant_changes AS c JOIN tokens AS t ON c.org = t.org AND c.token_id = t.token_id CROSS JOIN policy
WHERE c.field = 'end' AND c.widened AND c.days_ahead > policy.max_lifetime_days
