//! Rows of a query as text: one file a format. A grid is data of its own, so that output knows no engine.

pub mod csv;
pub mod json;
pub mod markdown;
pub mod ndjson;
pub mod table;

use serde_json::{Map, Value};

/// Columns and rows; every row has one value a column.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Grid {
    /// Names, in order.
    pub columns: Vec<String>,
    /// Values, in the order of the columns.
    pub rows: Vec<Vec<Value>>,
}

impl Grid {
    /// Returns row by row the object that JSON formats write. A name that comes twice gets a number, for
    /// an object holds one value a name.
    fn objects(&self) -> impl Iterator<Item = Map<String, Value>> + '_ {
        let mut names: Vec<String> = Vec::with_capacity(self.columns.len());
        for column in &self.columns {
            let mut name = column.clone();
            let mut n = 2;
            while names.contains(&name) {
                name = format!("{column}_{n}");
                n += 1;
            }
            names.push(name);
        }
        self.rows.iter().map(move |row| names.iter().cloned().zip(row.iter().cloned()).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::{GRIDS, Style};
    use serde_json::json;

    #[test]
    fn every_format() {
        let grid = Grid {
            columns: vec!["name".into(), "n".into(), "n".into()],
            rows: vec![
                vec![json!("=1+1"), json!(-3), json!(null)],
                vec![json!("a|b\u{1b}[0m"), json!(1.5), json!(["x", "y"])],
            ],
        };
        let all: Vec<String> = GRIDS
            .iter()
            .map(|f| {
                let mut out = Vec::new();
                f.write(&grid, Style::default(), &mut out).expect("memory");
                format!("[{}]\n{}", f.name(), String::from_utf8(out).expect("UTF-8"))
            })
            .collect();
        insta::assert_snapshot!(all.join("\n"));
    }

    #[test]
    fn no_rows_is_still_an_answer() {
        let grid = Grid { columns: vec!["a".into()], rows: vec![] };
        for f in GRIDS {
            let mut out = Vec::new();
            f.write(&grid, Style::default(), &mut out).expect("memory");
            assert!(f.name() == "ndjson" || !out.is_empty(), "{}", f.name());
        }
    }
}
