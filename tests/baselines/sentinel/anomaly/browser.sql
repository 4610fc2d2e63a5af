--! id          = "SEN-A01"
--! title       = "Azure DevOps PAT used with Browser (Sentinel, as published)"
--! severity    = "medium"
--! confidence  = "medium"
--! subject     = "token"
--! tables      = ["events"]
--! message     = "The token '{name}' of {owner} was used with a browser on {day}."
--! fix         = "A baseline to compare with; see the pack's own detections."
--! rationale   = "Written from the rule's description, not from its text: the mechanism begins with PAT and the agent names a rendering engine. Daily, one row an event; here one a token and day, which is kinder."
--! keys        = ["day"]
SELECT org, token_id AS subject, MIN(time) AS first_time, MAX(time) AS last_time, COUNT(*) AS count, CAST(date AS VARCHAR) AS day
FROM events
WHERE kind = 'pat' AND token_id IS NOT NULL
  AND (LOWER(user_agent) LIKE '%gecko%' OR LOWER(user_agent) LIKE '%webkit%' OR LOWER(user_agent) LIKE '%presto%'
    OR LOWER(user_agent) LIKE '%trident%' OR LOWER(user_agent) LIKE '%edgehtml%' OR LOWER(user_agent) LIKE '%blink%')
GROUP BY org, token_id, date
