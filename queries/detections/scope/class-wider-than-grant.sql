--! id          = "PAT-S006"
--! title       = "Class of a token says more than its grant"
--! severity    = "medium"
--! confidence  = "medium"
--! subject     = "token"
--! tables      = ["class_conflicts", "activity", "tokens"]
--! message     = "{source}: the token '{name}' of {owner} showed the class {class}, which means {means}, while {told} says {granted}."
--! fix         = "Take the list again; if it still says less, ask the owner who widened the token, and when."
--! rationale   = "Every PAT event carries the class of its token, so the class is newer than any list. The meaning of Unscoped and Global is inferred from the names, hence medium at most. Only the grant in force at the last event with the class counts: a token that was narrowed afterwards does not fire."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/accounts/use-personal-access-tokens-to-authenticate"]
--! controls    = ["NIST AC-6", "NIST CM-8", "OWASP NHI5"]
--! keys        = ["field"]
--! flagged     = "conflicts"
WITH conflicts AS (SELECT org, token_id, class, field, granted, listed, first_time, last_time FROM class_conflicts),
used AS (
  SELECT c.org AS org, c.token_id AS token_id, c.class AS class, c.field AS field, c.granted AS granted, c.listed AS listed, c.first_time AS since,
    a.first_time AS first_time, a.last_time AS last_time, a.n AS n, a.last_event AS last_event
  FROM conflicts AS c JOIN activity AS a ON c.org = a.org AND c.token_id = a.token_id AND c.class = a.class
),
summed AS (
  SELECT org, token_id, class, field, granted, listed, MIN(first_time) AS first_time, MAX(last_time) AS last_time, SUM(n) AS n, STRING_AGG(last_event, ' ') AS event_ids
  FROM used WHERE last_time >= since GROUP BY org, token_id, class, field, granted, listed
)
SELECT s.org AS org, s.token_id AS subject, s.first_time AS first_time, s.last_time AS last_time, s.n AS count, s.class AS class, s.field AS field, s.granted AS granted,
  CASE WHEN s.field = 'scopes' THEN 'full access' ELSE 'all organisations' END AS means, CASE WHEN s.listed THEN 'the list' ELSE 'the last event about it' END AS told,
  CASE WHEN s.listed THEN 'The list may be old' ELSE 'A change may be missing from the log' END AS source, t.inventory_taken AS inventory_taken, s.event_ids AS event_ids
FROM summed AS s JOIN tokens AS t ON s.org = t.org AND s.token_id = t.token_id WHERE NOT t.over
