//! One token as an administration API lists it.

use super::event::Refusal;
use super::loose::Loose;
use super::spelling::plain;
use super::token_columns::{
    IS_VALID, NAME, NEEDED, OWNER_NAME, OWNER_UPN, SCOPES, STATUS, TARGETS, TOKEN_ID, USER_ID, VALID_FROM,
    VALID_TO, what_is_missing,
};
use crate::model::catalogue::catalogue;
use crate::model::identity::guid;
use crate::model::inventory::Targets;
use crate::model::token::{FULL_SCOPE, is_full_scope};
use crate::source::row::InventoryRow;
use serde_json::Value;

/// Reads a `SessionToken` of the token administration API, a `PatToken` of the token API, a row of either, or of a list that
/// somebody made.
pub(super) fn inventory(record: &Loose, page_org: Option<&str>) -> Result<InventoryRow, Refusal> {
    if let Some(inner) = record.object("pattoken") {
        let row = inventory(&inner, page_org);
        record.adopt(&inner);
        return row;
    }
    if let Some(error) = record.text(&["pattokenerror"]) {
        return Err(Refusal::new("answer without a token", &error));
    }
    let Some(token_id) = record.guid(TOKEN_ID.names) else {
        return Err(Refusal::new("no authorization id", &record.keys()));
    };
    let full = NEEDED.iter().all(|column| record.member(column.names).is_some());
    if let Some(missing) = (!full).then(|| what_is_missing(record.written())).flatten() {
        return Err(Refusal::new("columns missing", &missing));
    }
    let admin = ["accessid", "hostauthorizationid", "isvalid", "userid", "clientid", "ispublic"];
    Ok(InventoryRow {
        token_id,
        name: record.text(NAME.names),
        scopes: scopes(record),
        targets: targets(record),
        valid_from: record.time(VALID_FROM.names),
        valid_to: record.time(VALID_TO.names),
        user_id: record.id(USER_ID.names),
        is_valid: record.flag(IS_VALID.names).or_else(|| is_in_force(&record.text(STATUS.names)?)),
        is_public: record.flag(&["ispublic"]).unwrap_or(false),
        client_id: record.id(&["clientid"]),
        org: record.org(page_org),
        owner_upn: record.text(OWNER_UPN.names),
        owner_name: record.text(OWNER_NAME.names),
        source: if record.value(&admin).is_some() { "tokenadmin" } else { "pats" },
    })
}

/// Reads the scopes, in lower case. A value with anything that is not a scope is counted as unread, and none of it is kept:
/// half a grant would look like a smaller one.
fn scopes(record: &Loose) -> Option<String> {
    let is_empty = |value: &Value| value.as_str().is_some_and(|text| text.trim().is_empty());
    let value =
        SCOPES.names.iter().filter_map(|name| record.value(&[*name])).find(|value| !is_empty(value))?;
    let scopes: Option<Vec<String>> = match value {
        Value::Array(texts) => {
            let texts: Option<Vec<Vec<String>>> =
                texts.iter().map(|text| scopes_in(text.as_str()?)).collect();
            texts.map(|texts| texts.concat())
        }
        Value::String(text) => scopes_in(text),
        _ => None,
    };
    if scopes.is_none() {
        record.note_unread("scope");
    }
    scopes.filter(|scopes| !scopes.is_empty()).map(|scopes| scopes.join(" "))
}

/// Splits a text into scopes; nothing if one of its words is not a scope.
fn scopes_in(text: &str) -> Option<Vec<String>> {
    let text = text.to_lowercase();
    let mut words = words(&text).peekable();
    let mut scopes = Vec::new();
    while let Some(word) = words.next() {
        if word == "full" && words.next_if_eq(&"access").is_some() {
            scopes.push(FULL_SCOPE.to_owned());
        } else if is_scope(word) {
            scopes.push(word.to_owned());
        } else {
            return None;
        }
    }
    Some(scopes)
}

/// Returns true for a scope of the catalogue, and for a name with the prefix and the characters of one: new scopes appear.
fn is_scope(word: &str) -> bool {
    let is_name = |name: &str| {
        let is_part = |part: &str| {
            !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
        };
        name.split('.').all(is_part)
    };
    catalogue().scopes.contains_key(word)
        || is_full_scope(word)
        || word.strip_prefix("vso.").is_some_and(is_name)
        || word.strip_prefix("preview_").is_some_and(is_name)
}

