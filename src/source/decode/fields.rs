//! The fields of one record, borrowed from its text: what every JSON, CSV and table row becomes first.
//!
//! Keys are matched in any casing and spelling, values are taken whatever their type, nested values are skipped or kept as
//! the text they are. One value is filled again and again, so that a record costs no allocation of its own.

use super::order::Order;
use super::spelling::{plain, untyped};
use super::token_columns::is_authorization_id;
use std::borrow::Cow;

/// Declares the keys once: those whose value is kept as text, as JSON, or only noted.
macro_rules! keys {
    (text { $($t:ident = $tt:literal),+ $(,)? } json { $($j:ident = $jt:literal),+ $(,)? } mark { $($m:ident = $mt:literal),+ $(,)? }) => {
        /// A key that some kind of record is told by or read from.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(in crate::source) enum Key { $($t,)+ $($j,)+ $($m),+ }

        /// Keys whose value is kept as text.
        const TEXTS: usize = [$(Key::$t),+].len();
        /// Keys whose value is kept as JSON.
        const JSONS: usize = [$(Key::$j),+].len();

        #[cfg(test)]
        impl Key {
            /// All keys.
            pub(super) const ALL: &[Self] = &[$(Self::$t,)+ $(Self::$j,)+ $(Self::$m),+];
        }

        fn known(lower: &[u8]) -> Option<Key> {
            match lower {
                $($tt => Some(Key::$t),)+
                $($jt => Some(Key::$j),)+
                $($mt => Some(Key::$m),)+
                _ => None,
            }
        }
    };
}

keys! {
    text {
        Id = b"id", CorrelationId = b"correlationid", ActivityId = b"activityid", ActorCuid = b"actorcuid",
        ActorUserId = b"actoruserid", ActorClientId = b"actorclientid", ActorUpn = b"actorupn",
        ActorDisplayName = b"actordisplayname", AuthenticationMechanism = b"authenticationmechanism",
        Timestamp = b"timestamp", TimeGenerated = b"timegenerated", EventTime = b"eventtime", Time = b"time",
        ScopeType = b"scopetype", ScopeDisplayName = b"scopedisplayname", ScopeId = b"scopeid",
        ProjectId = b"projectid", ProjectName = b"projectname", IpAddress = b"ipaddress", UserAgent = b"useragent",
        ActionId = b"actionid", OperationName = b"operationname", Details = b"details", Area = b"area",
        Category = b"category", Type = b"type", EventType = b"eventtype",
    }
    json { Data = b"data", Event = b"event" }
    mark {
        Topic = b"topic", DataVersion = b"dataversion", SpecVersion = b"specversion",
        AuthorizationId = b"authorizationid", PatToken = b"pattoken", Descriptor = b"descriptor",
        SubjectKind = b"subjectkind", AccessLevel = b"accesslevel", StartTime = b"starttime",
        Command = b"command", Application = b"application", Vsid = b"vsid", Count = b"count",
        DecoratedAuditLogEntries = b"decoratedauditlogentries", AuditLogEntries = b"auditlogentries",
        Value = b"value", Members = b"members", Items = b"items", PatTokens = b"pattokens", Tables = b"tables",
        Rows = b"rows", Records = b"records", Results = b"results", Events = b"events", Entries = b"entries",
    }
}

/// Returns the key that `name` stands for, in any casing.
pub(in crate::source) fn key_of(name: &str) -> Option<Key> {
    let mut lower = [0_u8; 32];
    let name = name.as_bytes();
    let lower = lower.get_mut(..name.len())?;
    for (to, from) in lower.iter_mut().zip(name) {
        *to = from.to_ascii_lowercase();
    }
    known(lower)
}

/// Returns the key that `name` stands for in another spelling: `actor_cuid`, `Actor CUID`, `actorCUID_g`.
pub(super) fn key_of_spelling(name: &str) -> Option<Key> {
    let of_plain = |name: &str| {
        let plain = plain(name);
        known(plain.as_bytes()).or_else(|| is_authorization_id(&plain).then_some(Key::AuthorizationId))
    };
    of_plain(name).or_else(|| of_plain(untyped(name)?))
}

/// Tells whether a name starts with a capital.
pub(super) fn starts_upper(name: &str) -> bool {
    name.as_bytes().first().is_some_and(u8::is_ascii_uppercase)
}

