//! Decisions of review sheets: `--decisions FILE`, the key `decisions`, and `review import`.
//!
//! In: files. Out: decisions, and the faults of rows that cannot be taken. A row needs no lake of its day: its state mark
//! says what the token was.

use super::error::{CliError, message};
use super::ui::Ui;
use crate::model::decision::{Decision, Fixed};
use crate::model::hash::sha256;
use crate::model::identity::org_name;
use crate::model::secret::covered;
use crate::model::time::day_start;
use crate::output::review::read::{Fault, Row, Sheet, read};
use crate::report::Input;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What decision files brought into a run.
#[derive(Debug, Default)]
pub(super) struct DecisionFiles {
    /// Decisions on tokens of the organisations of the run, in the order of files and rows.
    pub decisions: Vec<Decision>,
    /// The files, for the manifest.
    pub inputs: Vec<Input>,
    /// Rows that could not be taken.
    pub faults: u64,
}

/// A sheet with its name and bytes.
pub(super) struct SheetFile {
    pub name: String,
    pub bytes: Vec<u8>,
    pub sheet: Sheet,
}

/// Reads a sheet; `-` is stdin.
pub(super) fn read_sheet(file: &Path) -> Result<SheetFile, CliError> {
    let is_stdin = file.as_os_str() == "-";
    let name = if is_stdin { "stdin".to_owned() } else { file.display().to_string() };
    let bytes = if is_stdin {
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut std::io::stdin().lock(), &mut bytes)?;
        bytes
    } else {
        std::fs::read(file).map_err(|e| CliError::new(format!("cannot read {name}: {e}")))?
    };
    let sheet = read(&bytes).map_err(|e| CliError::new(format!("cannot take {name}: {e}")))?;
    Ok(SheetFile { name, bytes, sheet })
}

/// Reads the decision files of a run over `orgs`.
pub(super) fn read_files(files: &[PathBuf], orgs: &[String], ui: &Ui) -> Result<DecisionFiles, CliError> {
    let mut all = DecisionFiles::default();
    for file in files {
        let SheetFile { name, bytes, sheet } = read_sheet(file)?;
        let mut faults = sheet.faults;
        let (mut taken, mut elsewhere) = (0, 0);
        for row in &sheet.rows {
            match org_of(row, orgs) {
                Ok(org) if orgs.contains(&org) => {
                    let seen_until = row.as_of.unwrap_or(day_start(row.decided_on + 1) - 1);
                    let state = row.state.clone().unwrap_or_default();
                    all.decisions.push(decision(row, org, seen_until, state));
                    taken += 1;
                }
                Ok(_) => elsewhere += 1,
                Err(fault) => faults.push(fault),
            }
        }
        report_faults(&name, &mut faults, ui);
        let noun = |n: u64| if n == 1 { "decision" } else { "decisions" };
        let mut text = format!("{name}: {taken} {} used", noun(taken));
        if elsewhere > 0 {
            text.push_str(&format!("; {elsewhere} of organisations that this run does not look at"));
        }
        ui.info(&text);
        let rejected = faults.len() as u64;
        all.faults += rejected;
        all.inputs.push(Input {
            name: short_name(&name),
            sha256: sha256(&bytes),
            kind: "decisions".to_owned(),
            read: taken + elsewhere + rejected,
            kept: taken + elsewhere,
            rejected,
            reasons: reasons(&faults),
            ..Input::default()
        });
    }
    Ok(all)
}

/// The organisation of a row, which may leave it out where there is only one.
pub(super) fn org_of(row: &Row, orgs: &[String]) -> Result<String, Fault> {
    match (row.org.is_empty(), orgs) {
        (false, _) => Ok(org_name(&row.org)),
        (true, [only]) => Ok(only.clone()),
        (true, _) => Err(Fault {
            line: row.line,
            column: "org",
            reason: format!("org is empty, and the run looks at {} organisations; name one", orgs.len()),
        }),
    }
}

/// The decision of a row.
pub(super) fn decision(row: &Row, org: String, seen_until: i64, state: Fixed) -> Decision {
    Decision {
        org,
        token_id: row.token_id.clone(),
        choice: row.choice,
        reviewer: covered(&row.reviewer).into_owned(),
        decided_on: row.decided_on,
        reason: covered(&row.reason).into_owned(),
        end_date: row.end_date,
        seen_until,
        state,
        detections: row.detections.as_deref().map(|ids| covered(ids).into_owned()),
    }
}

/// Prints the faults of a file, by line.
pub(super) fn report_faults(name: &str, faults: &mut [Fault], ui: &Ui) {
    faults.sort_by_key(|f| f.line);
    for fault in faults.iter() {
        ui.err(&message(&format!("{name}:{}: {}", fault.line, fault.reason)));
    }
}

/// Faults counted by column, which names nobody.
pub(super) fn reasons(faults: &[Fault]) -> BTreeMap<String, u64> {
    let mut reasons: BTreeMap<String, u64> = BTreeMap::new();
    for fault in faults {
        *reasons.entry(format!("bad {}", fault.column)).or_default() += 1;
    }
    reasons
}

/// The name of a file without its folders, which name a machine.
pub(super) fn short_name(name: &str) -> String {
    let short = Path::new(name).file_name().map_or(name.into(), |n| n.to_string_lossy());
    covered(&short).into_owned()
}