/// Splits the text of a cell that contains several values, perhaps as a JSON array.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '|' | '[' | ']' | '"' | '\''))
        .filter(|word| !word.is_empty())
}

/// Reads a status that a script made of the dates: one that is active is valid, one that was revoked is not, and whether one
/// has expired is for its end date to say.
fn is_in_force(status: &str) -> Option<bool> {
    match plain(status).as_str() {
        "active" | "valid" | "ativo" | "activo" | "actif" | "aktiv" | "attivo" | "actief" => Some(true),
        "revoked" | "revogado" | "revocado" | "revoque" | "widerrufen" | "revocato" => Some(false),
        _ => None,
    }
}

/// Reads which organisations the token is for. An explicit null, an empty list and an empty cell stand for all of them, as
/// in the API; a record without the member says nothing, and neither does text that names no ids.
fn targets(record: &Loose) -> Targets {
    let Some(value) = record.member(TARGETS.names) else { return Targets::Unknown };
    let ids: Option<Vec<String>> = match value {
        Value::Null => Some(Vec::new()),
        Value::Array(ids) => ids.iter().map(|id| target(id.as_str()?)).collect(),
        Value::String(text) => words(text).map(target).collect(),
        _ => None,
    };
    match ids {
        None => {
            record.note_unread("targetaccounts");
            Targets::Unknown
        }
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
    fn scopes_are_read_in_full_or_are_unknown() {
        for (written, expected) in [
            (r#""vso.code vso.build""#, Some("vso.code vso.build")),
            (r#""vso.code, vso.build;vso.work""#, Some("vso.code vso.build vso.work")),
            (r#""vso.code|vso.build""#, Some("vso.code vso.build")),
            (r#""[\"vso.code_manage\",\"vso.build\"]""#, Some("vso.code_manage vso.build")),
            (r#"["vso.code_manage","vso.build"]"#, Some("vso.code_manage vso.build")),
            (r#"["vso.code_manage vso.build"]"#, Some("vso.code_manage vso.build")),
            (r#""VSO.CODE_MANAGE""#, Some("vso.code_manage")),
            (r#""app_token""#, Some("app_token")),
            (r#""Full access""#, Some("app_token")),
            (r#"["FULL ACCESS"]"#, Some("app_token")),
            (r#""user_impersonation""#, Some("user_impersonation")),
            (
                r#""vso.new_thing preview_api_all vso.extension.data""#,
                Some("vso.new_thing preview_api_all vso.extension.data"),
            ),
        ] {
            assert_eq!(read_scopes(written), (expected.map(str::to_owned), vec![]), "{written}");
        }
        for nothing in ["null", "[]", r#""""#, r#"" ""#, r#""[]""#] {
            assert_eq!(read_scopes(nothing), (None, vec![]), "{nothing}");
        }
        for unread in [
            r#""System.Object[]""#,
            r#""N/A""#,
            r#""NULL""#,
            r#""All""#,
            r#""full""#,
            r#""access full""#,
            r#""Code (Read & write); Work Items (Read)""#,
            r#""vso.code custom""#,
            r#""vso.""#,
            r#""vso.code...""#,
            r#""preview_""#,
            r#"[{"name":"vso.code_manage"},"vso.build"]"#,
            r#"["vso.build",null]"#,
            r#"{"name":"vso.code"}"#,
            "7",
        ] {
            assert_eq!(read_scopes(unread), (None, vec!["scope"]), "{unread}");
        }
    }

    fn read_scopes(written: &str) -> (Option<String>, Vec<&'static str>) {
        let text =
            format!(r#"{{"authorizationId":"3d3aca0c-9ad3-4b07-8334-08ec8b1ddc32","scope":{written}}}"#);
        let record = Loose::new(serde_json::from_str(&text).expect("JSON"));
        let scopes = inventory(&record, None).expect("row").scopes;
        (scopes, record.unread())
    }

    #[test]
    fn an_empty_scope_column_gives_way_to_another() {
        let row = read(
            r#"{"authorizationId":"3d3aca0c-9ad3-4b07-8334-08ec8b1ddc32","scope":"","permissions":"vso.code"}"#,
        );
        assert_eq!(row.expect("row").scopes.as_deref(), Some("vso.code"));
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
