//! What goes wrong with real files, and what is kept all the same.

use super::{Kept, all, entry, refused, try_bytes};
use crate::source::{Options, Outcome, Parsed, Sink, SourceError, read};
use std::io::{Read, Write as _};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("writes");
    encoder.finish().expect("finishes")
}

fn bytes(bytes: &[u8]) -> (Kept, Outcome) {
    try_bytes(bytes, Options::default()).expect("reads")
}

#[test]
fn records_that_lack_something() {
    let good = entry(1);
    let text = [
        good.replace("86fbe369-3f5d-4f52-9ab0-000000000001", "x"),
        good.replace("2026-03-02T14:05:02.1460838+00:00", "soon").replace("2518505060978539161;", ";"),
        good.replace("\"actionId\":\"Git.RepositoryCreated\"", "\"actionId\":null"),
        good.replace("\"timestamp\":\"2026-03-02T14:05:02.1460838+00:00\",", ""),
        good.replace("Git.RepositoryCreated", "Novel.Thing"),
    ]
    .join("\n");
    let (kept, outcome) = all(&text);
    assert_eq!(kept.reasons(), [(1, 1, "no event id"), (2, 2, "no time"), (3, 3, "no action")]);
    assert_eq!(outcome.read, 5);
    let days: Vec<i32> = kept.all.batches.iter().map(|((_, day), _)| *day).collect();
    assert_eq!(days.len(), 2, "the time in the id stands in for a missing one");
}

