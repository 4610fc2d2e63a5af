//! The authentication mechanism of an event: its text in, class and credential out.
//!
//! The form is `<class>` or `<class> authorizationId: <guid>`, apparently cut at 64 characters, so
//! a longer class leaves less of the GUID (`PAT_UnscopedGlobal` keeps 28 of 36). That `Unscoped` means
//! full scope and `Global` all organisations is read from the names: a hint that inventory or a
//! create event overrules. Source: facts, section 3.

text_enum! {
    /// What kind of sign-in stands behind an event.
    MechanismKind {
        /// A personal access token.
        Pat = "pat",
        /// An OAuth, portal or job session token; carries an authorizationId but is no PAT.
        Session = "session",
        /// A browser cookie.
        Interactive = "interactive",
        /// An Entra access token.
        Entra = "entra",
        /// Service to service.
        Service = "service",
        /// An SSH key.
        Ssh = "ssh",
        /// No mechanism: the service acted by itself.
        None = "none",
        /// Something this version does not know.
        Other = "other",
    }
}

/// Length at which the service appears to cut the mechanism text.
pub const CUT_AT: usize = 64;

/// Hex digits that a cut credential must show before it may be joined to a token.
pub const JOIN_DIGITS: usize = 16;

/// A mechanism text, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mechanism<'a> {
    /// The first word as written, such as `PAT_Unscoped`; empty when there is none.
    pub class: &'a str,
    /// The kind that the class belongs to.
    pub kind: MechanismKind,
    /// What is visible of the authorizationId, as written; empty when there is none.
    pub credential: &'a str,
}

impl<'a> Mechanism<'a> {
    /// Takes `text` apart; never fails, since an unknown mechanism must not lose an event.
    #[must_use]
    pub fn parse(text: &'a str) -> Self {
        let text = text.trim();
        let class_end = text.find(|c: char| c.is_whitespace() || c == ':').unwrap_or(text.len());
        let class = &text[..class_end];
        let credential = text[class_end..]
            .rsplit_once(':')
            .map_or("", |(_, tail)| tail.trim())
            .trim_matches(|c: char| c == '{' || c == '}');
        let credential = if is_guid_prefix(credential) { credential } else { "" };
        Self { class, kind: kind_of(class), credential }
    }

    /// Whether the class names a token of full scope; a hint.
    #[must_use]
    pub fn full_scope_hint(&self) -> bool {
        self.kind == MechanismKind::Pat && contains_ignore_case(self.class, "unscoped")
    }

    /// Whether the class names a token for all organisations; a hint.
    #[must_use]
    pub fn all_orgs_hint(&self) -> bool {
        self.kind == MechanismKind::Pat && contains_ignore_case(self.class, "global")
    }
}

fn contains_ignore_case(text: &str, word: &str) -> bool {
    text.to_ascii_lowercase().contains(word)
}

fn kind_of(class: &str) -> MechanismKind {
    let lower = class.to_ascii_lowercase();
    let starts = |word: &str| lower.starts_with(word);
    if lower.is_empty() {
        MechanismKind::None
    } else if lower == "pat" || starts("pat_") {
        MechanismKind::Pat
    } else if starts("sessiontoken") {
        MechanismKind::Session
    } else if starts("userauthtoken") || starts("aad_cookie") || starts("fedauth") {
        MechanismKind::Interactive
    } else if starts("aad") || starts("basic_aad") {
        MechanismKind::Entra
    } else if starts("s2s") {
        MechanismKind::Service
    } else if starts("ssh") {
        MechanismKind::Ssh
    } else {
        MechanismKind::Other
    }
}

fn is_guid_prefix(text: &str) -> bool {
    text.len() <= 36
        && text.bytes().enumerate().all(|(i, c)| match i {
            8 | 13 | 18 | 23 => c == b'-',
            _ => c.is_ascii_hexdigit(),
        })
}

/// Counts the hex digits of a GUID or of the visible part of one.
#[must_use]
pub fn hex_digits(credential: &str) -> usize {
    credential.bytes().filter(u8::is_ascii_hexdigit).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_every_known_form() {
        let m = Mechanism::parse("PAT_Unscoped authorizationId: 0a1b2c3d-0000-1111-2222-33334444ab");
        assert_eq!((m.class, m.kind), ("PAT_Unscoped", MechanismKind::Pat));
        assert_eq!(m.credential.len(), 34);
        assert!(m.full_scope_hint() && !m.all_orgs_hint());
        let m = Mechanism::parse("PAT authorizationId:0a1b2c3d-0000-1111-2222-33334444abcd");
        assert_eq!(m.credential.len(), 36);
        let m = Mechanism::parse("PAT_UnscopedGlobal authorizationId: 0a1b2c3d-0000-1111-2222-3333");
        assert!(m.full_scope_hint() && m.all_orgs_hint());
        assert_eq!(Mechanism::parse("").kind, MechanismKind::None);
        assert_eq!(
            Mechanism::parse("SessionToken_Unscoped authorizationId: f57").kind,
            MechanismKind::Session
        );
        assert_eq!(Mechanism::parse("Basic_AAD").kind, MechanismKind::Entra);
        assert_eq!(Mechanism::parse("AAD_Cookie").kind, MechanismKind::Interactive);
        assert_eq!(Mechanism::parse("Patience").kind, MechanismKind::Other);
        assert_eq!(Mechanism::parse("PAT authorizationId: <masked>").credential, "");
    }
}
