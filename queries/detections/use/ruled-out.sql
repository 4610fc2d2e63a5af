--! id          = "PAT-U003"
--! title       = "Unused: usage records show no PAT call by the owner"
--! severity    = "high"
--! confidence  = "high"
--! subject     = "token"
--! tables      = ["tokens"]
--! message     = "The token '{name}' of {owner} is unused: {reason}"
--! fix         = "Revoke the token."
--! rationale   = "Usage records contain reads too, and they contain no PAT call of any class by this owner on any judged day. This is the only case in which the evidence supports the word unused."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/accounts/use-personal-access-tokens-to-authenticate"]
--! controls    = ["CIS 5.3", "NIST AC-2(3)"]
--! rests_on    = ["owner", "reach"]
SELECT org, token_id AS subject, 0 AS count, covered_days, COALESCE(use_reason, 'no PAT call is recorded.') AS reason, use_confidence AS confidence
FROM tokens WHERE use_verdict = 'ruled-out' AND NOT over
