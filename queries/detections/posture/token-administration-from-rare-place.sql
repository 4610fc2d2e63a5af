--! id          = "PAT-P036"
--! title       = "Tokens administered from a rarely seen network"
--! severity    = "low"
--! confidence  = "low"
--! subject     = "user"
--! tables      = ["org_seen", "notable", "policy", "places"]
--! message     = "{subject} did {action} from {network}, a network seen on {days} days in the whole log."
--! fix         = "Ask the user whether it was them; tokens made with a stolen session come from places like this."
--! rationale   = "The published rule that this detection covers needs a list of company networks. Here, networks of the configuration (`networks`) never fire; any other counts as foreign when the organisation's log shows it on fewer than three days. Low: people travel. The first weeks of the log are learned from and do not fire."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST AU-12", "NIST CM-6"]
--! attack      = ["T1528", "T1550.001"]
--! equivalents = ["BEN-4"]
--! keys        = ["network"]
WITH visits AS (SELECT org, value AS network, days FROM org_seen WHERE dimension = 'network'),
admin AS (
  SELECT org, actor, action, network, time, event_id FROM notable CROSS JOIN policy
  WHERE action IN ('Token.PatCreateEvent', 'Token.PatUpdateEvent', 'Token.PatRevokeEvent', 'Token.SshCreateEvent', 'Token.SshUpdateEvent', 'Token.SshRevokeEvent')
    AND actor IS NOT NULL AND network IS NOT NULL AND NOT COALESCE(service_actor, FALSE) AND time >= policy.window_from + INTERVAL '1 days' * policy.learning_days
),
rare AS (
  SELECT a.org AS org, a.actor AS actor, a.action AS action, a.network AS network, a.time AS time, a.event_id AS event_id, p.days AS days
  FROM admin AS a JOIN visits AS p ON a.org = p.org AND a.network = p.network WHERE p.days < 3
),
foreign_ones AS (
  SELECT r.org AS org, r.actor AS actor, r.action AS action, r.network AS network, r.time AS time, r.event_id AS event_id, r.days AS days
  FROM rare AS r LEFT JOIN places AS l ON r.org = l.org AND r.network = l.network WHERE NOT COALESCE(l.own, FALSE)
),
placed AS (
  SELECT org, actor, action, network, time, event_id, days,
    ROW_NUMBER() OVER (PARTITION BY org, actor, network ORDER BY time DESC NULLS LAST, event_id DESC NULLS LAST) AS place
  FROM foreign_ones
)
SELECT org, actor AS subject, MIN(time) AS first_time, MAX(time) AS last_time, COUNT(*) AS count, network, MAX(CASE WHEN place = 1 THEN action END) AS action, MAX(days) AS days, STRING_AGG(event_id, ' ') AS event_ids
FROM placed GROUP BY org, actor, network
