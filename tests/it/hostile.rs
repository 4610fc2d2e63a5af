//! Text that means something to a reader along the way: it is shown, never obeyed, and secrets are not shown.

use crate::support::{Log, Place, guid, inventory, pat};
use serde_json::{Value, json};

const COMMAND: &str = "##vso[task.setvariable variable=x]y";

/// A place with an organisation whose tokens are called so.
fn place(names: &[&str]) -> Place {
    let place = Place::new();
    let mut log = Log::default();
    log.office(40);
    place.write("in/audit.json", log.page());
    let rows: Vec<Value> = names.iter().zip(1..).map(|(name, n)| pat(&guid(n), name, "app_token")).collect();
    place.write("in/inventory.json", inventory(&rows));
    place
}

#[test]
fn an_agent_of_a_pipeline_finds_no_command_in_what_a_step_prints() {
    let place = place(&[COMMAND, "::error::z"]);
    place.write("patwatch.toml", format!("[[exception]]\ndetection = \"{COMMAND}\"\nsubject = \"x\"\nowner = \"a\"\nreason = \"b\"\nend_date = \"2027-01-01\"\n"));
    let id = guid(1);
    for args in [
        vec!["check", "--select", "PAT-H001"],
        vec!["check", "--select", "PAT-H001", "--format", "markdown"],
        vec!["check", "--select", "PAT-H001", "--format", "json"],
        vec!["tokens"],
        vec!["tokens", "--format", "markdown"],
        vec!["tokens", "--format", "json"],
        vec!["token", &id],
        vec!["token", "::error::z"],
        vec!["token", &id, "--format", "markdown"],
        vec!["token", &id, "--format", "json"],
        vec!["token", &id, "--format", "html"],
        vec!["explain", &id, "PAT-H001"],
        vec!["revoke", &id],
        vec!["query", "SELECT name, token_id FROM tokens"],
        vec!["query", "SELECT name, token_id FROM tokens", "--format", "ndjson"],
        vec!["query", "SELECT name, token_id FROM tokens", "--format", "markdown"],
        vec!["token", COMMAND, "--org", COMMAND],
    ] {
        let ran = place.run(&[&args[..], &["--from", "in"]].concat());
        let shown = format!("{}{}", ran.stdout, ran.stderr);
        assert!(shown.contains("vso"), "{args:?}: {shown}");
        assert!(!shown.contains("##vso["), "{args:?}: {shown}");
        let begins = |line: &&str| line.trim_start().starts_with("::");
        assert_eq!(shown.lines().find(begins), None, "{args:?}");
    }
    let exact =
        place.run(&["query", "SELECT name FROM tokens ORDER BY name", "--format", "json", "--from", "in"]);
    assert_eq!(exact.json()[0]["name"], json!(COMMAND));
}

#[test]
fn what_acts_on_a_reader_is_written_out_or_escaped() {
    let place = place(&["a\u{202e}b\u{9b}c"]);
    let id = guid(1);
    for args in [vec!["explain", &id, "PAT-H001"], vec!["check", "--select", "PAT-H001", "--format", "json"]]
    {
        let ran = place.run(&[&args[..], &["--from", "in"]].concat());
        let acts = |c: char| c != '\n' && (c.is_control() || c == '\u{202e}');
        assert!(!ran.stdout.contains(acts) && ran.stdout.contains("202e"), "{args:?}: {}", ran.stdout);
    }
}

/// Characters that are drawn as nothing: fillers, variation selectors, Mongolian and musical format characters.
const INVISIBLE: &str =
    "\u{34f}\u{115f}\u{1160}\u{3164}\u{fe00}\u{fe0f}\u{180b}\u{180d}\u{1d173}\u{1d17a}\u{ffa0}";

#[test]
fn invisible_characters_are_written_out_in_every_output() {
    let name = format!("a{INVISIBLE}b");
    let place = place(&[&name]);
    let id = guid(1);
    let mut shown: Vec<(String, String)> = Vec::new();
    let commands: &[(&[&str], &[&str])] = &[
        (&["check"], &["table", "json", "csv", "markdown", "sarif", "junit", "ocsf"]),
        (&["tokens"], &["table", "json", "csv", "markdown"]),
        (&["token", &id], &["table", "json", "markdown", "html"]),
        (&["query", "SELECT name FROM tokens"], &["table", "json", "ndjson", "csv", "markdown"]),
    ];
    for (command, formats) in commands {
        for format in *formats {
            let ran = place.run(&[command, &["--format", format, "--from", "in"][..]].concat());
            shown.push((format!("{command:?} as {format}"), ran.stdout));
            shown.push((format!("{command:?} as {format}, stderr"), ran.stderr));
        }
    }
    shown.push(("explain".to_owned(), place.run(&["explain", &id, "PAT-H001", "--from", "in"]).stdout));
    assert_eq!(place.run(&["review", "export", "sheet.csv", "--from", "in"]).code, 0);
    assert_eq!(place.run(&["report", "--output", "bundle", "--from", "in"]).code, 0);
    let mut files = vec![place.path("sheet.csv")];
    for folder in ["bundle", "bundle/charts"] {
        files.extend(std::fs::read_dir(place.path(folder)).expect("folder").map(|f| f.expect("file").path()));
    }
    for path in files.iter().filter(|p| p.is_file() && p.extension().is_none_or(|e| e != "png")) {
        shown.push((path.display().to_string(), std::fs::read_to_string(path).expect("text")));
    }
    let mut written_out = 0;
    for (output, text) in &shown {
        // The digits come in either case, as a JSON escape or with braces.
        written_out +=
            usize::from(text.to_lowercase().contains("34f") && text.to_lowercase().contains("ffa0"));
        for c in INVISIBLE.chars() {
            assert!(!text.contains(c), "{c:?} in {output}");
        }
    }
    assert!(written_out >= 24, "{written_out} of {}", shown.len());
}

#[test]
fn a_pat_in_a_record_reaches_no_message() {
    let place = Place::new();
    let new = format!("{}AZDO{}", "aB3d".repeat(19), "1aB2");
    let old = "abcd2345".repeat(6) + "wxyz";
    let mut log = Log::default();
    log.office(3);
    log.events[0]["id"] = json!(new);
    log.events[1]["timestamp"] = json!(format!("{} {old}", "x".repeat(90)));
    log.events[1]["id"] = json!(guid(5));
    place.write("audit.json", log.page());
    let good: Vec<String> = log.events[3..].iter().map(Value::to_string).collect();
    place.write("lines.ndjson", format!("{}\n{old} is no record\n\"{new}\"\n", good.join("\n")));
    place.write("table.csv", format!("Id,{new},{old}\n1,2,3\n"));
    place.write("keys.json", json!({ &new: 1, &old: 2 }).to_string());
    for file in ["audit.json", "lines.ndjson", "table.csv", "keys.json"] {
        let ran = place.run(&["--lake", &format!("lake-{file}"), "import", file]);
        let shown = format!("{}{}", ran.stdout, ran.stderr);
        assert!(shown.contains("[redacted]"), "{file}: {shown}");
        assert!(!shown.contains("aB3daB3d") && !shown.contains("abcd2345"), "{file}: {shown}");
    }
}

#[cfg(unix)]
#[test]
fn a_line_break_in_a_name_begins_no_line_of_its_own() {
    let place = Place::new();
    place.write("a\nwarning: b.json", "{\"swagger\":1}");
    let ran = place.run(&["import", "a\nwarning: b.json"]);
    assert_eq!(ran.code, 2);
    assert!(!ran.stderr.lines().any(|line| line.starts_with("warning: b.json")), "{}", ran.stderr);
}
