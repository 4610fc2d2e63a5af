//! The lint of a query: what is refused before it runs, and why.
//!
//! In: SQL text. Out: the parsed statement with the tables that it names, or a [`EngineError`] whose text
//! lists every refusal with its line, the reason and the rewrite. Two sets of rules: safety holds for
//! every query; rules against wrong rows without an error hold for the pack and are hints for ad hoc SQL.

use super::shape::{any, bounded, has_column, is_integer, may_be_fraction, only_equalities, op_compares};
use super::walk::{Look, walk};
use super::{EngineError, EngineErrorKind};
use super::{bound, schema, spelling};
use sqlparser::ast::{
    DateTimeField, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, GroupByExpr,
    JoinConstraint, JoinOperator, ObjectName, OrderByExpr, OrderByKind, Query, Select, SelectItem, SetExpr,
    Spanned as _, Statement, TableFactor, WindowFrame, WindowType,
};
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::Parser;
use std::collections::BTreeSet;
use std::ops::ControlFlow;

/// How strict the check is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// A user's query: what is not safe or gives wrong rows without an error; the rest as hints.
    AdHoc,
    /// A detection, view or saved query: everything.
    Pack,
}

/// One objection to a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Objection {
    /// Line in the text that was checked, from 1; 0 when unknown.
    pub line: u64,
    /// What is wrong, as a sentence.
    pub why: String,
    /// What to write in its place.
    pub mend: String,
    /// Whether it holds for every query, not for the pack alone: it is not safe, or its rows are wrong without an error.
    pub always: bool,
}

impl std::fmt::Display for Objection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.line > 0 {
            write!(f, "line {}: ", self.line)?;
        }
        write!(f, "{} {}", self.why, self.mend)
    }
}

/// A query that passed.
#[derive(Debug, Clone)]
pub struct Checked {
    /// The one statement.
    pub statement: Statement,
    /// Tables of the schema that it names.
    pub tables: BTreeSet<String>,
    /// Edges that it may meet.
    pub objections: Vec<Objection>,
}

impl Checked {
    /// The known edges as one text, for the hint of a failure.
    #[must_use]
    pub fn hints(&self) -> String {
        self.objections.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    }
}

/// Checks a query.
///
/// # Errors
/// When it is not one SELECT over declared tables or, for the pack, could give wrong rows.
pub fn check(sql: &str, mode: Mode) -> Result<Checked, EngineError> {
    let (statement, tables, objections) = inspect(sql)?;
    let refused: Vec<&Objection> = objections.iter().filter(|o| o.always || mode == Mode::Pack).collect();
    if !refused.is_empty() {
        let text = refused.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        return Err(EngineError::new(EngineErrorKind::Refused, text, ""));
    }
    Ok(Checked { statement, tables, objections })
}

/// Parses a query and collects every objection.
///
/// # Errors
/// When it does not parse as one statement.
pub fn inspect(sql: &str) -> Result<(Statement, BTreeSet<String>, Vec<Objection>), EngineError> {
    let refuse = |text: String, hint: &str| EngineError::new(EngineErrorKind::Refused, text, hint);
    bound::within(sql)?;
    let mut statements = Parser::parse_sql(&GenericDialect {}, sql).map_err(|e| {
        refuse(
            format!("This is not SQL that can be read: {e}."),
            "Check quotes, commas and brackets near that place.",
        )
    })?;
    let mut statement = match (statements.pop(), statements.is_empty()) {
        (Some(statement), true) => statement,
        (None, _) => return Err(refuse("There is no query.".into(), "Write one SELECT.")),
        _ => return Err(refuse("There is more than one statement.".into(), "Write one SELECT a query.")),
    };
    spelling::settle(&mut statement);
    let Statement::Query(query) = &statement else {
        return Err(refuse(
            "Only SELECT is allowed; tables cannot be changed or made here.".into(),
            "Write one SELECT.",
        ));
    };
    let mut rules = Rules::default();
    rules.cte_names(query);
    let _ = walk(&statement, &mut rules);
    rules.objections.sort_by(|a, b| (a.line, &a.why).cmp(&(b.line, &b.why)));
    rules.objections.dedup();
    Ok((statement, rules.tables, rules.objections))
}

