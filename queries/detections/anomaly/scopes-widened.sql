--! id          = "PAT-A032"
--! title       = "Scopes of a token widened"
--! severity    = "medium"
--! confidence  = "high"
--! subject     = "token"
--! tables      = ["grant_changes", "tokens"]
--! needs       = { actions = ["Token.PatUpdateEvent"], fields = ["d_scopes"] }
--! message     = "{actor} widened the scopes of the token '{name}' of {owner} by {gained}: from {before} to {after}."
--! fix         = "Ask the owner what the new scopes are for; if nobody asked for them, narrow the token and look at what it did since."
--! rationale   = "Editing a token gives an old secret new power without a new secret, so whoever holds a copy gains too. Included scopes count: a new name for the same access does not widen the token. High for full access, low where the new scopes only read. Both grants have to be known: from an earlier event, or from a list taken before the change."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST AC-6", "NIST IA-5", "OWASP NHI5"]
--! attack      = ["T1098.001"]
--! keys        = ["event_id"]
SELECT c.org AS org, c.token_id AS subject, c.time AS first_time, c.time AS last_time, c.event_id AS event_id, COALESCE(c.actor, 'An actor not known') AS actor,
  c.before AS before, c.after AS after, c.gained AS gained, c.gained_access AS gained_access, c.network AS network, c.client AS client,
  CASE WHEN c.gained_access = 'full' THEN 'high' WHEN c.gained_access = 'read' THEN 'low' ELSE 'medium' END AS severity,
  CASE WHEN t.joined_by_name THEN 'medium' ELSE 'high' END AS confidence
FROM grant_changes AS c JOIN tokens AS t ON c.org = t.org AND c.token_id = t.token_id
WHERE c.field = 'scopes' AND c.widened
