//! Who may use whom: the flow of the crate page, held against every `use` of the source.

use crate::support::root;
use std::path::{Path, PathBuf};

/// Modules that a module may use, beside itself.
const ALLOWED: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("source", &["model"]),
    ("lake", &["model"]),
    ("engine", &["model", "lake"]),
    ("analysis", &["model", "engine"]),
    ("report", &["model", "analysis"]),
    ("output", &["model", "report"]),
    ("chart", &["model", "report"]),
    ("lab", &["model"]),
    ("config", &["model"]),
];

/// Crates that only one place may use.
const CRATES: &[(&str, &[&str])] = &[
    ("clap", &["cli"]),
    ("reqwest", &["source"]),
    ("polars", &["lake", "engine"]),
    ("plotters", &["chart"]),
];

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

/// The top module that a file belongs to: `model`, `lake`, ... or `config`.
fn module(path: &Path) -> String {
    let inside = path.strip_prefix(root().join("src")).expect("inside src");
    let first = inside.components().next().expect("a component").as_os_str().to_string_lossy();
    first.trim_end_matches(".rs").to_owned()
}

#[test]
fn modules_use_only_what_the_flow_allows() {
    let mut sources = Vec::new();
    files(&root().join("src"), &mut sources);
    assert!(sources.len() > 80, "the source is where it was");
    let mut wrong = Vec::new();
    for path in sources {
        let module = module(&path);
        let text = std::fs::read_to_string(&path).expect("source");
        // Tests at the end of a file may look anywhere.
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        for line in code.lines().filter(|l| !l.trim_start().starts_with("//")) {
            for part in line.split("crate::").skip(1) {
                let used: String =
                    part.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
                let known = ALLOWED.iter().find(|(name, _)| *name == module);
                let is_module = ALLOWED.iter().any(|(name, _)| *name == used) || used == "cli";
                if let Some((_, allowed)) = known
                    && is_module
                    && used != module
                    && !allowed.contains(&used.as_str())
                {
                    wrong.push(format!("{}: {module} uses {used}", path.display()));
                }
            }
            for (name, places) in CRATES {
                let uses = line.contains(&format!("{name}::")) || line.contains(&format!("use {name}"));
                if uses && !places.contains(&module.as_str()) && !line.contains(&format!("::{name}::")) {
                    wrong.push(format!("{}: {name} belongs in {}", path.display(), places.join(", ")));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_file_says_what_it_is() {
    let mut sources = Vec::new();
    files(&root().join("src"), &mut sources);
    for path in sources {
        let text = std::fs::read_to_string(&path).expect("source");
        assert!(text.starts_with("//!"), "{} has no //! head", path.display());
    }
}

#[test]
fn every_test_that_waits_for_a_process_has_a_deadline() {
    let mut sources = Vec::new();
    files(&root().join("tests/it"), &mut sources);
    // Written so that this file does not name them.
    let endless = ["wait", "wait_with_output", "status"].map(|call| format!(".{call}().expect"));
    let mut wrong = Vec::new();
    for path in sources {
        let text = std::fs::read_to_string(&path).expect("source");
        for (at, line) in text.lines().enumerate() {
            let reads = line.contains("BufReader::new(") && line.contains("stdout");
            let is_support = path.ends_with("support.rs") || path.ends_with("architecture.rs");
            if endless.iter().any(|call| line.contains(call)) || (reads && !is_support) {
                wrong.push(format!("{}:{}: {}", path.display(), at + 1, line.trim()));
            }
        }
    }
    assert!(wrong.is_empty(), "use support::ended or support::lines_of:\n{}", wrong.join("\n"));
}

#[test]
fn every_integration_test_is_listed() {
    let main = std::fs::read_to_string(root().join("tests/it/main.rs")).expect("main");
    let mut sources = Vec::new();
    files(&root().join("tests/it"), &mut sources);
    for path in sources {
        let name = path.file_stem().expect("name").to_string_lossy().into_owned();
        assert!(name == "main" || main.contains(&format!("mod {name};")), "{name} is not listed in main.rs");
    }
}