#[derive(Default)]
struct Rules {
    ctes: BTreeSet<String>,
    tables: BTreeSet<String>,
    objections: Vec<Objection>,
}

/// Functions that take many rows to one.
const AGGREGATES: &[&str] = &[
    "avg",
    "count",
    "max",
    "median",
    "min",
    "quantile_cont",
    "quantile_disc",
    "stddev",
    "stddev_samp",
    "sum",
    "variance",
];

impl Rules {
    fn object(&mut self, line: u64, always: bool, why: &str, mend: &str) {
        self.objections.push(Objection { line, why: why.to_owned(), mend: mend.to_owned(), always });
    }

    /// Finds the names of every CTE first: a visitor meets tables before the CTEs of outer queries.
    fn cte_names(&mut self, query: &Query) {
        struct Names<'a>(&'a mut Rules);
        impl Look for Names<'_> {
            fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
                let Some(with) = &query.with else { return ControlFlow::Continue(()) };
                let line = with.span().start.line;
                if with.recursive {
                    self.0.object(
                        line,
                        true,
                        "Recursive WITH is not supported.",
                        "Write the steps out, or use a Rust detection.",
                    );
                }
                for cte in &with.cte_tables {
                    let name = cte.alias.name.value.to_lowercase();
                    if schema::table(&name).is_some() {
                        let why = format!("The CTE \"{name}\" has the name of a table and would be ignored.");
                        self.0.object(line, true, &why, "Give it another name.");
                    }
                    self.0.ctes.insert(name);
                }
                ControlFlow::Continue(())
            }
        }
        let _ = walk(query, &mut Names(self));
    }

    fn relation(&mut self, name: &ObjectName) {
        let line = name.span().start.line;
        let text = name.to_string();
        let bare = text.trim_matches(['"', '`', '\'']).to_lowercase();
        if self.ctes.contains(&bare) {
            return;
        }
        // Names without quotes have the case of their table by now.
        let is_other_case = text.trim_matches(['"', '`', '\'']) != bare;
        if schema::table(&bare).is_some() && !text.contains('.') && is_other_case {
            let why = format!("There is no table {text}: a name in quotes must have the case of the table.");
            self.object(line, true, &why, &format!("Write {bare}."));
        } else if schema::table(&bare).is_some() && !text.contains('.') {
            self.tables.insert(bare);
        } else if text.contains(['/', '\\', '\'', '*'])
            || bare.ends_with(".parquet")
            || bare.ends_with(".csv")
        {
            self.object(
                line,
                true,
                &format!("{text} is a path; a query cannot open files."),
                "Import the file first, then query the tables.",
            );
        } else {
            self.object(line, true, &format!("There is no table {text}."), &near(&bare));
        }
    }

    fn join(&mut self, operator: &JoinOperator) {
        let constraint = match operator {
            JoinOperator::Join(c)
            | JoinOperator::Inner(c)
            | JoinOperator::Left(c)
            | JoinOperator::LeftOuter(c)
            | JoinOperator::Right(c)
            | JoinOperator::RightOuter(c)
            | JoinOperator::FullOuter(c)
            | JoinOperator::CrossJoin(c)
            | JoinOperator::Semi(c)
            | JoinOperator::LeftSemi(c)
            | JoinOperator::Anti(c)
            | JoinOperator::LeftAnti(c) => c,
            _ => {
                self.object(
                    0,
                    false,
                    "This kind of join does not run everywhere.",
                    "Use JOIN, LEFT JOIN or CROSS JOIN.",
                );
                return;
            }
        };
        match constraint {
            JoinConstraint::On(on) if !only_equalities(on) => {
                let line = on.span().start.line;
                // Other joins filter by the rest, which comes to the same.
                let inner = matches!(
                    operator,
                    JoinOperator::Join(_) | JoinOperator::Inner(_) | JoinOperator::CrossJoin(_)
                );
                self.object(line, !inner, "ON holds something other than equality of columns; a left join then drops rows without an error.", "Keep `a.x = b.x AND ...` in ON and move the rest to WHERE, or filter in a CTE first.");
            }
            JoinConstraint::Natural => {
                self.object(0, false, "NATURAL JOIN joins on whatever columns match.", "Write USING (...).")
            }
            _ => {}
        }
    }

    fn order(&mut self, order: &[OrderByExpr]) {
        for item in order {
            if item.options.asc == Some(false) && item.options.nulls_first != Some(false) {
                let line = item.expr.span().start.line;
                self.object(
                    line,
                    false,
                    "DESC puts nulls first here and last elsewhere.",
                    "Write DESC NULLS LAST.",
                );
            }
        }
    }

    fn function(&mut self, f: &Function) {
        let line = f.name.span().start.line;
        let name = f.name.to_string().to_lowercase();
        if name.starts_with("read_") || name.starts_with("scan_") {
            self.object(line, true, &format!("{name} would open files."), "Query the tables of the schema.");
        }
        if name == "round" {
            self.object(
                line,
                false,
                "ROUND(2.5) is 2 here and 3 elsewhere.",
                "Use FLOOR(x + 0.5), or leave the digits to the output.",
            );
        }
        if matches!(name.as_str(), "date_trunc" | "regexp_like") {
            self.object(
                line,
                false,
                &format!("{} does not run everywhere.", name.to_uppercase()),
                "Use CAST(time AS DATE) or EXTRACT(HOUR FROM time); for patterns use LIKE.",
            );
        }
        if name == "date_part" {
            self.object(
                line,
                false,
                "DATE_PART does not run everywhere and 'epoch' and 'dow' differ.",
                "Use EXTRACT(HOUR FROM time), and INTERVAL arithmetic for spans.",
            );
        }
        if AGGREGATES.contains(&name.as_str())
            && name != "count"
            && let FunctionArguments::List(list) = &f.args
            && let [FunctionArg::Unnamed(FunctionArgExpr::Expr(arg)), ..] = list.args.as_slice()
            && !has_column(arg)
        {
            self.object(
                line,
                true,
                &format!("{}(constant) counts one row, not all.", name.to_uppercase()),
                "Use COUNT(*), or aggregate a column.",
            );
        }
        if name == "count"
            && matches!(&f.args, FunctionArguments::List(l) if matches!(l.args.as_slice(), [FunctionArg::Unnamed(FunctionArgExpr::Expr(e))] if !has_column(e)))
        {
            self.object(line, true, "COUNT(constant) counts one row, not all.", "Use COUNT(*).");
        }
        if let Some(WindowType::WindowSpec(spec)) = &f.over {
            self.order(&spec.order_by);
            if let Some(WindowFrame { start_bound, end_bound, .. }) = &spec.window_frame
                && bounded(start_bound, end_bound.as_ref())
            {
                self.object(
                    line,
                    false,
                    "A window frame of so many rows is not supported.",
                    "Use UNBOUNDED PRECEDING, LAG or LEAD.",
                );
            }
        }
    }
}

