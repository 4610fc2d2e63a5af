//! Events in each shape they come in.

use super::{all, entry, refused};
use crate::model::event::Shape;
use crate::model::time::format_time;

const ID: &str = "86fbe369-3f5d-4f52-9ab0-000000000001";

#[test]
fn api_pages_root_and_wrapped_one_after_another() {
    let page = |n: usize| {
        format!(
            r#"{{"decoratedAuditLogEntries":[{},{}],"continuationToken":"x","hasMore":true}}"#,
            entry(n),
            entry(n + 1)
        )
    };
    let wrapped = format!("{{\"value\":{}}}", page(5).replace("true", "false"));
    for (text, n, more) in [
        (page(1), 2, Some("x")),
        (wrapped.clone(), 2, None),
        (format!("{}\n{}{wrapped}", page(1), page(3)), 6, None),
        (format!("{}\n{}\n", page(1), page(3)), 4, Some("x")),
        (format!("[{},{}]", page(1), page(3)), 4, Some("x")),
        (format!("{}\n{}\n{}\n", entry(9), page(1), page(3)), 5, Some("x")),
    ] {
        let (kept, outcome) = all(&text);
        assert_eq!(kept.events().len(), n, "{text}");
        assert_eq!(outcome.continuation.as_deref(), more);
        assert_eq!(outcome.rejected, 0);
        assert_eq!(outcome.truncated, None);
    }
    assert_eq!(all(&wrapped).1.kind, "api page");
}

