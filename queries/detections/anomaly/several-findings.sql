--! id          = "PAT-A031"
--! title       = "Several different findings on one token within an hour"
--! severity    = "medium"
--! confidence  = "high"
--! subject     = "token"
--! tables      = ["findings"]
--! counts      = ["PAT-A001", "PAT-A002", "PAT-A003", "PAT-A005", "PAT-A006", "PAT-A007", "PAT-A008", "PAT-A009", "PAT-A010", "PAT-A011", "PAT-A012", "PAT-A014", "PAT-A015", "PAT-A016", "PAT-A017", "PAT-A018", "PAT-A019", "PAT-A020", "PAT-A021", "PAT-A022", "PAT-A023", "PAT-A024", "PAT-A025", "PAT-A026", "PAT-A028", "PAT-A029", "PAT-A030"]
--! message     = "The token '{name}' of {owner} drew {findings} findings of {kinds} different kinds within an hour: {what} ({which})."
--! fix         = "Look at these findings together: ask the owner whether this use was theirs; if not, revoke the token and review what it changed."
--! rationale   = "Each of these findings can have a harmless cause; several of them on one token within one hour are rarer than any one alone. Findings on the same fact count once: a first network, a first network with a first client and two networks at once are one kind (place), and so are all that speak of an action. Low for three kinds, medium when one of them is the place or the client, high from four kinds on with place or client: without those the owner probably starts on something new, with them it is probably somebody else. In test organisations that others made, every such hour with place or client was an attack. The finding lists all events of the token in that hour. PAT-A004 is left out, since it combines first values itself."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/audit/auditing-events"]
--! controls    = ["NIST AC-2(12)", "NIST AU-6", "OWASP NHI2"]
--! attack      = ["T1078.004"]
--! equivalents = ["P9"]
--! confirm     = []
WITH facts AS (
  SELECT org, token_id, detection, first_time,
    CASE WHEN detection IN ('PAT-A001', 'PAT-A008', 'PAT-A009', 'PAT-A019') THEN 'place'
      WHEN detection IN ('PAT-A015', 'PAT-A018', 'PAT-A020') THEN 'client'
      WHEN detection IN ('PAT-A002', 'PAT-A003', 'PAT-A016', 'PAT-A017', 'PAT-A022', 'PAT-A026', 'PAT-A028', 'PAT-A029', 'PAT-A030') THEN 'action'
      WHEN detection IN ('PAT-A005', 'PAT-A024') THEN 'amount'
      WHEN detection IN ('PAT-A006', 'PAT-A021') THEN 'breadth'
      WHEN detection IN ('PAT-A010', 'PAT-A011', 'PAT-A012', 'PAT-A014') THEN 'end of life'
      WHEN detection = 'PAT-A007' THEN 'waking'
      WHEN detection = 'PAT-A023' THEN 'hour'
      WHEN detection = 'PAT-A025' THEN 'creation' END AS kind
  FROM findings WHERE first_time IS NOT NULL AND severity <> 'info'
),
known AS (SELECT org, token_id, detection, first_time, kind FROM facts WHERE kind IS NOT NULL),
anchors AS (SELECT org, token_id, first_time AS anchor FROM known WHERE kind <> 'hour' GROUP BY org, token_id, first_time),
near AS (
  SELECT a.org AS org, a.token_id AS token_id, a.anchor AS anchor, k.kind AS kind, k.detection AS detection, k.first_time AS first_time
  FROM anchors AS a JOIN known AS k ON a.org = k.org AND a.token_id = k.token_id
  WHERE (k.kind <> 'hour' AND k.first_time >= a.anchor AND k.first_time <= a.anchor + INTERVAL '1 hours')
    OR (k.kind = 'hour' AND k.first_time > a.anchor - INTERVAL '1 hours' AND k.first_time <= a.anchor)
),
told AS (
  SELECT org, token_id, anchor, kind, COUNT(*) AS found, STRING_AGG(detection, ', ') AS which
  FROM near GROUP BY org, token_id, anchor, kind
),
summed AS (
  SELECT org, token_id, anchor, COUNT(*) AS kinds, SUM(found) AS findings_n, MAX(CASE WHEN kind IN ('place', 'client') THEN 1 ELSE 0 END) AS placed,
    STRING_AGG(kind, ', ') AS what, STRING_AGG(which, ', ') AS which
  FROM told GROUP BY org, token_id, anchor
),
dated AS (
  SELECT org, token_id, CAST(anchor AS DATE) AS day, anchor, kinds, findings_n, placed, what, which,
    0 - placed AS less_placed, 0 - kinds AS less_kinds, 0 - findings_n AS less_findings
  FROM summed WHERE kinds >= 3
),
days AS (
  SELECT org, token_id, day, anchor, kinds, findings_n, placed, what, which,
    ROW_NUMBER() OVER (PARTITION BY org, token_id, day ORDER BY less_placed, less_kinds, less_findings, anchor) AS best
  FROM dated
)
SELECT org, token_id AS subject, anchor AS first_time, anchor + INTERVAL '1 hours' AS last_time, kinds, findings_n AS findings, placed, what, which,
  CASE WHEN placed = 0 THEN 'low' WHEN kinds >= 4 THEN 'high' ELSE 'medium' END AS severity
FROM days WHERE best = 1
