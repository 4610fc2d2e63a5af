//! A query in steps: a named part that is read more than once is worked out once, and its rows stand for it.
//!
//! In: a rewritten query and its tables. Out: rows. Polars puts a named part into the plan wherever it is read, so that of a
//! chain of parts, each read twice, the plan doubles with every link: for small tables that costs more than their rows.
//! Parts stand as they are where that could change the answer or fill memory.

use super::EngineError;
use super::collect::collect;
use super::walk::{Change, Look, walk, walk_mut};
use polars::prelude as pl;
use polars::sql::SQLContext;
use sqlparser::ast::{
    Cte, Ident, JoinConstraint, JoinOperator, ObjectName, ObjectNamePart, Query, Select, Statement,
    TableAlias, TableFactor, Visit, With,
};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

/// The tables of a query by name.
pub(super) type Tables = BTreeMap<String, pl::LazyFrame>;

/// So many rows may the tables of a part have that is worked out. Conditions of its readers no longer reach into it.
const ROWS: usize = 2_000_000;

/// Runs a query.
pub(super) fn run(statement: &Statement, mut tables: Tables) -> Result<pl::DataFrame, EngineError> {
    let Some(Parts { mut with, reads, mut whole, last }) = parts(statement, &tables) else {
        return answer(&statement.to_string(), &tables);
    };
    // Parts that stand where they are read.
    let mut inline: BTreeMap<String, usize> = BTreeMap::new();
    for at in 0..reads.len() {
        let name = with.cte_tables[at].alias.name.value.clone();
        let read = reads.iter().chain([&last]).flatten().filter(|read| **read == name).count();
        let needed = needed(&reads[at], &reads, &inline);
        if read < 2 || !is_small(&with, &needed, at, &tables) {
            inline.insert(name, at);
            continue;
        }
        let rows = answer(&with_parts(&with.cte_tables[at].query, &with, &needed), &tables)?;
        // A name of its own, which no other name of the query can be taken for.
        let own = format!("{name} worked out");
        tables.insert(own.clone(), pl::IntoLazy::lazy(rows));
        let mut put = Put { name: &name, own: &own };
        for later in with.cte_tables.iter_mut().skip(at + 1) {
            let _ = walk_mut(&mut later.query, &mut put);
        }
        let _ = walk_mut(&mut whole, &mut put);
    }
    let needed = needed(&last, &reads, &inline);
    answer(&with_parts(&whole, &with, &needed), &tables)
}

/// The named parts of a query and what is left without them, each with the names that it reads.
struct Parts {
    with: With,
    reads: Vec<Vec<String>>,
    whole: Query,
    last: Vec<String>,
}

/// Takes a query apart; nothing where it is better run as it stands: parts inside of others, and names that stand for two
/// things, are for whoever knows what they then mean.
fn parts(statement: &Statement, tables: &Tables) -> Option<Parts> {
    let Statement::Query(query) = statement else { return None };
    let mut whole = query.as_ref().clone();
    let with = whole.with.take().filter(|with| !with.recursive)?;
    let mut names: BTreeSet<&str> = BTreeSet::new();
    let plain = |part: &Cte| part.alias.columns.is_empty() && !tables.contains_key(&part.alias.name.value);
    if !with.cte_tables.iter().all(|part| plain(part) && names.insert(&part.alias.name.value)) {
        return None;
    }
    let reads: Vec<Reads> = with.cte_tables.iter().map(|part| Reads::of(&part.query)).collect();
    let last = Reads::of(&whole);
    if reads.iter().chain([&last]).any(|reads| reads.is_odd) {
        return None;
    }
    // A part that nobody reads is still checked where the query runs as a whole.
    let all =
        with.cte_tables.iter().enumerate().map(|(at, part)| (part.alias.name.value.clone(), at)).collect();
    let reads: Vec<Vec<String>> = reads.into_iter().map(|reads| reads.names).collect();
    let last = last.names;
    (needed(&last, &reads, &all).len() == reads.len()).then_some(Parts { with, reads, whole, last })
}

