//! One user, as the Graph API or the entitlement API lists it.

use super::event::Refusal;
use super::loose::Loose;
use crate::model::identity::cuid_of_descriptor;
use crate::model::token::OwnerState;
use crate::source::row::UserRow;

/// Reads a Graph subject. Groups and service principals come back too, told by their kind.
pub(super) fn graph_user(record: &Loose, page_org: Option<&str>) -> Result<UserRow, Refusal> {
    let descriptor = record.text(&["descriptor", "subjectdescriptor"]).unwrap_or_default();
    let upn = record.text(&["principalname", "userprincipalname", "mailaddress"]).unwrap_or_default();
    if descriptor.is_empty() && upn.is_empty() {
        return Err(Refusal::new("no descriptor and no principal name", &record.keys()));
    }
    let subject_kind =
        record.text(&["subjectkind"]).unwrap_or_else(|| kind_of_descriptor(&descriptor).to_owned());
    let deleted = record.flag(&["isdeletedinorigin"]).unwrap_or(false);
    Ok(UserRow {
        cuid: cuid_of_descriptor(&descriptor),
        descriptor,
        storage_key: record.guid(&["storagekey", "userid"]),
        upn,
        name: record.text(&["displayname", "name"]).unwrap_or_default(),
        origin: record.text(&["origin"]).unwrap_or_default(),
        subject_kind,
        deleted,
        state: record
            .text(&["status", "state"])
            .and_then(|s| state(&s))
            .or(deleted.then_some(OwnerState::Removed)),
        last_access: record.time(&["lastaccesseddate", "lastaccess"]),
        org: record.org(page_org),
    })
}

/// Reads a user entitlement: the user with access level and last access. Its id is the storage key.
pub(super) fn entitlement(record: &Loose, page_org: Option<&str>) -> Result<UserRow, Refusal> {
    let Some(user) = record.object("user").or_else(|| record.object("member")) else {
        return graph_user(record, page_org);
    };
    let mut row = graph_user(&user, page_org)?;
    row.storage_key = record.guid(&["id"]).or(row.storage_key);
    row.last_access = record.time(&["lastaccesseddate"]);
    let status = record.object("accesslevel").and_then(|level| level.text(&["status"]));
    row.state = status.and_then(|s| state(&s)).or(row.state);
    row.org = record.org(page_org);
    Ok(row)
}

/// Source: the descriptor prefixes of facts, section 5.
fn kind_of_descriptor(descriptor: &str) -> &'static str {
    match descriptor.split_once('.').map_or("", |(prefix, _)| prefix) {
        "aadsp" => "servicePrincipal",
        "vssgp" | "aadgp" => "group",
        _ => "user",
    }
}

/// Source: `AccountUserStatus` of the REST API, by name or number. An account that waits for its first sign-in can sign in,
/// and so can one whose licence has expired, for a time of grace; one that was disabled while it waited cannot.
fn state(status: &str) -> Option<OwnerState> {
    match status.to_ascii_lowercase().as_str() {
        "active" | "1" | "pending" | "4" | "expired" | "5" => Some(OwnerState::Active),
        "disabled" | "2" | "pendingdisabled" | "6" => Some(OwnerState::Disabled),
        "deleted" | "3" | "removed" => Some(OwnerState::Removed),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(text: &str) -> Loose {
        Loose::new(serde_json::from_str(text).expect("JSON"))
    }

    #[test]
    fn a_graph_user_joins_by_its_descriptor() {
        let row = graph_user(
            &record(
                r#"{"subjectKind":"user","descriptor":"aad.YWZkMzM2ZGQtZTgwYy03MWViLThlYmQtODMzNjMxYmEwNWM2",
                "principalName":"jo@example.com","displayName":"Jo","origin":"aad","isDeletedInOrigin":true}"#,
            ),
            None,
        )
        .expect("row");
        assert_eq!(row.cuid.as_deref(), Some("afd336dd-e80c-71eb-8ebd-833631ba05c6"));
        assert_eq!((row.deleted, row.state), (true, Some(OwnerState::Removed)));
        let group = graph_user(&record(r#"{"descriptor":"vssgp.Uy0x"}"#), None).expect("row");
        assert_eq!(group.subject_kind, "group");
        assert!(graph_user(&record(r#"{"displayName":"x"}"#), None).is_err());
    }

    #[test]
    fn an_entitlement_has_state_and_last_access() {
        let read = |status: &str, last: &str| {
            let text = format!(
                r#"{{"id":"D6245F20-2af8-44f4-9451-8107cb2767db","user":{{"principalName":"jo@example.com"}},
                "accessLevel":{{"status":"{status}"}},"lastAccessedDate":"{last}"}}"#
            );
            entitlement(&record(&text), Some("fabrikam")).expect("row")
        };
        let row = read("disabled", "2026-01-02T03:04:05Z");
        assert_eq!(row.storage_key.as_deref(), Some("d6245f20-2af8-44f4-9451-8107cb2767db"));
        assert_eq!((row.state, row.last_access.is_some()), (Some(OwnerState::Disabled), true));
        for status in ["expired", "Pending", "5"] {
            assert_eq!(read(status, "").state, Some(OwnerState::Active), "{status} can sign in");
        }
        assert_eq!(read("pendingDisabled", "").state, Some(OwnerState::Disabled));
        assert_eq!(read("somethingNew", "").state, None);
        let row = read("none", "0001-01-01T00:00:00Z");
        assert_eq!((row.state, row.last_access), (None, None));
    }
}
