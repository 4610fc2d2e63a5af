//! `patwatch query`: ad hoc SQL, the saved queries, and the tables they see.

use super::Context;
use super::args::QueryArgs;
use super::error::{CliError, Outcome};
use super::session::Session;
use crate::engine::pack::saved;
use crate::engine::rows::Rows;
use crate::engine::schema;
use crate::output::grid::Grid;
use crate::output::{self, Style};
use serde_json::Value;

pub(super) fn run(context: &Context, args: &QueryArgs) -> Result<Outcome, CliError> {
    let format = output::find(output::GRIDS, &args.format).map_err(CliError::new)?;
    let (grid, outcome) = if args.tables {
        (tables(), Outcome::Done)
    } else if args.list {
        (saved_queries(), Outcome::Done)
    } else {
        let sql = sql(args)?;
        let session = Session::open(&context.lake, context.config.clone(), &args.selection, &context.ui)?;
        let engine = session.engine_for(&sql, &context.ui)?;
        let rows = engine.query(&sql).map_err(|e| {
            let hint = e.hint.clone();
            let error = CliError::from(e);
            if hint.is_empty() { error } else { error.hint(hint) }
        })?;
        let outcome = session
            .ingested
            .as_ref()
            .map_or(Outcome::Done, |i| super::import::outcome(i, args.selection.reading.strict));
        (grid(&rows), outcome)
    };
    let style = Style { color: context.ui.color && args.output.is_none(), width: context.ui.width() };
    let mut bytes = Vec::new();
    format.write(&grid, style, &mut bytes)?;
    context.ui.write(args.output.as_deref(), &bytes)?;
    Ok(outcome)
}

/// The SQL asked for: a file, a saved query by name, or the text itself.
fn sql(args: &QueryArgs) -> Result<String, CliError> {
    if let Some(file) = &args.file {
        return std::fs::read_to_string(file)
            .map_err(|e| CliError::new(format!("cannot read {}: {e}", file.display())));
    }
    let text = args.query.as_deref().unwrap_or_default();
    if text.split_whitespace().count() == 1 {
        let queries = saved();
        return queries.iter().find(|q| q.name == text).map(|q| q.sql.clone()).ok_or_else(|| {
            CliError::new(format!("no saved query is called \"{text}\""))
                .hint("`patwatch query --list` prints them; SQL begins with SELECT or WITH")
        });
    }
    Ok(text.to_owned())
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
