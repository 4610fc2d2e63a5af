//! The rewrite of a checked query: what makes it fast and its numbers signed.
//!
//! In: a parsed query and the policy row. Out: the same query with `policy.x` as literals (left as a join,
//! a two-sided window took 150 times as long), the join with `policy` dropped where nothing else of it is
//! used, spans such as `INTERVAL '1 hours' * policy.grace_hours` folded, and every count and length cast
//! to BIGINT (they are u32 and `1 - 2` would be 4294967295).

use super::rows::Cell;
use super::walk::{Change, Look, walk, walk_mut};
use crate::model::time::{Micros, day_text, format_time};
use sqlparser::ast::{
    BinaryOperator, Expr, GroupByExpr, Ident, Interval, Select, SelectItem, Statement, TableFactor, Value,
};
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::Parser;
use std::collections::BTreeSet;
use std::ops::ControlFlow;

/// Functions that answer with unsigned numbers.
const UNSIGNED: &[&str] = &[
    "count",
    "row_number",
    "rank",
    "dense_rank",
    "length",
    "char_length",
    "character_length",
    "octet_length",
    "strpos",
];

/// Rewrites a statement in place.
pub fn rewrite(statement: &mut Statement, policy: &[(&'static str, Cell)]) {
    let mut aliases = Aliases::default();
    let _ = walk_mut(statement, &mut aliases);
    let _ = walk_mut(statement, &mut Rewriter { policy, names: aliases.0 });
}

/// The names that `policy` goes by in the query.
#[derive(Default)]
struct Aliases(BTreeSet<String>);

impl Change for Aliases {
    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<()> {
        if let Some(name) = policy_name(factor) {
            self.0.insert(name);
        }
        ControlFlow::Continue(())
    }
}

fn policy_name(factor: &TableFactor) -> Option<String> {
    let TableFactor::Table { name, alias, .. } = factor else { return None };
    name.to_string()
        .eq_ignore_ascii_case("policy")
        .then(|| alias.as_ref().map_or_else(|| "policy".to_owned(), |a| a.name.value.to_lowercase()))
}

struct Rewriter<'a> {
    policy: &'a [(&'static str, Cell)],
    names: BTreeSet<String>,
}

impl Rewriter<'_> {
    /// The policy column that a qualified name stands for.
    fn column(&self, parts: &[Ident]) -> Option<(&'static str, &Cell)> {
        let [table, column] = parts else { return None };
        if !self.names.contains(&table.value.to_lowercase()) {
            return None;
        }
        self.policy.iter().find(|(name, _)| column.value.eq_ignore_ascii_case(name)).map(|(n, c)| (*n, c))
    }

    /// Tells whether a select uses columns of `policy` in a way that literals do not cover.
    fn needs_policy(&self, select: &Select) -> bool {
        struct Bare<'a>(&'a Rewriter<'a>);
        impl Look for Bare<'_> {
            fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
                let bare = matches!(expr, Expr::Identifier(name)
                    if self.0.policy.iter().any(|(column, _)| name.value.eq_ignore_ascii_case(column)));
                if bare { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            }
        }
        let star = select
            .projection
            .iter()
            .any(|item| matches!(item, SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..)));
        star || walk(select, &mut Bare(self)).is_break()
    }
}

impl Change for Rewriter<'_> {
    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        for item in &mut select.projection {
            let SelectItem::UnnamedExpr(expr) = item else { continue };
            let alias = match expr {
                Expr::CompoundIdentifier(parts) => self.column(parts).map(|(name, _)| name.to_owned()),
                Expr::Function(f) => {
                    let name = f.name.to_string().to_lowercase();
                    UNSIGNED.contains(&name.as_str()).then_some(name)
                }
                _ => None,
            };
            if let Some(alias) = alias {
                *item = SelectItem::ExprWithAlias { expr: expr.clone(), alias: Ident::new(alias) };
            }
        }
        if let GroupByExpr::Expressions(keys, _) = &mut select.group_by {
            // A literal in GROUP BY would be read as a position.
            keys.retain(
                |key| !matches!(key, Expr::CompoundIdentifier(parts) if self.column(parts).is_some()),
            );
        }
        if !self.needs_policy(select) {
            for table in &mut select.from {
                table.joins.retain(|join| policy_name(&join.relation).is_none());
            }
            if select.from.len() > 1 {
                select.from.retain(|t| policy_name(&t.relation).is_none() || !t.joins.is_empty());
            }
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Expr::CompoundIdentifier(parts) = expr
            && let Some((_, cell)) = self.column(parts)
        {
            *expr = literal(cell);
        } else if let Some(folded) = fold_interval(expr) {
            *expr = folded;
        } else if let Expr::Function(f) = expr
            && UNSIGNED.contains(&f.name.to_string().to_lowercase().as_str())
            && let Some(mut cast) = parse("CAST(NULL AS BIGINT)")
            && let Expr::Cast { expr: inner, .. } = &mut cast
        {
            **inner = expr.clone();
            *expr = cast;
        }
        ControlFlow::Continue(())
    }
}

