//! Names and ids of people and organisations: their normal forms, and what joins one to another.

use base64::Engine as _;
use std::borrow::Cow;

/// The GUID that stands for "none" in audit entries and inventories.
pub const ZERO_GUID: &str = "00000000-0000-0000-0000-000000000000";

/// Returns a GUID in lower case without braces; nothing for the zero GUID and for other text.
#[must_use]
pub fn guid(text: &str) -> Option<Cow<'_, str>> {
    if is_plain_guid(text) {
        return (text != ZERO_GUID).then_some(Cow::Borrowed(text));
    }
    let text = text.trim().trim_start_matches('{').trim_end_matches('}');
    if !is_guid(text) || text == ZERO_GUID {
        return None;
    }
    Some(if text.bytes().any(|c| c.is_ascii_uppercase()) {
        Cow::Owned(text.to_ascii_lowercase())
    } else {
        Cow::Borrowed(text)
    })
}

/// Tells whether `text` has the shape of a GUID, in either casing.
#[must_use]
pub fn is_guid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(i, c)| match i {
            8 | 13 | 18 | 23 => c == b'-',
            _ => c.is_ascii_hexdigit(),
        })
}

/// Tells whether `text` is a GUID as it is kept: in lower case, without braces.
#[must_use]
#[inline]
pub fn is_plain_guid(text: &str) -> bool {
    // Counted rather than looked for, and with a known length, so that many bytes are looked at at once.
    let Ok(bytes) = <&[u8; 36]>::try_from(text.as_bytes()) else { return false };
    let hex = |b: u8| u8::from(b.is_ascii_digit() | (b.wrapping_sub(b'a') < 6));
    bytes.iter().map(|b| hex(*b)).sum::<u8>() == 32 && [8, 13, 18, 23].iter().all(|i| bytes[*i] == b'-')
}

/// Returns an organisation's name as patwatch keeps it: lower case, without ` (Organization)`.
#[must_use]
pub fn org_name(display: &str) -> String {
    let display = display.trim();
    let cut = display.len().saturating_sub(" (organization)".len());
    let bare = match display.get(cut..) {
        Some(tail) if tail.eq_ignore_ascii_case(" (organization)") => &display[..cut],
        _ => display,
    };
    bare.trim().to_lowercase()
}

/// Returns the CUID inside a Graph subject descriptor (`aad.` + base64 of the CUID).
///
/// Source: facts, section 0 item 7: two Graph examples agree with two audit samples.
#[must_use]
pub fn cuid_of_descriptor(descriptor: &str) -> Option<String> {
    let (_, payload) = descriptor.split_once('.')?;
    let bytes = base64::engine::general_purpose::STANDARD_NO_PAD
        .decode(payload.trim_end_matches('='))
        .or_else(|_| base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')))
        .ok()?;
    let text = String::from_utf8(bytes).ok()?;
    is_guid(&text).then(|| text.to_ascii_lowercase())
}

/// Returns the form in which a CUID and a storage key of one Entra account are equal.
///
/// The two differ only in the version nibble (7 and 6), so the nibble is blanked. Older accounts have
/// unrelated storage keys; for them the forms differ and the join does not happen.
#[must_use]
pub fn person_key(guid: &str) -> Option<String> {
    let guid = self::guid(guid)?;
    Some(format!("{}x{}", &guid[..14], &guid[15..]))
}

/// Returns the form in which spellings of one user name are equal: lower case, and that of the home tenant for a guest,
/// whom other tenants call `ann_x.example#EXT#@tenant.onmicrosoft.com`.
#[must_use]
pub fn user_name_key(text: &str) -> String {
    let name = text.trim().to_lowercase();
    // A domain has no underscore, so the last one stands for the `@`.
    let home = name.split_once("#ext#").and_then(|(guest, _)| guest.rsplit_once('_'));
    match home {
        Some((user, domain)) if !user.is_empty() && domain.contains('.') => format!("{user}@{domain}"),
        _ => name,
    }
}

/// Returns the name by which outputs call a person: UPN in lower case, else display name, else id.
#[must_use]
pub fn actor_label(upn: &str, name: &str, id: &str) -> String {
    let upn = upn.trim();
    if !upn.is_empty() {
        upn.to_lowercase()
    } else if !name.trim().is_empty() {
        name.trim().to_owned()
    } else {
        id.to_owned()
    }
}

/// Tells whether an entry was made by the service itself and so says nothing of any person or PAT.
///
/// Source: facts, section 0 item 6: zero CUID, UPN or name "Azure DevOps Service", empty mechanism;
/// service ids have the form `000000xx-0000-8888-8000-000000000000`.
#[must_use]
pub fn is_service_actor(upn: &str, name: &str, actor_id: &str, mechanism: &str) -> bool {
    const SERVICE: &str = "Azure DevOps Service";
    mechanism.trim().is_empty()
        && (upn.eq_ignore_ascii_case(SERVICE)
            || name.eq_ignore_ascii_case(SERVICE)
            || actor_id.ends_with("-0000-8888-8000-000000000000"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptor_joins_storage_key() {
        let cuid = cuid_of_descriptor("aad.YWZkMzM2ZGQtZTgwYy03MWViLThlYmQtODMzNjMxYmEwNWM2").expect("cuid");
        assert_eq!(cuid, "afd336dd-e80c-71eb-8ebd-833631ba05c6");
        assert_eq!(person_key(&cuid), person_key("AFD336DD-e80c-61eb-8ebd-833631ba05c6"));
    }

    #[test]
    fn spellings_of_one_user_name_are_equal() {
        for same in ["ann_b@x.example", " Ann_B@X.example", "Ann_b_x.example#EXT#@y.onmicrosoft.com"] {
            assert_eq!(user_name_key(same), "ann_b@x.example", "{same}");
        }
        for other in ["ann_x#EXT#@y.example", "#EXT#@y.example", "_x.example#EXT#@y.example"] {
            assert_eq!(user_name_key(other), other.to_lowercase(), "not the name of a guest");
        }
    }

    #[test]
    fn plain_guids_are_told_from_others() {
        let plain = "afd336dd-e80c-71eb-8ebd-833631ba05c6";
        assert!(is_plain_guid(plain) && is_plain_guid(ZERO_GUID));
        assert_eq!((guid(plain).as_deref(), guid(ZERO_GUID)), (Some(plain), None));
        for at in 0..36 {
            let other = if plain.as_bytes()[at] == b'-' { "a" } else { "-" };
            for other in [other, "G", "g", "A", " ", "`", "/", ":"] {
                let mut text = plain.to_owned();
                text.replace_range(at..=at, other);
                assert!(!is_plain_guid(&text), "{text}");
            }
        }
        assert_eq!(guid("{AFD336DD-e80c-71eb-8ebd-833631ba05c6}").as_deref(), Some(plain));
        assert!(!is_plain_guid("") && !is_plain_guid(&plain[1..]));
    }

    #[test]
    fn organisation_names_lose_their_suffix() {
        assert_eq!(org_name("Fabrikam (Organization)"), "fabrikam");
        assert_eq!(org_name("007"), "007");
        assert_eq!(org_name("Ünïted"), "ünïted");
    }
}
