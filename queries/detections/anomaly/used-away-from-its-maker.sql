--! id          = "PAT-A009"
--! title       = "Token created in one place and first used in another that nobody else uses"
--! severity    = "low"
--! confidence  = "low"
--! subject     = "token"
--! tables      = ["seen", "org_seen", "powerful", "tokens", "places"]
--! message     = "The token '{name}' of {owner} was created from {created_network} and first used from {network}, which no other user or token of the organisation uses."
--! fix         = "Ask the owner where the token was put to use."
--! rationale   = "Copying a token into a pipeline is what tokens are for, so this alone is low. Medium when it did a critical action within a day of its creation. A network that others use too, such as that of the build servers, does not fire; agents with changing networks are left out by their client. One of the organisation's own networks, or the operator and country that it was made from, stays low."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST AC-2(12)", "OWASP NHI2"]
--! attack      = ["T1528", "T1550.001"]
--! equivalents = ["P4"]
--! confirm     = ["network"]
WITH born AS (
  SELECT org, token_id, MIN(first_time) AS born_time FROM seen WHERE dimension = 'network' AND token_id IS NOT NULL GROUP BY org, token_id
),
first_networks AS (
  SELECT b.org AS org, b.token_id AS token_id, b.born_time AS born_time, s.value AS network, s.last_time AS last_time, s.n AS n
  FROM born AS b JOIN seen AS s ON b.org = s.org AND b.token_id = s.token_id
  WHERE s.dimension = 'network' AND s.first_time <= b.born_time
),
users_of AS (SELECT org, value AS network, actors, credentials FROM org_seen WHERE dimension = 'network'),
agents AS (
  SELECT org, token_id, COUNT(*) AS agents FROM seen
  WHERE dimension = 'client' AND (value LIKE 'Pipelines agent%' OR value LIKE 'Azure DevOps%' OR value LIKE '%in Pipelines agent') GROUP BY org, token_id
),
critical AS (
  SELECT s.org AS org, s.token_id AS token_id, s.first_time AS critical_time
  FROM seen AS s JOIN powerful AS p ON s.value = p.action WHERE s.dimension = 'action' AND p.grade = 'critical' AND s.origins > 0
),
earliest AS (SELECT org, token_id, MIN(critical_time) AS critical_time FROM critical GROUP BY org, token_id),
made AS (
  SELECT t.org AS org, t.token_id AS token_id, t.created_at AS created_at, t.created_event AS created_event, t.created_network AS created_network,
    f.network AS network, f.born_time AS born_time, f.last_time AS last_time, f.n AS n
  FROM tokens AS t JOIN first_networks AS f ON t.org = f.org AND t.token_id = f.token_id
  WHERE t.created_network IS NOT NULL AND t.created_network <> f.network
),
lonely AS (
  SELECT m.org AS org, m.token_id AS token_id, m.created_at AS created_at, m.created_event AS created_event, m.created_network AS created_network, m.network AS network,
    m.born_time AS born_time, m.last_time AS last_time, m.n AS n
  FROM made AS m JOIN users_of AS u ON m.org = u.org AND m.network = u.network WHERE u.actors <= 1 AND u.credentials <= 1
),
manned AS (
  SELECT l.org AS org, l.token_id AS token_id, l.created_at AS created_at, l.created_event AS created_event, l.created_network AS created_network, l.network AS network,
    l.born_time AS born_time, l.last_time AS last_time, l.n AS n, a.agents AS agents
  FROM lonely AS l LEFT JOIN agents AS a ON l.org = a.org AND l.token_id = a.token_id
),
sited AS (
  SELECT m.org AS org, m.token_id AS token_id, m.network AS network, m.created_network AS created_network, p.own AS own, p.country AS country, p.asn AS asn
  FROM manned AS m JOIN places AS p ON m.org = p.org AND m.network = p.network
),
known AS (
  SELECT s.org AS org, s.token_id AS token_id, s.network AS network, s.own OR COALESCE(s.country = p.country AND s.asn = p.asn, FALSE) AS at_home
  FROM sited AS s LEFT JOIN places AS p ON s.org = p.org AND s.created_network = p.network
)
SELECT m.org AS org, m.token_id AS subject, m.born_time AS first_time, m.last_time AS last_time, m.n AS count, m.created_network AS created_network,
  m.network AS network, m.created_at AS created_at, m.created_event AS created_event,
  CASE WHEN NOT COALESCE(k.at_home, FALSE) AND c.critical_time <= m.created_at + INTERVAL '1 days' THEN 'medium' ELSE 'low' END AS severity
FROM manned AS m LEFT JOIN earliest AS c ON m.org = c.org AND m.token_id = c.token_id
  LEFT JOIN known AS k ON m.org = k.org AND m.token_id = k.token_id AND m.network = k.network
WHERE m.agents IS NULL
