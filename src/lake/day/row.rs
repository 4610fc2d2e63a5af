//! A row of a sorted day: a place, from which each field is looked up when it is asked for.
//!
//! In: a day in its order. Out: the fields of one event, and numbers that stand for its texts.

use super::sorted::Sorted;
use crate::lake::frame::Frame;
use crate::model::mechanism::MechanismKind;
use crate::model::time::Micros;

/// One event of a sorted day, with what follows from its fields: a place, from which each field is looked up when
/// it is asked for.
#[derive(Debug, Clone, Copy)]
pub struct DayRow<'a> {
    pub(super) day: &'a Sorted<'a>,
    pub(super) at: usize,
}

/// Numbers that stand for texts of a row: equal within the day where the texts are, so that a fold need not hash
/// the texts again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Codes {
    /// Of the credential.
    pub credential: u32,
    /// Of the class.
    pub class: u32,
    /// Of the actor.
    pub actor: u32,
    /// Of the action.
    pub action: u32,
    /// Of the address.
    pub address: u32,
    /// Of the client.
    pub client: u32,
    /// Of the project's name.
    pub project: u32,
}

/// Declares how a row looks its texts up: what the event itself holds once an event, once a text, and what follows.
macro_rules! fields {
    (batch { $($b:ident: $bdoc:literal),+ $(,)? } texts { $($t:ident: $tdoc:literal),+ $(,)? } own { $($o:ident: $odoc:literal),+ $(,)? }) => {
        impl<'a> DayRow<'a> {
            $(
                #[doc = $bdoc]
                #[must_use]
                pub fn $b(&self) -> &'a str {
                    let (batch, i) = self.day.place(self.at);
                    batch.$b.get(i)
                }
            )+
            $(
                #[doc = $tdoc]
                #[must_use]
                pub fn $t(&self) -> &'a str {
                    self.day.texts.$t.get(self.at)
                }
            )+
            $(
                #[doc = $odoc]
                #[must_use]
                pub fn $o(&self) -> &'a str {
                    self.day.$o.get(self.at)
                }
            )+
        }

        impl Sorted<'_> {
            /// Adds columns of repeated text to a table of some of the rows, without hashing any text again.
            ///
            /// # Panics
            /// In debug builds, when a name is none of these columns'.
            #[must_use]
            pub(in crate::lake) fn add(&self, frame: Frame, names: &[&str], rows: &[DayRow<'_>]) -> Frame {
                names.iter().fold(frame, |frame, name| match *name {
                    $(stringify!($t) => self.texts.$t.add(frame, name, rows),)+
                    $(stringify!($o) => self.$o.add(frame, name, rows),)+
                    _ => {
                        debug_assert!(false, "{name} is no column of repeated text");
                        frame
                    }
                })
            }
        }
    };
}

fields! {
    batch {
        event_id: "Bare event GUID.",
        correlation_id: "Correlation id.",
        details: "Rendered text.",
        data: "The `data` object as JSON text.",
    }
    texts {
        action: "Action id.",
        area: "Area.",
        category: "Category.",
        actor_id: "Id of the actor.",
        actor_cuid: "CUID of the actor.",
        actor_name: "Display name of the actor.",
        address: "Address as written.",
        user_agent: "User agent as written.",
        project_id: "Id of the project.",
    }
    own {
        class: "Mechanism class, such as `PAT_Unscoped`.",
        credential: "Visible part of the credential, lower case.",
        actor: "UPN in lower case, else name, else id.",
        network: "/24 or /48 of the address.",
        client: "Product behind the user agent.",
        project: "Name of the project: one for each id.",
    }
}

impl DayRow<'_> {
    /// When it happened.
    #[must_use]
    pub fn time(&self) -> Micros {
        self.day.times[self.at]
    }

    /// Mechanism kind.
    #[must_use]
    pub fn kind(&self) -> MechanismKind {
        self.day.kinds[self.at]
    }

    /// Tells whether it was made by the service itself.
    #[must_use]
    pub fn service_actor(&self) -> bool {
        self.day.service[self.at]
    }

    /// Bits of all shapes it arrived in.
    #[must_use]
    pub fn shapes(&self) -> u8 {
        let (batch, i) = self.day.place(self.at);
        batch.shapes[i]
    }

    /// How many reads of the log the entry stands for.
    #[must_use]
    pub fn folded(&self) -> u32 {
        let (batch, i) = self.day.place(self.at);
        batch.folded[i]
    }

    /// Tells whether the event began its cascade.
    #[must_use]
    pub fn origin(&self) -> bool {
        self.day.origins[self.at]
    }

    /// Numbers for its texts.
    #[must_use]
    pub fn codes(&self) -> Codes {
        let (day, at) = (self.day, self.at);
        Codes {
            credential: day.credential.codes[at],
            class: day.class.codes[at],
            actor: day.actor.codes[at],
            action: day.texts.action.codes[at],
            address: day.texts.address.codes[at],
            client: day.client.codes[at],
            project: day.project.codes[at],
        }
    }

    /// Number for its network, which no fold has in its key.
    #[must_use]
    pub fn network_code(&self) -> u32 {
        self.day.network.codes[self.at]
    }

    /// Numbers for the id, CUID and display name of its actor.
    #[must_use]
    pub fn actor_codes(&self) -> [u32; 3] {
        let texts = &self.day.texts;
        [&texts.actor_id, &texts.actor_cuid, &texts.actor_name].map(|column| column.codes[self.at])
    }
}
