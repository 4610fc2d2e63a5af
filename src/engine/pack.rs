//! The pack: detections as files with heads, looked over by the lint.
//!
//! In: the files of `queries/detections` (compiled in) and of user folders. Out: [`Pack`]. A file is
//! `<family>/<slug>.sql`; head lines start with `--!` and are TOML, the rest is one SELECT.

mod lint;

use crate::model::claim::Field;
use crate::model::finding::{Confidence, DetectionMeta, Family, Severity, SubjectKind};
use lint::{head_line, lint};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

mod compiled {
    include!(concat!(env!("OUT_DIR"), "/queries.rs"));
}

/// One detection of the pack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detection {
    /// What lists and reports show.
    pub meta: DetectionMeta,
    /// Tables that the query reads.
    pub tables: Vec<String>,
    /// Columns by which raw events are confirmed; nothing when the row names its own events.
    pub confirm: Option<Vec<String>>,
    /// The CTE whose rows name the tokens, and the days where it tells them, of which `activity` is read at all.
    pub flagged: Option<String>,
    /// Actions that it looks at, and the fields without which it cannot match.
    pub needs: Option<Needs>,
    /// Ids of the detections whose findings it counts; it then reads the table `findings` and runs after them.
    pub counts: Vec<String>,
    /// The column whose values one finding on a subject gathers.
    pub list: Option<Gather>,
    /// The severity that the configuration gives all its findings.
    pub set_severity: Option<Severity>,
    /// The whole file, so that lines in errors are lines of the file.
    pub sql: String,
    /// Path of the file.
    pub file: String,
}

/// What makes one finding of all rows on a subject: the values of a column become its list.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gather {
    /// The column; no part of the fingerprint.
    pub column: String,
    /// What one value is called, such as "pipeline"; with an s it stands for several.
    pub noun: String,
}

/// What a detection needs of the log, so that its silence says something.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Needs {
    /// Ids of actions; one that ends with `*` stands for all that begin alike.
    pub actions: Vec<String>,
    /// Columns of `notable` of which each must occur; `a|b` asks for one of two.
    pub fields: Vec<String>,
}

impl Needs {
    /// Returns true if `action` is one of those that it looks at.
    #[must_use]
    pub fn covers(&self, action: &str) -> bool {
        self.actions.iter().any(|named| match named.strip_suffix('*') {
            Some(stem) => action.starts_with(stem),
            None => action == named,
        })
    }
}

/// Detections, by id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pack {
    /// Detections, sorted by id.
    pub detections: Vec<Detection>,
}

/// Something wrong with a file of a pack.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {text} {mend}")]
pub struct Problem {
    /// File.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// What is wrong.
    pub text: String,
    /// How to mend it.
    pub mend: String,
}

/// A named ad hoc query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedQuery {
    /// Name: the file without its ending.
    pub name: String,
    /// One line: the first comment of the file.
    pub title: String,
    /// The query.
    pub sql: String,
}

/// The head as written; an unknown key is an error, so that a typo cannot pass for a default.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    id: String,
    title: String,
    severity: Severity,
    confidence: Confidence,
    subject: SubjectKind,
    tables: Vec<String>,
    message: String,
    fix: String,
    rationale: String,
    #[serde(default)]
    references: Vec<String>,
    #[serde(default)]
    controls: Vec<String>,
    #[serde(default)]
    attack: Vec<String>,
    #[serde(default)]
    equivalents: Vec<String>,
    #[serde(default)]
    keys: Vec<String>,
    confirm: Option<Vec<String>>,
    flagged: Option<String>,
    needs: Option<Needs>,
    list: Option<Gather>,
    #[serde(default)]
    counts: Vec<String>,
    #[serde(default)]
    rests_on: Vec<Field>,
}

/// The table of what the detections of the first pass found.
pub const FINDINGS: &str = "findings";

impl Detection {
    /// Returns true if it comes with the program.
    #[must_use]
    pub fn is_builtin(&self) -> bool {
        compiled::DETECTIONS.iter().any(|(file, text)| *file == self.file && *text == self.sql)
    }

    /// Tells whether it looks at the findings of others, and so runs after them.
    #[must_use]
    pub fn is_second(&self) -> bool {
        self.tables.iter().any(|t| t == FINDINGS)
    }
}

