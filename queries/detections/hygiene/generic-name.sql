--! id          = "PAT-H003"
--! title       = "Missing or generic name"
--! severity    = "low"
--! confidence  = "high"
--! subject     = "token"
--! tables      = ["tokens", "policy"]
--! message     = "The token {subject} of {owner} is named '{shown}', which does not say what it is for."
--! fix         = "Rename it after the job and the place where it runs."
--! rationale   = "A generic name slows down every review and every incident. It is recognised by a short list of words and by its length; low, since it does no harm by itself."
--! references  = ["https://learn.microsoft.com/azure/devops/organizations/accounts/use-personal-access-tokens-to-authenticate"]
--! controls    = ["NIST IA-5"]
SELECT org, token_id AS subject, valid_from AS first_time, policy.as_of AS last_time, 0 AS count, COALESCE(name, 'no name') AS shown, scopes, valid_to
FROM tokens CROSS JOIN policy
WHERE NOT over AND known_inventory AND (name IS NULL OR LENGTH(TRIM(name)) <= 2
  OR LOWER(TRIM(name)) IN ('pat', 'token', 'mytoken', 'my token', 'my pat', 'mypat', 'test', 'test token', 'testtoken', 'test pat', 'testpat', 'tmp', 'temp', 'new', 'new token', 'key', 'secret', 'default', 'foo', 'asdf', 'abc', 'azure', 'devops', 'azure devops', 'ado', 'access', 'access token', 'personal access token', 'pat1', 'pat2', 'token1', 'token2', 'test1', 'test2', 'test123', 'untitled', 'full', 'full access', 'admin', 'build', 'dev', 'work', 'pat token', 'pattoken')
  OR LOWER(TRIM(name)) LIKE 'test %' OR LOWER(TRIM(name)) LIKE 'new pat%' OR LOWER(TRIM(name)) LIKE 'new token%' OR LOWER(TRIM(name)) LIKE 'tmp%' OR LOWER(TRIM(name)) LIKE 'temp-%')
