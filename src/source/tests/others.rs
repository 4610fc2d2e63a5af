//! Inventories, users, entitlements and usage records in each of their dresses.

use super::{all, hinted, refused};
use crate::model::token::OwnerState;
use crate::source::KindHint;

const SESSION: &str = r#"{"clientId":"00000000-0000-0000-0000-000000000000","accessId":"00000000-0000-0000-0000-000000000000","authorizationId":"952858d3-7084-4635-964e-3c2a57645185","userId":"bb5bb6c8-ef0a-400f-8987-92b3674d2043","validFrom":"2018-07-19T00:00:00","validTo":"2019-07-19T00:00:00","displayName":"ci","scope":"vso.code vso.build","targetAccounts":null,"isValid":true,"isPublic":false}"#;
const PAT: &str = r#"{"displayName":"work","validTo":"2020-11-23T04:03:55.8033333Z","scope":"vso.work_full","targetAccounts":["38aaa865-2c70-4bf7-a308-0c6539c38c1a"],"validFrom":"2020-10-24T03:04:19.1466667Z","authorizationId":"eabb38b2-48ef-440b-959b-b9e6cb37a64e","token":null}"#;

#[test]
fn inventories() {
    for (text, kind, more) in [
        (format!(r#"{{"value":[{SESSION}],"continuationToken":null}}"#), "tokenadmin page", None),
        (format!(r#"{{"value":[{SESSION}],"continuationToken":"8b"}}"#), "tokenadmin page", Some("8b")),
        (format!("[{SESSION}]"), "tokenadmin json", None),
        (format!("{SESSION}\n"), "tokenadmin ndjson", None),
        (format!(r#"{{"continuationToken":"","patTokens":[{PAT}]}}"#), "pats page", None),
        (format!(r#"{{"patTokens":[{PAT}],"continuationToken":"x"}}"#), "pats page", Some("x")),
        (format!(r#"{{"patToken":{PAT},"patTokenError":"none"}}"#), "pats ndjson", None),
    ] {
        let (kept, outcome) = all(&text);
        assert_eq!(kept.all.inventory.len(), 1, "{text}");
        assert_eq!((outcome.kind.as_str(), outcome.continuation.as_deref()), (kind, more));
    }
    let (kept, _) =
        all(&format!(r#"{{"organization":"fabrikam","value":[{SESSION},{{"authorizationId":7}}]}}"#));
    assert_eq!(kept.all.inventory[0].org.as_deref(), Some("fabrikam"));
    assert_eq!(kept.reasons(), [(1, 2, "no authorization id")]);
    let csv = "authorizationId,displayName,scope,ownerUpn,isPublic,targetAccounts\n\
               952858d3-7084-4635-964e-3c2a57645185,ci,vso.code,jo@example.com,true,\n";
    let (kept, outcome) = all(csv);
    assert_eq!(outcome.kind, "tokenadmin csv");
    assert_eq!(kept.all.inventory[0].owner_upn.as_deref(), Some("jo@example.com"));
}

#[test]
fn users() {
    let user = r#"{"subjectKind":"user","principalName":"jo@example.com","displayName":"Jo","origin":"aad","descriptor":"aad.YWZkMzM2ZGQtZTgwYy03MWViLThlYmQtODMzNjMxYmEwNWM2"}"#;
    let group = r#"{"subjectKind":"group","displayName":"All","descriptor":"vssgp.Uy0x"}"#;
    let (kept, outcome) = all(&format!(r#"{{"count":2,"value":[{user},{group}]}}"#));
    assert_eq!((outcome.kind.as_str(), outcome.read), ("graph users page", 2));
    assert_eq!(kept.all.users[0].cuid.as_deref(), Some("afd336dd-e80c-71eb-8ebd-833631ba05c6"));
    assert_eq!(kept.all.users[1].subject_kind, "group");
    assert_eq!(all(&format!("{user}\n{user}\n")).0.all.users.len(), 2);
    assert_eq!(all(&format!("[{user}]")).1.kind, "graph users json");
}

#[test]
fn entitlements() {
    let member = r#"{"id":"d6245f20-2af8-44f4-9451-8107cb2767db","user":{"subjectKind":"user","principalName":"jo@example.com","descriptor":"aad.YWZkMzM2ZGQtZTgwYy03MWViLThlYmQtODMzNjMxYmEwNWM2"},"accessLevel":{"status":"active"},"lastAccessedDate":"2026-01-02T03:04:05Z","dateCreated":"2020-01-01T00:00:00Z"}"#;
    for holder in ["members", "items", "value"] {
        let (kept, outcome) = all(&format!(r#"{{"{holder}":[{member}],"totalCount":1}}"#));
        assert_eq!(outcome.kind, "entitlements page");
        let user = &kept.all.users[0];
        assert_eq!(user.storage_key.as_deref(), Some("d6245f20-2af8-44f4-9451-8107cb2767db"));
        assert_eq!((user.state, user.cuid.is_some()), (Some(OwnerState::Active), true));
    }
}

#[test]
fn usage_records() {
    let record = r#"{"vsid":"d6245f20-2af8-44f4-9451-8107cb2767db","user":"jo@example.com","startTime":"2026-01-02T03:00:00Z","endTime":"2026-01-02T03:05:00Z","authenticationMechanism":"PAT_Unscoped","ipAddress":"203.0.113.7","userAgent":"git/2.40","application":"Git","command":"GetRefs","status":"Normal","count":12}"#;
    let csv = "user,startTime,endTime,authenticationMechanism,command,count\n\
               jo@example.com,2026-01-02T03:00:00Z,2026-01-02T03:05:00Z,PAT_Unscoped,GetRefs,12\n";
    for text in [
        format!("[{record}]"),
        format!(r#"{{"count":1,"value":[{record}]}}"#),
        format!("{record}\n"),
        csv.into(),
    ] {
        let (kept, outcome) = all(&text);
        assert!(outcome.kind.starts_with("usage records"));
        let row = &kept.all.usage[0];
        assert_eq!(
            (row.mechanism.as_str(), row.count, row.user.as_str()),
            ("PAT_Unscoped", 12, "jo@example.com")
        );
    }
    let sparse = r#"{"user":"jo@example.com","startTime":"2026-01-02T03:00:00Z"}"#;
    assert!(refused(sparse).contains("startTime"));
    assert_eq!(hinted(sparse, KindHint::Usage).0.all.usage.len(), 1);
}

#[test]
fn a_hint_decides() {
    let (kept, _) = hinted(&format!("{SESSION}\n"), KindHint::Users);
    assert_eq!(kept.reasons()[0].2, "no descriptor and no principal name");
}