/// Tells whether a part and those that stand in it read tables in memory alone, few rows of them, and cross none.
fn is_small(with: &With, needed: &BTreeSet<usize>, at: usize, tables: &Tables) -> bool {
    let mut rows = 0_usize;
    let own = |part: &usize| &with.cte_tables[*part].alias.name.value;
    for part in needed.iter().chain([&at]) {
        let reads = Reads::of(&with.cte_tables[*part].query);
        for name in reads.names.iter().filter(|name| !needed.iter().any(|part| own(part) == *name)) {
            let frame = tables.get(name);
            let Some(pl::DslPlan::DataFrameScan { df, .. }) = frame.map(|frame| &frame.logical_plan) else {
                return false;
            };
            rows = rows.saturating_add(df.height());
        }
        if reads.is_crossed {
            return false;
        }
    }
    rows <= ROWS
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

fn answer(sql: &str, tables: &Tables) -> Result<pl::DataFrame, EngineError> {
    // A fresh context for each query: one that is reused passes or fails by what ran before it.
    let mut context = SQLContext::new();
    for (name, frame) in tables {
        context.register(name, frame.clone());
    }
    collect(|| Ok(context.execute(sql)?))
}

/// What a query reads.
#[derive(Default)]
struct Reads {
    /// Tables and parts, as often as they are read.
    names: Vec<String>,
    /// Whether tables are joined without a condition.
    is_crossed: bool,
    /// Whether it holds parts of its own, or reads something else than a plain name.
    is_odd: bool,
}

impl Reads {
    fn of(node: &impl Visit) -> Self {
        let mut reads = Self::default();
        let _ = walk(node, &mut reads);
        reads
    }
}

impl Look for Reads {
    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        self.is_odd |= query.with.is_some();
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
        let joins = select.from.iter().flat_map(|from| &from.joins);
        let is_crossed = |operator: &JoinOperator| match operator {
            JoinOperator::Join(how)
            | JoinOperator::Inner(how)
            | JoinOperator::Left(how)
            | JoinOperator::LeftOuter(how)
            | JoinOperator::Right(how)
            | JoinOperator::RightOuter(how)
            | JoinOperator::FullOuter(how) => {
                !matches!(how, JoinConstraint::On(_) | JoinConstraint::Using(_))
            }
            _ => true,
        };
        self.is_crossed |=
            select.from.len() > 1 || joins.into_iter().any(|join| is_crossed(&join.join_operator));
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        match factor {
            TableFactor::Table { name, .. } => match bare(name) {
                Some(name) => self.names.push(name.value.clone()),
                None => self.is_odd = true,
            },
            TableFactor::Derived { .. } | TableFactor::NestedJoin { .. } => {}
            _ => self.is_odd = true,
        }
        ControlFlow::Continue(())
    }
}

/// A name of one word.
fn bare(name: &ObjectName) -> Option<&Ident> {
    match name.0.as_slice() {
        [ObjectNamePart::Identifier(name)] => Some(name),
        _ => None,
    }
}

/// Has a part read under another name, where its columns go by the old one.
struct Put<'a> {
    name: &'a str,
    own: &'a str,
}

