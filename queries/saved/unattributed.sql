-- Credentials that could not be attributed to one token.
SELECT org, credential, kind, class, how, candidates, n, first_time, last_time
FROM credentials WHERE token_id IS NULL AND kind = 'pat' ORDER BY n DESC NULLS LAST
