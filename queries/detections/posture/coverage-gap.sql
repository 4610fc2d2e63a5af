--! id          = "PAT-P035"
--! title       = "Days without a log"
--! severity    = "low"
--! confidence  = "medium"
--! subject     = "org"
--! tables      = ["gaps", "policy"]
--! message     = "The log of {subject} has a gap from {first_time} to {last_time}: {reason}."
--! fix         = "Pull or import the missing span while Azure DevOps still keeps it, which is 90 days."
--! rationale   = "What happened in a gap is not known, and silence in it says nothing. Low by itself; a disabled stream is a separate finding."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST AU-12", "NIST CM-6"]
--! equivalents = ["P13"]
SELECT g.org AS org, g.org AS subject, g.from_time AS first_time, g.to_time AS last_time, 0 AS count, g.from_time AS from_time, g.reason AS reason
FROM gaps AS g CROSS JOIN policy WHERE g.to_time >= policy.window_from AND g.from_time <= policy.as_of