/// Event columns that a detection may be confirmed by.
pub const CONFIRM_COLUMNS: &[&str] = &["action", "network", "client", "project", "address", "correlation_id"];

/// Columns every row has, or may have, beside its evidence.
pub const FIXED_COLUMNS: &[&str] = &[
    "org",
    "subject",
    "first_time",
    "last_time",
    "count",
    "severity",
    "confidence",
    "event_ids",
    "event_id",
];

impl Pack {
    /// Reads the pack that is compiled in.
    ///
    /// # Errors
    /// All problems of all files.
    pub fn builtin() -> Result<Self, Vec<Problem>> {
        Self::of(compiled::DETECTIONS.iter().map(|(file, text)| ((*file).to_owned(), (*text).to_owned())))
    }

    /// Reads the compiled-in pack and the packs of user folders.
    ///
    /// # Errors
    /// All problems of all files, unreadable ones included.
    pub fn with_folders(folders: &[PathBuf]) -> Result<Self, Vec<Problem>> {
        let (user, mut problems) = read_folders(folders);
        let builtin = compiled::DETECTIONS.iter().map(|(f, t)| ((*f).to_owned(), (*t).to_owned()));
        match Self::of(builtin.chain(user)) {
            Ok(pack) => {
                // The compiled-in pack was looked over when it was built.
                problems.extend(pack.lint_of(|d| !d.is_builtin()));
                if problems.is_empty() { Ok(pack) } else { Err(problems) }
            }
            Err(more) => {
                problems.extend(more);
                Err(problems)
            }
        }
    }

    /// Reads the pack of one folder alone, for the lint.
    ///
    /// # Errors
    /// All problems of all files, unreadable ones included.
    pub fn folder(folder: &Path) -> Result<Self, Vec<Problem>> {
        let (files, problems) = read_folders(&[folder.to_owned()]);
        if problems.is_empty() { Self::of(files.into_iter()) } else { Err(problems) }
    }

    fn of(files: impl Iterator<Item = (String, String)>) -> Result<Self, Vec<Problem>> {
        let mut detections: Vec<Detection> = Vec::new();
        let mut problems = Vec::new();
        for (file, text) in files {
            match read(&file, &text) {
                Ok(detection) => detections.push(detection),
                Err(more) => problems.extend(more),
            }
        }
        detections.sort_by(|a, b| a.meta.id.cmp(&b.meta.id));
        for pair in detections.windows(2) {
            if pair[0].meta.id == pair[1].meta.id {
                let text = format!("The id {} is that of {} too.", pair[1].meta.id, pair[0].file);
                problems.push(problem(&pair[1].file, 1, text, "Give each detection an id of its own."));
            }
        }
        if problems.is_empty() { Ok(Self { detections }) } else { Err(problems) }
    }

    /// Checks every query of the pack against the rules and its head; no problem, no lines.
    #[must_use]
    pub fn lint(&self) -> Vec<Problem> {
        self.lint_of(|_| true)
    }

    /// The same for some of the detections.
    fn lint_of(&self, which: impl Fn(&&Detection) -> bool) -> Vec<Problem> {
        let chosen = || self.detections.iter().filter(&which);
        chosen().flat_map(lint).chain(chosen().flat_map(|d| self.counted(d))).collect()
    }

    /// Checks that a detection over findings names what it counts, all of it in this pack or the compiled-in one.
    fn counted(&self, d: &Detection) -> Vec<Problem> {
        let line = head_line(d, "counts");
        if d.is_second() == d.counts.is_empty() {
            let text = "A detection reads the table findings if and only if its head names the detections that it counts.";
            return vec![problem(&d.file, line, text, "Write both `counts` and `tables`, or neither.")];
        }
        let builtin =
            |id: &str| compiled::DETECTIONS.iter().any(|(_, text)| text.contains(&format!("\"{id}\"")));
        let first = |id: &str| self.get(id).map_or_else(|| builtin(id), |d| !d.is_second());
        let strange = d.counts.iter().filter(|id| !first(id));
        strange
            .map(|id| {
                let text = format!("It counts \"{id}\", which is no detection of the first pass.");
                problem(&d.file, line, text, "Name ids that `patwatch detections list` prints.")
            })
            .collect()
    }

