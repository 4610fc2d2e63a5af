--! id          = "PAT-H019"
--! title       = "The list of tokens and the log disagree"
--! severity    = "low"
--! confidence  = "medium"
--! subject     = "token"
--! tables      = ["tokens"]
--! message     = "The list and the log differ on the token '{name}' of {owner}: {list_differs}."
--! fix         = "Take the list again; if the difference stays, a change of this token is missing from the log."
--! rationale   = "The list is newer than the last event about the token, so what it says otherwise was changed without an event in the lake: in a gap, while auditing was off, or because an event was matched to another token. A token that events created and a complete list leaves out belongs to somebody whom the list does not cover."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/accounts/use-personal-access-tokens-to-authenticate"]
--! controls    = ["NIST CM-8", "NIST AU-12"]
SELECT org, token_id AS subject, created_at AS first_time, inventory_taken AS last_time, 0 AS count, list_differs, joined_by_name
FROM tokens WHERE list_differs IS NOT NULL AND NOT (over AND revoked_at IS NULL)
