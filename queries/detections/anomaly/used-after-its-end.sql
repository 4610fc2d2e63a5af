--! id          = "PAT-A010"
--! title       = "Token used after it was revoked or had expired"
--! severity    = "high"
--! confidence  = "medium"
--! subject     = "token"
--! tables      = ["tokens", "coverage", "gaps", "activity", "policy"]
--! message     = "The token '{name}' of {owner} was used {confirmed} times after it was {how} at {ended_at}."
--! fix         = "Check that the token is revoked, find out whether a clock is wrong or a copy is in use, and review the changes it made."
--! rationale   = "A token that has ended cannot authenticate, so either the end did not take effect or the id was matched to the wrong token. The grace of the policy covers the hour that Azure DevOps may need. Expiry counts only when the inventory is newer than it, or the log has no gap since the end in which an extension could hide. An event that names the token by owner and name alone makes it low."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST AC-2(3)", "CIS 5.3"]
--! attack      = ["T1078.004"]
--! equivalents = ["P2"]
--! confirm     = []
--! flagged     = "over"
--! rests_on    = ["revoked"]
WITH dated AS (
  SELECT t.org AS org, t.token_id AS token_id, t.revoked_at AS revoked_at, t.valid_to AS valid_to, t.inventory_taken AS inventory_taken,
    t.joined_by_name OR t.state <> 'revoked' AS joined_by_name, c.from_time AS held_from, g.last_gap AS last_gap
  FROM tokens AS t LEFT JOIN coverage AS c ON t.org = c.org
    LEFT JOIN (SELECT org, MAX(to_time) AS last_gap FROM gaps GROUP BY org) AS g ON t.org = g.org
),
ended AS (
  SELECT org, token_id, joined_by_name, 'revoked' AS how, revoked_at AS ended_at FROM dated WHERE revoked_at IS NOT NULL
  UNION ALL
  SELECT org, token_id, joined_by_name, 'expired' AS how, valid_to AS ended_at FROM dated
  WHERE revoked_at IS NULL AND valid_to IS NOT NULL
    AND (inventory_taken >= valid_to OR (held_from <= valid_to AND (last_gap IS NULL OR last_gap <= valid_to)))
),
over AS (
  SELECT e.org AS org, e.token_id AS token_id, e.how AS how, e.joined_by_name AS joined_by_name, e.ended_at AS ended_at
  FROM ended AS e CROSS JOIN policy WHERE e.ended_at < policy.as_of
),
late AS (
  SELECT e.org AS org, e.token_id AS token_id, e.how AS how, e.joined_by_name AS joined_by_name, e.ended_at AS ended_at, a.last_time AS last_time,
    CASE WHEN a.first_time > e.ended_at THEN a.n ELSE 1 END AS n
  FROM over AS e JOIN activity AS a ON e.org = a.org AND e.token_id = a.token_id CROSS JOIN policy
  WHERE a.last_time > e.ended_at + INTERVAL '1 hours' * policy.grace_hours
)
SELECT org, token_id AS subject, MIN(ended_at) + INTERVAL '1 microseconds' AS first_time, MAX(last_time) AS last_time, SUM(n) AS count, MIN(how) AS how, MIN(ended_at) AS ended_at,
  MIN(CASE WHEN joined_by_name THEN 'low' ELSE 'medium' END) AS confidence
FROM late GROUP BY org, token_id
