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
    assert!(outcome.truncated.expect("said").contains("gzip"));
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
    let broken = entry(1).replace("Jo", "J?").into_bytes();
    let broken: Vec<u8> = broken.into_iter().map(|b| if b == b'?' { 0xE9 } else { b }).collect();
    let (kept, outcome) = bytes(&[broken.clone(), b"\n".to_vec(), entry(2).into_bytes()].concat());
    assert_eq!((kept.events().len(), outcome.rejected), (2, 0));
    assert!(kept.events()[0].contains("J\u{fffd}"));
    assert_eq!(bytes(&[b"[".to_vec(), broken, b"]".to_vec()].concat()).1.rejected, 0);
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
