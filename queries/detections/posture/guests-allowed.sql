--! id          = "PAT-P004"
--! title       = "Guest access enabled"
--! severity    = "medium"
--! confidence  = "high"
--! subject     = "user"
--! tables      = ["notable"]
--! needs       = { actions = ["OrganizationPolicy.PolicyValueUpdated"], fields = ["d_policy_name", "d_policy_value"] }
--! message     = "{subject} enabled access for guest users ({what})."
--! fix         = "Check that guests are wanted, and review those who have access."
--! rationale   = "Guests own tokens as members do, and leave without an offboarding."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST AU-12", "NIST CM-6"]
--! attack      = ["T1562"]
--! equivalents = ["SEN-H14"]
--! keys        = ["action"]
WITH hits AS (
  SELECT org, COALESCE(actor, 'an actor not known') AS who, time, event_id, action, kind, CONCAT(d_policy_name, ' = ', d_policy_value) AS what, network, token_id
  FROM notable WHERE action = 'OrganizationPolicy.PolicyValueUpdated' AND d_policy_name = 'Policy.DisallowAadGuestUserAccess' AND LOWER(d_policy_value) IN ('false', 'off', '0', 'null')
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
