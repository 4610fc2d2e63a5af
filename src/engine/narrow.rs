//! What a query needs of its tables: columns, and whether it looks at one token alone.
//!
//! In: a parsed query. Out: the words that may be columns, the token of a condition such as `token_id = '...'`, and
//! the actions of conditions such as `action = '...'`. All may only err on the side of reading more.

use super::schema::TableDef;
use super::walk::{Look, walk};
use sqlparser::ast::{
    BinaryOperator, Expr, Ident, JoinConstraint, JoinOperator, Query, Select, SelectItem, SetExpr, Statement,
    TableFactor, Value,
};
use std::collections::BTreeSet;
use std::ops::ControlFlow;

/// Every name in a query that could be a column of one table.
#[derive(Debug, Default)]
pub(super) struct Words {
    names: BTreeSet<String>,
    star: bool,
}

impl Words {
    /// Collects the names wherever a query reads the table.
    pub(super) fn of(statement: &Statement, table: &str) -> Self {
        // USING, NATURAL and COLUMNS name columns outside of expressions; rare, so every column is read then.
        let text = statement.to_string();
        let star =
            text.contains("USING(") || text.contains("NATURAL ") || text.to_uppercase().contains("COLUMNS(");
        let mut reads = Reads { table, words: Self { names: BTreeSet::new(), star } };
        let _ = walk(statement, &mut reads);
        reads.words
    }

    /// The columns of a table that the query may read.
    pub(super) fn columns(&self, def: &TableDef) -> BTreeSet<&'static str> {
        let all = def.columns.iter().map(|c| c.name);
        let named: BTreeSet<&'static str> =
            all.clone().filter(|name| self.star || self.names.contains(*name)).collect();
        // COUNT(*) names none, and a frame without columns has no rows.
        if named.is_empty() { all.take(1).collect() } else { named }
    }
}

impl Look for Words {
    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        match expr {
            Expr::Identifier(name) => drop(self.names.insert(name.value.to_lowercase())),
            Expr::CompoundIdentifier(parts) => {
                self.names.extend(parts.iter().map(|p| p.value.to_lowercase()));
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

/// Finds where a table is read.
struct Reads<'a> {
    table: &'a str,
    words: Words,
}

impl Look for Reads<'_> {
    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        let (mut open, mut reads) = (vec![&*query.body], false);
        while let Some(body) = open.pop() {
            match body {
                SetExpr::Select(select) => {
                    let is_mine = |factor: &TableFactor| match factor {
                        TableFactor::Table { .. } => {
                            named(factor).is_some_and(|(name, _)| name == self.table)
                        }
                        // A subquery is a query of its own.
                        TableFactor::Derived { .. } => false,
                        _ => true,
                    };
                    if !factors(select).into_iter().any(is_mine) {
                        continue;
                    }
                    reads = true;
                    let _ = walk(select, &mut self.words);
                    let wild = |i: &SelectItem| {
                        matches!(i, SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..))
                    };
                    self.words.star |= select.projection.iter().any(wild);
                }
                SetExpr::SetOperation { left, right, .. } => open.extend([&**left, &**right]),
                _ => {}
            }
        }
        if let Some(order) = query.order_by.as_ref().filter(|_| reads) {
            let _ = walk(order, &mut self.words);
        }
        ControlFlow::Continue(())
    }
}

/// The tables of a FROM.
fn factors(select: &Select) -> Vec<&TableFactor> {
    select
        .from
        .iter()
        .flat_map(|from| std::iter::once(&from.relation).chain(from.joins.iter().map(|join| &join.relation)))
        .collect()
}