/// A nested value.
#[derive(Debug, Clone, Default)]
pub(super) enum Nested<'a> {
    /// Missing or null.
    #[default]
    None,
    /// JSON as it stands in the record.
    Json(&'a str),
    /// An object or an array as it stands in the record, without blanks between its parts.
    Tight(&'a str),
    /// Text that should hold JSON.
    Text(Cow<'a, str>),
}

/// What is kept of the value of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Its text.
    Text,
    /// Its JSON.
    Json,
    /// That it is there.
    Mark,
}

impl Key {
    /// What is kept of its value.
    pub(super) const fn form(self) -> Form {
        match self as usize {
            0..TEXTS => Form::Text,
            i if i < TEXTS + JSONS => Form::Json,
            _ => Form::Mark,
        }
    }

    /// The bit that stands for the key.
    const fn bit(self) -> u64 {
        1 << self as u32
    }
}

/// The fields of one record.
#[derive(Debug, Default)]
pub(super) struct Fields<'a> {
    text: [&'a str; TEXTS],
    /// Texts that are not what stands in the record, because of escapes; kept from record to record for their room.
    own: [String; TEXTS],
    json: [Nested<'a>; JSONS],
    /// Bits of the keys that occur; what else is held is of records before.
    seen: u64,
    /// Bits of the keys whose text is [`Self::own`].
    owned: u64,
    /// The keys of the records before.
    pub order: Order,
    /// Whether the action's key starts with a capital, as exports and streams write it.
    pub pascal: bool,
}

impl<'a> Fields<'a> {
    /// Forgets all fields.
    pub(super) fn clear(&mut self) {
        self.seen = 0;
        self.order.rewind();
        self.pascal = false;
    }

    /// Starts with the keys of other records known.
    pub(super) fn with_order(order: Order) -> Self {
        Self { order, ..Self::default() }
    }

    /// Gives the keys that were met, for the next record.
    pub(super) fn into_order(self) -> Order {
        self.order
    }

    /// Text of a field; empty when missing or null.
    #[inline]
    pub(super) fn text(&self, key: Key) -> &str {
        let i = key as usize;
        if i >= TEXTS || !self.has(key) {
            ""
        } else if self.owned & key.bit() == 0 {
            self.text[i]
        } else {
            &self.own[i]
        }
    }

    /// Nested value of a field.
    pub(super) fn json(&self, key: Key) -> &Nested<'a> {
        static NONE: Nested<'static> = Nested::None;
        let held = (key as usize).checked_sub(TEXTS).and_then(|i| self.json.get(i));
        held.filter(|_| self.has(key)).unwrap_or(&NONE)
    }

    /// Tells whether the key occurs, its value not being null.
    #[inline]
    pub(super) const fn has(&self, key: Key) -> bool {
        self.seen & key.bit() != 0
    }

    /// Counts those of `keys` that occur.
    #[inline]
    pub(super) fn count(&self, keys: &[Key]) -> usize {
        let bits = keys.iter().fold(0, |bits, key| bits | key.bit());
        (self.seen & bits).count_ones() as usize
    }

    /// Notes the casing of a key.
    #[inline]
    pub(super) const fn note_case(&mut self, key: Key, upper: bool) {
        if matches!(key, Key::ActionId | Key::OperationName) {
            self.pascal = upper;
        }
    }

    /// Sets a field from a cell of a table.
    pub(super) fn set_cell(&mut self, key: Key, cell: Cow<'a, str>) {
        if cell.is_empty() {
            return;
        }
        match key.form() {
            Form::Text => self.set_any_text(key, cell),
            Form::Json => self.set_json_value(key, Nested::Text(cell)),
            Form::Mark => self.mark(key),
        }
    }

    /// Sets the text of a field as it stands in the record.
    #[inline]
    pub(super) fn set_text(&mut self, key: Key, text: &'a str) {
        if let Some(slot) = self.text.get_mut(key as usize) {
            *slot = text;
            self.seen |= key.bit();
            self.owned &= !key.bit();
        }
    }

    /// Sets the text of a field to one that is put together now, in the empty string that is returned.
    pub(super) fn own_text(&mut self, key: Key) -> &mut String {
        self.seen |= key.bit();
        self.owned |= key.bit();
        // Keys whose text is kept are the first ones; for others it would be thrown away.
        let own = &mut self.own[(key as usize).min(TEXTS - 1)];
        own.clear();
        own
    }

    /// Sets the text of a field.
    pub(super) fn set_any_text(&mut self, key: Key, text: Cow<'a, str>) {
        match text {
            Cow::Borrowed(text) => self.set_text(key, text),
            Cow::Owned(text) => *self.own_text(key) = text,
        }
    }

    /// Sets a nested value that is sound JSON; `tight` tells that there are no blanks between its parts.
    #[inline]
    pub(super) fn set_nested(&mut self, key: Key, raw: &'a str, tight: bool) {
        let tight = tight && raw.starts_with(['{', '[']);
        self.set_json_value(key, if tight { Nested::Tight(raw) } else { Nested::Json(raw) });
    }

    fn set_json_value(&mut self, key: Key, value: Nested<'a>) {
        if let Some(slot) = (key as usize).checked_sub(TEXTS).and_then(|i| self.json.get_mut(i)) {
            *slot = value;
            self.seen |= key.bit();
        }
    }

    /// Notes that a key occurs.
    pub(super) const fn mark(&mut self, key: Key) {
        self.seen |= key.bit();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_has_its_bit() {
        assert!((Key::Entries as u32) < 64);
        assert_eq!(key_of("OperationName"), Some(Key::OperationName));
        assert_eq!(key_of(""), None);
        assert_eq!(key_of(&"x".repeat(99)), None);
    }

    #[test]
    fn a_key_in_another_spelling_is_the_same_key() {
        for (name, key) in [
            ("operation_name", Some(Key::OperationName)),
            ("Scope Display Name", Some(Key::ScopeDisplayName)),
            ("scopeId_g", Some(Key::ScopeId)),
            ("timestamp_t", Some(Key::Timestamp)),
            ("ID_s", Some(Key::Id)),
            ("_id", None),
            ("@timestamp", None),
            ("data_x", None),
        ] {
            assert_eq!(key_of_spelling(name), key, "{name}");
        }
    }
}
