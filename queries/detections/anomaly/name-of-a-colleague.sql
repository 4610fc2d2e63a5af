--! id          = "PAT-A035"
--! title       = "Token given the name of another person's token"
--! severity    = "low"
--! confidence  = "medium"
--! subject     = "token"
--! tables      = ["notable", "tokens"]
--! needs       = { actions = ["Token.PatCreateEvent", "Token.PatUpdateEvent"], fields = ["d_authorization_id", "d_display_name"] }
--! message     = "{actor} {did} token of {owner} '{token_name}', which is the name of a token of {other_owner}."
--! fix         = "Ask both owners; if only one of them knows of both tokens, treat the newer one as an intruder's."
--! rationale   = "A token with a familiar name passes a review by eye. The name has to be exactly that of another person's token, which is older and did not end more than a month ago; owners are compared by id and by name, so a person's own rotation does not fire. Generic names and names that three or more owners use are left out. Medium for a token renamed to the name of one in force, which is a deliberate act; low for a new token, which may be a handover."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST IA-4", "NIST CM-8"]
--! attack      = ["T1036"]
--! keys        = ["event_id"]
WITH named AS (
  SELECT org, LOWER(d_authorization_id) AS token_id, action, time, event_id, actor, d_display_name AS name,
    LAG(d_display_name) OVER (PARTITION BY org, LOWER(d_authorization_id) ORDER BY time, event_id) AS name_before
  FROM notable WHERE action IN ('Token.PatCreateEvent', 'Token.PatUpdateEvent') AND d_authorization_id IS NOT NULL AND d_display_name IS NOT NULL
),
given AS (
  SELECT org, token_id, action, time, event_id, actor, name, name_before FROM named
  WHERE (action = 'Token.PatCreateEvent' OR name_before <> name) AND LENGTH(TRIM(name)) > 3
    AND LOWER(TRIM(name)) NOT IN ('token', 'mytoken', 'my token', 'my pat', 'mypat', 'test', 'test token', 'testtoken', 'test pat', 'testpat', 'temp', 'new token', 'new pat', 'secret', 'default', 'asdf', 'azure', 'devops', 'azure devops', 'access', 'access token', 'personal access token', 'pat1', 'pat2', 'token1', 'token2', 'test1', 'test2', 'test123', 'untitled', 'full', 'full access', 'admin', 'build', 'work', 'pat token', 'pattoken', 'deploy', 'terraform', 'git', 'vscode', 'visual studio', 'cli', 'az cli', 'local', 'laptop')
),
bearers AS (SELECT org, name, COUNT(DISTINCT owner_key) AS owners FROM tokens WHERE name IS NOT NULL AND owner_key IS NOT NULL GROUP BY org, name),
pairs AS (
  SELECT g.org AS org, g.token_id AS token_id, g.action AS action, g.time AS time, g.event_id AS event_id, g.actor AS actor, g.name AS name,
    g.name_before AS name_before, t.owner AS owner, t.owner_key AS owner_key, o.token_id AS other_token_id, o.owner AS other_owner, o.owner_key AS other_key,
    o.valid_from AS other_from, CASE WHEN o.revoked_at < o.valid_to THEN o.revoked_at ELSE COALESCE(o.valid_to, o.revoked_at) END AS other_end
  FROM given AS g JOIN tokens AS t ON g.org = t.org AND g.token_id = t.token_id JOIN tokens AS o ON g.org = o.org AND g.name = o.name
),
placed AS (
  SELECT p.org AS org, p.token_id AS token_id, p.action AS action, p.time AS time, p.event_id AS event_id, p.actor AS actor, p.name AS name, p.name_before AS name_before,
    p.other_token_id AS other_token_id, p.other_owner AS other_owner, COALESCE(p.other_end > p.time, TRUE) AS other_in_force,
    ROW_NUMBER() OVER (PARTITION BY p.org, p.event_id ORDER BY p.other_from, p.other_token_id) AS place
  FROM pairs AS p JOIN bearers AS b ON p.org = b.org AND p.name = b.name
  WHERE b.owners = 2 AND p.other_key <> p.owner_key AND COALESCE(LOWER(p.other_owner) <> LOWER(p.owner), TRUE) AND p.other_from < p.time AND COALESCE(p.other_end > p.time - INTERVAL '30 days', TRUE)
)
SELECT org, token_id AS subject, time AS first_time, time AS last_time, event_id, COALESCE(actor, 'An actor not known') AS actor,
  CASE WHEN action = 'Token.PatCreateEvent' THEN 'named a new' ELSE 'renamed the' END AS did, name AS token_name, name_before, COALESCE(other_owner, 'an owner not known') AS other_owner,
  other_token_id, other_in_force, CASE WHEN action = 'Token.PatUpdateEvent' AND other_in_force THEN 'medium' ELSE 'low' END AS severity
FROM placed WHERE place = 1