/// The table and token of a query over one table with the condition `token_id = '...'`.
pub(super) fn token_of(statement: &Statement) -> Option<(String, String)> {
    let Statement::Query(query) = statement else { return None };
    let (None, SetExpr::Select(select)) = (&query.with, &*query.body) else { return None };
    let [from] = select.from.as_slice() else { return None };
    let (true, TableFactor::Table { name, .. }) = (from.joins.is_empty(), &from.relation) else {
        return None;
    };
    let mut open = vec![select.selection.as_ref()?];
    while let Some(expr) = open.pop() {
        match expr {
            Expr::Nested(inner) => open.push(inner),
            Expr::BinaryOp { left, op: BinaryOperator::And, right } => open.extend([&**left, &**right]),
            Expr::BinaryOp { left, op: BinaryOperator::Eq, right } => {
                let token =
                    is_token(left).then(|| text(right)).or_else(|| is_token(right).then(|| text(left)));
                if let Some(Some(token)) = token {
                    let table = name.to_string().to_lowercase();
                    // What else reads the table may ask for other tokens.
                    return (mentions(statement, &table) == 1).then_some((table, token));
                }
            }
            _ => {}
        }
    }
    None
}

/// Counts where a query names a table.
fn mentions(statement: &Statement, table: &str) -> usize {
    let mut mentions =
        Mentions { table, look: |_: &Select, _: &[Option<(String, String)>], _: &str| {}, named: 0, seen: 0 };
    let _ = walk(statement, &mut mentions);
    mentions.named
}

/// Values that a query asks for, such as actions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Pattern {
    /// One of these.
    OneOf(BTreeSet<String>),
    /// Every value that begins so.
    Begins(String),
    /// Those in the column of that name of a table.
    Listed(String),
}

impl Pattern {
    pub(super) fn fits(&self, value: &str) -> bool {
        match self {
            Self::OneOf(values) => values.contains(value),
            Self::Begins(text) => value.starts_with(text.as_str()),
            Self::Listed(_) => true,
        }
    }
}

/// The values of a column that a query asks for wherever it names the table; nothing where it may ask for any.
pub(super) fn values_of(statement: &Statement, table: &str, column: &str) -> Option<Vec<Pattern>> {
    let mut patterns = Some(Vec::new());
    let all_seen = each_mention(statement, table, |select, names, alias| {
        // Without an alias a column is this table's only where no other table could have it.
        let alone =
            names.iter().all(|n| n.as_ref().is_some_and(|(name, _)| name == table || name == "policy"));
        let own = Own { alias, column, alone: alone && names.len() <= 2 };
        let found = select.selection.as_ref().and_then(|condition| own.values(condition));
        match (&mut patterns, found.or_else(|| own.listed(select, names))) {
            (Some(patterns), Some(found)) => patterns.extend(found),
            (patterns, _) => *patterns = None,
        }
    });
    patterns.filter(|_| all_seen)
}

/// Hands each mention of a table in a FROM to `look`: its SELECT, the names and aliases of all tables there, and its
/// own alias. False where the query names the table in a place that was not looked at, which may ask for anything.
fn each_mention(
    statement: &Statement,
    table: &str,
    look: impl FnMut(&Select, &[Option<(String, String)>], &str),
) -> bool {
    let mut mentions = Mentions { table, look, named: 0, seen: 0 };
    let _ = walk(statement, &mut mentions);
    mentions.named == mentions.seen
}

struct Mentions<'a, L> {
    table: &'a str,
    look: L,
    named: usize,
    seen: usize,
}

impl<L: FnMut(&Select, &[Option<(String, String)>], &str)> Look for Mentions<'_, L> {
    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        self.named += usize::from(named(factor).is_some_and(|(name, _)| name == self.table));
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
        let names: Vec<Option<(String, String)>> = factors(select).into_iter().map(named).collect();
        for (_, alias) in names.iter().flatten().filter(|(name, _)| name == self.table) {
            self.seen += 1;
            (self.look)(select, &names, alias);
        }
        ControlFlow::Continue(())
    }
}

/// Name and alias of a table.
fn named(factor: &TableFactor) -> Option<(String, String)> {
    let TableFactor::Table { name, alias, .. } = factor else { return None };
    let name = name.to_string().to_lowercase();
    let alias = alias.as_ref().map_or_else(|| name.clone(), |a| a.name.value.to_lowercase());
    Some((name, alias))
}

/// One mention of a table.
struct Own<'a> {
    alias: &'a str,
    column: &'a str,
    alone: bool,
}

