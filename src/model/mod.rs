//! The vocabulary of patwatch: plain values with no I/O, used by every other module.
//!
//! In: nothing. Out: types. A word here means what section 1 of the crate page says:
//! an [`Event`](event::Event) is one audit entry, a [`Token`](token::Token) one PAT as one
//! organisation lists or sees it, a [`Finding`](finding::Finding) one detection's hit on one subject.

/// Declares an enum whose variants have one fixed text each, used in SQL, JSON and on screen.
macro_rules! text_enum {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[allow(missing_docs)]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$vmeta])* $variant),+ }

        impl $name {
            /// Every value, in declaration order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Returns the text that stands for the value in every output.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = String;
            fn from_str(text: &str) -> Result<Self, String> {
                match text {
                    $($text => Ok(Self::$variant),)+
                    _ => Err(format!("\"{text}\" is none of {}", [$($text),+].join(", "))),
                }
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

pub mod batch;
pub mod catalogue;
pub mod claim;
pub mod client;
pub mod coverage;
pub mod decided_state;
pub mod decision;
pub mod event;
pub mod event_id;
pub mod finding;
pub mod hash;
pub mod hours;
pub mod identity;
pub mod inventory;
pub mod invisible;
pub mod lineage;
pub mod mechanism;
pub mod names;
pub mod network;
pub mod noun;
pub mod policy;
pub mod review_period;
pub mod secret;
pub mod text;
pub mod time;
pub mod token;
pub mod verdict;
