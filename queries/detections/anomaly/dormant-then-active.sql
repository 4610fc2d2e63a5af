--! id          = "PAT-A007"
--! title       = "Token used again after a long silence"
--! severity    = "low"
--! confidence  = "medium"
--! subject     = "token"
--! tables      = ["token_dates", "seen", "tokens", "coverage", "gaps", "policy", "firsts"]
--! message     = "The token '{name}' of {owner} was used on {day} after {kind}; {novelties} networks or clients were new that day."
--! fix         = "Ask the owner whether this use was theirs; if not, revoke the token and review what it changed."
--! rationale   = "A forgotten token that is used again is worth a question. Medium when it was in steady use before (no earlier pause was nearly as long) and then silent for the policy's dormant days, or when both a network (not one of the organisation's own) and a client are new on the day of its return. Low for quarterly jobs, whose pauses are all long or which run at the one or two hours of the day that they always had, and for a break of three weeks in a steady rhythm. The silence counts audited events only: reads are not in the log. Use in another organisation of the run ends the silence. Silence in a gap of the log proves nothing: a pause with a gap in it counts as its longest part without one."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST AC-2(12)", "OWASP NHI2"]
--! attack      = ["T1528", "T1550.001"]
--! equivalents = ["P7"]
--! confirm     = []
WITH begun AS (
  SELECT org, from_time AS start FROM coverage
  UNION ALL
  SELECT org, to_time AS start FROM gaps
),
until AS (
  SELECT b.org AS org, b.start AS start, MIN(CASE WHEN g.from_time >= b.start THEN g.from_time END) AS stop,
    MAX(CASE WHEN g.from_time <= b.start AND g.to_time > b.start THEN 1 ELSE 0 END) AS in_gap
  FROM begun AS b LEFT JOIN gaps AS g ON b.org = g.org GROUP BY b.org, b.start
),
whole AS (
  SELECT u.org AS org, u.start AS start, COALESCE(u.stop, policy.as_of) AS stop FROM until AS u CROSS JOIN policy
  WHERE u.in_gap = 0 AND COALESCE(u.stop, policy.as_of) > u.start + INTERVAL '1 days' * policy.quiet_days
),
days AS (SELECT org, token_id, date, first_time, last_time, n FROM token_dates),
lagged AS (
  SELECT org, token_id, date, first_time, last_time, n, LAG(last_time) OVER (PARTITION BY org, token_id ORDER BY date) AS before,
    LAG(date) OVER (PARTITION BY org, token_id ORDER BY date) AS date_before
  FROM days
),
gaps_of AS (SELECT org, token_id, date, first_time, last_time, n, before, date - date_before AS pause FROM lagged WHERE before IS NOT NULL),
paused AS (
  SELECT g.org AS org, g.token_id AS token_id, g.date AS day, g.first_time AS first_time, g.last_time AS last_time, g.n AS n, g.before AS before, g.pause AS pause
  FROM gaps_of AS g CROSS JOIN policy WHERE g.first_time > g.before + INTERVAL '1 days' * policy.quiet_days
),
stilled AS (
  SELECT p.org AS org, p.token_id AS token_id, p.day AS day, p.first_time AS first_time, p.last_time AS last_time, p.n AS n, p.pause AS pause,
    CASE WHEN w.start > p.before THEN w.start ELSE p.before END AS still_from, CASE WHEN w.stop < p.first_time THEN w.stop ELSE p.first_time END AS still_to
  FROM paused AS p JOIN whole AS w ON p.org = w.org
),
elsewhere AS (
  SELECT t.org AS org, t.token_id AS token_id, d.first_time AS seen_from, d.last_time AS seen_to, d.org AS seen_org
  FROM tokens AS t JOIN days AS d ON t.token_id = d.token_id WHERE t.seen_ever_in IS NOT NULL
),
heard AS (
  SELECT s.org AS org, s.token_id AS token_id, s.day AS day, MAX(CASE WHEN e.seen_to > s.still_from AND e.seen_from < s.still_to THEN 1 ELSE 0 END) AS was_heard
  FROM stilled AS s JOIN elsewhere AS e ON s.org = e.org AND s.token_id = e.token_id WHERE e.seen_org <> s.org GROUP BY s.org, s.token_id, s.day
),
silent AS (
  SELECT s.org AS org, s.token_id AS token_id, s.day AS day, MIN(s.first_time) AS first_time, MIN(s.last_time) AS last_time, MIN(s.n) AS n, MIN(s.pause) AS pause,
    MAX(CASE WHEN s.still_to > s.still_from + INTERVAL '1 days' * policy.dormant_days THEN 1 ELSE 0 END) AS dormant
  FROM stilled AS s LEFT JOIN heard AS h ON s.org = h.org AND s.token_id = h.token_id AND s.day = h.day CROSS JOIN policy
  WHERE COALESCE(h.was_heard, 0) = 0 AND s.still_to > s.still_from + INTERVAL '1 days' * policy.quiet_days
  GROUP BY s.org, s.token_id, s.day
),
rhythm AS (
  SELECT s.org AS org, s.token_id AS token_id, s.day AS day, COUNT(*) AS pauses, SUM(CASE WHEN 4 * g.pause >= s.pause THEN 1 ELSE 0 END) AS long_pauses
  FROM silent AS s JOIN gaps_of AS g ON s.org = g.org AND s.token_id = g.token_id WHERE g.date < s.day
  GROUP BY s.org, s.token_id, s.day
),
woken AS (
  SELECT s.org AS org, s.token_id AS token_id, s.day AS day, s.first_time AS first_time, s.last_time AS last_time, s.n AS n, s.dormant AS dormant,
    COALESCE(r.pauses, 0) AS pauses, COALESCE(r.long_pauses, 0) AS long_pauses
  FROM silent AS s LEFT JOIN rhythm AS r ON s.org = r.org AND s.token_id = r.token_id AND s.day = r.day
),
broken AS (
  SELECT w.org AS org, w.token_id AS token_id, w.day AS day, w.first_time AS first_time, w.last_time AS last_time, w.n AS n, 'a long silence' AS kind,
    CASE WHEN w.pauses >= policy.learning_active_days AND w.long_pauses = 0 AND w.dormant = 1 THEN 1 ELSE 0 END AS steady
  FROM woken AS w CROSS JOIN policy
  WHERE w.dormant = 1 OR (w.pauses >= policy.learning_active_days AND w.long_pauses = 0)
),
born AS (SELECT org, token_id, MIN(first_time) AS born_time FROM seen WHERE dimension = 'action' AND token_id IS NOT NULL GROUP BY org, token_id),
late AS (
  SELECT b.org AS org, b.token_id AS token_id, b.born_time AS born_time, t.valid_from AS valid_from
  FROM born AS b JOIN tokens AS t ON b.org = t.org AND b.token_id = t.token_id
  WHERE t.seen_ever_in IS NULL
),
covered AS (
  SELECT l.org AS org, l.token_id AS token_id, l.born_time AS born_time,
    CASE WHEN l.valid_from >= w.start THEN 'no audited event since its creation' ELSE 'no audited event in the covered days before' END AS kind
  FROM late AS l JOIN whole AS w ON l.org = w.org CROSS JOIN policy
  WHERE l.born_time <= w.stop AND l.born_time > l.valid_from + INTERVAL '1 days' * policy.dormant_days
    AND l.born_time > w.start + INTERVAL '1 days' * policy.dormant_days
),
awake AS (
  SELECT org, token_id, day, first_time, last_time, n, kind, steady FROM broken
  UNION ALL
  SELECT d.org AS org, d.token_id AS token_id, d.date AS day, d.first_time AS first_time, d.last_time AS last_time, d.n AS n, c.kind AS kind, 0 AS steady
  FROM days AS d JOIN covered AS c ON d.org = c.org AND d.token_id = c.token_id WHERE d.first_time <= c.born_time
),
hours AS (
  SELECT w.org AS org, w.token_id AS token_id, w.day AS day, SUM(CASE WHEN CAST(s.first_time AS DATE) < w.day THEN 1 ELSE 0 END) AS hours_known,
    SUM(CASE WHEN CAST(s.first_time AS DATE) = w.day THEN 1 ELSE 0 END) AS hours_new
  FROM awake AS w JOIN seen AS s ON w.org = s.org AND w.token_id = s.token_id WHERE s.dimension = 'hour' GROUP BY w.org, w.token_id, w.day
),
scheduled AS (SELECT org, token_id, day FROM hours WHERE hours_known <= 2 AND hours_new = 0),
kept AS (
  SELECT w.org AS org, w.token_id AS token_id, w.day AS day, w.first_time AS first_time, w.last_time AS last_time, w.n AS n, w.kind AS kind, w.steady AS steady, k.day AS kept_day
  FROM awake AS w LEFT JOIN scheduled AS k ON w.org = k.org AND w.token_id = k.token_id AND w.day = k.day
),
fresh AS (
  SELECT org, token_id, CAST(first_time AS DATE) AS day, COUNT(*) AS novelties
  FROM firsts WHERE dimension IN ('network', 'client') AND values_before >= 1 AND active_before >= 1 AND novelty > 0 AND NOT own
  GROUP BY org, token_id, CAST(first_time AS DATE)
)
SELECT w.org AS org, w.token_id AS subject, w.first_time AS first_time, w.last_time AS last_time, w.n AS count, w.day AS day,
  CASE WHEN t.unseen_orgs THEN w.kind || ' here (other organisations not seen)' ELSE w.kind END AS kind,
  COALESCE(f.novelties, 0) AS novelties, CASE WHEN COALESCE(f.novelties, 0) >= 2 OR (w.steady = 1 AND w.kept_day IS NULL) THEN 'medium' ELSE 'low' END AS severity
FROM kept AS w LEFT JOIN tokens AS t ON w.org = t.org AND w.token_id = t.token_id LEFT JOIN fresh AS f ON w.org = f.org AND w.token_id = f.token_id AND w.day = f.day
