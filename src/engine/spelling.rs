//! Names in any case: `SELECT ORG FROM EVENTS` is the same query as `SELECT org FROM events`.
//!
//! In: a parsed query. Out: the same query, in which names without quotes are spelled as they are defined. Polars takes
//! upper and lower case for different names. A query whose names all have the spelling of their definitions stays as it is, and a
//! name in quotes always does: quotes ask for exactly that spelling.

use super::schema;
use super::walk::{Change, walk_mut};
use sqlparser::ast::{
    ExcludeSelectItem, Expr, Ident, JoinConstraint, JoinOperator, ObjectName, ObjectNamePart, Query, Select,
    SelectItem, SelectItemQualifiedWildcardKind, Statement, TableAlias, TableFactor,
    WildcardAdditionalOptions,
};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

/// Spells the names of a query as they are defined.
pub(super) fn settle(statement: &mut Statement) {
    // Every query of the pack is lower case; those are parsed often, and cost one look.
    let mut is_mixed = false;
    each_name(statement, &mut |name, _| is_mixed |= name.value.chars().any(char::is_uppercase));
    if !is_mixed {
        return;
    }
    let mut names = Names::default();
    each_name(statement, &mut |name, role| names.note(name, role));
    let spellings = names.spellings();
    if spellings.is_empty() {
        return;
    }
    each_name(statement, &mut |name, _| {
        if name.quote_style.is_none()
            && let Some(spelling) = spellings.get(&name.value.to_lowercase())
        {
            name.value.clone_from(spelling);
        }
    });
}

/// What a name stands for where it is found.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    /// A table that is read.
    Table,
    /// A column, or the alias of a table.
    Use,
    /// An alias, or the name of a CTE.
    Definition,
}

/// The names of a query, by their lower case.
#[derive(Default)]
struct Names {
    used: BTreeMap<String, BTreeSet<String>>,
    /// In the order in which they are found.
    defined: BTreeMap<String, Vec<String>>,
    /// Tables of the schema that are read, and their columns: all lower case.
    declared: BTreeSet<&'static str>,
}

impl Names {
    fn note(&mut self, name: &Ident, role: Role) {
        let key = name.value.to_lowercase();
        if role == Role::Definition {
            self.defined.entry(key).or_default().push(name.value.clone());
            return;
        }
        if let Some(table) = schema::table(&key).filter(|_| role == Role::Table) {
            self.declared.insert(table.name);
            self.declared.extend(table.columns.iter().map(|column| column.name));
        }
        if name.quote_style.is_none() {
            self.used.entry(key).or_default().insert(name.value.clone());
        }
    }

    /// The spelling of each name that is used in another one than any definition has.
    fn spellings(&self) -> BTreeMap<String, String> {
        let mut spellings = BTreeMap::new();
        for (key, used) in &self.used {
            let declared = self.declared.get(key.as_str()).map(|name| (*name).to_owned());
            let defined = self.defined.get(key).map_or(&[][..], Vec::as_slice);
            let is_known = |name: &String| defined.contains(name) || declared.as_ref() == Some(name);
            if used.iter().all(is_known) {
                continue;
            }
            // A name that nothing defines is left for the engine to complain of.
            if let Some(spelling) = declared.or_else(|| defined.first().cloned()) {
                spellings.insert(key.clone(), spelling);
            }
        }
        spellings
    }
}

/// Calls `each` with every name of a query but those of functions.
fn each_name(statement: &mut Statement, each: &mut dyn FnMut(&mut Ident, Role)) {
    let _ = walk_mut(statement, &mut EachName(each));
}

struct EachName<'a>(&'a mut dyn FnMut(&mut Ident, Role));

impl EachName<'_> {
    fn object(&mut self, name: &mut ObjectName, role: Role) {
        for part in &mut name.0 {
            if let ObjectNamePart::Identifier(name) = part {
                (self.0)(name, role);
            }
        }
    }

    fn alias(&mut self, alias: &mut TableAlias) {
        (self.0)(&mut alias.name, Role::Definition);
        alias.columns.iter_mut().for_each(|column| (self.0)(&mut column.name, Role::Definition));
    }

    fn wildcard(&mut self, options: &mut WildcardAdditionalOptions) {
        match &mut options.opt_exclude {
            Some(ExcludeSelectItem::Single(name)) => self.object(name, Role::Use),
            Some(ExcludeSelectItem::Multiple(names)) => {
                names.iter_mut().for_each(|name| self.object(name, Role::Use));
            }
            None => {}
        }
        if let Some(except) = &mut options.opt_except {
            let names = std::iter::once(&mut except.first_element).chain(&mut except.additional_elements);
            names.for_each(|name| (self.0)(name, Role::Use));
        }
    }

    fn join(&mut self, operator: &mut JoinOperator) {
        let (JoinOperator::Join(constraint)
        | JoinOperator::Inner(constraint)
        | JoinOperator::Left(constraint)
        | JoinOperator::LeftOuter(constraint)
        | JoinOperator::Right(constraint)
        | JoinOperator::RightOuter(constraint)
        | JoinOperator::FullOuter(constraint)
        | JoinOperator::Semi(constraint)
        | JoinOperator::LeftSemi(constraint)
        | JoinOperator::Anti(constraint)
        | JoinOperator::LeftAnti(constraint)) = operator
        else {
            return;
        };
        if let JoinConstraint::Using(names) = constraint {
            names.iter_mut().for_each(|name| self.object(name, Role::Use));
        }
    }
}

