//! Anything at all: no bytes make it fail in an unforeseen way, and neither threads nor the sizes of reads
//! change what comes out.

use super::{Kept, entry, try_bytes};
use crate::source::{KindHint, Options, read};
use proptest::prelude::*;
use std::io::Read;

/// Gives a few bytes at a time.
struct Slow<'a>(&'a [u8], usize);

impl Read for Slow<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let n = self.1.min(into.len()).min(self.0.len());
        let (now, later) = self.0.split_at(n);
        into[..n].copy_from_slice(now);
        self.0 = later;
        Ok(n)
    }
}

/// Pieces that make up files, sound and otherwise.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        (0_usize..50).prop_map(entry),
        (0_usize..50, 0_usize..900).prop_map(|(n, cut)| entry(n).chars().take(cut).collect()),
        prop::sample::select(vec![
            "{",
            "}",
            "[",
            "]",
            ",",
            "\n",
            "\r\n",
            "\"",
            "\\",
            ":",
            " ",
            "null",
            "{\"value\":[",
            "]}",
            "{\"decoratedAuditLogEntries\":[",
            "\"hasMore\":false}",
            "{\"tables\":[{\"columns\":[{\"name\":\"Id\"}],\"rows\":[[",
            "Id,Timestamp,ActionId\n",
            "{\"event\":",
            "{\"data\":",
            "{\"patToken\":{}}",
            "\u{feff}",
            "\u{1e}",
            "é",
            "\\\"",
        ])
        .prop_map(str::to_owned),
    ]
}

fn result(bytes: &[u8], threads: usize, step: usize) -> String {
    let mut kept = Kept::default();
    let mut input = Slow(bytes, step);
    let outcome = read("input", &mut input, &Options { kind: KindHint::Auto, threads }, &mut kept);
    let all = &kept.all;
    format!(
        "{outcome:?} {:?} {:?} {:?} {:?} {:?}",
        kept.events(),
        all.rejected,
        all.inventory,
        all.users,
        all.orgs_seen
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        drop(try_bytes(&bytes, Options::default()));
        let gzip = [b"\x1f\x8b\x08\x00".as_slice(), &bytes].concat();
        drop(try_bytes(&gzip, Options::default()));
        let utf16 = [b"\xff\xfe".as_slice(), &bytes].concat();
        drop(try_bytes(&utf16, Options::default()));
    }

    #[test]
    fn any_pieces_and_any_hint(pieces in prop::collection::vec(piece(), 0..12)) {
        let text = pieces.concat();
        for kind in [KindHint::Auto, KindHint::Audit, KindHint::Inventory, KindHint::Users, KindHint::Usage] {
            drop(try_bytes(text.as_bytes(), Options { kind, threads: 1 }));
        }
    }

    #[test]
    fn reads_and_threads_change_nothing(pieces in prop::collection::vec(piece(), 0..10), step in 1_usize..64) {
        let text = pieces.concat();
        let expected = result(text.as_bytes(), 1, usize::MAX);
        prop_assert_eq!(&result(text.as_bytes(), 3, step), &expected);
    }
}

#[test]
fn many_blocks_arrive_in_order_whatever_the_threads() {
    let lines: String =
        (0..10_000).map(|n| if n % 777 == 0 { "{\"id\":}\n".to_owned() } else { entry(n) + "\n" }).collect();
    let page = format!("{{\"value\":[{}]}}", lines.trim_end().replace('\n', ",\n"));
    for text in [lines, page] {
        let read = |threads| {
            let (kept, outcome) =
                try_bytes(text.as_bytes(), Options { kind: KindHint::Auto, threads }).expect("reads");
            assert!(kept.chunks > 1);
            let rejects: Vec<(u64, u64)> = kept.all.rejected.iter().map(|r| (r.line, r.record)).collect();
            assert!(
                rejects.iter().all(|(line, record)| line == record && (line - 1) % 777 == 0),
                "{rejects:?}"
            );
            (kept.events(), rejects, outcome)
        };
        assert!(read(1) == read(4));
    }
}
