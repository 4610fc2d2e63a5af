//! Addresses that are a secret themselves: whoever knows the address of an incoming webhook may post to it.
//!
//! In: a text. Out: what follows the part of the address that names the service.

use super::{MARK, SecretKind};
use std::ops::Range;

/// What stands in front of the secret part.
const SERVICES: [&str; 8] = [
    "hooks.slack.com/services/",
    "hooks.slack.com/workflows/",
    "hooks.slack.com/triggers/",
    "webhook.office.com/webhookb2/",
    "outlook.office.com/webhook/",
    "outlook.office365.com/webhook/",
    "discord.com/api/webhooks/",
    "discordapp.com/api/webhooks/",
];

pub(super) fn find(text: &str) -> Vec<(Range<usize>, SecretKind)> {
    let low = text.to_ascii_lowercase();
    let mut found = Vec::new();
    for service in SERVICES {
        for at in memchr::memmem::find_iter(low.as_bytes(), service) {
            let start = at + service.len();
            let rest = &text[start..];
            let ends = |c: char| {
                c.is_whitespace()
                    || c.is_control()
                    || matches!(c, '"' | '\'' | '<' | '>' | '`' | '\\' | ')' | ',')
            };
            let length = rest.find(ends).unwrap_or(rest.len());
            if length > 0 && !rest.starts_with(MARK) {
                found.push((start..start + length, SecretKind::Other));
            }
        }
    }
    found
}
