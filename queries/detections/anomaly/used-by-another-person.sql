--! id          = "PAT-A036"
--! title       = "Token used by somebody who is not its owner"
--! severity    = "high"
--! confidence  = "high"
--! subject     = "token"
--! tables      = ["other_users", "activity"]
--! message     = "The token '{name}' of {owner} was used {count} times by {used_by}, last from {network} with {client}."
--! fix         = "Ask the owner and the user how the token came to act for another account; if neither knows, revoke it."
--! rationale   = "A token acts as its owner, so another user means a wrong list, an account that changed hands, or an id that was matched to the wrong token. Owner and user are compared as people: storage key, CUID and user name of one account are one person. High where both ids are known; where only two user names differ, medium severity and low confidence, since people change their names. Owners that are known from use alone are not judged."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST AC-2(12)", "NIST IA-4", "OWASP NHI2"]
--! attack      = ["T1078.004"]
--! keys        = ["used_by"]
--! rests_on    = ["owner"]
--! flagged     = "others"
WITH others AS (SELECT org, token_id, actor AS used_by, COALESCE(actor_id, 'none') AS user_id, known_by FROM other_users),
used AS (
  SELECT o.org AS org, o.token_id AS token_id, o.used_by AS used_by, o.known_by AS known_by, a.first_time AS first_time, a.last_time AS last_time, a.n AS n, a.last_event AS last_event,
    a.network AS network, a.client AS client, a.action AS action
  FROM others AS o JOIN activity AS a ON o.org = a.org AND o.token_id = a.token_id AND o.used_by = a.actor WHERE COALESCE(a.actor_id, 'none') = o.user_id
),
placed AS (
  SELECT org, token_id, used_by, known_by, first_time, last_time, n, last_event, network, client, action,
    ROW_NUMBER() OVER (PARTITION BY org, token_id, used_by ORDER BY last_time DESC NULLS LAST, last_event DESC NULLS LAST) AS place
  FROM used
)
SELECT org, token_id AS subject, MIN(first_time) AS first_time, MAX(last_time) AS last_time, SUM(n) AS count, used_by,
  COALESCE(MAX(CASE WHEN place = 1 THEN network END), 'a network not known') AS network, COALESCE(MAX(CASE WHEN place = 1 THEN client END), 'a client not known') AS client,
  MAX(CASE WHEN place = 1 THEN action END) AS last_action, MIN(known_by) AS known_by, STRING_AGG(last_event, ' ') AS event_ids,
  CASE WHEN MIN(known_by) = 'id' THEN 'high' ELSE 'medium' END AS severity, CASE WHEN MIN(known_by) = 'id' THEN 'high' ELSE 'low' END AS confidence
FROM placed GROUP BY org, token_id, used_by
