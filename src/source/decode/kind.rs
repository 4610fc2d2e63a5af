//! Tells what kind a record is of, by the keys that occur in it.

use super::fields::{Fields, Key, starts_upper};
use super::token_columns::{look_like_tokens, what_is_missing};
use super::{Columns, event};
use crate::model::event::Shape;
use crate::source::KindHint;
use std::borrow::Cow;

/// What a record was taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::source) enum Kind {
    /// An audit event.
    Audit(Shape),
    /// A token of either token API.
    Inventory {
        /// Whether the token administration API lists it.
        admin: bool,
    },
    /// A Graph user.
    Users,
    /// A user entitlement.
    Entitlements,
    /// A usage record.
    Usage,
}

/// Keys under which a page holds its records.
pub(super) const HOLDERS: [Key; 12] = [
    Key::DecoratedAuditLogEntries,
    Key::AuditLogEntries,
    Key::Value,
    Key::Members,
    Key::Items,
    Key::PatTokens,
    Key::Tables,
    Key::Rows,
    Key::Records,
    Key::Results,
    Key::Events,
    Key::Entries,
];

/// Tells the kind of a record that is no event.
pub(super) fn kind_of(fields: &Fields<'_>) -> Option<Kind> {
    if fields.has(Key::AuthorizationId) || fields.has(Key::PatToken) {
        Some(Kind::Inventory { admin: true })
    } else if fields.has(Key::AccessLevel) {
        Some(Kind::Entitlements)
    } else if fields.has(Key::Descriptor) || fields.has(Key::SubjectKind) {
        Some(Kind::Users)
    } else if fields.has(Key::StartTime)
        && fields.count(&[
            Key::Command,
            Key::AuthenticationMechanism,
            Key::Application,
            Key::Vsid,
            Key::Count,
        ]) > 0
    {
        Some(Kind::Usage)
    } else {
        None
    }
}

/// Tells whether a record with data is the envelope of an Event Grid event.
pub(super) fn is_event_grid(fields: &Fields<'_>) -> bool {
    fields.count(&[Key::EventType, Key::EventTime, Key::Topic, Key::DataVersion, Key::SpecVersion]) > 0
}

impl Columns {
    /// Returns true if rows of these columns are of a kind that can be decoded.
    pub(in crate::source) fn are_known(&self, hint: KindHint) -> bool {
        let fields = self.fields();
        match hint {
            KindHint::Auto => event::is_event(&fields) || kind_of(&fields).is_some(),
            KindHint::Audit => event::is_event(&fields),
            _ => true,
        }
    }

    /// Says why a list of tokens with these columns is refused; nothing where it is none, or can be read in full.
    pub(in crate::source) fn missing_of_tokens(&self, hint: KindHint) -> Option<String> {
        let names = || self.iter().map(|(name, _)| name);
        let fields = self.fields();
        let tokens = match hint {
            KindHint::Auto => {
                !event::is_event(&fields)
                    && matches!(kind_of(&fields), None | Some(Kind::Inventory { .. }))
                    && look_like_tokens(names())
            }
            KindHint::Inventory => true,
            _ => false,
        };
        if tokens { what_is_missing(names()) } else { None }
    }

    /// The fields of a row in which no cell is empty.
    fn fields(&self) -> Fields<'static> {
        let mut fields = Fields::default();
        for (name, key) in self.iter() {
            if let Some(key) = key {
                fields.note_case(key, starts_upper(name));
                fields.set_cell(key, Cow::Borrowed("x"));
            }
        }
        fields
    }
}
