//! A query in steps: a named part that is read more than once is worked out once, and its rows stand for it.
//!
//! In: a rewritten query and its tables. Out: rows. Polars puts a named part into the plan wherever it is read, so that of a
//! chain of parts, each read twice, the plan doubles with every link: for small tables that cost more than the rows.

use super::walk::{Look, walk};
use super::{EngineError, guarded};
use polars::prelude as pl;
use polars::sql::SQLContext;
use sqlparser::ast::{Query, Statement, TableFactor, Visit, With};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

/// The tables of a query by name.
pub(super) type Tables = BTreeMap<String, pl::LazyFrame>;

/// Runs a query.
pub(super) fn run(statement: &Statement, mut tables: Tables) -> Result<pl::DataFrame, EngineError> {
    let Some((with, whole)) = parts(statement, &tables) else {
        return collect(&statement.to_string(), &tables);
    };
    let reads: Vec<Vec<String>> = with.cte_tables.iter().map(|part| names(&part.query)).collect();
    let last = names(&whole);
    let name = |at: usize| with.cte_tables[at].alias.name.to_string();
    // Parts that stand where they are read.
    let mut inline: BTreeMap<String, usize> = BTreeMap::new();
    for (at, part) in with.cte_tables.iter().enumerate() {
        let name = name(at);
        let read = reads.iter().chain([&last]).flatten().filter(|read| **read == name).count();
        let needed = needed(&reads[at], &reads, &inline);
        let all = needed.iter().flat_map(|at| &reads[*at]).chain(&reads[at]);
        // Rows of files are not taken into memory for that: the plan reads as little of them as it can.
        let is_held = |read: &String| inline.contains_key(read) || tables.get(read).is_some_and(is_in_memory);
        if read < 2 || part.query.with.is_some() || !all.clone().all(is_held) {
            inline.insert(name, at);
            continue;
        }
        let rows = collect(&with_parts(&part.query, &with, &needed), &tables)?;
        tables.insert(name, pl::IntoLazy::lazy(rows));
    }
    let needed = needed(&last, &reads, &inline);
    collect(&with_parts(&whole, &with, &needed), &tables)
}

/// The named parts and what is left without them; nothing where the query is better run as it stands.
fn parts(statement: &Statement, tables: &Tables) -> Option<(With, Query)> {
    let Statement::Query(query) = statement else { return None };
    let mut whole = query.as_ref().clone();
    let with = whole.with.take().filter(|with| !with.recursive)?;
    let plain = |part: &sqlparser::ast::Cte| {
        part.alias.columns.is_empty() && !tables.contains_key(&part.alias.name.to_string())
    };
    with.cte_tables.iter().all(plain).then_some((with, whole))
}

/// The inline parts that these reads lead to, in the order of the query.
fn needed(read: &[String], reads: &[Vec<String>], inline: &BTreeMap<String, usize>) -> BTreeSet<usize> {
    let mut needed = BTreeSet::new();
    let mut open: Vec<&String> = read.iter().collect();
    while let Some(name) = open.pop() {
        if let Some(at) = inline.get(name).filter(|at| !needed.contains(*at)) {
            needed.insert(*at);
            open.extend(&reads[*at]);
        }
    }
    needed
}

/// A query with some of the named parts in front.
fn with_parts(query: &Query, with: &With, needed: &BTreeSet<usize>) -> String {
    let mut query = query.clone();
    if !needed.is_empty() {
        let cte_tables = needed.iter().map(|at| with.cte_tables[*at].clone()).collect();
        query.with = Some(With { cte_tables, ..with.clone() });
    }
    query.to_string()
}

fn is_in_memory(frame: &pl::LazyFrame) -> bool {
    matches!(frame.logical_plan, pl::DslPlan::DataFrameScan { .. })
}

fn collect(sql: &str, tables: &Tables) -> Result<pl::DataFrame, EngineError> {
    // A fresh context for each query: one that is reused passes or fails by what ran before it.
    let mut context = SQLContext::new();
    for (name, frame) in tables {
        context.register(name, frame.clone());
    }
    guarded(|| Ok(context.execute(sql)?.collect()?))
}

/// The tables and parts that a node reads, as often as it reads them.
fn names(node: &impl Visit) -> Vec<String> {
    struct Names(Vec<String>);
    impl Look for Names {
        fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
            if let TableFactor::Table { name, .. } = factor {
                self.0.push(name.to_string());
            }
            ControlFlow::Continue(())
        }
    }
    let mut names = Names(Vec::new());
    let _ = walk(node, &mut names);
    names.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use pl::IntoLazy as _;
    use polars::df;
    use sqlparser::dialect::GenericDialect;
    use sqlparser::parser::Parser;

    fn answer(sql: &str) -> Vec<Option<i64>> {
        let frame = df!("n" => [1_i64, 2, 3], "k" => ["a", "b", "a"]).expect("a frame");
        let tables = Tables::from([("t".to_owned(), frame.lazy())]);
        let statement = Parser::parse_sql(&GenericDialect, sql).expect("SQL").remove(0);
        let rows = run(&statement, tables.clone()).expect("runs");
        // Whatever is worked out first, the answer is that of the whole.
        assert_eq!(rows, collect(&statement.to_string(), &tables).expect("runs"), "{sql}");
        rows.columns()[0].i64().expect("numbers").iter().collect()
    }

    #[test]
    fn parts_that_are_read_twice_answer_as_the_whole_does() {
        let twice = "WITH a AS (SELECT n, k FROM t WHERE n > 1), once AS (SELECT n, k FROM a WHERE k = 'a'),
            b AS (SELECT o.n AS n, o.k AS k FROM once AS o JOIN a ON o.n = a.n), unread AS (SELECT n FROM b)
            SELECT x.n FROM b AS x JOIN b AS y ON x.n = y.n";
        assert_eq!(answer(twice), [Some(3)]);
        assert_eq!(
            answer("WITH a AS (SELECT n FROM t) SELECT n FROM a WHERE n IN (SELECT n FROM a WHERE n = 2)"),
            [Some(2)]
        );
        // A part may be named like a table, and one may hold parts of its own.
        answer("WITH t AS (SELECT n FROM t WHERE n < 2) SELECT n FROM t");
        let inner = "WITH a AS (WITH c AS (SELECT n FROM t) SELECT n FROM c) SELECT a.n FROM a JOIN a AS b ON a.n = b.n ORDER BY a.n";
        assert_eq!(answer(inner), [Some(1), Some(2), Some(3)]);
    }

    #[test]
    fn reads_are_counted_and_parts_found_through_others() {
        let statement =
            Parser::parse_sql(&GenericDialect, "SELECT 1 FROM a JOIN a AS b ON TRUE, c").expect("SQL");
        assert_eq!(names(&statement[0]), ["a", "a", "c"]);
        let reads = [vec!["t".to_owned()], vec!["x".to_owned()], vec!["y".to_owned()]];
        let inline = BTreeMap::from([("x".to_owned(), 0), ("y".to_owned(), 1), ("z".to_owned(), 2)]);
        assert_eq!(needed(&["y".to_owned()], &reads, &inline), BTreeSet::from([0, 1]));
    }
}