impl Change for EachName<'_> {
    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        for cte in query.with.iter_mut().flat_map(|with| &mut with.cte_tables) {
            self.alias(&mut cte.alias);
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        for item in &mut select.projection {
            match item {
                SelectItem::ExprWithAlias { alias, .. } => (self.0)(alias, Role::Definition),
                SelectItem::QualifiedWildcard(kind, options) => {
                    if let SelectItemQualifiedWildcardKind::ObjectName(name) = kind {
                        self.object(name, Role::Use);
                    }
                    self.wildcard(options);
                }
                SelectItem::Wildcard(options) => self.wildcard(options),
                _ => {}
            }
        }
        for join in select.from.iter_mut().flat_map(|from| &mut from.joins) {
            self.join(&mut join.join_operator);
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<()> {
        match factor {
            TableFactor::Table { name, alias, .. } => {
                self.object(name, Role::Table);
                alias.iter_mut().for_each(|alias| self.alias(alias));
            }
            TableFactor::Derived { alias, .. } | TableFactor::NestedJoin { alias, .. } => {
                alias.iter_mut().for_each(|alias| self.alias(alias));
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        match expr {
            Expr::Identifier(name) => (self.0)(name, Role::Use),
            Expr::CompoundIdentifier(names) => names.iter_mut().for_each(|name| (self.0)(name, Role::Use)),
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sqlparser::dialect::GenericDialect;
    use sqlparser::parser::Parser;

    fn settled(sql: &str) -> String {
        let mut statement = Parser::parse_sql(&GenericDialect {}, sql).expect("SQL").remove(0);
        settle(&mut statement);
        statement.to_string()
    }

    #[test]
    fn names_without_quotes_are_spelled_as_they_are_defined() {
        for (sql, expected) in [
            ("SELECT ORG FROM EVENTS", "SELECT org FROM events"),
            ("SELECT E.ORG, e.* FROM Events AS E", "SELECT E.org, E.* FROM events AS E"),
            (
                "WITH Busy AS (SELECT org, SUM(n) AS Total FROM ACTIVITY GROUP BY ORG) SELECT TOTAL FROM busy ORDER BY total DESC NULLS LAST",
                "WITH Busy AS (SELECT org, SUM(n) AS Total FROM activity GROUP BY org) SELECT Total FROM Busy ORDER BY Total DESC NULLS LAST",
            ),
            (
                "SELECT t.org FROM tokens AS t JOIN users AS u USING (ORG, No_Such_Column) WHERE T.N_EVENTS > Policy.Burst_Floor",
                "SELECT t.org FROM tokens AS t JOIN users AS u USING(org, No_Such_Column) WHERE t.n_events > Policy.Burst_Floor",
            ),
            ("SELECT * EXCLUDE (ORG) FROM tokens", "SELECT * EXCLUDE (org) FROM tokens"),
            (
                "SELECT org FROM tokens WHERE org IN (SELECT ORG FROM USERS)",
                "SELECT org FROM tokens WHERE org IN (SELECT org FROM users)",
            ),
        ] {
            assert_eq!(settled(sql), expected);
        }
    }

    #[test]
    fn what_is_spelled_as_defined_or_quoted_stays() {
        for sql in [
            "SELECT -n AS N FROM activity ORDER BY N",
            "WITH a AS (SELECT COUNT(*) AS N FROM events), b AS (SELECT N AS n FROM a) SELECT n FROM b",
            "SELECT 1 AS a, 2 AS A",
            "SELECT \"ORG\" FROM \"EVENTS\"",
            "SELECT Nonsense FROM events",
            "SELECT org AS \"Org\" FROM events",
        ] {
            assert_eq!(settled(sql), sql);
        }
        assert_eq!(
            settled(
                "SELECT \"Total\", ORG FROM (SELECT org, SUM(n) AS \"Total\" FROM activity GROUP BY org) AS t"
            ),
            "SELECT \"Total\", org FROM (SELECT org, SUM(n) AS \"Total\" FROM activity GROUP BY org) AS t"
        );
    }
}
