//! One token as an administration API lists it.

use super::event::Refusal;
use super::loose::Loose;
use crate::model::identity::guid;
use crate::model::inventory::Targets;
use crate::source::row::InventoryRow;
use serde_json::Value;

/// Members that say which organisations a token is for.
const TARGETS: &[&str] = &["targetaccounts"];

/// Reads a `SessionToken` of the token administration API, a `PatToken` of the token API, or a row of either.
pub(super) fn inventory(record: &Loose, page_org: Option<&str>) -> Result<InventoryRow, Refusal> {
    if let Some(inner) = record.object("pattoken") {
        return inventory(&inner, page_org);
    }
    if let Some(error) = record.text(&["pattokenerror"]) {
        return Err(Refusal::new("answer without a token", &error));
    }
    let Some(token_id) = record.guid(&["authorizationid", "authorization_id", "token_id"]) else {
        return Err(Refusal::new("no authorization id", &record.keys()));
    };
    let admin = ["accessid", "hostauthorizationid", "isvalid", "userid", "clientid", "ispublic"];
    Ok(InventoryRow {
        token_id,
        name: record.text(&["displayname", "name"]),
        scopes: scopes(record),
        targets: targets(record),
        valid_from: record.time(&["validfrom"]),
        valid_to: record.time(&["validto"]),
        user_id: record.id(&["userid", "ownerid"]),
        is_valid: record.flag(&["isvalid"]),
        is_public: record.flag(&["ispublic"]).unwrap_or(false),
        client_id: record.id(&["clientid"]),
        org: record.org(page_org),
        owner_upn: record.text(&["ownerupn", "principalname", "userprincipalname", "upn", "mailaddress"]),
        owner_name: record.text(&["ownername", "ownerdisplayname", "owner", "username"]),
        source: if record.value(&admin).is_some() { "tokenadmin" } else { "pats" },
    })
}

fn scopes(record: &Loose) -> Option<String> {
    match record.value(&["scope", "scopes"])? {
        Value::Array(scopes) => {
            let scopes: Vec<&str> = scopes.iter().filter_map(Value::as_str).collect();
            (!scopes.is_empty()).then(|| scopes.join(" "))
        }
        _ => record.text(&["scope", "scopes"]),
    }
}

/// Reads which organisations the token is for. An explicit null, an empty list and an empty cell stand for all of them, as
/// in the API; a record without the member says nothing, and neither does text that names no ids.
fn targets(record: &Loose) -> Targets {
    let Some(value) = record.member(TARGETS) else { return Targets::Unknown };
    let ids: Option<Vec<String>> = match value {
        Value::Null => Some(Vec::new()),
        Value::Array(ids) => ids.iter().map(|id| target(id.as_str()?)).collect(),
        Value::String(text) => text
            .split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '|' | '[' | ']' | '"' | '\''))
            .filter(|id| !id.is_empty())
            .map(target)
            .collect(),
        _ => None,
    };
    match ids {
        None => Targets::Unknown,
        Some(ids) if ids.is_empty() => Targets::AllOrganisations,
        Some(ids) => Targets::Listed(ids),
    }
}

/// The id of an organisation: PowerShell writes `System.Object[]` into a cell that should hold several.
fn target(text: &str) -> Option<String> {
    guid(text).map(std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::format_time;

    fn read(text: &str) -> Result<InventoryRow, Refusal> {
        inventory(&Loose::new(serde_json::from_str(text).expect("JSON")), Some("fabrikam"))
    }

    #[test]
    fn a_session_token() {
        let row = read(r#"{"clientId":"00000000-0000-0000-0000-000000000000","accessId":"x",
            "authorizationId":"952858D3-7084-4635-964e-3c2a57645185","userId":"BB5bb6c8-ef0a-400f-8987-92b3674d2043",
            "validFrom":"2018-07-19T00:00:00","validTo":null,"displayName":null,"scope":"app_token",
            "targetAccounts":null,"isValid":true,"isPublic":false}"#)
        .expect("row");
        assert_eq!(row.token_id, "952858d3-7084-4635-964e-3c2a57645185");
        assert_eq!(row.user_id.as_deref(), Some("bb5bb6c8-ef0a-400f-8987-92b3674d2043"));
        assert_eq!(row.valid_from.map(format_time).as_deref(), Some("2018-07-19T00:00:00Z"));
        assert_eq!((row.valid_to, row.name, row.client_id), (None, None, None));
        assert_eq!(row.targets, Targets::AllOrganisations);
        assert_eq!(
            (row.is_valid, row.source, row.org.as_deref()),
            (Some(true), "tokenadmin", Some("fabrikam"))
        );
    }

    #[test]
    fn a_wrapped_token_and_an_error() {
        let row = read(
            r#"{"patToken":{"displayName":"x","scope":"vso.code","targetAccounts":["38AAA865-2c70-4bf7-a308-0c6539c38c1a"],
            "authorizationId":"3d3aca0c-9ad3-4b07-8334-08ec8b1ddc32"},"patTokenError":"none"}"#,
        )
        .expect("row");
        assert_eq!(row.targets, Targets::Listed(vec!["38aaa865-2c70-4bf7-a308-0c6539c38c1a".to_owned()]));
        assert_eq!(row.source, "pats");
        let refusal = read(r#"{"patToken":null,"patTokenError":"invalidToken"}"#).expect_err("refused");
        assert_eq!(refusal, Refusal::new("answer without a token", "invalidToken"));
        assert_eq!(read(r#"{"authorizationId":"x"}"#).expect_err("refused").reason, "no authorization id");
    }

    #[test]
    fn a_reach_that_is_not_written_is_unknown() {
        for (member, expected) in [
            ("", Targets::Unknown),
            (r#","targetAccounts":null"#, Targets::AllOrganisations),
            (r#","targetAccounts":[]"#, Targets::AllOrganisations),
            (r#","targetAccounts":"""#, Targets::AllOrganisations),
            (r#","targetAccounts":"[]""#, Targets::AllOrganisations),
            (r#","targetAccounts":"System.Object[]""#, Targets::Unknown),
            (r#","targetAccounts":7"#, Targets::Unknown),
            (
                r#","targetAccounts":"38AAA865-2c70-4bf7-a308-0c6539c38c1a""#,
                Targets::Listed(vec!["38aaa865-2c70-4bf7-a308-0c6539c38c1a".to_owned()]),
            ),
        ] {
            let row =
                read(&format!(r#"{{"authorizationId":"3d3aca0c-9ad3-4b07-8334-08ec8b1ddc32"{member}}}"#));
            assert_eq!(row.expect("row").targets, expected, "{member}");
        }
    }
}
