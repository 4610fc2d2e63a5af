//! One event in many forms: other spellings of its keys, envelopes around it, dates in the order of another country.

use super::{Kept, all, entry, refused};
use crate::model::time::{Micros, format_time};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// The events without the form that they arrived in, which depends on the spelling.
fn events(kept: &Kept) -> Vec<String> {
    let mut out = Vec::new();
    for ((org, _), batch) in &kept.all.batches {
        for i in 0..batch.len() {
            let row =
                crate::model::event::EventRow { shape: crate::model::event::Shape::Api, ..batch.row(i) };
            out.push(format!("{}|{row:?}", org.name));
        }
    }
    out
}

fn members(n: usize) -> Map<String, Value> {
    serde_json::from_str(&entry(n)).expect("entry")
}

/// Ways to spell a key that do not change what it stands for.
fn spelled(key: &str, way: usize) -> String {
    let words = key.chars().fold(Vec::<String>::new(), |mut words, c| {
        match words.last_mut() {
            Some(word) if !(c.is_uppercase() && word.ends_with(char::is_lowercase)) => word.push(c),
            _ => words.push(c.to_string()),
        }
        words
    });
    match way {
        0 => key.to_owned(),
        1 => words.join("_").to_lowercase(),
        2 => words.join("-"),
        3 => words.join(" ").to_uppercase(),
        4 => format!("{key}_s"),
        5 => format!("ado.{key}"),
        6 => format!("audit_{}_t", words.join("_").to_lowercase()),
        _ => key[..1].to_uppercase() + &key[1..],
    }
}

