--! id          = "PAT-P006"
--! title       = "Policy on tokens changed"
--! severity    = "medium"
--! confidence  = "high"
--! subject     = "user"
--! tables      = ["notable"]
--! needs       = { actions = ["OrganizationPolicy.*"], fields = ["d_policy_name"] }
--! message     = "{subject} changed a policy on tokens: {what}."
--! fix         = "Compare the value with what was decided."
--! rationale   = "These policies limit who may create tokens, for which organisations and for how long. A change either way is worth a look, since the log does not say which direction is stricter."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST AU-12", "NIST CM-6"]
--! attack      = ["T1562"]
--! keys        = ["action"]
WITH hits AS (
  SELECT org, COALESCE(actor, 'an actor not known') AS who, time, event_id, action, kind, CONCAT(COALESCE(d_policy_name, 'a policy'), ' = ', COALESCE(d_policy_value, 'no value')) AS what, network, token_id
  FROM notable WHERE action LIKE 'OrganizationPolicy.%' AND (LOWER(d_policy_name) LIKE '%pat%creation%' OR LOWER(d_policy_name) LIKE '%personalaccesstoken%' OR LOWER(d_policy_name) LIKE '%token%')
),
placed AS (
  SELECT org, who, time, event_id, action, kind, what, network, token_id,
    ROW_NUMBER() OVER (PARTITION BY org, who, action ORDER BY time DESC NULLS LAST, event_id DESC NULLS LAST) AS place
  FROM hits
)
SELECT org, who AS subject, MIN(time) AS first_time, MAX(time) AS last_time, COUNT(*) AS count, action,
  MAX(CASE WHEN place = 1 THEN kind END) AS kind, MAX(CASE WHEN place = 1 THEN what END) AS what, MAX(CASE WHEN place = 1 THEN network END) AS network, MAX(CASE WHEN place = 1 THEN token_id END) AS token_id,
  STRING_AGG(event_id, ' ') AS event_ids
FROM placed GROUP BY org, who, action
