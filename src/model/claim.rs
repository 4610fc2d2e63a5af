//! A claim: one fact about a token or its owner, as one source states it.
//!
//! In: nothing. Out: the vocabulary of evidence. A claim names its field and value, the time it speaks of, its source, how
//! it was joined to its subject, and whether the source was complete for that subject (design, section 8).

use super::finding::Confidence;
use super::time::Micros;

text_enum! {
    /// What a claim speaks of.
    Field {
        /// Display name of the token.
        Name = "name",
        /// Who owns the token.
        Owner = "owner",
        /// Whether the owner can sign in.
        OwnerState = "owner state",
        /// Granted scopes.
        Scopes = "scopes",
        /// Organisations that the token is for.
        Reach = "reach",
        /// Creation.
        Created = "created",
        /// End date.
        Ends = "ends",
        /// Whether the service accepts the token.
        State = "state",
        /// When it was revoked.
        Revoked = "revoked",
        /// When it was found in public.
        Leaked = "leaked",
        /// Events that its credential made.
        Use = "use",
        /// PAT calls of the owner, as usage records count them.
        Calls = "calls of the owner",
    }
}

text_enum! {
    /// Where a claim comes from.
    Source {
        /// A list of PATs.
        List = "list",
        /// An event of the audit log.
        Event = "event",
        /// Usage records.
        UsageRecord = "usage record",
        /// A list of users or entitlements.
        UsersList = "users list",
        /// The class of the authentication mechanism.
        MechanismClass = "mechanism class",
        /// The configuration.
        Configuration = "configuration",
    }
}

text_enum! {
    /// How a claim was joined to its subject, from the weakest to the strongest.
    Join {
        /// Display name alone.
        DisplayName = "display name",
        /// A class that stands for many tokens.
        Class = "class",
        /// Owner and display name of a token together, with one candidate.
        OwnerAndName = "owner and name",
        /// User name of a person, present or former.
        UserName = "user name",
        /// The beginning of an id, which no other known id shares.
        UniquePrefix = "unique prefix",
        /// The whole id; for a person the storage key, the CUID or the descriptor.
        Id = "id",
    }
}

impl Join {
    /// The most confidence that a conclusion from such a claim may have; only high carries the advice to revoke (design,
    /// section 8).
    #[must_use]
    pub const fn certainty(self) -> Confidence {
        match self {
            Self::Id | Self::UniquePrefix => Confidence::High,
            Self::UserName | Self::OwnerAndName | Self::Class => Confidence::Medium,
            Self::DisplayName => Confidence::Low,
        }
    }
}

text_enum! {
    /// What became of a claim when its field was resolved.
    Standing {
        /// It is the answer, or agrees with it.
        Holds = "holds",
        /// A newer claim replaced it.
        Superseded = "superseded",
        /// It disagrees with the answer, and no order of time explains why.
        Contradicts = "contradicts",
    }
}

/// One claim.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Claim {
    /// What it speaks of.
    pub field: Field,
    /// What became of it.
    pub standing: Standing,
    /// The time it speaks of; nothing where the source has no date.
    pub time: Option<Micros>,
    /// The value, as outputs write it.
    pub value: String,
    /// Where it comes from.
    pub source: Source,
    /// How it was joined.
    pub join: Join,
    /// Whether the source was complete for this subject.
    pub complete: bool,
    /// The event that states it, where one does.
    pub event_id: Option<String>,
    /// The organisation that states it, where it contradicts what another one says of its own.
    pub stated_in: Option<String>,
}

impl Claim {
    /// A claim that was joined by id, from a source that need not be complete; nothing is resolved yet.
    #[must_use]
    pub fn new(field: Field, value: impl Into<String>, time: Option<Micros>, source: Source) -> Self {
        Self {
            field,
            standing: Standing::Holds,
            time,
            value: value.into(),
            source,
            join: Join::Id,
            complete: false,
            event_id: None,
            stated_in: None,
        }
    }

    /// The same claim, joined in another way.
    #[must_use]
    pub fn joined(mut self, join: Join) -> Self {
        self.join = join;
        self
    }

    /// The same claim, stated by an event.
    #[must_use]
    pub fn of_event(mut self, event_id: &str) -> Self {
        self.event_id = (!event_id.is_empty()).then(|| event_id.to_owned());
        self
    }

    /// The same claim, stated in another organisation.
    #[must_use]
    pub fn stated_in(mut self, org: &str) -> Self {
        self.stated_in = Some(org.to_owned());
        self
    }

    /// Returns true if another organisation contradicts the answer: it is doubtful then, however surely it was joined.
    #[must_use]
    pub fn is_contrary_elsewhere(&self) -> bool {
        self.standing == Standing::Contradicts && self.stated_in.is_some()
    }
}

/// The most confidence that the claims on some fields allow: that of the weakest of them, and medium where another
/// organisation contradicts one. A field without a claim allows everything, since nothing was concluded from it.
#[must_use]
pub fn certainty(claims: &[Claim], fields: &[Field]) -> Confidence {
    let strongest = |field: &Field| {
        let held = claims.iter().filter(|c| c.field == *field && c.standing == Standing::Holds);
        let surest = held.map(|c| c.join.certainty()).max();
        let is_contrary = claims.iter().any(|c| c.field == *field && c.is_contrary_elsewhere());
        surest.map(|surest| if is_contrary { surest.min(Confidence::Medium) } else { surest })
    };
    fields.iter().filter_map(strongest).min().unwrap_or(Confidence::High)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_weakest_claim_bounds_the_conclusion() {
        let claim = |field, join| Claim::new(field, "", None, Source::Event).joined(join);
        let claims = [claim(Field::Owner, Join::Id), claim(Field::OwnerState, Join::UserName)];
        assert_eq!(certainty(&claims, &[Field::Owner]), Confidence::High);
        assert_eq!(certainty(&claims, &[Field::Owner, Field::OwnerState]), Confidence::Medium);
        assert_eq!(certainty(&claims, &[Field::Leaked]), Confidence::High);
    }

    #[test]
    fn a_second_witness_strengthens_and_a_contrary_one_does_not() {
        let claim = |join| Claim::new(Field::Owner, "ann", None, Source::Event).joined(join);
        let contrary = Claim { standing: Standing::Contradicts, ..claim(Join::Id) };
        assert_eq!(certainty(&[claim(Join::DisplayName), contrary], &[Field::Owner]), Confidence::Low);
        let both = [claim(Join::DisplayName), claim(Join::Id)];
        assert_eq!(certainty(&both, &[Field::Owner]), Confidence::High);
    }

    #[test]
    fn another_organisation_that_contradicts_makes_an_answer_doubtful() {
        let gone = Claim::new(Field::OwnerState, "removed", Some(1), Source::Event);
        let active = Claim { standing: Standing::Contradicts, ..gone.clone() };
        let of = |claim: Claim| certainty(&[gone.clone(), claim], &[Field::OwnerState]);
        assert_eq!(of(active.clone()), Confidence::High, "its own organisation: resolved by time");
        assert_eq!(of(active.stated_in("p")), Confidence::Medium);
        assert_eq!(of(gone.clone().stated_in("p")), Confidence::High, "another organisation agrees");
    }

    #[test]
    fn only_ids_and_unique_prefixes_carry_a_revocation() {
        let certain: Vec<&Join> = Join::ALL.iter().filter(|j| j.certainty() == Confidence::High).collect();
        assert_eq!(certain, [&Join::UniquePrefix, &Join::Id]);
    }
}
