//! Which organisation fills in for the records of a file that name none: `--org NAME` and `--org NAME=PATH`.
//!
//! In: the values of the option, and the files that are read. Out: a name for each file, or none. The innermost PATH
//! decides; a plain NAME is for every other file. Neither overrides what a record says: a contradiction is an error.

use super::error::CliError;
use crate::model::identity::org_name;
use std::path::{Path, PathBuf};

/// Names for files.
#[derive(Debug, Clone, Default)]
pub(super) struct Naming {
    /// For files under no path.
    default: Option<String>,
    /// Names by file or folder, in full.
    under: Vec<(PathBuf, String)>,
}

impl Naming {
    /// One name for every file.
    pub(super) fn plain(org: Option<&str>) -> Self {
        Self { default: org.map(org_name), under: Vec::new() }
    }

    /// Reads the values of `--org`.
    pub(super) fn parse(values: &[String]) -> Result<Self, CliError> {
        let mut naming = Self::default();
        for value in values {
            let (name, path) = match value.split_once('=') {
                Some((name, path)) => (org_name(name), Some(path)),
                None => (org_name(value), None),
            };
            if name.is_empty() || path.is_some_and(str::is_empty) {
                return Err(CliError::new(format!(
                    "invalid value \"{value}\" for `--org`: expected NAME or NAME=PATH"
                )));
            }
            let Some(path) = path else {
                if let Some(other) = naming.default.replace(name.clone()) {
                    return Err(CliError::new(format!(
                        "`--org` gives two names to the same files: \"{other}\" and \"{name}\""
                    ))
                    .hint("write --org NAME=PATH to say which files are of which organisation"));
                }
                continue;
            };
            let full = full(Path::new(path));
            if let Some((_, other)) =
                naming.under.iter().find(|(known, other)| *known == full && *other != name)
            {
                return Err(CliError::new(format!(
                    "`--org` gives {path} two names: \"{other}\" and \"{name}\""
                )));
            }
            naming.under.push((full, name));
        }
        Ok(naming)
    }

    /// The name for a file.
    pub(super) fn of(&self, file: &Path) -> Option<&str> {
        let file = full(file);
        let around = self.under.iter().filter(|(path, _)| file.starts_with(path));
        let innermost = around.max_by_key(|(path, _)| path.components().count());
        innermost.map(|(_, name)| name.as_str()).or(self.default.as_deref())
    }

    /// Fails where a path has none of the files that are read: then it is most likely mistyped.
    pub(super) fn check(&self, files: &[PathBuf]) -> Result<(), CliError> {
        let files: Vec<PathBuf> = files.iter().map(|file| full(file)).collect();
        match self.under.iter().find(|(path, _)| !files.iter().any(|file| file.starts_with(path))) {
            Some((path, name)) => Err(CliError::new(format!(
                "`--org {name}={}`: no file that is read lies there",
                path.display()
            ))
            .hint("name a file or folder that is also given as a PATH to import, or lies in one")),
            None => Ok(()),
        }
    }
}

/// The path in full; "-" and what does not exist stay as they are.
fn full(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(values: &[&str]) -> Result<Naming, CliError> {
        Naming::parse(&values.iter().map(|v| (*v).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn the_innermost_path_names_a_file_and_the_plain_name_the_rest() {
        let folder = tempfile::tempdir().expect("folder");
        let file = |name: &str| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().expect("parent")).expect("folder");
            std::fs::write(&path, "").expect("file");
            path
        };
        let (a, b, c) = (file("a/x.json"), file("a/b/x.json"), file("c.json"));
        let under = |name: &str, path: &str| format!("{name}={}", folder.path().join(path).display());
        let values = ["Rest".to_owned(), under("A", "a"), under("b (Organization)", "a/b/x.json")];
        let naming = Naming::parse(&values).expect("parsed");
        assert_eq!([&a, &b, &c].map(|path| naming.of(path)), [Some("a"), Some("b"), Some("rest")]);
        assert!(naming.check(&[a.clone(), b]).is_ok());
        assert!(naming.check(&[a]).is_err(), "nothing is read of a/b");
        assert_eq!(Naming::parse(&values[1..]).expect("parsed").of(&c), None);
        // A folder whose name starts alike is another one.
        let other = file("ab/x.json");
        assert_eq!(Naming::parse(&values[1..]).expect("parsed").of(&other), None);
    }

    #[test]
    fn values_that_contradict_each_other_are_refused() {
        assert!(parse(&["a", "b"]).is_err());
        assert!(parse(&["a=x", "b=x"]).is_err());
        assert!(parse(&["=x"]).is_err() && parse(&["a="]).is_err() && parse(&[" "]).is_err());
        assert!(parse(&["a=x", "a=y", "b"]).is_ok());
    }
}
