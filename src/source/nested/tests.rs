//! Records of pages and arrays, sound and otherwise.

use super::*;

fn records(text: &str) -> (Vec<String>, Pages) {
    let mut out = Vec::new();
    let pages = scan(&mut text.as_bytes(), 1, &mut |bytes, meta| {
        let fault = meta.fault.map(|f| format!("!{f:?}")).unwrap_or_default();
        out.push(format!("{}:{}{fault}", meta.line, String::from_utf8_lossy(bytes)));
        true
    });
    match pages {
        Ok(pages) => (out, pages),
        Err(_) => panic!("a text in memory cannot fail"),
    }
}

#[test]
fn pages_arrays_and_records_end_to_end() {
    for (text, expected) in [
        (r#"{"a":1}{"b":"}{"}"#, vec![r#"1:{"a":1}"#, r#"1:{"b":"}{"}"#]),
        ("[{\"a\":[1,{}]},\n{\"b\":2}]", vec![r#"1:{"a":[1,{}]}"#, r#"2:{"b":2}"#]),
        (r#"{"decoratedAuditLogEntries":[{"a":"\""}],"hasMore":false}"#, vec![r#"1:{"a":"\""}"#]),
        (
            "{\"value\":{\"decoratedAuditLogEntries\":[{\"a\":1}]}}\n{\"count\":1,\"value\":[{\"a\":2}]}",
            vec![r#"1:{"a":1}"#, r#"2:{"a":2}"#],
        ),
        (r#"[{"value":[{"a":1}]},{"value":[{"a":2}]}]"#, vec![r#"1:{"a":1}"#, r#"1:{"a":2}"#]),
        (r#"[1,"x",{"a":1}]"#, vec!["1:1", r#"1:"x""#, r#"1:{"a":1}"#]),
        ("[]", vec![]),
        ("", vec![]),
    ] {
        let (found, pages) = records(text);
        assert_eq!(found, expected, "{text}");
        assert_eq!(pages.truncated, None, "{text}");
    }
}

#[test]
fn tokens_of_pages_are_kept_only_where_more_follows() {
    let more = |text: &str| records(text).1.continuation;
    assert_eq!(more(r#"{"value":[],"continuationToken":"x"}"#).as_deref(), Some("x"));
    assert_eq!(more(r#"{"continuationToken":"x","patTokens":[{}]}"#).as_deref(), Some("x"));
    assert_eq!(more(r#"{"continuationToken":"","patTokens":[]}"#), None);
    assert_eq!(more(r#"{"value":[],"continuationToken":"x"}{"value":[],"continuationToken":null}"#), None);
    let audit = r#"{"value":{"decoratedAuditLogEntries":[],"continuationToken":"x","hasMore":false}}"#;
    assert_eq!(more(audit), None);
    assert_eq!(records(audit).1.holder.as_deref(), Some("decoratedAuditLogEntries"));
}

#[test]
fn what_breaks_off_is_said() {
    let (found, pages) = records(r#"{"value":[{"a":1},{"b":"x"#);
    assert_eq!(found, [r#"1:{"a":1}"#, "1:{\"b\":\"x!CutOff"]);
    assert!(pages.truncated.is_some());
    let (found, pages) = records(r#"[{"a":1},"#);
    assert_eq!(found, [r#"1:{"a":1}"#]);
    assert!(pages.truncated.is_some());
}

#[test]
fn only_a_page_that_says_so_is_the_last() {
    for (text, (open, closed, unstated)) in [
        (r#"{"value":[{"a":1}],"continuationToken":null}"#, (0, 1, 0)),
        (r#"{"continuationToken":"","value":[{"a":1}]}"#, (0, 1, 0)),
        (r#"{"value":[{"a":1}],"continuationToken":"t"}"#, (1, 0, 0)),
        (r#"{"value":[{"a":1}]}"#, (0, 0, 1)),
        (r#"{"patTokens":[{"a":1}],"continuationToken":""}"#, (0, 0, 1)),
        (
            r#"[{"value":[{"a":1}],"continuationToken":"t"},{"value":[{"a":2}],"continuationToken":null}]"#,
            (1, 1, 0),
        ),
        (r#"[{"a":1},{"a":2}]"#, (0, 0, 2)),
        (r#"{"value":{"auditLogEntries":[{"a":1}],"hasMore":false}}"#, (0, 1, 0)),
    ] {
        let ends = records(text).1.ends;
        assert_eq!((ends.open, ends.closed, ends.unstated), (open, closed, unstated), "{text}");
    }
}

#[test]
fn a_backslash_before_a_closing_quote_harms_its_record_alone() {
    let (found, pages) =
        records(r#"{"value":[{"id":1,"x":"[P]\"},{"id":2,"y":"}"}],"continuationToken":"t"}"#);
    assert_eq!(found, [r#"1:{"id":1,"x":"[P]\"}"#, r#"1:{"id":2,"y":"}"}"#]);
    assert_eq!((pages.continuation.as_deref(), pages.truncated), (Some("t"), None));
    let (found, _) = records(r#"[{"id":1,"x":"say "it""},{"id":2,"x":"[P]\"}]"#);
    assert_eq!(found, [r#"1:{"id":1,"x":"say "it""},"#, r#"1:{"id":2,"x":"[P]\"}"#]);
}

#[test]
fn a_record_beyond_all_measure_is_handed_out_and_left_behind() {
    let long = format!(r#"[{{"id":"a"}},{{"id":"{}"}},{{"id":"b"}}]"#, "x".repeat(MAX_RECORD + 4_000_000));
    let (found, _) = records(&long);
    assert_eq!(found.len(), 3);
    assert!(found[1].ends_with("TooLong"));
    assert_eq!(found[2], r#"1:{"id":"b"}"#);
}

/// Where the scanner that goes byte by byte ends an object, if it is whole and no page.
fn closed_at(text: &str, may_be_page: bool) -> Option<usize> {
    let mut input = text.as_bytes();
    let window = Window::new(&mut input, 1);
    let mut scanner =
        Scanner { window, emit: &mut |_, _| true, org: None, pages: Pages::default(), in_pages: 0 };
    match scanner.bracketed(may_be_page, false) {
        Ok(Ended::Closed) => Some(scanner.window.at),
        _ => None,
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(3000))]

    #[test]
    fn a_quick_end_is_where_the_scanner_ends(
        pieces in proptest::collection::vec(proptest::sample::select(vec![
            "{", "}", "[", "]", "\"", "\\", "\\\\", "\\\"", ",", ":", " ", "\n", "x", "\"a\":", "\"value\":", "\"Items\" : ",
            "\"b\",", "{\"c\":1}", "[1,2]", "\"a long string without anything in it at all\"", "é", "\u{1}",
        ]), 0..40),
        may_be_page: bool,
    ) {
        let text = format!("{{{}", pieces.concat());
        if let Quick::Ends(end) = object_end(text.as_bytes(), may_be_page) {
            proptest::prop_assert_eq!(closed_at(&text, may_be_page), Some(end), "{}", text);
        }
    }
}
