//! `patwatch chart`: one chart as PNG or SVG.

use super::Context;
use super::args::ChartArgs;
use super::error::{CliError, Outcome};
use super::gate::Gate;
use super::session::Session;
use super::suggest;
use crate::chart;

pub(super) fn run(context: &Context, args: &ChartArgs) -> Result<Outcome, CliError> {
    if args.list {
        let lines: Vec<String> =
            chart::list().iter().map(|c| format!("{:<12} {}\n", c.name(), c.describe())).collect();
        context.ui.write(None, lines.concat().as_bytes())?;
        return Ok(Outcome::Done);
    }
    let (Some(name), Some(output)) = (&args.name, &args.output) else {
        return Err(
            CliError::new("name a chart and a file").hint("`patwatch chart --list` prints the charts")
        );
    };
    let known = chart::list().iter().any(|c| c.name() == name);
    if !known {
        let names = chart::list().iter().map(|c| c.name()).collect::<Vec<_>>();
        let hint = suggest::hint(name, names, "`patwatch chart --list`");
        return Err(CliError::from(chart::ChartError::Unknown { name: name.clone() }).hint(hint));
    }
    let ending = output.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default();
    if !matches!(ending.as_str(), "png" | "svg") {
        return Err(CliError::new(format!("{} ends neither in .png nor in .svg", output.display())));
    }
    let session = Session::open(&context.lake, context.config.clone(), &args.selection, &context.ui)?;
    let found = session.find(&[], &context.ui)?;
    let bytes = if ending == "png" {
        chart::png(name, &found.report.series)?
    } else {
        chart::svg(name, &found.report.series)?.into_bytes()
    };
    context.ui.write(Some(output), &bytes)?;
    Ok(Gate::open(args.selection.reading.strict).outcome(&found.report, &session, &context.ui))
}