/// Puts a record into an envelope.
fn wrapped(record: &str, way: usize) -> String {
    let text = Value::from(record);
    match way {
        0 => format!(r#"{{"@timestamp":"2020-01-01T00:00:00Z","message":{text}}}"#),
        1 => format!(r#"{{"preview":false,"result":{{"_raw":{text},"_time":"2020"}}}}"#),
        2 => format!(r#"{{"a":{{"b":{record}}}}}"#),
        3 => format!(r#"{{"list":[{record}],"n":1}}"#),
        4 => format!(r#"{{"event":{{"original":{text},"kind":"event"}}}}"#),
        _ => format!(r#"{{"Id":"{{x}}","payload":{record}}}"#),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn another_spelling_of_every_key_changes_nothing(n in 0_usize..50, way in 0_usize..8) {
        let expected = events(&all(&entry(n)).0);
        let respelled: Map<String, Value> =
            members(n).into_iter().map(|(key, value)| (spelled(&key, way), value)).collect();
        let (kept, outcome) = all(&Value::from(respelled).to_string());
        prop_assert_eq!((outcome.read, outcome.rejected), (1, 0));
        prop_assert_eq!(events(&kept), expected);
    }

    #[test]
    fn envelopes_change_nothing(n in 0_usize..50, ways in prop::collection::vec(0_usize..6, 1..3), lines in 1_usize..3) {
        let expected: Vec<String> = (0..lines).flat_map(|line| events(&all(&entry(n + line)).0)).collect();
        let text: Vec<String> = (0..lines)
            .map(|line| ways.iter().fold(entry(n + line), |record, way| wrapped(&record, *way)))
            .collect();
        let (kept, outcome) = all(&text.join("\n"));
        prop_assert_eq!((outcome.read, outcome.rejected), (lines as u64, 0));
        let mut found = events(&kept);
        found.sort();
        let mut expected = expected;
        expected.sort();
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn a_file_that_breaks_off_anywhere_does_no_harm(way in 0_usize..6, cut in 0_usize..3000) {
        let text = format!("{0}\n{0}\n", wrapped(&entry(1), way));
        let end = cut.min(text.len());
        drop(super::try_bytes(&text.as_bytes()[..end], crate::source::Options::default()));
        let csv = format!("_time,_raw\n2020,\"{}\"\n", entry(1).replace('"', "\"\""));
        drop(super::try_bytes(&csv.as_bytes()[..cut.min(csv.len())], crate::source::Options::default()));
    }
}

#[test]
fn a_record_in_a_column_is_found() {
    let cell = format!("\"{}\"", entry(3).replace('"', "\"\""));
    let text = format!("_time,host,_raw\n2020,h,{cell}\n2020,h,\n");
    let (kept, outcome) = all(&text);
    assert_eq!(events(&kept), events(&all(&entry(3)).0));
    assert_eq!((outcome.read, kept.reasons()), (2, vec![(3, 2, "unknown kind of record")]));
}

#[test]
fn the_envelopes_own_keys_are_not_the_records() {
    let (kept, _) = all(&format!(
        r#"{{"_id":"1","operationName":"insert","correlationId":"c","time":"2020","properties":{}}}"#,
        entry(3)
    ));
    assert_eq!(events(&kept), events(&all(&entry(3)).0));
}

/// A table with one row a date; ids are bare unless a date of the id is given.
fn table(dates: &[(&str, Option<Micros>)]) -> String {
    let mut text = String::from("TimeGenerated [UTC];Id;OperationName;ScopeDisplayName\n");
    for (n, (date, of_id)) in dates.iter().enumerate() {
        let ticks = of_id.map(|time| 3_155_378_975_999_999_999 - (time * 10 + 621_355_968_000_000_000));
        let id =
            ticks.map_or(String::new(), |ticks| format!("{ticks};00000064-0000-8888-8000-000000000000;"));
        text += &format!("{date};\"{id}86fbe369-3f5d-4f52-9ab0-{n:012x}\";Git.X;contoso (Organization)\n");
    }
    text
}

fn days(text: &str) -> (Vec<String>, Vec<String>) {
    let (kept, _) = all(text);
    let mut days: Vec<String> = kept
        .all
        .batches
        .iter()
        .flat_map(|(_, batch)| (0..batch.len()).map(|i| format_time(batch.row(i).time)[..10].to_owned()))
        .collect();
    days.sort();
    (days, kept.all.rejected.iter().map(|r| format!("{} {}", r.line, r.reason)).collect())
}

#[test]
fn one_date_decides_for_the_whole_file_wherever_it_is() {
    let early = table(&[("05/01/2026 09:00", None), ("06/01/2026 09:00", None), ("13/01/2026 09:00", None)]);
    assert_eq!(days(&early), (vec!["2026-01-05".into(), "2026-01-06".into(), "2026-01-13".into()], vec![]));
    let month = table(&[("05/01/2026 09:00", None), ("01/13/2026 09:00", None)]);
    assert_eq!(days(&month), (vec!["2026-01-13".into(), "2026-05-01".into()], vec![]));
    let id = Some(1_767_603_600_000_000); // 2026-01-05T09:00:00Z
    let by_id = table(&[("05/01/2026 10:00", id), ("07/01/2026 09:00", None)]);
    assert_eq!(days(&by_id), (vec!["2026-01-05".into(), "2026-01-07".into()], vec![]));
}

#[test]
fn dates_that_nothing_decides_are_rejected_and_counted() {
    let rejected = |line: u64| format!("{line} order of day and month unknown");
    let silent = table(&[("05/01/2026 09:00", None), ("04/04/2026 09:00", None)]);
    assert_eq!(days(&silent), (vec!["2026-04-04".into()], vec![rejected(2)]));
    let both = table(&[("13/01/2026 09:00", None), ("05/01/2026 09:00", None), ("01/14/2026 09:00", None)]);
    assert_eq!(days(&both), (vec!["2026-01-13".into(), "2026-01-14".into()], vec![rejected(3)]));
    let dots = table(&[("05.01.2026 09:00", None)]);
    assert_eq!(days(&dots), (vec!["2026-01-05".into()], vec![]));
}

#[test]
fn the_portals_own_form_is_month_first_and_says_so() {
    let text = table(&[("1/5/2026, 9:12:33.146 AM", None)]);
    assert_eq!(days(&text), (vec!["2026-01-05".into()], vec![]));
    assert!(all(&text).1.assumption.expect("said").contains("month first"));
    let told = table(&[("1/5/2026, 9:12:33.146 AM", None), ("13/1/2026, 9:12:33.146 AM", None)]);
    assert_eq!(days(&told).0, ["2026-01-13", "2026-05-01"]);
    assert_eq!(all(&told).1.assumption, None);
}

#[test]
fn a_leading_zero_is_not_the_portals_form() {
    let padded = table(&[("05/01/2026, 9:12:33 AM", None)]);
    assert_eq!(days(&padded), (vec![], vec!["2 order of day and month unknown".into()]));
    assert_eq!(all(&padded).1.assumption, None);
    let decided = table(&[("05/01/2026, 9:12:33 AM", None), ("13/01/2026, 9:12:33 AM", None)]);
    assert_eq!(days(&decided), (vec!["2026-01-05".into(), "2026-01-13".into()], vec![]));
}

#[test]
fn scopes_in_a_cell_are_read_in_full_or_counted_as_unread() {
    let list = |scope: &str| {
        let text = format!(
            "authorizationId,displayName,scope,validTo\n\
             952858d3-7084-4635-964e-3c2a57645185,ci,{scope},2026-12-31\n"
        );
        let kept = all(&text).0;
        (kept.all.inventory[0].scopes.clone(), kept.all.unread.into_iter().collect::<Vec<_>>())
    };
    assert_eq!(
        list("\"[\"\"vso.code_manage\"\",\"\"vso.build\"\"]\""),
        (Some("vso.code_manage vso.build".into()), vec![])
    );
    assert_eq!(list("System.Object[]"), (None, vec![("scope", 1)]));
}

#[test]
fn a_row_with_too_many_cells_is_rejected() {
    let id = "952858d3-7084-4635-964e-3c2a57645185";
    // The quote inside the name makes the second reader take over.
    for name in ["ci", "c\"i"] {
        let text = format!(
            "authorizationId,displayName,scope,validTo\n\
             {id},{name},vso.code,2026-12-31\n\
             {id},deploy, prod,vso.code,2026-12-31\n\
             {id},ci,vso.code,2026-12-31,, ,\n\
             {id},{name},vso.code,2026-12-31,,x\n"
        );
        let kept = all(&text).0;
        assert_eq!(kept.reasons(), [(3, 2, "too many cells"), (5, 4, "too many cells")], "{name}");
        assert_eq!(kept.all.rejected[0].detail, "5 cells of 4");
        assert_eq!(kept.all.inventory.len(), 2, "{name}");
    }
    let text = table(&[("2026-01-05 09:00:00", None)]).replace("Git.X;", "Git.X;y;");
    assert_eq!(all(&text).0.reasons(), [(2, 1, "too many cells")]);
}

#[test]
fn a_record_inside_a_foreign_event_grid_envelope_is_found() {
    let envelope = |data: &str| {
        format!(
            r#"{{"id":"x","data":{data},"eventType":"Contoso.LogForwarded","eventTime":"2023-08-03T23:34:31Z"}}"#
        )
    };
    let expected = events(&all(&entry(3)).0);
    for data in [entry(3), format!(r#"{{"log":{}}}"#, Value::from(entry(3)))] {
        let (kept, outcome) = all(&envelope(&data));
        assert_eq!((outcome.read, outcome.rejected), (1, 0), "{data}");
        assert_eq!(events(&kept), expected, "{data}");
    }
}

#[test]
fn an_event_before_the_year_2000_has_no_time() {
    let years = table(&[
        ("0001-01-01T00:00:00", None),
        ("01/01/0001 00:00:00", None),
        ("1970-01-01T00:00:00Z", None),
        ("02/03/1999 09:00", None),
        ("1999-12-31T23:59:59.999Z", None),
        ("2000-01-01T00:00:00Z", None),
        // The id contains the time.
        ("0001-01-01T00:00:00", Some(1_767_603_600_000_000)),
    ]);
    let no_time = (2..7).map(|line| format!("{line} no time")).collect();
    assert_eq!(days(&years), (vec!["2000-01-01".into(), "2026-01-05".into()], no_time));
    let text = r#"{"time":0,"event":{"Id":"86fbe369-3f5d-4f52-9ab0-000000000000","ActionId":"Git.X"}}"#;
    assert_eq!(all(text).0.reasons(), [(1, 1, "no time")]);
}

#[test]
fn lists_take_the_order_of_their_file() {
    let list = |from: &str, to: &str| {
        let text = format!(
            "authorizationId,displayName,scope,validFrom,validTo\n\
             952858d3-7084-4635-964e-3c2a57645185,ci,vso.code,{from},{to}\n"
        );
        let kept = all(&text).0;
        let row = kept.all.inventory[0].clone();
        let day = |time: Option<Micros>| time.map(|time| format_time(time)[..10].to_owned());
        (day(row.valid_from), day(row.valid_to), kept.all.unread.into_iter().collect::<Vec<_>>())
    };
    assert_eq!(
        list("05/01/2026", "31/12/2026"),
        (Some("2026-01-05".into()), Some("2026-12-31".into()), vec![])
    );
    assert_eq!(list("05/01/2026", "06/12/2026"), (None, None, vec![("validFrom", 1), ("validTo", 1)]));
    assert_eq!(list("2026-01-05", "soon"), (Some("2026-01-05".into()), None, vec![("validTo", 1)]));
}

#[test]
fn lists_of_peoples_own_are_read_in_full_or_refused() {
    let row = "952858d3-7084-4635-964e-3c2a57645185";
    let text = format!("AuthorizationId;Nombre;Ámbito;Caduca;Usuario\n{row};ci;vso.code;2026-12-31;Jo\n");
    let kept = all(&text).0;
    let token = &kept.all.inventory[0];
    assert_eq!(token.name.as_deref(), Some("ci"));
    assert_eq!((token.scopes.as_deref(), token.owner_name.as_deref()), (Some("vso.code"), Some("Jo")));
    assert!(token.valid_to.is_some());
    let error = refused(&format!("AuthorizationId,Nimi,Rajaus\n{row},ci,vso.code\n"));
    assert!(error.contains("displayName, scope, validTo") && error.contains("Nimi, Rajaus"), "{error}");
    let error = refused("displayName,scope,validTo\nci,vso.code,2026-12-31\n");
    assert!(error.contains("no column authorizationId"), "{error}");
    let json = json!([{"displayName": "ci", "scope": "vso.code", "validTo": "2026-12-31"}]).to_string();
    assert_eq!(all(&json).0.reasons(), [(1, 1, "no authorization id")]);
    let json = json!([{"authorizationId": row, "Nimi": "ci"}]).to_string();
    assert_eq!(all(&json).0.reasons(), [(1, 1, "columns missing")]);
}

#[test]
fn lines_in_front_of_a_header_are_no_header() {
    let table = table(&[("2026-01-05 09:00:00", None), ("x", None)]);
    for before in ["#TYPE System.Management.Automation.PSCustomObject\r\n", "sep=;\n", "\n#TYPE x\nsep=;\r\n"]
    {
        let (found, rejected) = days(&format!("{before}{table}"));
        let line = 3 + before.matches('\n').count();
        assert_eq!(
            (found, rejected),
            (vec!["2026-01-05".into()], vec![format!("{line} no time")]),
            "{before}"
        );
    }
}
