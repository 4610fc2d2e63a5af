//! Columns against what Polars reads of the same file, and damaged files.

use super::*;
use crate::lake::frame::Frame;
use crate::lake::table::Table;

/// A file of every kind of column, of three row groups.
fn file(folder: &Path, rows: usize) -> std::path::PathBuf {
    let path = folder.join("x.parquet");
    let own = |row: usize| format!("{row:036x}");
    let ids: Vec<String> = (0..rows).map(own).collect();
    let few = ["", "zwei", "eins", "längere Wörter"];
    let cells: Vec<(usize, String)> = (0..rows).step_by(1000).map(|row| (row, own(row % 7))).collect();
    let number = |row: usize| i64::try_from(row).ok();
    Frame::new(rows)
        .unique_text("id", ids.iter().map(String::as_str))
        .long_text("long", ids.iter().map(|id| if id.ends_with('3') { "" } else { id.as_str() }))
        .text("few", (0..rows).map(|row| few[row / 5 % 4]))
        .text("some", (0..rows).map(|row| if row < 20_000 { "" } else { ids[row].as_str() }))
        .text("none", (0..rows).map(|_| ""))
        .sparse_text("sparse", &cells)
        .same_text("org", "contoso")
        .int("n", (0..rows).map(|row| number(row * row).filter(|n| n % 11 != 0)))
        .int("small", (0..rows).map(|row| number(row % 5)))
        .time("time", (0..rows).map(number))
        .date("date", (0..rows).map(|row| i32::try_from(row / 9000).ok()))
        .flag("flag", (0..rows).map(|row| Some(row % 3 == 0)))
        .flag("known", (0..rows).map(|row| (row % 4 != 1).then_some(row % 3 == 0)))
        .write(&path)
        .unwrap();
    path
}

const TEXTS: [&str; 7] = ["id", "long", "few", "some", "none", "sparse", "org"];
const NUMBERS: [&str; 6] = ["n", "small", "time", "date", "flag", "known"];

#[test]
fn columns_are_those_that_polars_reads() {
    let folder = tempfile::tempdir().unwrap();
    for rows in [0, 1, 9, 16_384, 40_000] {
        let path = file(folder.path(), rows);
        let names = [&TEXTS[..], &NUMBERS[..], &["lacking"]].concat();
        let columns = read(&path, &names, |_| true).unwrap().expect("patwatch wrote it");
        let table = Table::read_foreign(&path, &names).unwrap();
        assert_eq!((columns.height(), table.height()), (rows, rows));
        assert!(columns.get("lacking").is_none());
        for name in TEXTS {
            let Some(Cells::Text(text)) = columns.get(name) else { panic!("{name} is text") };
            let own: Vec<&str> = text.codes.iter().map(|code| text.value(*code)).collect();
            assert!(own == table.cells(name), "{name}, {rows} rows");
        }
        for name in NUMBERS {
            let Some(Cells::Numbers(numbers)) = columns.get(name) else { panic!("{name} is a number") };
            let flags = table.known_flags(name).into_iter().map(|flag| flag.map(i64::from));
            let other =
                if name == "flag" || name == "known" { flags.collect() } else { table.known_ints(name) };
            assert!(numbers.known().eq(other), "{name}, {rows} rows");
        }
    }
}

#[test]
fn row_groups_are_chosen_by_what_the_footer_tells() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path(), 40_000);
    let height = |wanted: &dyn Fn(Group<'_>) -> bool| read(&path, &["n"], wanted).unwrap().unwrap().height();
    assert_eq!(height(&|group| !group.is_without("some")), 40_000 - 16_384);
    assert_eq!(height(&|group| !group.is_without("none")), 0);
    assert_eq!(height(&|group| !group.is_without("lacking")), 40_000);
    let near = |key: &str, rows: &[usize]| {
        let texts: Vec<String> = rows.iter().map(|row| format!("{row:036x}")).collect();
        let found = read_near(&path, &["n", "id", "known"], key, &texts).unwrap().unwrap();
        let Some(Cells::Text(ids)) = found.get("id") else { panic!("ids are text") };
        let Some(Cells::Numbers(known)) = found.get("known") else { panic!("flags are numbers") };
        let row = |code: &u32| usize::from_str_radix(ids.value(*code), 16).unwrap();
        let rows: Vec<usize> = ids.codes.iter().map(row).collect();
        let expected = |row: usize| (row % 4 != 1).then_some(i64::from(row.is_multiple_of(3)));
        assert!(known.known().eq(rows.iter().map(|row| expected(*row))), "{rows:?}");
        rows
    };
    assert_eq!(near("id", &[17_000, 17_002, 39_999]), [17_000, 17_001, 17_002, 39_999]);
    assert_eq!(near("some", &[0, 20_001]), [20_001]);
    assert_eq!(near("id", &[40_000]), [0; 0]);
    let wanted = [format!("{:036x}", 17_000)];
    assert_eq!(height(&|group| group.may_hold("id", &wanted)), 16_384);
    assert_eq!(height(&|group| group.may_hold("long", &wanted)), 40_000);
}

#[test]
fn a_damaged_file_is_an_error_or_other_rows_and_never_a_panic() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path(), 3000);
    let whole = std::fs::read(&path).unwrap();
    let names = [&TEXTS[..], &NUMBERS[..]].concat();
    let mut faults = 0;
    for at in (4..whole.len()).step_by(211).chain(whole.len() - 2500..whole.len()) {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        std::fs::write(&path, bytes).unwrap();
        faults += usize::from(read(&path, &names, |_| true).is_err());
    }
    assert!(faults > 100, "{faults}");
    std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    assert!(read(&path, &names, |_| true).is_err());
}
