//! The lint of a detection: its head and its query must agree.
//!
//! In: a [`Detection`] whose head could be read. Out: each [`Problem`] with its line and its mend.

use super::super::{check, findings, flagged, schema};
use super::{CONFIRM_COLUMNS, Detection, Problem, problem};
use crate::model::catalogue::catalogue;
use crate::model::finding::SubjectKind;

/// The line of a key of the head.
pub(super) fn head_line(d: &Detection, key: &str) -> usize {
    d.sql
        .lines()
        .position(|l| l.strip_prefix("--!").is_some_and(|l| l.trim_start().starts_with(key)))
        .map_or(1, |i| i + 1)
}

/// Looks a detection over.
pub(super) fn lint(d: &Detection) -> Vec<Problem> {
    let mut out = Vec::new();
    let head_line = |key: &str| head_line(d, key);
    for column in d.confirm.iter().flatten() {
        if !CONFIRM_COLUMNS.contains(&column.as_str()) {
            let mend = format!("Use some of {}.", CONFIRM_COLUMNS.join(", "));
            out.push(problem(
                &d.file,
                head_line("confirm"),
                format!("Events cannot be confirmed by \"{column}\"."),
                mend,
            ));
        }
    }
    if d.meta.id.is_empty() || d.meta.id.contains(char::is_whitespace) {
        out.push(problem(
            &d.file,
            head_line("id"),
            "The id is empty or holds a blank.",
            "Write one such as PAT-A042.",
        ));
    }
    needs(d, &mut out);
    for table in &d.tables {
        if schema::table(table).is_none() {
            out.push(problem(
                &d.file,
                head_line("tables"),
                format!("There is no table \"{table}\"."),
                "See `patwatch query --tables`.",
            ));
        }
    }
    match check::inspect(&d.sql) {
        Err(e) => out.push(problem(&d.file, 1, e.text, e.hint)),
        Ok((statement, tables, objections)) => {
            for o in objections {
                out.push(problem(&d.file, usize::try_from(o.line).unwrap_or(1).max(1), o.why, o.mend));
            }
            for table in tables.iter().filter(|t| !d.tables.contains(t)) {
                let text = format!("The query reads \"{table}\", which the head does not name.");
                out.push(problem(&d.file, head_line("tables"), text, "Add it to `tables`."));
            }
            for table in d.tables.iter().filter(|t| !tables.contains(*t) && schema::table(t).is_some()) {
                let text = format!("The head names \"{table}\", which the query does not read.");
                out.push(problem(&d.file, head_line("tables"), text, "Drop it from `tables`."));
            }
            if d.flagged.as_ref().is_some_and(|name| flagged::question(&statement, name).is_none()) {
                out.push(problem(
                    &d.file,
                    head_line("flagged"),
                    "No CTE of that name gives `org` and `token_id` before `activity` is read.".to_owned(),
                    "Name one that does, or drop the line.",
                ));
            }
            if let Some(columns) = output_columns(&statement) {
                for needed in ["org", "subject"] {
                    if !columns.iter().any(|c| c == needed) {
                        out.push(problem(
                            &d.file,
                            1,
                            format!("The query gives no column \"{needed}\"."),
                            "Every row names its organisation and its subject.",
                        ));
                    }
                }
                let known =
                    |name: &str| columns.iter().any(|c| c == name) || matches!(name, "name" | "owner");
                // The number of confirmed events is no column: the engine counts them.
                let is_counted = d.confirm.is_some() && d.meta.subject == SubjectKind::Token;
                for name in findings::places(&d.meta.message)
                    .into_iter()
                    .filter(|name| !(is_counted && *name == findings::CONFIRMED))
                    .filter(|name| !(d.list.is_some() && *name == findings::LIST))
                    .chain(d.meta.keys.iter().map(String::as_str))
                {
                    if !known(name) {
                        out.push(problem(
                            &d.file,
                            head_line("message"),
                            format!("The message or a key names \"{name}\", which the query does not give."),
                            "Select such a column, or change the text.",
                        ));
                    }
                }
                if let Some(list) = &d.list
                    && (!known(&list.column) || d.meta.keys.contains(&list.column))
                {
                    let text = format!(
                        "The list gathers \"{}\", which the query does not give or which is a key.",
                        list.column
                    );
                    out.push(problem(
                        &d.file,
                        head_line("list"),
                        text,
                        "Select such a column that is no key.",
                    ));
                }
                for column in d.confirm.iter().flatten() {
                    if !known(column) {
                        out.push(problem(
                            &d.file,
                            head_line("confirm"),
                            format!("The query gives no column \"{column}\" to confirm by."),
                            "Select it.",
                        ));
                    }
                }
            }
        }
    }
    out
}

/// Checks that the actions and fields that a detection needs exist: a typo would make it blind everywhere, or nowhere.
fn needs(d: &Detection, out: &mut Vec<Problem>) {
    let Some(needs) = &d.needs else { return };
    let line = head_line(d, "needs");
    let known = catalogue();
    for action in &needs.actions {
        let exists = match action.strip_suffix('*') {
            Some(stem) => known.actions.keys().any(|id| id.starts_with(stem)),
            None => known.actions.contains_key(action),
        };
        if !exists {
            let text = format!("It needs the action \"{action}\", which the catalogue does not have.");
            out.push(problem(&d.file, line, text, "See `patwatch query 'SELECT action FROM actions'`."));
        }
    }
    let notable = schema::table("notable");
    for column in needs.fields.iter().flat_map(|field| field.split('|')) {
        if notable.is_none_or(|t| t.column(column).is_none()) {
            let text = format!("It needs the field \"{column}\", which the table notable does not have.");
            out.push(problem(&d.file, line, text, "See `patwatch query --tables`."));
        }
    }
}

/// Names of the answer's columns; nothing where a star or an unnamed expression hides them.
fn output_columns(statement: &sqlparser::ast::Statement) -> Option<Vec<String>> {
    use sqlparser::ast::{Expr, SelectItem, SetExpr, Statement};
    let Statement::Query(query) = statement else { return None };
    let mut body = &*query.body;
    while let SetExpr::SetOperation { left, .. } = body {
        body = left;
    }
    let SetExpr::Select(select) = body else { return None };
    select
        .projection
        .iter()
        .map(|item| match item {
            SelectItem::ExprWithAlias { alias, .. } => Some(alias.value.clone()),
            SelectItem::UnnamedExpr(Expr::Identifier(name)) => Some(name.value.clone()),
            SelectItem::UnnamedExpr(Expr::CompoundIdentifier(parts)) => parts.last().map(|p| p.value.clone()),
            _ => None,
        })
        .collect()
}