    /// Finds detections by id, slug or family; an empty selection is everything.
    #[must_use]
    pub fn select(&self, select: &[String]) -> Vec<&Detection> {
        let chosen = |d: &&Detection| {
            select.is_empty()
                || select.iter().any(|s| {
                    s.eq_ignore_ascii_case(&d.meta.id) || *s == d.meta.slug || s == d.meta.family.as_str()
                })
        };
        self.detections.iter().filter(chosen).collect()
    }

    /// Finds one detection by id or slug.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Detection> {
        self.detections.iter().find(|d| d.meta.id.eq_ignore_ascii_case(id) || d.meta.slug == id)
    }

    /// SHA-256 over ids and texts, in order of the ids.
    #[must_use]
    pub fn sha256(&self) -> String {
        let mut hash = Sha256::new();
        for d in &self.detections {
            hash.update(d.meta.id.as_bytes());
            hash.update([0]);
            hash.update(d.sql.as_bytes());
            hash.update([0]);
        }
        format!("{:x}", hash.finalize())
    }
}

/// Returns the saved queries, by name.
#[must_use]
pub fn saved() -> Vec<SavedQuery> {
    compiled::SAVED
        .iter()
        .map(|(file, text)| SavedQuery {
            name: stem(file),
            title: text.lines().next().unwrap_or_default().trim_start_matches('-').trim().to_owned(),
            sql: (*text).to_owned(),
        })
        .collect()
}

fn problem(file: &str, line: usize, text: impl Into<String>, mend: impl Into<String>) -> Problem {
    Problem { file: file.to_owned(), line, text: text.into(), mend: mend.into() }
}

fn stem(file: &str) -> String {
    let name = file.rsplit(['/', '\\']).next().unwrap_or(file);
    name.strip_suffix(".sql").unwrap_or(name).to_owned()
}

fn read_folders(folders: &[PathBuf]) -> (Vec<(String, String)>, Vec<Problem>) {
    let (mut files, mut problems) = (BTreeMap::new(), Vec::new());
    for folder in folders {
        let (before, faults) = (files.len(), problems.len());
        read_folder(folder, &mut files, &mut problems);
        // A folder that is named twice brings its files once.
        let known = || files.keys().any(|file| Path::new(file).starts_with(folder));
        if files.len() == before && problems.len() == faults && !known() {
            problems.push(problem(
                &folder.display().to_string(),
                1,
                "The folder and its subfolders contain no .sql file.".to_owned(),
                "Name the folder that contains FAMILY/NAME.sql, such as PACK for PACK/hygiene/old-token.sql.",
            ));
        }
    }
    (files.into_iter().collect(), problems)
}

fn read_folder(folder: &Path, files: &mut BTreeMap<String, String>, problems: &mut Vec<Problem>) {
    let mut open: Vec<PathBuf> = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        let shown = folder.display().to_string();
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(e) => {
                problems.push(problem(
                    &shown,
                    1,
                    format!("The folder cannot be read: {e}."),
                    "Check --queries.",
                ));
                continue;
            }
        };
        for path in entries.flatten().map(|e| e.path()) {
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|e| e == "sql") {
                let shown = path.display().to_string();
                match std::fs::read_to_string(&path) {
                    Ok(text) => drop(files.insert(shown, text)),
                    Err(e) => problems.push(problem(&shown, 1, format!("The file cannot be read: {e}."), "")),
                }
            }
        }
    }
}

/// Keys that every head has.
const REQUIRED: [&str; 9] =
    ["id", "title", "severity", "confidence", "subject", "tables", "message", "fix", "rationale"];