fn parse(text: &str) -> Option<Expr> {
    Parser::new(&GenericDialect {}).try_with_sql(text).ok()?.parse_expr().ok()
}

/// Writes a policy value as SQL.
fn literal(cell: &Cell) -> Expr {
    let text = match cell {
        Cell::Null => "NULL".to_owned(),
        Cell::Bool(b) => b.to_string(),
        Cell::Int(n) => n.to_string(),
        Cell::Float(x) => format!("{x:?}"),
        Cell::Text(text) => format!("'{}'", text.replace('\'', "''")),
        Cell::Time(time) => timestamp(*time),
        Cell::Date(day) => format!("DATE '{}'", day_text(*day)),
    };
    parse(&text).unwrap_or_else(|| Expr::Value(Value::Null.into()))
}

fn timestamp(time: Micros) -> String {
    let text = format_time(time);
    format!("TIMESTAMP '{}'", text.trim_end_matches('Z').replace('T', " "))
}

/// Folds `INTERVAL '1 hours' * 24` into one interval, which is all that the SQL engine takes.
fn fold_interval(expr: &Expr) -> Option<Expr> {
    let Expr::BinaryOp { left, op: BinaryOperator::Multiply, right } = expr else { return None };
    let (interval, factor) = match (&**left, &**right) {
        (Expr::Interval(i), Expr::Value(v)) | (Expr::Value(v), Expr::Interval(i)) => (i, v),
        _ => return None,
    };
    let Value::Number(factor, _) = &factor.value else { return None };
    let factor: i64 = factor.parse().ok()?;
    let Interval { value, leading_field, .. } = interval;
    let Expr::Value(value) = &**value else { return None };
    let Value::SingleQuotedString(text) = &value.value else { return None };
    let (number, unit) = match text.trim().split_once(' ') {
        Some((number, unit)) => (number.to_owned(), unit.to_owned()),
        None => (text.clone(), format!("{}s", leading_field.as_ref()?.to_string().to_lowercase())),
    };
    let number: i64 = number.parse().ok()?;
    parse(&format!("INTERVAL '{} {unit}'", number.checked_mul(factor)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::parse_time;

    fn after(sql: &str) -> String {
        let mut statement = Parser::parse_sql(&GenericDialect {}, sql).expect("parses").remove(0);
        let policy = [
            ("as_of", Cell::Time(parse_time("2026-03-31T10:00:00.5Z").expect("time"))),
            ("grace_hours", Cell::Int(2)),
            ("burst_factor", Cell::Float(4.0)),
        ];
        rewrite(&mut statement, &policy);
        statement.to_string()
    }

    #[test]
    fn policy_becomes_literals() {
        assert_eq!(
            after(
                "SELECT t.org FROM tokens AS t CROSS JOIN policy WHERE t.n > 3 * policy.burst_factor AND t.a > policy.as_of - INTERVAL '1 hours' * policy.grace_hours"
            ),
            "SELECT t.org FROM tokens AS t WHERE t.n > 3 * 4.0 AND t.a > TIMESTAMP '2026-03-31 10:00:00.500' - INTERVAL '2 hours'"
        );
        assert_eq!(after("SELECT policy.grace_hours FROM policy"), "SELECT 2 AS grace_hours FROM policy");
        assert!(after("SELECT * FROM tokens CROSS JOIN policy").contains("CROSS JOIN policy"));
        assert!(after("SELECT as_of FROM tokens CROSS JOIN policy").contains("CROSS JOIN policy"));
    }

    #[test]
    fn counts_are_signed() {
        assert_eq!(
            after("SELECT COUNT(*), LENGTH(a) - 5 AS b FROM t GROUP BY a HAVING COUNT(*) > 2"),
            "SELECT CAST(COUNT(*) AS BIGINT) AS count, CAST(LENGTH(a) AS BIGINT) - 5 AS b FROM t GROUP BY a HAVING CAST(COUNT(*) AS BIGINT) > 2"
        );
    }
}
