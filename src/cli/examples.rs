//! `patwatch examples`: complete examples of scheduled runs, which an installed program has nowhere else.
//!
//! In: the name of an example, and a folder. Out: the example on stdout, or as a file; without a name, what there is. The
//! files are those of `docs/scheduled`, compiled in.

use super::Context;
use super::args::ExamplesArgs;
use super::error::{CliError, Outcome};
use super::suggest;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

/// One example.
struct Example {
    /// The word that names it.
    name: &'static str,
    /// Its file in `docs/scheduled`.
    file: &'static str,
    /// Where it runs, in one line.
    what: &'static str,
    /// What the file contains.
    text: &'static str,
}

macro_rules! example {
    ($name:literal, $file:literal, $what:literal) => {
        Example {
            name: $name,
            file: $file,
            what: $what,
            text: include_str!(concat!("../../docs/scheduled/", $file)),
        }
    };
}

/// Every example, in the order of the list.
const EXAMPLES: &[Example] = &[
    example!(
        "azure-pipelines",
        "azure-pipelines.yml",
        "Azure Pipelines, every Monday, for several organisations"
    ),
    example!(
        "github-actions",
        "github-actions.yml",
        "GitHub Actions, every Monday, for several organisations"
    ),
    example!("kubernetes", "kubernetes-cronjob.yaml", "Kubernetes CronJob with Azure workload identity"),
    example!("container", "Containerfile", "the container image that the CronJob runs"),
    example!("systemd-service", "patwatch.service", "systemd unit; needs systemd-timer and script"),
    example!("systemd-timer", "patwatch.timer", "systemd timer that starts the unit every Monday"),
    example!("cron", "patwatch.cron", "line for /etc/cron.d; needs script"),
    example!("script", "weekly.sh", "the weekly run itself: pull, report, compare with the last one"),
    example!("notes", "README.md", "what the examples share, and who can read the results"),
];

pub(super) fn run(context: &Context, args: &ExamplesArgs) -> Result<Outcome, CliError> {
    let wanted: Vec<&Example> = match &args.name {
        Some(name) => vec![find(name)?],
        None => EXAMPLES.iter().collect(),
    };
    if let Some(folder) = &args.output {
        for example in wanted {
            let path = write(folder, example)?;
            context.ui.info(&format!("{}: {}", path.display(), example.what));
        }
        return Ok(Outcome::Done);
    }
    let text = match args.name {
        Some(_) => wanted.iter().map(|example| example.text).collect(),
        None => list(),
    };
    context.ui.write(None, text.as_bytes())?;
    Ok(Outcome::Done)
}

fn list() -> String {
    let width = EXAMPLES.iter().map(|e| e.name.len()).max().unwrap_or_default();
    EXAMPLES.iter().fold(String::new(), |mut text, e| {
        let _ = writeln!(text, "{:<width$}  {:<23}  {}", e.name, e.file, e.what);
        text
    })
}

/// Finds an example by its name or its file.
fn find(name: &str) -> Result<&'static Example, CliError> {
    let is = |e: &&Example| e.name.eq_ignore_ascii_case(name) || e.file.eq_ignore_ascii_case(name);
    EXAMPLES.iter().find(is).ok_or_else(|| {
        let names = EXAMPLES.iter().flat_map(|e| [e.name, e.file]);
        CliError::new(format!("no example is called \"{name}\"")).hint(suggest::hint(
            name,
            names,
            "`patwatch examples`",
        ))
    })
}

/// Writes an example into a folder; a file that exists may have been edited, so it stays.
fn write(folder: &Path, example: &Example) -> Result<std::path::PathBuf, CliError> {
    let path = folder.join(example.file);
    let failed = |error: std::io::Error| {
        let exists = error.kind() == std::io::ErrorKind::AlreadyExists;
        let error =
            CliError::from(anyhow::Error::from(error).context(format!("cannot write {}", path.display())));
        if exists {
            error.hint("choose another folder with --output, or remove the file first")
        } else {
            error
        }
    };
    std::fs::create_dir_all(folder).map_err(failed)?;
    let mut file = std::fs::File::create_new(&path).map_err(failed)?;
    file.write_all(example.text.as_bytes()).map_err(failed)?;
    #[cfg(unix)]
    if example.text.starts_with("#!") {
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        file.set_permissions(mode).map_err(failed)?;
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_file_of_the_folder_is_an_example_as_it_stands() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/scheduled");
        let files: BTreeSet<String> = std::fs::read_dir(&folder)
            .expect("a folder")
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        let listed: BTreeSet<String> = EXAMPLES.iter().map(|e| e.file.to_owned()).collect();
        assert_eq!(files, listed);
        for example in EXAMPLES {
            let text = std::fs::read_to_string(folder.join(example.file)).expect("a file");
            assert_eq!(example.text, text, "{}", example.file);
        }
        assert_eq!(list().lines().count(), EXAMPLES.len());
    }

    #[test]
    fn an_example_is_written_once() {
        let place = tempfile::tempdir().expect("a folder");
        let folder = place.path().join("new");
        let example = find("CRON").expect("an example");
        let path = write(&folder, example).expect("written");
        assert_eq!(path, folder.join("patwatch.cron"));
        std::fs::write(&path, "edited").expect("written");
        let error = write(&folder, example).expect_err("it exists").render();
        assert!(error.contains("patwatch.cron") && error.contains("hint: choose another folder"), "{error}");
        assert_eq!(std::fs::read_to_string(&path).expect("read"), "edited");
        let error = find("azure-pipeline").err().expect("unknown").render();
        assert!(error.contains("did you mean azure-pipelines?"), "{error}");
    }
}
