//! One row of the organisation's Usage page.

use super::event::Refusal;
use super::loose::Loose;
use crate::source::row::UsageRow;

/// Reads a usage record: calls of one user with one mechanism, address, agent and command.
pub(super) fn usage(record: &Loose, page_org: Option<&str>) -> Result<UsageRow, Refusal> {
    let user_id = record.id(&["vsid", "userid", "storagekey"]).unwrap_or_default();
    let user = record.text(&["user", "username", "principalname"]).unwrap_or_default();
    if user_id.is_empty() && user.is_empty() {
        return Err(Refusal::new("no user", &record.keys()));
    }
    let Some(start) = record.time(&["starttime", "start", "time"]) else {
        return Err(Refusal::new(
            "no time",
            &record.text(&["starttime", "start", "time"]).unwrap_or_default(),
        ));
    };
    let text = |keys: &[&str]| record.text(keys).unwrap_or_default();
    Ok(UsageRow {
        user_id,
        user,
        start,
        end: record.time(&["endtime", "end"]).map_or(start, |end| end.max(start)),
        mechanism: text(&["authenticationmechanism", "mechanism"]),
        address: text(&["ipaddress", "address"]),
        user_agent: text(&["useragent"]),
        application: text(&["application", "service"]),
        command: text(&["command"]),
        status: text(&["status"]),
        count: record.number(&["count"]).unwrap_or(1).max(0),
        org: record.org(page_org),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(text: &str) -> Result<UsageRow, Refusal> {
        usage(&Loose::new(serde_json::from_str(text).expect("JSON")), None)
    }

    #[test]
    fn a_usage_record() {
        let row = row(r#"{"vsid":"D6245F20-2af8-44f4-9451-8107cb2767db","user":"jo@example.com",
            "startTime":"2026-01-02T03:00:00Z","endTime":"2026-01-02T03:05:00Z","authenticationMechanism":"PAT",
            "ipAddress":"203.0.113.7","userAgent":"git/2.40","application":"Git","command":"GetRefs",
            "status":"Normal","count":"12"}"#)
        .expect("row");
        assert_eq!(row.user_id, "d6245f20-2af8-44f4-9451-8107cb2767db");
        assert_eq!((row.end - row.start, row.count), (300_000_000, 12));
    }

    #[test]
    fn without_user_or_time_there_is_no_record() {
        assert_eq!(row(r#"{"startTime":"2026-01-02T03:00:00Z"}"#).expect_err("refused").reason, "no user");
        assert_eq!(row(r#"{"user":"x","startTime":"later"}"#).expect_err("refused").reason, "no time");
    }
}