#[test]
fn every_field_of_an_api_entry() {
    let text = entry(1);
    let (kept, outcome) = all(&text);
    assert_eq!(outcome.kind, "ndjson");
    let row = kept.one();
    assert_eq!(row.event_id, ID);
    assert_eq!(format_time(row.time), "2026-03-02T14:05:02.146083Z");
    assert_eq!(row.correlation_id, "86fbe369-3f5d-4f52-9ab0-3be7db271948");
    assert_eq!((row.actor_cuid, row.actor_client_id, row.project_id), ("", "", ""));
    assert_eq!((row.actor_upn, row.actor_name), ("jo@example.com", "Jo"));
    assert_eq!(row.mechanism, "PAT authorizationId: 4c60c9ed-a378-4883-af16-d655ca025b11");
    assert_eq!((row.scope_type, row.scope_name), ("organization", "Fabrikam (Organization)"));
    assert_eq!((row.action, row.area, row.category), ("Git.RepositoryCreated", "Git", "create"));
    assert_eq!(row.details, "Repository \"r1\" was created");
    assert_eq!(row.data, r#"{"RepoName":"r1","Nested":[{"a":"}"}]}"#);
    assert_eq!((row.shape, row.folded), (Shape::Api, 1));
    let org = &kept.all.batches[0].0.0;
    assert_eq!(
        (org.name.as_str(), org.scope_id.as_str()),
        ("fabrikam", "73638cd5-0dda-4128-9fd6-48c16d4e4de3")
    );
    assert_eq!(kept.all.orgs_seen, [(org.clone(), row.time)]);
    assert_eq!(outcome.sha256.len(), 64);
    assert_eq!(kept.bytes, text.len() as u64);
}

#[test]
fn portal_export_json() {
    let text = format!(
        r#"[{{"Id":"{ID}","Timestamp":"2026-03-02T14:05:02Z","ScopeType":"Organization","ScopeDisplayName":"x","ActionId":"A.B","Data":{{"camelKey":1}},"Category":"Modify"}},
        {{"Id":"86fbe369-3f5d-4f52-9ab0-000000000002","Timestamp":"2026-03-02T14:05:02Z","ScopeType":"Project","ScopeDisplayName":"P","ActionId":"A.B"}}]"#
    );
    let (kept, outcome) = all(&text);
    assert_eq!(outcome.kind, "portal json");
    let row = kept.all.batches[0].1.row(0);
    assert_eq!((row.shape, row.category, row.data), (Shape::Export, "modify", r#"{"camelKey":1}"#));
    assert_eq!(kept.all.batches[1].0.0.name, "", "a project names no organisation");
}

#[test]
fn portal_csv_with_either_delimiter() {
    for (delimiter, mark) in [(",", ""), (";", "\u{feff}")] {
        let header = ["ID", "timestamp", "ActionId", "Data", "Details", "IpAddress"].join(delimiter);
        let data = r#""{""RepoName"":""r, ;1""}""#;
        let row = [ID, "\"6/20/2022, 12:43:35.737 AM\"", "A.B", data, "\"two\nlines\"", ""].join(delimiter);
        let (kept, outcome) = all(&format!("{mark}{header}\r\n{row}\r\n"));
        assert_eq!(outcome.kind, "portal csv");
        let row = kept.one();
        assert_eq!((row.shape, row.data), (Shape::Export, r#"{"RepoName":"r, ;1"}"#));
        assert_eq!((row.details, row.address), ("two\nlines", ""));
        assert_eq!(format_time(row.time), "2022-06-20T00:43:35.737Z");
    }
    assert!(refused("name,colour\nx,y\n").contains("name, colour"));
    assert_eq!(all("Id,Timestamp,ActionId\n").1.read, 0);
}

#[test]
fn log_analytics_objects_csv_and_query_answers() {
    let object = format!(
        r#"{{"TenantId":"t","TimeGenerated":"2022-06-20T00:43:35.7370000Z","OperationName":"A.B","Id":"{ID}","Data":"{{\"K\":\"v\"}}","Type":"AzureDevOpsAuditing","ScopeType":"Enterprise","ScopeDisplayName":"X"}}"#
    );
    let tables = format!(
        r#"{{"tables":[{{"name":"PrimaryResult","columns":[{{"name":"TimeGenerated","type":"datetime"}},{{"name":"OperationName"}},{{"name":"Id"}},{{"name":"Other"}},{{"name":"Data"}},{{"name":"ScopeType"}},{{"name":"ScopeDisplayName"}}],
        "rows":[["2022-06-20T00:43:35.737Z","A.B","{ID}",null,"{{\"K\":\"v\"}}","Enterprise","X"]]}}]}}"#
    );
    let csv = format!(
        "\"TimeGenerated [UTC]\",OperationName,Id,Data,ScopeType,ScopeDisplayName\n\"6/20/2022, 12:43:35.737 AM\",A.B,{ID},\"{{\"\"K\"\":\"\"v\"\"}}\",Enterprise,X\n"
    );
    for (text, kind) in
        [(object, "log analytics ndjson"), (tables, "log analytics query"), (csv, "log analytics csv")]
    {
        let (kept, outcome) = all(&text);
        assert_eq!(outcome.kind, kind);
        let row = kept.one();
        assert_eq!((row.action, row.data, row.shape), ("A.B", r#"{"K":"v"}"#, Shape::LogAnalytics));
        assert_eq!(format_time(row.time), "2022-06-20T00:43:35.737Z");
        assert_eq!(kept.all.batches[0].0.0.name, "x");
    }
}

#[test]
fn sentinel_poller_rows() {
    for extra in [r#""Type":"ADOAuditLogs_CL""#, r#""ActorImageUrl":"https://x""#] {
        let text =
            format!(r#"{{"TimeGenerated":"2022-06-20T00:43:35Z","ActionId":"A.B","Id":"{ID}",{extra}}}"#);
        assert_eq!(all(&text).0.one().shape, Shape::Poller);
    }
}

#[test]
fn event_grid_single_array_and_without_subject() {
    let inner = format!(
        r#"{{"Id":"{ID}","ScopeType":4,"ScopeDisplayName":"X","ActionId":"A.B","Category":1,"Data":{{"data":{{}}}}}}"#
    );
    let full = format!(
        r#"{{"id":"{ID}","subject":"AzureDevOps/Auditing","data":{inner},"eventType":"AzureDevOpsAuditEvent","eventTime":"2023-08-03T23:34:31.037Z"}}"#
    );
    let bare = format!(r#"{{"data":{inner},"eventTime":"2023-08-03T23:34:31.037Z"}}"#);
    for text in [full.clone(), format!("[{full}]"), bare] {
        let (kept, _) = all(&text);
        let row = kept.one();
        assert_eq!((row.shape, row.category, row.scope_type), (Shape::EventGrid, "modify", "organization"));
        assert_eq!(row.data, r#"{"data":{}}"#);
        assert_eq!(
            format_time(row.time),
            "2023-08-03T23:34:31.037Z",
            "the envelope's, for want of one inside"
        );
    }
    let other = r#"{"id":"x","data":{"a":1},"eventType":"Microsoft.Storage.BlobCreated","eventTime":"2023-08-03T23:34:31Z"}"#;
    assert!(refused(other).contains("not an Azure DevOps audit event"));
}

#[test]
fn splunk_envelopes_end_to_end() {
    let inner = |n: u8| {
        format!(r#"{{"Id":"86fbe369-3f5d-4f52-9ab0-0000000000{n:02}","ActionId":"A.B","Data":null}}"#)
    };
    let string = inner(2).replace('"', "\\\"");
    let text = format!(
        r#"{{"time":1655685815.737,"event":{}}}{{"time":"1655685815.737","host":"h","event":"{string}"}}{{"event":"plain words"}}"#,
        inner(1)
    );
    for text in [text.clone(), text.replace("}{\"", "}\n{\"")] {
        let (kept, outcome) = all(&text);
        assert_eq!(kept.events().len(), 2);
        let row = kept.all.batches[0].1.row(1);
        assert_eq!((row.shape, format_time(row.time).as_str()), (Shape::Splunk, "2022-06-20T00:43:35.737Z"));
        assert_eq!(kept.reasons()[0].2, "no audit event in the envelope");
        assert!(outcome.kind.starts_with("splunk"));
    }
}

#[test]
fn folded_reads_of_the_log() {
    let text = entry(1)
        .replace("Git.RepositoryCreated", "AuditLog.AccessLog")
        .replace("\"RepoName\":\"r1\"", "\"EventSummary\":[\"a\",\"b\",\"c\"]");
    assert_eq!(all(&text).0.one().folded, 3);
}

#[test]
fn any_casing_of_keys() {
    let (kept, _) = all(&format!(r#"{{"ID":"{ID}","TIMESTAMP":"2026-01-01T00:00:00Z","actionid":"A.B"}}"#));
    assert_eq!(kept.one().action, "A.B");
}

#[test]
fn arrays_that_mix_shapes() {
    let text = format!(
        r#"[{},{{"Id":"86fbe369-3f5d-4f52-9ab0-000000000003","TimeGenerated":"2026-01-01","OperationName":"A.B"}},{{"colour":"red"}},7]"#,
        entry(1)
    );
    let (kept, _) = all(&text);
    assert_eq!(kept.events().len(), 2);
    assert_eq!(kept.reasons(), [(1, 3, "unknown kind of record"), (1, 4, "not an object")]);
}
