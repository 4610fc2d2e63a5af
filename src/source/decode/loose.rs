//! A record of any kind but an event: keys in lower case, values of any type. Such records are few, so a
//! tree of values costs nothing that matters.

use crate::model::identity::{ZERO_GUID, guid};
use crate::model::secret;
use crate::model::time::Micros;
use serde_json::{Map, Value};

/// A record by key.
#[derive(Debug, Default)]
pub(super) struct Loose(Map<String, Value>);

impl Loose {
    /// Takes the members of an object.
    pub(super) fn new(map: Map<String, Value>) -> Self {
        Self(map.into_iter().map(|(key, value)| (key.to_ascii_lowercase(), value)).collect())
    }

    /// Returns a nested object.
    pub(super) fn object(&self, key: &str) -> Option<Self> {
        match self.0.get(key)? {
            Value::Object(map) => Some(Self::new(map.clone())),
            _ => None,
        }
    }

    /// Returns the value of the first of `keys` that the record has, null or not.
    pub(super) fn member(&self, keys: &[&str]) -> Option<&Value> {
        keys.iter().find_map(|key| self.0.get(*key))
    }

    /// Returns the value of the first of `keys` that is not null.
    pub(super) fn value(&self, keys: &[&str]) -> Option<&Value> {
        keys.iter().filter_map(|key| self.0.get(*key)).find(|value| !value.is_null())
    }

    /// Returns text, trimmed; nothing when missing or empty.
    pub(super) fn text(&self, keys: &[&str]) -> Option<String> {
        keys.iter().find_map(|key| {
            let text = match self.0.get(*key)? {
                Value::String(text) => text.trim().to_owned(),
                Value::Number(number) => number.to_string(),
                Value::Bool(flag) => flag.to_string(),
                _ => return None,
            };
            (!text.is_empty()).then_some(text)
        })
    }

    /// Returns a GUID in lower case; nothing for the zero GUID.
    pub(super) fn guid(&self, keys: &[&str]) -> Option<String> {
        self.text(keys).and_then(|text| guid(&text).map(std::borrow::Cow::into_owned))
    }

    /// Returns an id in lower case, GUID or not; nothing for the zero GUID.
    pub(super) fn id(&self, keys: &[&str]) -> Option<String> {
        self.text(keys).map(|text| text.to_lowercase()).filter(|text| text != ZERO_GUID)
    }

    /// Returns an instant; nothing for the year 1, which stands for never.
    pub(super) fn time(&self, keys: &[&str]) -> Option<Micros> {
        let time = super::event::parse_instant(&self.text(keys)?)?;
        (time > -2_208_988_800_000_000).then_some(time)
    }

    /// Returns a flag, written as such or as text.
    pub(super) fn flag(&self, keys: &[&str]) -> Option<bool> {
        match self.text(keys)?.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" => Some(true),
            "false" | "0" | "no" => Some(false),
            _ => None,
        }
    }

    /// Returns a whole number.
    pub(super) fn number(&self, keys: &[&str]) -> Option<i64> {
        let text = self.text(keys)?;
        text.parse::<i64>().ok().or_else(|| {
            let number: f64 = text.replace(',', "").parse().ok()?;
            (number.abs() < 9e15).then_some(number as i64)
        })
    }

    /// Returns the organisation that the record names, else its page's.
    pub(super) fn org(&self, page: Option<&str>) -> Option<String> {
        self.text(&["org", "organization", "organisation", "orgname"]).or_else(|| page.map(str::to_owned))
    }

    /// Names the first keys, to tell a user what was found.
    pub(super) fn keys(&self) -> String {
        let mut names: Vec<&str> = self.0.keys().map(String::as_str).take(8).collect();
        if self.0.len() > names.len() {
            names.push("...");
        }
        secret::covered(&names.join(", ")).into_owned()
    }
}
