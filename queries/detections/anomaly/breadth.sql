--! id          = "PAT-A006"
--! title       = "Token touched many projects or targets within ten minutes"
--! severity    = "medium"
--! confidence  = "medium"
--! subject     = "token"
--! tables      = ["token_dates", "policy"]
--! message     = "The token '{name}' of {owner} touched {projects} projects and {targets} targets such as repositories within ten minutes on {day}; its most on {past_days} earlier days were {past_projects} and {past_targets}."
--! fix         = "Ask the owner whether this use was theirs; if not, revoke the token and review what it changed."
--! rationale   = "An intruder looks through many projects to see what is there. Judged against the token's own past, since migration and policy tools do this every day. The events that one call causes (a cascade) count once. Medium for projects at twice the most before, and for targets at three times the most, where projects are more than before too or the targets twice the threshold: a day of many repositories in its own projects is work. Clones and reads are not in the log, so only sweeps that change something show."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST AC-2(12)", "OWASP NHI2"]
--! attack      = ["T1526", "T1213.003"]
--! equivalents = ["AN-01", "AN-02", "P6"]
--! confirm     = []
WITH days AS (
  SELECT org, token_id, date, peak_projects AS projects, peak_targets AS targets, peak_time, start_time AS first_time, n FROM token_dates
),
wide AS (
  SELECT org, token_id, date AS wide_date, projects AS wide_projects, targets AS wide_targets, n AS wide_n, COALESCE(peak_time, first_time) AS wide_time
  FROM days CROSS JOIN policy WHERE projects >= policy.breadth_projects OR targets >= policy.breadth_targets
),
pairs AS (
  SELECT w.org AS org, w.token_id AS token_id, w.wide_date AS wide_date, w.wide_projects AS wide_projects, w.wide_targets AS wide_targets,
    w.wide_n AS wide_n, w.wide_time AS wide_time, COALESCE(d.projects, 0) AS projects, COALESCE(d.targets, 0) AS targets
  FROM wide AS w JOIN days AS d ON w.org = d.org AND w.token_id = d.token_id WHERE d.date < w.wide_date
),
past AS (
  SELECT org, token_id, wide_date, MAX(wide_projects) AS wide_projects, MAX(wide_targets) AS wide_targets, MAX(wide_n) AS wide_n,
    MAX(wide_time) AS wide_time, MAX(projects) AS past_projects, MAX(targets) AS past_targets, COUNT(*) AS past_days
  FROM pairs GROUP BY org, token_id, wide_date
)
SELECT p.org AS org, p.token_id AS subject, p.wide_time AS first_time, p.wide_time + INTERVAL '10 minutes' AS last_time, p.wide_n AS count,
  p.wide_date AS day, p.wide_projects AS projects, p.wide_targets AS targets, p.past_projects AS past_projects, p.past_targets AS past_targets,
  p.past_days AS past_days,
  CASE WHEN p.past_days >= policy.learning_active_days
      AND ((p.wide_projects >= policy.breadth_projects AND p.wide_projects >= 2 * p.past_projects AND p.wide_projects >= p.past_projects + 4)
        OR (p.wide_targets >= policy.breadth_targets AND p.wide_targets >= 3 * p.past_targets
          AND (p.wide_projects > p.past_projects OR p.wide_targets >= 2 * policy.breadth_targets)))
    THEN 'medium' ELSE 'low' END AS severity
FROM past AS p CROSS JOIN policy
WHERE (p.wide_projects >= policy.breadth_projects AND p.wide_projects > p.past_projects + 1)
  OR (p.wide_targets >= policy.breadth_targets AND p.wide_targets >= 2 * p.past_targets)
