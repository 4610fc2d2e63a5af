//! What a query needs of its tables: columns, and whether it looks at one token alone.
//!
//! In: a parsed query. Out: the words that may be columns, and the token of a condition such as
//! `token_id = '...'`. Both may only err on the side of reading more.

use super::schema::TableDef;
use sqlparser::ast::{
    BinaryOperator, Expr, Ident, SelectItem, SetExpr, Statement, TableFactor, Value, Visit as _, Visitor,
};
use std::collections::BTreeSet;
use std::ops::ControlFlow;

/// Every name in a query that could be a column.
#[derive(Debug, Default)]
pub(super) struct Words {
    names: BTreeSet<String>,
    star: bool,
}

impl Words {
    /// Collects the names of a query.
    pub(super) fn of(statement: &Statement) -> Self {
        // USING and NATURAL name columns outside of expressions; rare, so every column is read then.
        let text = statement.to_string();
        let star = text.contains("USING(") || text.contains("NATURAL ");
        let mut words = Self { names: BTreeSet::new(), star };
        let _ = statement.visit(&mut words);
        words
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

impl Visitor for Words {
    type Break = ();

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

    fn pre_visit_query(&mut self, query: &sqlparser::ast::Query) -> ControlFlow<()> {
        let mut open = vec![&*query.body];
        while let Some(body) = open.pop() {
            match body {
                SetExpr::Select(select) => {
                    self.star |= select
                        .projection
                        .iter()
                        .any(|i| matches!(i, SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..)));
                }
                SetExpr::SetOperation { left, right, .. } => open.extend([&**left, &**right]),
                _ => {}
            }
        }
        ControlFlow::Continue(())
    }
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
                    return Some((name.to_string().to_lowercase(), token));
                }
            }
            _ => {}
        }
    }
    None
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
        let words =
            Words::of(&parsed("SELECT org, MAX(t.n) FROM token_day AS t WHERE t.date > DATE '2026-01-01'"));
        assert_eq!(words.columns(def).into_iter().collect::<Vec<_>>(), ["date", "n", "org"]);
        let all = Words::of(&parsed("SELECT COUNT(*) FROM (SELECT * FROM token_day) AS s"));
        assert_eq!(all.columns(def).len(), def.columns.len());
        assert_eq!(Words::of(&parsed("SELECT COUNT(*) FROM token_day")).columns(def).len(), 1);
        let using = Words::of(&parsed("SELECT a.n FROM token_day a JOIN tokens USING (org, token_id)"));
        assert!(using.columns(def).contains("token_id"));
    }

    #[test]
    fn a_query_on_one_token_is_known_as_such() {
        let of = |sql: &str| token_of(&parsed(sql));
        let both = Some(("events".to_owned(), "t1".to_owned()));
        assert_eq!(of("SELECT time FROM events WHERE token_id = 't1' ORDER BY time"), both);
        assert_eq!(of("SELECT e.time FROM events e WHERE e.action LIKE 'A%' AND ('t1' = e.token_id)"), both);
        assert_eq!(of("SELECT time FROM events WHERE token_id = 't1' OR n = 1"), None);
        assert_eq!(of("SELECT time FROM events WHERE token_id <> 't1'"), None);
        assert_eq!(
            of("SELECT e.time FROM events e JOIN tokens t ON e.org = t.org WHERE t.token_id = 't1'"),
            None
        );
    }
}
