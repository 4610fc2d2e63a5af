--! id          = "PAT-P034"
--! title       = "Token or key created by a script"
--! severity    = "low"
--! confidence  = "low"
--! subject     = "user"
--! tables      = ["notable"]
--! message     = "{subject} created a token or SSH key with {client}, not a browser, from {network}."
--! fix         = "Ask the user whether they made it; a stolen session makes tokens like this."
--! rationale   = "People make tokens in a browser; a replayed sign-in cookie is driven by a tool. Low, because tools such as credential managers make tokens too."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST AU-12", "NIST CM-6"]
--! attack      = ["T1098.001"]
--! equivalents = ["XF-02", "XF-03", "AN-05", "AN-09"]
--! keys        = ["client"]
WITH made AS (
  SELECT org, actor, time, event_id, action, COALESCE(client, 'no client') AS client, COALESCE(network, 'no network') AS network FROM notable
  WHERE action IN ('Token.PatCreateEvent', 'Token.SshCreateEvent') AND actor IS NOT NULL AND COALESCE(client, 'no client') NOT IN ('browser', 'Git Credential Manager', 'no client')
),
placed AS (
  SELECT org, actor, time, event_id, client, network, ROW_NUMBER() OVER (PARTITION BY org, actor, client ORDER BY time DESC NULLS LAST, event_id DESC NULLS LAST) AS place FROM made
)
SELECT org, actor AS subject, MIN(time) AS first_time, MAX(time) AS last_time, COUNT(*) AS count, client, MAX(CASE WHEN place = 1 THEN network END) AS network, STRING_AGG(event_id, ' ') AS event_ids
FROM placed GROUP BY org, actor, client
