//! One record in, its fields out, by way of `serde_json`: any JSON, and a word on what is wrong with any other text.
//!
//! Keys are matched in any casing, values are taken whatever their type, nested values are skipped or kept as the text
//! they are.

use super::fields::{Fields, Form, Key, starts_upper};
use super::order::{Name, Order};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

impl<'a> Fields<'a> {
    /// Sets a field from a JSON value in a record or a row.
    fn set_json<'de: 'a, A>(&mut self, key: Key, next: A) -> Result<(), A::Error>
    where
        A: NextValue<'de>,
    {
        match key.form() {
            Form::Text => {
                if let Some(text) = next.next(Text)? {
                    self.set_any_text(key, text);
                }
            }
            Form::Json => {
                let raw = next.next(std::marker::PhantomData::<&'de RawValue>)?.get();
                if raw != "null" {
                    self.set_nested(key, raw, false);
                }
            }
            // Only its being there is noted; even so null is as good as missing.
            Form::Mark => {
                if next.next(Noted)? {
                    self.mark(key);
                }
            }
        }
        Ok(())
    }
}

/// The place where the next value is: in an object or in a row.
trait NextValue<'de> {
    /// Error of the format.
    type Error;
    /// Takes the value.
    fn next<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Self::Error>;
}

struct InMap<'m, A>(&'m mut A);

impl<'de, A: MapAccess<'de>> NextValue<'de> for InMap<'_, A> {
    type Error = A::Error;
    fn next<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, A::Error> {
        self.0.next_value_seed(seed)
    }
}

struct InRow<'m, A>(&'m mut A);

impl<'de, A: SeqAccess<'de>> NextValue<'de> for InRow<'_, A> {
    type Error = A::Error;
    fn next<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, A::Error> {
        self.0.next_element_seed(seed)?.ok_or_else(|| serde::de::Error::custom("too few values"))
    }
}

/// Fills [`Fields`] from an object.
pub(super) struct Object<'f, 'a>(pub &'f mut Fields<'a>);

impl<'de: 'a, 'a> DeserializeSeed<'de> for Object<'_, 'a> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de: 'a, 'a> Visitor<'de> for Object<'_, 'a> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key_seed(NameSeed(&mut self.0.order))? {
            match name.key {
                Some(key) if !(name.respelled && self.0.has(key)) => {
                    self.0.note_case(key, name.upper);
                    self.0.set_json(key, InMap(&mut map))?;
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

/// Fills [`Fields`] from an array of values, by the keys of its columns.
pub(super) struct Row<'f, 'a, 'c>(pub &'f mut Fields<'a>, pub &'c super::Columns);

impl<'de: 'a, 'a> DeserializeSeed<'de> for Row<'_, 'a, '_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de: 'a, 'a> Visitor<'de> for Row<'_, 'a, '_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of values")
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut row: A) -> Result<(), A::Error> {
        for (name, key) in self.1.iter() {
            match key {
                Some(key) => {
                    self.0.note_case(key, starts_upper(name));
                    self.0.set_json(key, InRow(&mut row))?;
                }
                None => {
                    if row.next_element::<IgnoredAny>()?.is_none() {
                        return Err(serde::de::Error::custom("too few values"));
                    }
                }
            }
        }
        while row.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }
}

struct NameSeed<'o>(&'o mut Order);

impl<'de> DeserializeSeed<'de> for NameSeed<'_> {
    type Value = Name;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Name, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for NameSeed<'_> {
    type Value = Name;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }
    fn visit_str<E>(self, name: &str) -> Result<Name, E> {
        Ok(self.0.name(name))
    }
}

/// Takes a value as text whatever its type; nothing for null and for nested values.
struct Text;

impl<'de> DeserializeSeed<'de> for Text {
    type Value = Option<Cow<'de, str>>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Text {
    type Value = Option<Cow<'de, str>>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }
    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Some(Cow::Borrowed(text)))
    }
    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Some(Cow::Owned(text.to_owned())))
    }
    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Some(Cow::Borrowed(if value { "true" } else { "false" })))
    }
    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Some(Cow::Owned(value.to_string())))
    }
    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Some(Cow::Owned(value.to_string())))
    }
    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Some(Cow::Owned(value.to_string())))
    }
    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(None)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }
}

/// Tells whether a value is there.
struct Noted;

impl<'de> DeserializeSeed<'de> for Noted {
    type Value = bool;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        serde::Deserialize::deserialize(deserializer).map(|there: Option<IgnoredAny>| there.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::super::fields::Nested;
    use super::*;

    fn fields(text: &str) -> Fields<'_> {
        let mut fields = Fields::default();
        Object(&mut fields).deserialize(&mut serde_json::Deserializer::from_str(text)).expect("JSON");
        fields
    }

    #[test]
    fn keys_in_any_casing_values_of_any_type() {
        let f = fields(
            r#"{"ID":"a","Category":5,"iPaDdReSs":null,"userAgent":{"x":[1]},"details":"q\"","Data":{"X": 1},"value":[]}"#,
        );
        assert_eq!(f.text(Key::Id), "a");
        assert_eq!(f.text(Key::Category), "5");
        assert_eq!(f.text(Key::IpAddress), "");
        assert!(!f.has(Key::IpAddress) && !f.has(Key::UserAgent) && f.has(Key::Value));
        assert_eq!(f.text(Key::Details), "q\"");
        assert!(matches!(f.json(Key::Data), Nested::Json("{\"X\": 1}")));
    }

    #[test]
    fn the_last_of_two_equal_keys_wins() {
        assert_eq!(fields(r#"{"id":"a","Id":"b"}"#).text(Key::Id), "b");
    }
}