/// Offers the table whose name is nearest, else the list.
fn near(name: &str) -> String {
    let close = schema::tables()
        .iter()
        .filter(|t| t.name.starts_with(name) || name.starts_with(t.name))
        .min_by_key(|t| t.name.len().abs_diff(name.len()));
    close.map_or_else(
        || {
            format!(
                "The tables are {}.",
                schema::tables().iter().map(|t| t.name).collect::<Vec<_>>().join(", ")
            )
        },
        |t| format!("Did you mean {}?", t.name),
    )
}

impl Look for Rules {
    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        if let Some(order) = &query.order_by
            && let OrderByKind::Expressions(items) = &order.kind
        {
            self.order(items);
        }
        if matches!(
            *query.body,
            SetExpr::Insert(_) | SetExpr::Update(_) | SetExpr::Delete(_) | SetExpr::Table(_)
        ) {
            self.object(0, true, "Only SELECT is allowed.", "Write one SELECT.");
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
        let line = select.span().start.line;
        if select.into.is_some() {
            self.object(line, true, "SELECT INTO would make a table.", "Write the SELECT alone.");
        }
        if select.qualify.is_some() {
            self.object(
                line,
                false,
                "QUALIFY loses columns here and does not run everywhere.",
                "Number rows in a CTE and filter outside.",
            );
        }
        for table in &select.from {
            for join in &table.joins {
                self.join(&join.join_operator);
            }
        }
        for item in &select.projection {
            let (SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. }) = item else {
                continue;
            };
            if any(expr, |e| matches!(e, Expr::Subquery(_))) {
                self.object(
                    line,
                    false,
                    "A sub-select in the SELECT list is not supported.",
                    "Write it as a CTE of one row and CROSS JOIN it.",
                );
            }
        }
        if let GroupByExpr::Expressions(keys, _) = &select.group_by {
            for key in keys {
                if any(
                    key,
                    |e| matches!(e, Expr::CompoundIdentifier(parts) if parts[0].value.eq_ignore_ascii_case("policy")),
                ) {
                    self.object(
                        line,
                        false,
                        "GROUP BY names a column of policy, which becomes a literal.",
                        "Leave it out of GROUP BY.",
                    );
                }
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        match factor {
            TableFactor::Table { name, args: None, .. } => self.relation(name),
            TableFactor::Table { name, .. } | TableFactor::Function { name, .. } => {
                let line = name.span().start.line;
                self.object(
                    line,
                    true,
                    &format!("{name} is a table function; those can open files."),
                    "Query the tables of the schema.",
                );
            }
            TableFactor::Derived { .. } | TableFactor::NestedJoin { .. } => {}
            _ => self.object(
                0,
                true,
                "Only tables, CTEs and sub-selects may stand in FROM.",
                "Query the tables of the schema.",
            ),
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        match expr {
            Expr::Function(f) => self.function(f),
            Expr::Extract { field, expr: inner, .. } => {
                if matches!(
                    field,
                    DateTimeField::Dow
                        | DateTimeField::DayOfWeek
                        | DateTimeField::Epoch
                        | DateTimeField::Isodow
                ) {
                    let line = inner.span().start.line;
                    self.object(
                        line,
                        false,
                        "EXTRACT of DOW or EPOCH differs between engines.",
                        "Use dates, INTERVAL arithmetic, or a Rust detection.",
                    );
                }
            }
            Expr::Cast { expr: inner, data_type, .. } if is_integer(data_type) && may_be_fraction(inner) => {
                let line = inner.span().start.line;
                self.object(
                    line,
                    false,
                    "CAST of a fraction to an integer cuts here and rounds elsewhere.",
                    "Use CAST(FLOOR(x) AS BIGINT).",
                );
            }
            Expr::BinaryOp { left, op, right }
                if op_compares(op)
                    && (matches!(**left, Expr::Subquery(_)) || matches!(**right, Expr::Subquery(_))) =>
            {
                self.object(
                    left.span().start.line,
                    false,
                    "Comparing with a sub-select is hardly supported.",
                    "Write it as a CTE of one row and CROSS JOIN it.",
                );
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(sql: &str, mode: Mode) -> String {
        check(sql, mode).err().map(|e| e.text).unwrap_or_default()
    }

    #[test]
    fn what_is_unsafe_or_wrong_without_an_error_is_refused_to_everyone() {
        for sql in [
            "SELECT a.org FROM tokens a LEFT JOIN users u ON a.org = u.org AND a.n_events > 2",
            "SELECT COUNT(*) FROM tokens a LEFT JOIN tokens b ON a.owner = b.owner AND a.token_id <> b.token_id",
            "WITH users AS (SELECT org FROM tokens) SELECT org FROM users",
            "SELECT org, SUM(1) AS n FROM tokens GROUP BY org",
            "SELECT COUNT(1) AS n FROM tokens",
            "DELETE FROM tokens",
            "CREATE TABLE x AS SELECT 1 AS a",
            "SELECT 1 AS a; SELECT 2 AS b",
            "",
            "SELECT * FROM read_parquet('/etc/passwd')",
            "SELECT * FROM read_csv('/etc/passwd')",
            "SELECT * FROM '/tmp/x.parquet'",
            "SELECT * FROM \"x.parquet\"",
            "SELECT * FROM nothing",
            "SELECT * INTO y FROM tokens",
            "SELECT * FROM tokens WHERE org IN (SELECT org FROM secrets)",
            "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n FROM r) SELECT * FROM r",
        ] {
            assert!(!refused(sql, Mode::AdHoc).is_empty(), "{sql} passed");
        }
        assert!(refused("SELECT * FROM token", Mode::AdHoc).contains("Did you mean tokens?"));
        let quoted = refused("SELECT * FROM \"EVENTS\"", Mode::AdHoc);
        assert!(quoted.contains("\"EVENTS\"") && quoted.contains("Write events."), "{quoted}");
        for sql in ["SELECT * FROM EVENTS", "SELECT * FROM \"events\"", "SELECT E.ORG FROM Events AS E"] {
            let checked = check(sql, Mode::AdHoc).expect("a table in any case");
            assert_eq!(checked.tables.into_iter().collect::<Vec<_>>(), ["events"], "{sql}");
        }
    }

    #[test]
    fn the_pack_is_held_to_more() {
        for (sql, word) in [
            ("SELECT org FROM tokens ORDER BY n_events DESC", "NULLS LAST"),
            (
                "SELECT ROW_NUMBER() OVER (PARTITION BY org ORDER BY n_events DESC) AS r FROM tokens",
                "NULLS LAST",
            ),
            ("SELECT ROUND(2.5) AS x FROM tokens", "ROUND"),
            ("SELECT CAST(n_events / 3 AS BIGINT) AS x FROM tokens", "fraction"),
            ("SELECT DATE_PART('epoch', valid_to) AS x FROM tokens", "DATE_PART"),
            ("SELECT EXTRACT(DOW FROM valid_to) AS x FROM tokens", "DOW"),
            ("SELECT EXTRACT(EPOCH FROM valid_to) AS x FROM tokens", "EPOCH"),
            ("SELECT DATE_PART('dow', valid_to) AS x FROM tokens", "DATE_PART"),
            ("SELECT DATE_TRUNC('day', valid_to) AS x FROM tokens", "DATE_TRUNC"),
            ("SELECT org FROM tokens WHERE REGEXP_LIKE(name, 'a')", "REGEXP_LIKE"),
            ("SELECT a.org FROM tokens a JOIN users u ON a.org <> u.org", "ON"),
            ("SELECT a.org FROM tokens a JOIN users u ON a.org = LOWER(u.org)", "ON"),
            ("SELECT org FROM tokens NATURAL JOIN users", "NATURAL"),
            ("SELECT org FROM tokens WHERE valid_to > (SELECT MAX(as_of) FROM policy)", "sub-select"),
            (
                "SELECT SUM(n) OVER (ORDER BY date ROWS BETWEEN 3 PRECEDING AND CURRENT ROW) AS x FROM token_day",
                "frame",
            ),
            ("SELECT org, MAX(x) AS y FROM tokens CROSS JOIN policy GROUP BY org, policy.as_of", "literal"),
            ("SELECT org FROM tokens QUALIFY ROW_NUMBER() OVER (ORDER BY org) = 1", "QUALIFY"),
            ("SELECT (SELECT MAX(n_events) FROM tokens) AS x FROM tokens", "sub-select"),
        ] {
            let text = refused(sql, Mode::Pack);
            assert!(text.contains(word), "{sql}: {text}");
            assert!(check(sql, Mode::AdHoc).is_ok(), "{sql} is for the pack alone");
        }
        for (sql, word) in [
            ("SELECT a.org FROM tokens a LEFT JOIN users u ON a.org = u.org AND a.n_events > 2", "left join"),
            ("WITH users AS (SELECT org FROM tokens) SELECT org FROM users", "ignored"),
            ("SELECT COUNT(1) AS n FROM tokens", "constant"),
        ] {
            assert!(refused(sql, Mode::AdHoc).contains(word), "{sql}");
        }
        let good = "WITH t AS (SELECT org, COUNT(*) AS n FROM tokens GROUP BY org) SELECT t.org, CAST(FLOOR(t.n / 2) AS BIGINT) AS h FROM t CROSS JOIN policy WHERE t.n > policy.burst_floor ORDER BY h DESC NULLS LAST";
        let checked = check(good, Mode::Pack).expect("good");
        assert_eq!(checked.tables.into_iter().collect::<Vec<_>>(), ["policy", "tokens"]);
    }

    #[test]
    fn says_the_line() {
        let text = refused("SELECT org\nFROM tokens\nORDER BY\n n_events DESC", Mode::Pack);
        assert!(text.starts_with("line 4: "), "{text}");
    }
}
