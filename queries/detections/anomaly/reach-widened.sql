--! id          = "PAT-A033"
--! title       = "Reach of a token widened to all organisations"
--! severity    = "high"
--! confidence  = "high"
--! subject     = "token"
--! tables      = ["grant_changes", "tokens"]
--! needs       = { actions = ["Token.PatUpdateEvent"], fields = ["d_target_accounts|d_all_orgs"] }
--! message     = "{actor} changed the reach of the token '{name}' of {owner} from {before} to {after}."
--! fix         = "Ask the owner who decided this; limit the token to one organisation again, and look for its use in the others."
--! rationale   = "From that event on, one leak gives access to every organisation of the owner. High, since no job needs it and Microsoft retires such tokens. Both values have to be known: from an earlier event, or from a list taken before the change."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST AC-6", "OWASP NHI5"]
--! attack      = ["T1098.001"]
--! keys        = ["event_id"]
SELECT c.org AS org, c.token_id AS subject, c.time AS first_time, c.time AS last_time, c.event_id AS event_id, COALESCE(c.actor, 'An actor not known') AS actor,
  c.before AS before, c.after AS after, c.network AS network, c.client AS client, CASE WHEN t.joined_by_name THEN 'medium' ELSE 'high' END AS confidence
FROM grant_changes AS c JOIN tokens AS t ON c.org = t.org AND c.token_id = t.token_id
WHERE c.field = 'reach' AND c.widened