impl Own<'_> {
    fn is_own(&self, expr: &Expr) -> bool {
        match expr {
            Expr::Identifier(name) => self.alone && name.value.eq_ignore_ascii_case(self.column),
            Expr::CompoundIdentifier(parts) => matches!(parts.as_slice(), [table, column]
                if table.value.eq_ignore_ascii_case(self.alias) && column.value.eq_ignore_ascii_case(self.column)),
            Expr::Nested(inner) => self.is_own(inner),
            _ => false,
        }
    }

    /// The values outside of which a condition cannot hold.
    fn values(&self, condition: &Expr) -> Option<Vec<Pattern>> {
        match condition {
            Expr::Nested(inner) => self.values(inner),
            Expr::BinaryOp { left, op: BinaryOperator::And, right } => {
                self.values(left).or_else(|| self.values(right))
            }
            Expr::BinaryOp { left, op: BinaryOperator::Or, right } => {
                let mut either = self.values(left)?;
                either.extend(self.values(right)?);
                Some(either)
            }
            Expr::BinaryOp { left, op: BinaryOperator::Eq, right } => {
                let value = if self.is_own(left) { text(right) } else { None };
                let value = value.or_else(|| if self.is_own(right) { text(left) } else { None })?;
                Some(vec![Pattern::OneOf(BTreeSet::from([value]))])
            }
            Expr::InList { expr, list, negated: false } if self.is_own(expr) => {
                Some(vec![Pattern::OneOf(list.iter().map(text).collect::<Option<_>>()?)])
            }
            Expr::Like { negated: false, any: false, expr, pattern, escape_char: None }
                if self.is_own(expr) =>
            {
                let pattern = text(pattern)?;
                let begin = pattern.split(['%', '_', '\\']).next().unwrap_or_default();
                Some(vec![Pattern::Begins(begin.to_owned())])
            }
            _ => None,
        }
    }

    /// The view whose actions an inner join leaves.
    fn listed(&self, select: &Select, names: &[Option<(String, String)>]) -> Option<Vec<Pattern>> {
        for join in select.from.iter().flat_map(|from| &from.joins) {
            let (JoinOperator::Join(on) | JoinOperator::Inner(on)) = &join.join_operator else { continue };
            let JoinConstraint::On(Expr::BinaryOp { left, op: BinaryOperator::Eq, right }) = on else {
                continue;
            };
            for (mine, other) in [(left, right), (right, left)] {
                let Expr::CompoundIdentifier(parts) = &**other else { continue };
                let [table, column] = parts.as_slice() else { continue };
                let (table, column) = (table.value.to_lowercase(), column.value.to_lowercase());
                let known = names.iter().flatten().find(|(_, alias)| *alias == table);
                if self.is_own(mine)
                    && column == self.column
                    && let Some((name, _)) = known
                    && matches!(name.as_str(), "powerful" | "actions")
                {
                    return Some(vec![Pattern::Listed(name.clone())]);
                }
            }
        }
        None
    }
}

fn is_token(expr: &Expr) -> bool {
    let is = |name: &Ident| name.value.eq_ignore_ascii_case("token_id");
    match expr {
        Expr::Identifier(name) => is(name),
        Expr::CompoundIdentifier(parts) => parts.last().is_some_and(is),
        _ => false,
    }
}

