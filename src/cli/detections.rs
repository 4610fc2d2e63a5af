//! `patwatch detections`: the pack, listed, shown, linted.

use super::Context;
use super::args::{DetectionsArgs, DetectionsCommand};
use super::error::{CliError, Outcome, message};
use super::gate::Gate;
use super::session::{Session, load_pack};
use super::suggest;
use crate::engine::equivalents::coverage;
use crate::engine::pack::Pack;
use crate::model::noun::counted;
use crate::output;
use crate::output::grid::Grid;
use std::fmt::Write as _;

pub(super) fn run(context: &Context, args: &DetectionsArgs) -> Result<Outcome, CliError> {
    match &args.command {
        DetectionsCommand::List { format, queries } => {
            let format = output::find(output::GRIDS, format).map_err(CliError::new)?;
            let pack = load_pack(queries)?;
            let mut bytes = Vec::new();
            let style = context.ui.style(None);
            format.write(&list(&pack), style, &mut bytes)?;
            context.ui.write(None, &bytes)?;
            Ok(Outcome::Done)
        }
        DetectionsCommand::Show { id } => {
            let pack = load_pack(&[])?;
            let detection = pack.get(id).ok_or_else(|| {
                CliError::new(format!("no detection is called \"{id}\""))
                    .hint(suggest::detection(id, &pack, false))
            })?;
            let m = &detection.meta;
            let mut text = String::new();
            let _ = writeln!(text, "{} {}/{}: {}", m.id, m.family, m.slug, m.title);
            let _ =
                writeln!(text, "severity {}, confidence {}, subject {}", m.severity, m.confidence, m.subject);
            let _ = writeln!(text, "\n{}\n\nWhat to do: {}", m.rationale, m.fix);
            for (label, list) in [
                ("stands for", &m.equivalents),
                ("controls", &m.controls),
                ("ATT&CK", &m.attack),
                ("see", &m.references),
            ] {
                if !list.is_empty() {
                    let _ = writeln!(text, "{label}: {}", list.join(", "));
                }
            }
            // As comments, so that what is printed is a file that runs.
            let mut text: String =
                text.lines().map(|line| format!("{}\n", format!("-- {line}").trim_end())).collect();
            let _ = writeln!(text, "\n{}", detection.sql.trim_end());
            context.ui.write(None, text.as_bytes())?;
            Ok(Outcome::Done)
        }
        DetectionsCommand::Lint { dir } => {
            let problems = match dir {
                Some(dir) if !dir.is_dir() => {
                    return Err(CliError::new(format!("{} is no folder", dir.display()))
                        .hint("give the folder that holds use/, scope/, anomaly/, hygiene/ or posture/"));
                }
                Some(dir) => match Pack::folder(dir) {
                    Ok(pack) => pack.lint(),
                    Err(problems) => problems,
                },
                None => load_pack(&[])?.lint(),
            };
            for problem in &problems {
                context.ui.err(&message(&problem.to_string()));
            }
            if problems.is_empty() {
                context.ui.info("no problems");
                return Ok(Outcome::Done);
            }
            Err(CliError::new(format!("{} in the pack", counted(problems.len(), "problem"))))
        }
        DetectionsCommand::Scorecard { format, selection } => {
            let format = output::find(output::GRIDS, format).map_err(CliError::new)?;
            let session = Session::open(&context.lake, context.config.clone(), selection, &context.ui)?;
            let report = session.find(&[], &context.ui)?.report;
            let mut bytes = Vec::new();
            format.write(&output::scorecard::grid(&report), context.ui.style(None), &mut bytes)?;
            context.ui.write(None, &bytes)?;
            Ok(Gate::open(selection.reading.strict).outcome(&report, &session, &context.ui))
        }
        DetectionsCommand::Coverage => {
            let pack = load_pack(&[])?;
            let style = context.ui.style(None);
            let format = output::find(output::GRIDS, "table").map_err(CliError::new)?;
            let mut bytes = Vec::new();
            for listing in coverage(&pack) {
                bytes.extend(format!("{}\n", listing.title).into_bytes());
                let grid = Grid {
                    columns: listing.columns.iter().map(|c| (*c).to_owned()).collect(),
                    rows: listing.rows.into_iter().map(|r| r.into_iter().map(Into::into).collect()).collect(),
                };
                format.write(&grid, style, &mut bytes)?;
                bytes.push(b'\n');
            }
            context.ui.write(None, &bytes)?;
            Ok(Outcome::Done)
        }
    }
}

fn list(pack: &Pack) -> Grid {
    Grid {
        columns: ["id", "family", "slug", "severity", "confidence", "title"].map(str::to_owned).to_vec(),
        rows: pack
            .detections
            .iter()
            .map(|d| {
                let m = &d.meta;
                vec![
                    m.id.as_str().into(),
                    m.family.as_str().into(),
                    m.slug.as_str().into(),
                    m.severity.as_str().into(),
                    m.confidence.as_str().into(),
                    m.title.as_str().into(),
                ]
            })
            .collect(),
    }
}
