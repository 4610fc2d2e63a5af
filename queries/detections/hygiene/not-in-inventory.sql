--! id          = "PAT-H005"
--! title       = "Used but not in the inventory"
--! severity    = "medium"
--! confidence  = "medium"
--! subject     = "token"
--! tables      = ["tokens"]
--! message     = "A token of {who} was used {count} times until {last_observed}, and the inventory of {inventory} (or older, where its date was not given) does not list it."
--! fix         = "Take the inventory again with all users, then look for the owner."
--! rationale   = "Either the inventory is old or incomplete, or the token belongs to somebody whom it leaves out. Fires only where the organisation has an inventory, and the token was used after that or is not known to have ended."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/accounts/use-personal-access-tokens-to-authenticate"]
--! controls    = ["NIST CM-8"]
--! equivalents = ["P17"]
WITH taken AS (SELECT org, MAX(inventory_taken) AS taken FROM tokens WHERE known_inventory GROUP BY org)
SELECT t.org AS org, t.token_id AS subject, t.created_at AS first_time, t.last_observed AS last_time, t.n_events AS count, t.use_events AS event_ids, t.last_observed AS last_observed,
  COALESCE(t.owner, 'an owner not known') AS who, i.taken AS inventory
FROM tokens AS t JOIN taken AS i ON t.org = i.org
WHERE NOT t.known_inventory AND t.known_events AND NOT t.over AND t.last_observed IS NOT NULL AND i.taken IS NOT NULL
  AND (t.created_at IS NULL OR t.created_at < i.taken)