#[test]
fn stray_backslashes_and_raw_controls_are_mended() {
    let good = entry(1);
    let group = good.replace("Repository \\\"r1\\\" was created", r"Added to [P]\Group\");
    let control = entry(2).replace("was created", "was\tcreated");
    let upper = good.replace("r1", r"r\u00");
    let text = [group.clone(), control, upper, entry(4)].join("\n");
    let (kept, outcome) = all(&text);
    assert_eq!(outcome.rejected, 0, "{:?}", kept.all.rejected);
    let events = kept.events().join("\n");
    assert!(events.contains(r"[P]\\Group\\"), "{events}");
    assert!(events.contains("was\\tcreated"));
    // The same in a page, where the stray backslash hides the end of its record.
    let page = format!("{{\"decoratedAuditLogEntries\":[{},{group},{},{}]}}", entry(7), entry(8), entry(9));
    let (kept, outcome) = all(&page);
    assert_eq!((kept.events().len(), outcome.rejected), (4, 0), "{:?}", kept.all.rejected);
}

#[test]
fn what_is_no_json_is_rejected_with_its_line() {
    let text = format!("{}\n\n{{\"id\":tru}}\nnoise\n{}\n", entry(1), entry(2));
    let (kept, _) = all(&text);
    assert_eq!(kept.events().len(), 2);
    assert_eq!(kept.reasons(), [(3, 2, "not valid JSON"), (4, 3, "not valid JSON")]);
    let glued = format!("{}\n{{\"id\":\"a{}\n", entry(1), entry(2));
    let (kept, _) = all(&glued);
    assert_eq!(kept.reasons().len() + kept.events().len(), 2);
}

#[test]
fn half_a_page_half_a_line_half_a_gzip() {
    let page = format!("{{\"decoratedAuditLogEntries\":[{},{},{}]}}", entry(1), entry(2), entry(3));
    let half = &page[..page.len() - 100];
    let lines = format!("{}\n{}\n{}", entry(1), entry(2), &entry(3)[..200]);
    for text in [half, &lines] {
        let (kept, outcome) = all(text);
        assert_eq!(kept.events().len(), 2);
        assert_eq!(kept.all.rejected.len(), 1);
        assert_eq!(kept.all.rejected[0].reason, "cut off");
        assert!(outcome.truncated.expect("said").contains("ends inside a record"));
    }
    let whole: String = (0..5000).map(|n| entry(n) + "\n").collect();
    let mut zipped = gzip(whole.as_bytes());
    assert_eq!(bytes(&zipped).1.read, 5000);
    zipped.truncate(zipped.len() / 2);
    let (kept, outcome) = bytes(&zipped);
    assert!(kept.events().len() > 1000 && kept.all.rejected.len() <= 1);
    let said = outcome.truncated.expect("said");
    assert!(
        said.contains(&format!("the gzip stream ends early; {} records were read", outcome.read)),
        "{said}"
    );
    assert!(said.contains("download the file again"), "{said}");
    // Damage in the middle, and at the start.
    let mut damaged = gzip(whole.as_bytes());
    let middle = damaged.len() / 2;
    damaged[middle..middle + 64].fill(0xAA);
    let (_, outcome) = bytes(&damaged);
    let said = outcome.truncated.expect("said");
    assert!(
        said.contains("gzip stream") && said.contains(&format!("{} records were read", outcome.read)),
        "{said}"
    );
    let error =
        try_bytes(&[0x1f, 0x8b, 8, 0xff, 1, 2, 3], Options::default()).map(drop).expect_err("nothing in it");
    let said = error.to_string();
    assert!(said.starts_with("input was not imported: the gzip stream") && said.contains("again"), "{said}");
}

#[test]
fn encodings_and_line_ends() {
    let text = format!("{}\r\n{}\r\n", entry(1), entry(2).replace("Jo", "Jürgen 𝄞"));
    let plain = all(&text).0.events();
    assert_eq!(plain.len(), 2);
    let mut utf16 = vec![0xFF, 0xFE];
    utf16.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
    let marked = format!("\u{feff}{text}");
    let mut members = gzip(entry(1).as_bytes());
    members.extend(gzip(format!("\n{}", entry(2).replace("Jo", "Jürgen 𝄞")).as_bytes()));
    let joined = format!(
        "{}\u{feff}\u{feff}{}",
        &text[..text.find('\n').expect("lines") + 1],
        &text[text.find('\n').expect("lines") + 1..]
    );
    let twice = format!("\u{feff}{marked}");
    for input in
        [utf16.clone(), marked.into_bytes(), joined.into_bytes(), twice.into_bytes(), gzip(&utf16), members]
    {
        assert_eq!(bytes(&input).0.events(), plain);
    }
}

#[test]
fn two_columns_for_one_thing_are_refused_unless_they_agree() {
    let table = |header: &str, last: &str| {
        let row = |n: usize, id: &str| {
            format!(
                "86fbe369-3f5d-4f52-9ab0-{n:012x},2026-03-02T10:00:00Z,Git.X,contoso (Organization),{id}\n"
            )
        };
        let rows: String = (1..3).map(|n| row(n, &format!("86fbe369-3f5d-4f52-9ab0-{n:012x}"))).collect();
        format!("{header}\n{rows}{}", row(3, last))
    };
    let header = "Id,Timestamp,ActionId,ScopeDisplayName,id";
    let same = table(header, "86fbe369-3f5d-4f52-9ab0-000000000003");
    assert_eq!(all(&same).0.events().len(), 3);
    let error = refused(&table(header, "86fbe369-3f5d-4f52-9ab0-000000000009"));
    assert!(error.contains("\"Id\" (column 1) and \"id\" (column 5)") && error.contains("line 4"), "{error}");
    assert!(error.contains("Remove or rename"), "{error}");
    // A column that nothing reads may occur as often as it likes.
    let notes = same
        .lines()
        .enumerate()
        .map(|(n, row)| format!("{},{}\n", row, if n == 0 { "Note,Note" } else { "x,y" }));
    assert_eq!(all(&notes.collect::<String>()).0.events().len(), 3);
    let list = "authorizationId,displayName,scope,validFrom,validTo,targetAccounts,principalName,scope\n\
                4c60c9ed-a378-4883-af16-d655ca025b11,n,vso.code,2026-01-01,2026-12-01,,ann@contoso.example,vso.build\n";
    assert!(refused(list).contains("\"scope\" (column 3) and \"scope\" (column 8)"), "{}", refused(list));
}

#[test]
fn envelopes_beyond_the_search_are_named() {
    let deep = (0..12).fold(entry(1), |inner, n| format!(r#"{{"level{n}":{inner}}}"#));
    let error = refused(&deep);
    assert!(error.contains("envelopes nested too deeply") && error.contains("8 levels"), "{error}");
}

#[test]
fn every_reason_has_a_remedy() {
    for text in [
        entry(1).replace("86fbe369-3f5d-4f52-9ab0-000000000001", "x"),
        entry(1).replace("\"actionId\":\"Git.RepositoryCreated\"", "\"actionId\":null"),
        entry(1).replace("2026-03-02T14:05:02.1460838+00:00", "soon").replace("2518505060978539161;", ";"),
        format!("{}\n{{\"id\":tru}}", entry(1)),
        format!("{}\n[1,2]", entry(1)),
        "Id,Timestamp,ActionId\n1,2\n3,4,5\n".to_owned(),
        "Id,Timestamp,ActionId\n1,2,3,4\n".to_owned(),
    ] {
        let (kept, _) = all(&text);
        assert!(!kept.reasons().is_empty(), "{text}");
        for (_, _, reason) in kept.reasons() {
            assert!(crate::source::remedy(reason).is_some(), "{reason}");
        }
    }
}

#[test]
fn what_is_not_utf8_is_read_as_what_it_is_and_named() {
    let text = [entry(2), entry(1).replace("Jo", "Jürgen €"), entry(3).replace("Jo", "Noël")].join("\n");
    let expected = all(&text).0.events();
    assert_eq!(all(&text).1.encoding, None);
    let western: Vec<u8> = text
        .chars()
        .map(|c| match c {
            '€' => 0x80,
            c => u8::try_from(u32::from(c)).expect("Latin-1"),
        })
        .collect();
    for input in [western.clone(), gzip(&western)] {
        let (kept, outcome) = bytes(&input);
        assert_eq!((kept.events(), outcome.rejected), (expected.clone(), 0));
        let said = outcome.encoding.expect("said");
        assert!(said.contains("Windows-1252") && said.contains("line 2"), "{said}");
    }
    let page =
        [b"[".to_vec(), western.split(|b| *b == b'\n').collect::<Vec<_>>().join(&b","[..]), b"]".to_vec()]
            .concat();
    assert_eq!(bytes(&page).0.events(), expected);
    // One broken byte in UTF-8 does not make it another encoding, but nobody is left to find it in a report.
    let damaged = text.replace("Noël", "No\u{7f}l").into_bytes();
    let damaged: Vec<u8> = damaged.into_iter().map(|b| if b == 0x7f { 0xE9 } else { b }).collect();
    let (kept, outcome) = bytes(&damaged);
    assert_eq!((kept.events().len(), outcome.rejected), (3, 0));
    assert!(kept.events().join("").contains("No\u{fffd}l") && kept.events().join("").contains("Jürgen €"));
    let said = outcome.encoding.expect("said");
    assert!(said.contains("damaged UTF-8") && said.contains("line 3"), "{said}");
}

#[test]
fn empty_pages_are_fine_and_foreign_files_are_not() {
    for text in [
        "[]",
        r#"{"decoratedAuditLogEntries":[]}"#,
        r#"{"count":0,"value":[]}"#,
        r#"{"patTokens":[]}"#,
        " [ ]\n",
    ] {
        let (_, outcome) = all(text);
        assert_eq!((outcome.read, outcome.rejected, outcome.truncated), (0, 0, None), "{text}");
    }
    for (text, found) in [
        ("", "it is empty"),
        ("  \n", "it is empty"),
        (r#"{"colour":"red","size":1}"#, "colour, size"),
        (r#"{"value":[{"area":"Git","category":"create","actionId":"Git.X","n":1}]}"#, "actionId"),
        ("<!DOCTYPE html>", "HTML"),
        ("PK\u{3}\u{4}xx", "zip"),
        ("[1,2]", "text that starts with"),
        ("{}\n{}\n", "unknown kind of record"),
    ] {
        let error = refused(text);
        assert!(error.contains(found) && error.contains("Accepted are"), "{text}: {error}");
    }
}

#[test]
fn depth_and_length_do_no_harm() {
    let deep = entry(1)
        .replace("\"RepoName\":\"r1\"", &format!("\"x\":{}{}", "[".repeat(200_000), "]".repeat(200_000)));
    assert_eq!(all(&deep).0.events().len(), 1);
    assert_eq!(all(&format!("[{deep}]")).0.events().len(), 1);
    let inventory = format!(
        r#"{{"authorizationId":"3d3aca0c-9ad3-4b07-8334-08ec8b1ddc32","x":{}{}}}"#,
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    assert_eq!(all(&inventory).0.reasons()[0].2, "nested too deeply");
    let unclosed = "[".repeat(300_000);
    assert!(all(&unclosed).1.truncated.is_some());
    let long = format!("{}\n{}\n{}\n", entry(1), "x".repeat(40 << 20), entry(2));
    let (kept, _) = all(&long);
    assert_eq!(kept.events().len(), 2);
    assert_eq!(kept.reasons(), [(2, 2, "record too long")]);
}

#[test]
fn csv_rows_that_are_cut() {
    let id = "86fbe369-3f5d-4f52-9ab0-000000000001";
    let text = format!("Id,Timestamp,ActionId\n{id},2026-01-01T00:00:00Z,A.B\n{id}\n{id},2026");
    let (kept, outcome) = all(&text);
    assert_eq!(kept.reasons(), [(3, 2, "too few cells"), (4, 3, "cut off")]);
    assert!(outcome.truncated.is_some());
    let open = format!("Id,Timestamp,ActionId,Details\n{id},2026-01-01T00:00:00Z,A.B,x\n{id},\"2026");
    let row = format!("\n{id},2026-01-01T00:00:00Z,A.B,x");
    let (kept, outcome) = all(&(open + &row.repeat(300_000)));
    assert_eq!(kept.events().len(), 300_001);
    assert_eq!(kept.reasons(), [(3, 2, "a quote that is never closed")]);
    assert_eq!(outcome.truncated, None);
}

#[test]
fn the_sink_and_the_input_may_fail() {
    struct Full;
    impl Sink for Full {
        fn chunk(&mut self, _: Parsed) -> std::io::Result<()> {
            Err(std::io::Error::other("disk full"))
        }
    }
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("gone"))
        }
    }
    let text: String = (0..30_000).map(|n| entry(n) + "\n").collect();
    let error = read("input", &mut text.as_bytes(), &Options::default(), &mut Full).expect_err("fails");
    assert!(matches!(error, SourceError::Sink { .. }) && error.to_string().contains("disk full"));
    let mut input = text.as_bytes().chain(Broken);
    let error = read("input", &mut input, &Options::default(), &mut Kept::default()).expect_err("fails");
    assert!(matches!(error, SourceError::Io { .. }) && error.to_string().contains("gone"), "{error}");
}
