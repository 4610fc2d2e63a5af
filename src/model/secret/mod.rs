//! Credentials in text: text from anywhere in, the same text with every credential masked out.
//!
//! People paste secrets into names, agents, details and file names. They are found by their format, so that secrets are
//! masked that patwatch was never given. GUIDs, digests, commit ids and fingerprints are no credentials and stay.
//! [`tokens`] finds what is a secret by itself, [`pairs`] what is one by the name in front of it, [`address`] user
//! information in URLs, [`commands`] passwords of command lines, [`marked`] values of objects that say they are secret,
//! [`webhooks`] addresses that nobody else may know; [`suspect`] decides quickly that a text has none of them.

mod address;
mod commands;
mod json;
mod marked;
mod pairs;
mod suspect;
mod tokens;
mod webhooks;

pub use json::{mask_value, masked_json};
pub use suspect::is_suspect;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

/// What stands in the place of a credential.
pub const MARK: &str = "[redacted]";

text_enum! {
    /// What kind of credential was masked.
    SecretKind {
        /// A personal access token of Azure DevOps, in the old or the new format.
        Pat = "personal access token",
        /// A JWT, or what follows `Bearer` or `Basic`.
        Bearer = "bearer or basic credential",
        /// User name and password in an address.
        Address = "password in an address",
        /// The value of a key or password, as in a connection string.
        Key = "key or password",
        /// A token or key of another service that shows its kind.
        Other = "token of another service",
    }
}

/// How many credentials were masked, by kind.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Masked(pub BTreeMap<SecretKind, u64>);

impl Masked {
    /// Counts one credential.
    pub fn add(&mut self, kind: SecretKind) {
        *self.0.entry(kind).or_default() += 1;
    }

    /// Adds the counts of another, `times` times.
    pub fn merge(&mut self, other: &Self, times: u64) {
        other.0.iter().for_each(|(kind, n)| *self.0.entry(*kind).or_default() += n * times);
    }

    /// Returns the number of credentials.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.values().sum()
    }

    /// Returns true if nothing was masked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.total() == 0
    }

    /// Returns the counts in words, such as `personal access token: 2, key or password: 1`.
    #[must_use]
    pub fn words(&self) -> String {
        self.0.iter().map(|(kind, n)| format!("{kind}: {n}")).collect::<Vec<_>>().join(", ")
    }
}

/// Returns `text` without anything that looks like a credential.
#[must_use]
pub fn covered(text: &str) -> Cow<'_, str> {
    masked(text, &mut Masked::default()).map_or(Cow::Borrowed(text), Cow::Owned)
}

/// Returns `text` with every credential masked, and counts them; nothing where there is none.
#[must_use]
pub fn masked(text: &str, count: &mut Masked) -> Option<String> {
    if !is_suspect(text) {
        return None;
    }
    let found = found(text);
    if found.is_empty() {
        return None;
    }
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for (range, kind) in found {
        out.push_str(text.get(done..range.start).unwrap_or_default());
        out.push_str(MARK);
        count.add(kind);
        done = range.end;
    }
    out.push_str(text.get(done..).unwrap_or_default());
    Some(out)
}

/// Masks a text in its place.
pub fn mask(text: &mut String, count: &mut Masked) {
    if let Some(masked) = masked(text, count) {
        *text = masked;
    }
}

/// Returns the credentials of a text in order; where two overlap they are one, of the kind of the first.
fn found(text: &str) -> Vec<(Range<usize>, SecretKind)> {
    let mut all = tokens::find(text);
    all.extend(address::find(text));
    all.extend(pairs::find(text));
    all.extend(commands::find(text));
    all.extend(marked::find(text));
    all.extend(webhooks::find(text));
    all.sort_by_key(|(range, _)| (range.start, std::cmp::Reverse(range.end)));
    let mut merged: Vec<(Range<usize>, SecretKind)> = Vec::with_capacity(all.len());
    for (range, kind) in all {
        match merged.last_mut() {
            Some((last, _)) if range.start < last.end => last.end = last.end.max(range.end),
            _ => merged.push((range, kind)),
        }
    }
    merged
}

