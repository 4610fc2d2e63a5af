//! One token as an administration API lists it.

use super::event::Refusal;
use super::loose::Loose;
use crate::source::row::InventoryRow;
use serde_json::Value;

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
        target_accounts: accounts(record),
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

/// Null stands for all organisations, in the API and in a CSV cell that was left empty.
fn accounts(record: &Loose) -> Option<Vec<String>> {
    let accounts: Vec<String> = match record.value(&["targetaccounts"])? {
        Value::Array(accounts) => {
            accounts.iter().filter_map(Value::as_str).map(|id| id.trim().to_lowercase()).collect()
        }
        Value::String(text) => text
            .split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '[' | ']' | '"'))
            .filter(|id| !id.is_empty())
            .map(str::to_lowercase)
            .collect(),
        _ => return None,
    };
    (!accounts.is_empty()).then_some(accounts)
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
        assert_eq!((row.valid_to, row.name, row.client_id, row.target_accounts), (None, None, None, None));
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
        assert_eq!(row.target_accounts.expect("accounts"), ["38aaa865-2c70-4bf7-a308-0c6539c38c1a"]);
        assert_eq!(row.source, "pats");
        let refusal = read(r#"{"patToken":null,"patTokenError":"invalidToken"}"#).expect_err("refused");
        assert_eq!(refusal, Refusal::new("answer without a token", "invalidToken"));
        assert_eq!(read(r#"{"authorizationId":"x"}"#).expect_err("refused").reason, "no authorization id");
    }
}