/// Reads one file.
pub(super) fn read(file: &str, text: &str) -> Result<Detection, Vec<Problem>> {
    let family = file.rsplit(['/', '\\']).nth(1).unwrap_or_default();
    let family: Family = family.parse().map_err(|_| {
        let all = Family::ALL.iter().map(|f| f.as_str()).collect::<Vec<_>>().join(", ");
        vec![problem(
            file,
            1,
            format!("The folder \"{family}\" is no family."),
            format!("Put the file into one of {all}."),
        )]
    })?;
    // Every other line is kept as an empty one, so that positions in TOML errors are lines of the file.
    let head: String =
        text.lines().map(|line| format!("{}\n", line.strip_prefix("--!").unwrap_or(""))).collect();
    let head: Head = toml::from_str(&head).map_err(|e| {
        let at = e.span().map_or(0, |span| span.start);
        let line = head.get(..at).map_or(1, |before| before.matches('\n').count() + 1);
        let why = e.message().trim_end_matches('.').replace('\n', "; ");
        let table = toml::from_str::<toml::Table>(&head).ok();
        // All that is missing at once, where the head is TOML at all.
        let missing: Vec<&str> = REQUIRED
            .into_iter()
            .filter(|key| table.as_ref().is_some_and(|t| !t.contains_key(*key)))
            .collect();
        let mut problems = Vec::new();
        if missing.is_empty() || !why.starts_with("missing field") {
            problems.push(problem(
                file,
                line,
                format!("The head cannot be read: {why}."),
                "Head lines start with --! and are TOML; see `patwatch detections show` for one that works.",
            ));
        }
        if !missing.is_empty() {
            let lines: Vec<String> = missing.iter().map(|key| format!("`--! {key} = ...`")).collect();
            problems.push(problem(
                file,
                1,
                format!("The head lacks {}.", missing.join(", ")),
                format!(
                    "Add {}; `patwatch detections show PAT-H001` prints a head that works.",
                    lines.join(", ")
                ),
            ));
        }
        problems
    })?;
    Ok(Detection {
        tables: head.tables,
        confirm: head.confirm,
        flagged: head.flagged,
        needs: head.needs,
        counts: head.counts,
        list: head.list,
        set_severity: None,
        sql: text.to_owned(),
        file: file.to_owned(),
        meta: DetectionMeta {
            id: head.id,
            slug: stem(file),
            family,
            title: head.title,
            severity: head.severity,
            confidence: head.confidence,
            subject: head.subject,
            message: head.message,
            fix: head.fix,
            rationale: head.rationale,
            references: head.references,
            controls: head.controls,
            attack: head.attack,
            equivalents: head.equivalents,
            keys: head.keys,
            rests_on: head.rests_on,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::super::check;
    use super::*;

    /// Detections that read fields of the data and match without them: a thing without a name is still a thing.
    const LABELS_ONLY: [&str; 11] = [
        "PAT-A013", "PAT-A017", "PAT-A026", "PAT-P001", "PAT-P002", "PAT-P015", "PAT-P016", "PAT-P017",
        "PAT-P021", "PAT-P023", "PAT-P024",
    ];

    const GOOD: &str = "--! id = \"X-1\"\n--! title = \"T\"\n--! severity = \"low\"\n--! confidence = \"low\"\n--! subject = \"token\"\n--! tables = [\"tokens\"]\n--! message = \"{n} events by {name}.\"\n--! fix = \"Ask.\"\n--! rationale = \"Because.\"\nSELECT org, token_id AS subject, n_events AS n FROM tokens";

    #[test]
    fn a_folder_without_a_query_is_an_error() {
        let dir = tempfile::tempdir().expect("folder");
        std::fs::create_dir(dir.path().join("hygiene")).expect("folder");
        std::fs::write(dir.path().join("hygiene/x.sql.txt"), GOOD).expect("file");
        let problems = Pack::with_folders(&[dir.path().to_owned()]).expect_err("nothing to run");
        assert_eq!(problems.len(), 1, "{problems:?}");
        let said = problems[0].to_string();
        assert!(said.contains(&dir.path().display().to_string()) && said.contains("no .sql file"), "{said}");
        assert!(said.contains("FAMILY/NAME.sql"), "{said}");
        std::fs::rename(dir.path().join("hygiene/x.sql.txt"), dir.path().join("hygiene/x.sql"))
            .expect("file");
        let twice = [dir.path().to_owned(), dir.path().join("hygiene")];
        assert!(Pack::with_folders(&twice).is_ok());
    }

    #[test]
    fn all_that_a_head_lacks_is_reported_at_once() {
        let text = GOOD.replace("--! title = \"T\"\n", "").replace("--! fix = \"Ask.\"\n", "");
        let problems = read("hygiene/x.sql", &text).expect_err("incomplete");
        assert_eq!(problems.len(), 1);
        assert!(problems[0].text.contains("lacks title, fix"), "{problems:?}");
        assert!(problems[0].mend.contains("`--! title = ...`"), "{problems:?}");
        for key in REQUIRED {
            let without: String = GOOD
                .lines()
                .filter(|line| !line.starts_with(&format!("--! {key} =")))
                .map(|line| format!("{line}\n"))
                .collect();
            assert!(read("hygiene/x.sql", &without).expect_err("incomplete")[0].text.contains(key), "{key}");
        }
    }

    #[test]
    fn reads_a_head() {
        let d = read("queries/detections/use/idle.sql", GOOD).expect("good");
        assert_eq!((d.meta.slug.as_str(), d.meta.family), ("idle", Family::Use));
        assert_eq!(lint(&d), []);
    }

    #[test]
    fn names_line_and_mend() {
        let bad = GOOD.replace("--! fix", "--! fixx");
        let problems = read("use/idle.sql", &bad).expect_err("typo");
        assert_eq!(problems[0].line, 8, "{problems:?}");
        assert!(read("elsewhere/idle.sql", GOOD).is_err());
        let d =
            read("use/idle.sql", &GOOD.replace("FROM tokens", "FROM tokens\nORDER BY n DESC")).expect("head");
        assert_eq!(lint(&d)[0].line, 11);
        let d = read("use/idle.sql", &GOOD.replace("{n}", "{m}")).expect("head");
        assert!(lint(&d)[0].text.contains("\"m\""));
        let twice = [("use/a.sql".to_owned(), GOOD.to_owned()), ("use/b.sql".to_owned(), GOOD.to_owned())];
        assert!(Pack::of(twice.into_iter()).is_err());
    }

    #[test]
    fn what_a_head_needs_has_to_exist() {
        let with = |needs: &str| {
            let text = GOOD.replace("--! fix", &format!("--! needs = {needs}\n--! fix"));
            read("use/idle.sql", &text).map(|d| lint(&d))
        };
        let good = r#"{ actions = ["Library.VariableGroup*", "Extension.Installed"], fields = ["d_variables", "d_publisher|details"] }"#;
        assert_eq!(with(good).expect("head"), []);
        let wrong = r#"{ actions = ["Library.Nothing"], fields = ["d_variable"] }"#;
        let problems = with(wrong).expect("head");
        assert_eq!(problems.len(), 2, "{problems:?}");
        assert!(problems[0].text.contains("Library.Nothing") && problems[1].text.contains("d_variable"));
        assert!(problems.iter().all(|p| p.line == 8), "{problems:?}");
        assert!(with("{ action = [] }").is_err());
    }

    #[test]
    fn every_detection_that_reads_fields_of_the_data_says_so() {
        let pack = Pack::builtin().expect("pack");
        // A field that only labels the finding, or has a stand-in such as `details`, blinds nothing.
        let reads = |d: &&Detection| {
            let body = d.sql.lines().filter(|l| !l.starts_with("--!"));
            body.flat_map(|l| l.split(|c: char| !(c.is_alphanumeric() || c == '_')))
                .any(|w| w.starts_with("d_"))
        };
        let silent: Vec<&str> = pack
            .detections
            .iter()
            .filter(reads)
            .filter(|d| d.needs.is_none())
            .map(|d| d.meta.id.as_str())
            .collect();
        assert_eq!(
            silent, LABELS_ONLY,
            "give it `needs`, or add it to the list if it matches without its fields"
        );
    }

    #[test]
    fn the_builtin_pack_is_clean() {
        let pack = Pack::builtin().expect("heads can be read");
        let problems: Vec<String> = pack.lint().iter().map(ToString::to_string).collect();
        assert!(problems.is_empty(), "{}", problems.join("\n"));
        for saved in saved() {
            let checked = check::check(&saved.sql, check::Mode::Pack);
            assert!(checked.is_ok(), "{}: {:?}", saved.name, checked.err());
            assert!(saved.title.ends_with('.'), "{} needs a sentence as its first line", saved.name);
        }
    }
}