fn text(expr: &Expr) -> Option<String> {
    let Expr::Value(value) = expr else { return None };
    if let Value::SingleQuotedString(text) = &value.value { Some(text.clone()) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{check, schema};

    fn parsed(sql: &str) -> Statement {
        check::inspect(sql).expect("parses").0
    }

    #[test]
    fn columns_are_those_that_a_query_names() {
        let def = schema::table("token_day").expect("table");
        let of = |sql: &str| Words::of(&parsed(sql), "token_day");
        let words = of("SELECT org, MAX(t.n) FROM token_day AS t WHERE t.date > DATE '2026-01-01'");
        assert_eq!(words.columns(def).into_iter().collect::<Vec<_>>(), ["date", "n", "org"]);
        let all = of("SELECT COUNT(*) FROM (SELECT * FROM token_day) AS s");
        assert_eq!(all.columns(def).len(), def.columns.len());
        assert_eq!(of("SELECT COUNT(*) FROM token_day").columns(def).len(), 1);
        assert_eq!(of("SELECT columns('^p') FROM token_day").columns(def).len(), def.columns.len());
        let using = of("SELECT a.n FROM token_day a JOIN tokens USING (org, token_id)");
        assert!(using.columns(def).contains("token_id"));
        let apart = of(
            "WITH a AS (SELECT org, n FROM token_day), b AS (SELECT token_id FROM tokens) SELECT a.n, b.token_id FROM a JOIN b ON a.org = b.token_id",
        );
        assert_eq!(apart.columns(def).into_iter().collect::<Vec<_>>(), ["n", "org"]);
        let ordered = of("SELECT org FROM token_day UNION ALL SELECT org FROM tokens ORDER BY peak_10m");
        assert!(ordered.columns(def).contains("peak_10m"));
    }

    #[test]
    fn values_are_those_that_every_mention_names() {
        let of = |sql: &str| values_of(&parsed(sql), "notable", "action");
        let is = |names: &[&str]| Pattern::OneOf(names.iter().map(|n| (*n).to_owned()).collect());
        let begins = |text: &str| Pattern::Begins(text.to_owned());
        assert_eq!(of("SELECT org FROM notable WHERE action = 'A' AND time > x"), Some(vec![is(&["A"])]));
        assert_eq!(
            of("SELECT org FROM notable CROSS JOIN policy WHERE action IN ('A', 'B')"),
            Some(vec![is(&["A", "B"])])
        );
        assert_eq!(
            of("SELECT org FROM notable WHERE (action LIKE 'A.%' OR 'B' = action)"),
            Some(vec![begins("A."), is(&["B"])])
        );
        assert_eq!(of("SELECT org FROM notable WHERE action LIKE '%A'"), Some(vec![begins("")]));
        let two = "WITH a AS (SELECT org FROM notable WHERE action = 'A') SELECT n.org FROM notable AS n JOIN a ON n.org = a.org WHERE n.action = 'B'";
        assert_eq!(of(two), Some(vec![is(&["A"]), is(&["B"])]));
        let listed = "SELECT n.org FROM notable AS n JOIN powerful AS p ON n.action = p.action";
        assert_eq!(of(listed), Some(vec![Pattern::Listed("powerful".to_owned())]));
        for any in [
            "SELECT org FROM notable",
            "SELECT org FROM notable WHERE action <> 'A'",
            "SELECT org FROM notable WHERE action NOT IN ('A')",
            "SELECT org FROM notable WHERE action = 'A' OR origin",
            "SELECT n.org FROM notable AS n JOIN activity AS a ON n.org = a.org WHERE action = 'A'",
            "SELECT n.org FROM notable AS n JOIN activity AS a ON n.org = a.org WHERE a.action = 'A'",
            "SELECT n.org FROM notable AS n LEFT JOIN powerful AS p ON n.action = p.action",
            "SELECT org FROM tokens WHERE org IN (SELECT org FROM notable)",
        ] {
            assert_eq!(of(any), None, "{any}");
        }
        assert!(
            begins("A.").fits("A.B")
                && !begins("A.").fits("B.A")
                && is(&["A"]).fits("A")
                && !is(&["A"]).fits("B")
        );
    }

    #[test]
    fn a_query_on_one_token_is_known_as_such() {
        let of = |sql: &str| token_of(&parsed(sql));
        let both = Some(("events".to_owned(), "t1".to_owned()));
        assert_eq!(of("SELECT time FROM events WHERE token_id = 't1' ORDER BY time"), both);
        assert_eq!(of("SELECT e.time FROM events e WHERE e.action LIKE 'A%' AND ('t1' = e.token_id)"), both);
        assert_eq!(of("SELECT time FROM events WHERE token_id = 't1' OR n = 1"), None);
        assert_eq!(of("SELECT time FROM events WHERE token_id <> 't1'"), None);
        let two = "SELECT time FROM events WHERE token_id = 't1' AND network IN (SELECT network FROM events WHERE token_id = 't2')";
        assert_eq!(of(two), None);
        assert_eq!(
            of("SELECT e.time FROM events e JOIN tokens t ON e.org = t.org WHERE t.token_id = 't1'"),
            None
        );
    }
}