/// Returns the first characters of a text that may be long, to be shown. Half a PAT no longer looks like one, so it is
/// masked before it is cut.
#[must_use]
pub fn start(text: &str, chars: usize) -> String {
    const LONGEST_WORD: usize = 256;
    let near: String = text.chars().take(chars + LONGEST_WORD).collect();
    covered(&near).chars().take(chars).collect()
}

/// Characters of which credentials are made: base64 in both alphabets and the dots of a JWT.
#[must_use]
pub const fn is_token_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '+' | '/' | '=' | '~')
}

/// Returns true for text that was drawn by chance rather than written: letters and digits, and at least `least` of both.
fn is_opaque(text: &str, least: usize) -> bool {
    text.len() >= least
        && text.bytes().any(|b| b.is_ascii_digit())
        && text.bytes().any(|b| b.is_ascii_alphabetic())
        && !super::identity::is_guid(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pats() -> [String; 4] {
        [
            format!("{}AZDO{}", "a1B2".repeat(19), "Wx9z"),
            "abcd".repeat(13),
            "ABCD".repeat(13),
            format!("{}AZDO{}", "a1B2".repeat(19), "Wx9z").to_lowercase(),
        ]
    }

    #[test]
    fn a_pat_is_masked_wherever_it_stands() {
        for secret in pats() {
            for text in [
                secret.clone(),
                format!("é: \"{secret}\", b"),
                format!("x={secret}\ny"),
                format!("key_{secret}"),
                format!("{secret}{secret}"),
            ] {
                let shown = covered(&text);
                assert!(!shown.contains(&secret) && shown.contains(MARK), "{shown}");
                assert_eq!(
                    shown.replace(MARK, &secret),
                    text.replace(&secret.repeat(2), &secret),
                    "the rest stays"
                );
            }
            assert_eq!(start(&format!("x {secret} y"), 40), format!("x {MARK} y"));
            assert!(!start(&format!("{} {secret}", "x".repeat(34)), 40).contains("abcd"));
        }
        assert_eq!(start("é".repeat(900).as_str(), 3), "ééé");
    }

    #[test]
    fn every_kind_is_masked_and_the_rest_stays() {
        for (text, shown) in [
            ("https://ann:hunter2@host/x", "https://[redacted]@host/x"),
            ("see git+ssh://u:p@ss@h:22/y.", "see git+ssh://[redacted]@h:22/y."),
            ("https://build:a/b@dev.azure.com/x", "https://[redacted]@dev.azure.com/x"),
            ("https://abcdefgh1234567890xyz@dev.azure.com", "https://[redacted]@dev.azure.com"),
            (
                "Server=db;User Id=sa;Password=hunter2;Encrypt=true",
                "Server=db;User Id=sa;Password=[redacted];Encrypt=true",
            ),
            ("AccountName=a;AccountKey=Zm9v+/8=;x", "AccountName=a;AccountKey=[redacted];x"),
            (
                "SharedAccessKeyName=n;SharedAccessKey=Zm9v=",
                "SharedAccessKeyName=n;SharedAccessKey=[redacted]",
            ),
            ("https://s/c?sv=1&sig=abcdefghijkl%2B123%3D&se=2", "https://s/c?sv=1&sig=[redacted]&se=2"),
            ("SharedAccessSignature=sv=1&sig=x;y", "SharedAccessSignature=[redacted];y"),
            ("export DB_PASSWORD='a b'", "export DB_PASSWORD='[redacted]'"),
            ("pwd: hunter2", "pwd: [redacted]"),
            ("{\"password\":\"s\",\"x\":1}", "{\"password\":\"[redacted]\",\"x\":1}"),
            ("client_secret=abc~8Q", "client_secret=[redacted]"),
            ("Authorization: Bearer abcdefgh0123456789XY", "Authorization: Bearer [redacted]"),
            ("AUTHORIZATION: basic OmFiY2RlZmdo", "AUTHORIZATION: basic [redacted]"),
            ("ghp_0123456789abcdefghijABCDEFGHIJ012345", "[redacted]"),
            ("a github_pat_11ABCDEFG0abcdefghijkl_x b", "a [redacted] b"),
            ("AKIAIOSFODNN7EXAMPLE", "[redacted]"),
            ("abc8Q~0123456789abcdefghijklmnopqrstuv", "[redacted]"),
            ("-----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY-----\nrest", "[redacted]\nrest"),
            ("eyJhbGciOiJub25lIn0.eyJzdWIiOiJtZSJ9.c2ln!", "[redacted]!"),
            ("NPM_TOKEN=abc npm publish", "NPM_TOKEN=[redacted] npm publish"),
            ("AZURE_DEVOPS_EXT_PAT=abc az devops", "AZURE_DEVOPS_EXT_PAT=[redacted] az devops"),
            ("$env:MY_SECRET = 'x y'", "$env:MY_SECRET = '[redacted]'"),
            ("npm_token=hunter-two7", "npm_token=[redacted]"),
            ("GITHUB_PAT: abc123def", "GITHUB_PAT: [redacted]"),
            ("{\"AZURE_DEVOPS_EXT_PAT\":\"ab\"}", "{\"AZURE_DEVOPS_EXT_PAT\":\"[redacted]\"}"),
            ("X_API_KEY=k; DB_PASSWORD=p", "X_API_KEY=[redacted]; DB_PASSWORD=[redacted]"),
            ("ClientSecret: QwErTy-uiop", "ClientSecret: [redacted]"),
            ("ClientSecret: hunter2x", "ClientSecret: [redacted]"),
            ("apiToken=abcdefgh1234567890xyz", "apiToken=[redacted]"),
            ("https://user:p%40ss@host/x", "https://[redacted]@host/x"),
            ("https://user%3Apw@host/x", "https://[redacted]@host/x"),
            ("https://user:pw%40host/x", "https://[redacted]%40host/x"),
            ("u=https%3A%2F%2Fuser%3Apw%40host%2Fx&y=1", "u=https%3A%2F%2F[redacted]%40host%2Fx&y=1"),
            ("u=https%253a%252f%252fuser%253apw%2540host", "u=https%253a%252f%252f[redacted]%2540host"),
            (
                "u=https%3A%2F%2Fs%3Fsig%3Dabcdefgh1234567890x%26se%3D1",
                "u=https%3A%2F%2Fs%3Fsig%3D[redacted]%26se%3D1",
            ),
            ("dckr_pat_abcdefghijklmnopqrst1_-45", "[redacted]"),
            ("sk-proj-abcdefghij_KLMNOPQRST-12", "[redacted]"),
            ("sk-ant-api03-abcdefghijKLMNOPQRST", "[redacted]"),
            ("hvs.CAESIabcdefghijklmnopqrstu", "[redacted]"),
            ("sk_live_abcdefghij1234567890", "[redacted]"),
            ("rk_live_abcdefghij1234567890", "[redacted]"),
            ("sqp_0123456789abcdef0123456789abcdef01234567", "[redacted]"),
            ("sqa_0123456789abcdef0123456789abcdef01234567", "[redacted]"),
            ("squ_0123456789abcdef0123456789abcdef01234567", "[redacted]"),
            ("xoxr-1234567890-abc", "[redacted]"),
            (
                "to https://hooks.slack.com/services/T0/B0/x ok",
                "to https://hooks.slack.com/services/[redacted] ok",
            ),
            (
                "https://c.webhook.office.com/webhookb2/a718550e-4777-4058-8298-bff88d0cb524@b/IncomingWebhook/c/d",
                "https://c.webhook.office.com/webhookb2/[redacted]",
            ),
            (
                "SharedAccessSignature sr=x&sig=abcdefgh1234567890%3D&se=1",
                "SharedAccessSignature sr=x&sig=[redacted]&se=1",
            ),
        ] {
            assert_eq!(covered(text), shown);
            let mut count = Masked::default();
            let again = masked(shown, &mut count);
            assert_eq!((again.as_deref(), count.total()), (None, 0), "{shown}");
        }
    }

    #[test]
    fn ids_digests_and_prose_stay() {
        for text in [
            "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 é",
            "da39a3ee5e6b4b0d3255bfef95601890afd80709",
            "abcdef234567abcdef234567abcdef234567abcdef234567abcdef234567abcd",
            "PAT authorizationId: a718550e-4777-4058-8298-bff88d0cb524",
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
            "aad.YWZkMzM2ZGQtZTgwYy03MWViLThlYmQtODMzNjMxYmEwNWM2",
            "vssgp.Uy0xLTktMTU1MTM3NDI0NS0xMjA0NDAwOTY5LTI0MDI5ODY0MTMtMjE3OTQwODYxNi0zLTU0NzYzMzI1OS0xOTQ0",
            "https://contoso@dev.azure.com/contoso/_git/x",
            "https://registry.example:4873/@scope/pkg",
            "http://[::1]:8080/@x",
            "https://dev.azure.com/contoso/_apis/x?api-version=7.1&continuationToken=abcdefgh12345678",
            "Password=$(DbPassword);Pwd=${x};password=***",
            "the password: changed",
            "Basic authentication is off",
            "Basic + Test Plans",
            "the bearer of this",
            "isSecret=true; key=value; design=blue",
            "storageKey=a718550e-4777-4058-8298-bff88d0cb524",
            "Mozilla/5.0 (compatible; +https://example.org/bot)",
            "token=unknown",
            "Token: repoV2/a718550e-4777-4058-8298-bff88d0cb524/20240101",
            "token: release-agent-2024-production-2",
            "PAT \"[redacted]\"",
            "token=a718550e-4777-4058-8298-bff88d0cb524",
            "NPM_TOKEN=a718550e-4777-4058-8298-bff88d0cb524",
            "AZURE_DEVOPS_EXT_PAT: a718550e-4777-4058-8298-bff88d0cb524",
            "PersonalAccessToken=a718550e-4777-4058-8298-bff88d0cb524",
            "{\"personalAccessToken\":\"a718550e-4777-4058\"}",
            "continuation_token=abcdefgh1234567890xyz",
            "nextPageToken=abcdefgh1234567890xyz",
            "design_token=blue",
            "MY_TOKEN=$(Build.Token)",
            "ClientSecret: renewed",
            "https%3A%2F%2Fcontoso%40dev.azure.com%2Fx",
            "a%40b.example",
            "https://hooks.slack.com/docs",
            "task-force sk-ant-x",
            "ABCDEFGHIJKLMNOPQRSTUVWXYZ_ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        ] {
            assert_eq!(covered(text), text);
        }
    }

    #[test]
    fn the_words_of_a_count() {
        let mut count = Masked::default();
        let _ = masked("Password=a pwd=b", &mut count);
        let _ = masked(&pats()[1], &mut count);
        assert_eq!(
            (count.total(), count.words().as_str()),
            (3, "personal access token: 1, key or password: 2")
        );
    }

    proptest! {
        #[test]
        fn any_text_is_taken_and_masking_twice_changes_nothing(text in "(?s).{0,60}(://|[a-z]{3}|pwd=|=|@|:|\"|sig=|Bearer |é){0,6}.{0,60}") {
            let once = covered(&text).into_owned();
            prop_assert_eq!(covered(&once).into_owned(), once);
        }
    }
}