impl Change for Put<'_> {
    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<()> {
        if let TableFactor::Table { name, alias, .. } = factor
            && let Some(read) = bare(name).filter(|read| read.value == self.name).cloned()
        {
            *name = ObjectName(vec![ObjectNamePart::Identifier(Ident::with_quote('"', self.own))]);
            alias.get_or_insert_with(|| TableAlias {
                explicit: true,
                name: read,
                columns: Vec::new(),
                at: None,
            });
        }
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pl::IntoLazy as _;
    use polars::df;
    use sqlparser::dialect::GenericDialect;
    use sqlparser::parser::Parser;

    fn tables() -> Tables {
        let frame = df!("n" => [1_i64, 2, 3], "k" => ["a", "b", "a"]).expect("a frame");
        Tables::from([("t".to_owned(), frame.lazy())])
    }

    fn parsed(sql: &str) -> Statement {
        Parser::parse_sql(&GenericDialect, sql).expect("SQL").remove(0)
    }

    fn answer(sql: &str) -> Vec<Option<i64>> {
        let statement = parsed(sql);
        let rows = run(&statement, tables()).expect("runs");
        // Whatever is worked out first, the answer is that of the whole.
        assert_eq!(rows, super::answer(&statement.to_string(), &tables()).expect("runs"), "{sql}");
        rows.columns()[0].i64().expect("numbers").iter().collect()
    }

    #[test]
    fn parts_that_are_read_twice_answer_as_the_whole_does() {
        let twice = "WITH a AS (SELECT n, k FROM t WHERE n > 1), once AS (SELECT n, k FROM a WHERE k = 'a'),
            b AS (SELECT o.n AS n, o.k AS k FROM once AS o JOIN a ON o.n = a.n)
            SELECT x.n FROM b AS x JOIN b AS y ON x.n = y.n";
        assert!(parts(&parsed(twice), &tables()).is_some());
        assert_eq!(answer(twice), [Some(3)]);
        let inside = "WITH a AS (SELECT n FROM t) SELECT n FROM a WHERE n IN (SELECT n FROM a WHERE n = 2)";
        assert_eq!(answer(inside), [Some(2)]);
        let quoted =
            "WITH \"a\" AS (SELECT n FROM t) SELECT \"a\".n FROM a JOIN \"a\" AS b ON a.n = b.n ORDER BY a.n";
        assert_eq!(answer(quoted), [Some(1), Some(2), Some(3)]);
        // An alias in one part that is the name of another.
        let alias = "WITH x AS (SELECT u.n FROM t AS u), u AS (SELECT n, k FROM t WHERE k = 'a')
            SELECT x.n FROM x JOIN u AS v ON x.n = v.n JOIN u AS w ON x.n = w.n ORDER BY x.n";
        assert_eq!(answer(alias), [Some(1), Some(3)]);
    }

    #[test]
    fn what_could_mean_something_else_in_steps_is_run_as_it_stands() {
        for sql in [
            "WITH t AS (SELECT n FROM t WHERE n < 2) SELECT n FROM t",
            "WITH a AS (WITH c AS (SELECT n FROM t) SELECT n FROM c) SELECT a.n FROM a JOIN a AS b ON a.n = b.n",
            "WITH c AS (SELECT n FROM t), a AS (WITH c AS (SELECT n FROM t WHERE n = 2) SELECT n FROM c)
                SELECT x.n FROM c AS x JOIN a ON x.n = a.n",
        ] {
            assert!(parts(&parsed(sql), &tables()).is_none(), "{sql}");
            answer(sql);
        }
        let unread = "WITH a AS (SELECT no_such_column FROM t) SELECT n FROM t";
        assert!(run(&parsed(unread), tables()).is_err());
    }

    #[test]
    fn parts_that_may_fill_memory_stand_where_they_are_read() {
        let small = |part: &str, tables: &Tables| {
            let Parts { with, .. } =
                parts(&parsed(&format!("WITH p AS ({part}) SELECT n FROM p")), tables).expect("parts");
            is_small(&with, &BTreeSet::new(), 0, tables)
        };
        assert!(small("SELECT a.n FROM t AS a JOIN t AS b ON a.n = b.n", &tables()));
        assert!(!small("SELECT a.n FROM t AS a CROSS JOIN t AS b", &tables()));
        assert!(!small("SELECT a.n FROM t AS a, t AS b", &tables()));
        let many: Vec<i64> = (0..).take(ROWS + 1).collect();
        let large = Tables::from([("t".to_owned(), df!("n" => many).expect("a frame").lazy())]);
        assert!(!small("SELECT n FROM t", &large));
        let planned =
            tables().into_iter().map(|(name, frame)| (name, frame.filter(pl::col("n").gt(pl::lit(1)))));
        assert!(!small("SELECT n FROM t", &planned.collect()));
    }

    #[test]
    fn reads_are_counted_and_parts_found_through_others() {
        assert_eq!(Reads::of(&parsed("SELECT 1 FROM a JOIN a AS b ON TRUE, c")).names, ["a", "a", "c"]);
        let reads = [vec!["t".to_owned()], vec!["x".to_owned()], vec!["y".to_owned()]];
        let inline = BTreeMap::from([("x".to_owned(), 0), ("y".to_owned(), 1), ("z".to_owned(), 2)]);
        assert_eq!(needed(&["y".to_owned()], &reads, &inline), BTreeSet::from([0, 1]));
    }
}
