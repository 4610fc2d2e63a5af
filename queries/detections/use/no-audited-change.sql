--! id          = "PAT-U001"
--! title       = "No audited event by this token in the window"
--! severity    = "low"
--! confidence  = "medium"
--! subject     = "token"
--! tables      = ["token_scopes", "tokens"]
--! message     = "No audited event by the token '{name}' of {owner} in {covered_days} covered days; scopes whose use leaves no trace: {invisible}."
--! fix         = "Ask the owner whether the token is still needed. Do not revoke on this evidence alone: reads are not in the log."
--! rationale   = "Reads, clones, pushes, queued builds and work item edits leave no trace, so silence proves nothing. Medium when use of every granted scope would have shown, read scopes aside, or when the token is privileged and nearly all use would have; low otherwise. The confidence is that of the verdict."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/accounts/use-personal-access-tokens-to-authenticate"]
--! controls    = ["CIS 5.3", "NIST AC-2(3)"]
WITH visible AS (
  SELECT org, token_id, SUM(CASE WHEN visibility IN ('full', 'mostly') THEN 1 ELSE 0 END) AS visible_scopes, COUNT(*) AS judged_scopes,
    MAX(CASE WHEN high_privilege THEN 1 ELSE 0 END) AS privileged
  FROM token_scopes WHERE granted GROUP BY org, token_id
)
SELECT t.org AS org, t.token_id AS subject, 0 AS count,
  t.covered_days AS covered_days, CASE WHEN t.scopes IS NULL THEN 'not known, as its grant is not' ELSE COALESCE(t.invisible_scopes, 'none') END
    || COALESCE('; it was seen in ' || t.seen_in, '') || CASE WHEN t.unseen_orgs THEN '; other organisations not seen' ELSE '' END AS invisible,
  t.last_observed_ever AS last_audited_change, t.valid_to AS valid_to,
  t.use_reason AS reason, t.use_confidence AS confidence, COALESCE(v.visible_scopes, 0) AS visible_scopes, COALESCE(v.judged_scopes, 0) AS judged_scopes,
  CASE WHEN v.judged_scopes > 0 AND v.visible_scopes = v.judged_scopes THEN 'medium'
    WHEN v.privileged = 1 AND 5 * v.visible_scopes >= 4 * v.judged_scopes THEN 'medium' ELSE 'low' END AS severity
FROM tokens AS t LEFT JOIN visible AS v ON t.org = v.org AND t.token_id = v.token_id
WHERE t.use_verdict = 'not-observed' AND NOT t.over
