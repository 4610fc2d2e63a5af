//! Proposals ready to paste: the lines to tick in the portal's form, and the body of the API's update call.
//!
//! In: a token and the scopes of a proposal. Out: text. The body is that of `PUT _apis/tokens/pats` (facts,
//! section 5): authorizationId, displayName, scope, validTo, allOrgs. The call replaces them all, so a field that
//! is not known is left out and named, never guessed.

use crate::model::catalogue::catalogue;
use crate::model::time::format_time;
use crate::report::TokenReport;
use serde_json::{Map, Value, json};

/// The lines of the portal's form for these scopes, under its headings.
#[must_use]
pub fn portal(scopes: &[String]) -> Vec<String> {
    let mut lines: Vec<String> = scopes
        .iter()
        .map(|scope| match catalogue().scopes.get(scope) {
            Some(info) => format!("{}: {} ({scope})", info.category, info.title),
            None => format!("not in the form: {scope}"),
        })
        .collect();
    lines.sort();
    lines
}

/// The body of the update call, and the fields that it lacks; nothing where the grant is not known.
#[must_use]
pub fn body(token: &TokenReport, scopes: Option<&Vec<String>>) -> Option<(Value, Vec<&'static str>)> {
    let (t, scopes) = (&token.token, scopes?);
    let fields = [
        ("authorizationId", Some(json!(t.token_id))),
        ("displayName", t.name.as_ref().map(|n| json!(n))),
        ("scope", Some(json!(scopes.join(" ")))),
        ("validTo", t.valid_to.map(|to| json!(format_time(to)))),
        ("allOrgs", t.all_orgs.map(|all| json!(all))),
    ];
    let missing = fields.iter().filter(|(_, v)| v.is_none()).map(|(name, _)| *name).collect();
    let known: Map<String, Value> =
        fields.into_iter().filter_map(|(name, v)| Some((name.to_owned(), v?))).collect();
    Some((Value::Object(known), missing))
}

/// JSON in ASCII alone: a name that would act on a terminal or a reader stands as escapes and still pastes.
#[must_use]
pub fn ascii(value: &Value) -> String {
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    let mut out = String::with_capacity(text.len());
    let mut before = ' ';
    for c in text.chars() {
        // Two of these begin what an agent of pipelines obeys; outside of texts JSON has neither twice.
        let is_second = matches!(c, '#' | ':') && c == before;
        before = c;
        if c.is_ascii() && !is_second && (c == '\n' || !c.is_ascii_control()) {
            out.push(c);
        } else {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::sample;

    #[test]
    fn the_body_holds_what_the_call_replaces_and_no_guess() {
        let mut token = sample::report().tokens.remove(0);
        let scopes = vec!["vso.build".to_owned(), "vso.code".to_owned()];
        let (value, missing) = body(&token, Some(&scopes)).expect("known grant");
        let names: Vec<&String> = value.as_object().expect("object").keys().collect();
        assert_eq!(names, ["authorizationId", "displayName", "scope", "validTo", "allOrgs"]);
        assert_eq!(value["scope"], "vso.build vso.code");
        assert!(missing.is_empty());
        token.token.all_orgs = None;
        let (value, missing) = body(&token, Some(&scopes)).expect("known grant");
        assert_eq!((value.get("allOrgs"), missing), (None, vec!["allOrgs"]));
        assert_eq!(body(&token, None), None, "no proposal, no body");
    }

    #[test]
    fn names_that_act_paste_as_escapes() {
        let value = json!({ "displayName": "a\u{202e}b\u{1b}[2J \u{1f600}" });
        let text = ascii(&value);
        assert!(text.is_ascii() && !text.contains('\u{1b}'), "{text}");
        assert_eq!(serde_json::from_str::<Value>(&text).expect("JSON"), value);
    }

    #[test]
    fn the_portal_lists_lines_of_its_form() {
        let lines = portal(&["vso.code_write".into(), "vso.new".into()]);
        assert_eq!(lines, ["Code: Code (read and write) (vso.code_write)", "not in the form: vso.new"]);
    }
}
