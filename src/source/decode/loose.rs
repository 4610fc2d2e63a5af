//! A record of any kind but an event: keys in plain spelling, values of any type. Such records are few, so a
//! tree of values costs nothing that matters.

use super::dates::{Evidence, Meaning, Order, meaning};
use super::spelling::{plain, prefix_of, untyped, without_prefix};
use super::token_columns::{ORG, is_authorization_id};
use crate::model::identity::{ZERO_GUID, guid};
use crate::model::secret;
use crate::model::time::Micros;
use serde_json::{Map, Value};
use std::cell::{Cell, RefCell};

/// A record by key.
#[derive(Debug, Default)]
pub(super) struct Loose {
    /// Members by their keys in plain spelling.
    members: Map<String, Value>,
    /// Keys as written.
    written: Vec<String>,
    /// How the file writes dates, once that is known.
    dates: Dates,
    /// What the dates read so far show.
    evidence: Cell<Evidence>,
    /// Members that have a value which could not be read, by the first name that was asked for.
    unread: RefCell<Vec<&'static str>>,
}

/// How dates with two readings are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Dates {
    /// Not yet: the file goes on.
    #[default]
    Open,
    /// By the order of the file; not at all where it has none.
    Decided(Option<Order>),
}

impl Loose {
    /// Takes the members of an object.
    pub(super) fn new(map: Map<String, Value>) -> Self {
        let written: Vec<String> = map.keys().cloned().collect();
        let is_id = |name: &str| is_authorization_id(&plain(name));
        let prefix = match written.iter().any(|name| is_id(name)) {
            true => None,
            false => prefix_of(written.iter().map(String::as_str), is_id).map(str::to_owned),
        };
        let mut members = Map::new();
        let mut other_spellings = Vec::new();
        for (key, value) in map {
            let key = prefix.as_ref().and_then(|p| without_prefix(&key, p)).unwrap_or(&key);
            let lower = key.to_lowercase();
            let respelled = untyped(key).map_or_else(|| plain(key), plain);
            if respelled == lower {
                members.insert(lower, value);
            } else {
                other_spellings.push((respelled, plain(key), value));
            }
        }
        // The key itself counts before another spelling of it.
        for (respelled, typed, value) in other_spellings {
            members.entry(typed).or_insert_with(|| value.clone());
            members.entry(respelled).or_insert(value);
        }
        Self { members, written, ..Self::default() }
    }

    /// Reads the record again, with what is now known of the dates of its file.
    pub(super) fn with_dates(self, dates: Dates) -> Self {
        Self { dates, evidence: Cell::default(), unread: RefCell::default(), ..self }
    }

    /// What its dates show.
    pub(super) fn evidence(&self) -> Evidence {
        self.evidence.get()
    }

    /// Members whose values could not be read.
    pub(super) fn unread(&self) -> Vec<&'static str> {
        self.unread.borrow().clone()
    }

    /// Notes that the value of a member could not be read.
    pub(super) fn note_unread(&self, name: &'static str) {
        let mut unread = self.unread.borrow_mut();
        if !unread.contains(&name) {
            unread.push(name);
        }
    }

    /// Takes over what was noted of a nested object.
    pub(super) fn adopt(&self, inner: &Self) {
        let mut evidence = self.evidence.get();
        evidence.add(inner.evidence.get());
        self.evidence.set(evidence);
        inner.unread().into_iter().for_each(|name| self.note_unread(name));
    }

    /// Keys as written.
    pub(super) fn written(&self) -> impl Iterator<Item = &str> {
        self.written.iter().map(String::as_str)
    }

    /// Returns a nested object.
    pub(super) fn object(&self, key: &str) -> Option<Self> {
        match self.members.get(key)? {
            Value::Object(map) => Some(Self { dates: self.dates, ..Self::new(map.clone()) }),
            _ => None,
        }
    }

    /// Returns the value of the first of `keys` that the record has, null or not.
    pub(super) fn member(&self, keys: &[&str]) -> Option<&Value> {
        keys.iter().find_map(|key| self.members.get(*key))
    }

    /// Returns the value of the first of `keys` that is not null.
    pub(super) fn value(&self, keys: &[&str]) -> Option<&Value> {
        keys.iter().filter_map(|key| self.members.get(*key)).find(|value| !value.is_null())
    }

    /// Returns text, trimmed; nothing when missing or empty.
    pub(super) fn text(&self, keys: &[&str]) -> Option<String> {
        keys.iter().find_map(|key| {
            let text = match self.members.get(*key)? {
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

    /// Returns an instant; nothing for the year 1, which stands for never. One that has two readings is taken by the order of
    /// its file.
    pub(super) fn time(&self, keys: &[&'static str]) -> Option<Micros> {
        let text = self.text(keys)?;
        let mut evidence = self.evidence.get();
        let time = match meaning(&text) {
            Meaning::At(time) => Some(time),
            Meaning::Shows(order, time) => {
                evidence.shows(order);
                Some(time)
            }
            Meaning::Either(either) => match self.dates {
                Dates::Open => {
                    evidence.doubts(either);
                    // It is read again: not to be reported yet.
                    self.evidence.set(evidence);
                    return None;
                }
                Dates::Decided(order) => order.map(|order| either.in_order(order)),
            },
            Meaning::None => None,
        };
        self.evidence.set(evidence);
        if time.is_none() {
            self.note_unread(keys.first().copied().unwrap_or_default());
        }
        time.filter(|time| *time > -2_208_988_800_000_000)
    }

    /// Returns a flag, written as such or as text.
    pub(super) fn flag(&self, keys: &[&'static str]) -> Option<bool> {
        match self.text(keys)?.to_lowercase().as_str() {
            "true" | "1" | "yes" | "sim" | "sí" | "oui" | "ja" | "wahr" => Some(true),
            "false" | "0" | "no" | "não" | "non" | "nein" | "nee" | "falsch" => Some(false),
            _ => {
                self.note_unread(keys.first().copied().unwrap_or_default());
                None
            }
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
        self.text(ORG.names).or_else(|| page.map(str::to_owned))
    }

    /// Names the first keys, to tell a user what was found.
    pub(super) fn keys(&self) -> String {
        let mut names: Vec<&str> = self.written().take(8).collect();
        if self.written.len() > names.len() {
            names.push("...");
        }
        secret::covered(&names.join(", ")).into_owned()
    }
}
