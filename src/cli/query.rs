//! `patwatch query`: ad hoc SQL, the saved queries, and the tables they see. A query runs under limits ([`super::limits`]).

use super::Context;
use super::args::QueryArgs;
use super::error::{CliError, Outcome};
use super::session::Session;
use super::suggest;
use crate::engine::EngineError;
use crate::engine::pack::saved;
use crate::engine::rows::Rows;
use crate::engine::schema;
use crate::output::grid::Grid;
use crate::output::{self, Style};
use serde_json::Value;
use std::io::IsTerminal as _;

/// The format that the engine writes itself: a grid has lost the types.
pub(super) const PARQUET: &str = "parquet";

pub(super) fn run(context: &Context, args: &QueryArgs) -> Result<Outcome, CliError> {
    if let Some(name) = &args.show {
        context.ui.write(args.output.as_deref(), format!("{}\n", named(name)?.trim_end()).as_bytes())?;
        return Ok(Outcome::Done);
    }
    if args.tables || args.list {
        let grid = if args.tables { tables() } else { saved_queries() };
        write(context, args, &grid)?;
        return Ok(Outcome::Done);
    }
    let as_parquet = args.format == PARQUET;
    if as_parquet && args.output.is_none() && std::io::stdout().is_terminal() {
        return Err(CliError::new("Parquet is not for a terminal")
            .hint("add --output FILE.parquet, or send stdout into a file or a program"));
    }
    let sql = sql(args)?;
    let session = Session::open(&context.lake, context.config.clone(), &args.selection, &context.ui)?;
    let (engine, not_run) = session.engine_for(&sql, &context.ui)?;
    let (name, style) = (args.format.clone(), style(context, args));
    let failed = |e: EngineError| {
        let hint = e.hint.clone();
        let error = CliError::from(e);
        if hint.is_empty() { error } else { error.hint(hint) }
    };
    let bytes = session.limits.within(move || {
        let bytes = if as_parquet {
            engine.query_parquet(&sql).map_err(failed)
        } else {
            engine.query(&sql).map_err(failed).and_then(|rows| shown(&name, style, &grid(&rows)))
        };
        // The process ends after this: tables need not be taken apart.
        std::mem::forget(engine);
        bytes
    })?;
    context.ui.write(args.output.as_deref(), &bytes)?;
    let outcome = super::import::outcome_of(&session, &args.selection);
    Ok(outcome.max(super::check::not_run(&not_run, &context.ui)))
}

fn write(context: &Context, args: &QueryArgs, grid: &Grid) -> Result<(), CliError> {
    let bytes = shown(&args.format, style(context, args), grid)?;
    context.ui.write(args.output.as_deref(), &bytes)
}

fn style(context: &Context, args: &QueryArgs) -> Style {
    context.ui.style(args.output.as_deref())
}

/// Rows in the format of that name.
fn shown(format: &str, style: Style, grid: &Grid) -> Result<Vec<u8>, CliError> {
    let format = output::find(output::GRIDS, format).map_err(CliError::new)?;
    let mut bytes = Vec::new();
    format.write(grid, style, &mut bytes)?;
    Ok(bytes)
}

/// The SQL asked for: a file, a saved query by name, or the text itself.
fn sql(args: &QueryArgs) -> Result<String, CliError> {
    if let Some(file) = &args.file {
        return std::fs::read_to_string(file)
            .map_err(|e| CliError::new(format!("cannot read {}: {e}", file.display())));
    }
    let text = args.query.as_deref().unwrap_or_default();
    if text.split_whitespace().count() == 1 {
        return named(text);
    }
    Ok(text.to_owned())
}

/// The SQL of a saved query.
fn named(name: &str) -> Result<String, CliError> {
    let saved = saved();
    saved.iter().find(|q| q.name == name).map(|q| q.sql.clone()).ok_or_else(|| {
        let names = saved.iter().map(|q| q.name.as_str());
        CliError::new(format!("no saved query is called \"{name}\""))
            .hint(suggest::hint(name, names, "`patwatch query --list`"))
            .hint("SQL begins with SELECT or WITH")
    })
}

fn grid(rows: &Rows) -> Grid {
    Grid {
        columns: rows.columns.iter().map(|c| c.name.clone()).collect(),
        rows: (0..rows.len())
            .map(|i| rows.cells.iter().map(|column| column[i].to_json()).collect())
            .collect(),
    }
}

fn tables() -> Grid {
    let mut rows: Vec<Vec<Value>> = Vec::new();
    for table in schema::tables() {
        rows.push(vec![table.name.into(), Value::Null, Value::Null, table.meaning.into()]);
        for column in &table.columns {
            let meaning = Value::from(column.meaning);
            rows.push(vec![table.name.into(), column.name.into(), column.kind.as_str().into(), meaning]);
        }
    }
    Grid { columns: ["table", "column", "type", "meaning"].map(str::to_owned).to_vec(), rows }
}

fn saved_queries() -> Grid {
    Grid {
        columns: vec!["name".to_owned(), "what it answers".to_owned()],
        rows: saved().into_iter().map(|q| vec![q.name.into(), q.title.into()]).collect(),
    }
}
