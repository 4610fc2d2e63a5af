--! id          = "PAT-A011"
--! title       = "Token used while its owner had no access"
--! severity    = "high"
--! confidence  = "high"
--! subject     = "token"
--! tables      = ["tokens", "absences", "activity", "policy"]
--! message     = "The token '{name}' was used {confirmed} times while its owner {owner} was disabled or removed, from {gone_at} until {until}."
--! fix         = "Revoke the token, move its job to a token of a current owner, and review the changes."
--! rationale   = "Tokens of a removed user stop within an hour, so use after that means that the state is wrong or the removal did not take effect; either needs a person. The grace covers that hour. Where access came back, or a later list shows the owner as active, only the use before counts, and it is medium: a licence that is removed and given back within days is often an administrator's mistake. Where this happened several times, the finding reports the latest."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["CIS 5.3", "OWASP NHI1", "NIST AC-2(3)"]
--! attack      = ["T1078.004"]
--! equivalents = ["P1"]
--! confirm     = []
--! flagged     = "gone"
--! rests_on    = ["owner", "owner state"]
WITH gone AS (
  SELECT t.org AS org, t.token_id AS token_id, t.owner_state AS owner_state, b.gone_at AS gone_at, b.back_at AS back_at
  FROM tokens AS t JOIN absences AS b ON t.org = b.org AND t.token_id = b.token_id
),
late AS (
  SELECT g.org AS org, g.token_id AS token_id, g.owner_state AS owner_state, g.gone_at AS gone_at, g.back_at AS back_at,
    CASE WHEN a.first_time > g.gone_at AND (g.back_at IS NULL OR a.last_time < g.back_at) THEN a.n ELSE 1 END AS n,
    CASE WHEN a.first_time > g.gone_at THEN a.first_time ELSE a.last_time END AS first_time,
    CASE WHEN a.last_time >= g.back_at THEN a.first_time ELSE a.last_time END AS last_time
  FROM gone AS g JOIN activity AS a ON g.org = a.org AND g.token_id = a.token_id CROSS JOIN policy
  WHERE a.last_time > g.gone_at + INTERVAL '1 hours' * policy.grace_hours AND (g.back_at IS NULL OR a.first_time < g.back_at)
),
inside AS (
  SELECT l.org AS org, l.token_id AS token_id, l.owner_state AS owner_state, l.gone_at AS gone_at, l.back_at AS back_at, l.n AS n, l.last_time AS last_time
  FROM late AS l CROSS JOIN policy
  WHERE l.last_time > l.gone_at + INTERVAL '1 hours' * policy.grace_hours AND (l.back_at IS NULL OR l.first_time < l.back_at)
),
times AS (
  SELECT org, token_id, gone_at, MAX(back_at) AS back_at, MIN(owner_state) AS owner_state, SUM(n) AS n, MAX(last_time) AS last_time
  FROM inside GROUP BY org, token_id, gone_at
),
latest AS (SELECT org, token_id, MAX(gone_at) AS gone_at, COUNT(*) AS times_gone FROM times GROUP BY org, token_id),
told AS (
  SELECT i.org AS org, i.token_id AS token_id, i.gone_at AS gone_at, i.back_at AS back_at, i.owner_state AS owner_state, i.n AS n,
    CASE WHEN i.back_at IS NULL THEN i.last_time ELSE i.back_at - INTERVAL '1 microseconds' END AS last_time, l.times_gone AS times_gone,
    CASE WHEN i.back_at IS NOT NULL THEN CAST(CAST(i.back_at AS DATE) AS VARCHAR) WHEN i.owner_state IN ('disabled', 'removed') THEN 'now' ELSE 'a day not known' END AS until
  FROM times AS i JOIN latest AS l ON i.org = l.org AND i.token_id = l.token_id AND i.gone_at = l.gone_at
)
SELECT org, token_id AS subject, gone_at + INTERVAL '1 microseconds' AS first_time, last_time, n AS count, owner_state, gone_at, times_gone,
  CASE WHEN times_gone > 1 THEN CONCAT(until, ', the latest of ', times_gone, ' such times') ELSE until END AS until,
  CASE WHEN owner_state IN ('disabled', 'removed') AND back_at IS NULL THEN 'high' ELSE 'medium' END AS severity
FROM told
