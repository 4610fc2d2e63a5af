//! Where the lake lies: what was typed in, a folder out.
//!
//! A lake is a folder. A URL taken as one would make a folder `https:` that holds personal data where nobody looks.

use super::error::CliError;
use percent_encoding::percent_decode_str;
use std::path::{Path, PathBuf};

/// The folder that `--lake` names; of URLs only `file://` is one.
pub(super) fn folder(typed: &Path) -> Result<PathBuf, CliError> {
    let text = typed.to_string_lossy();
    let Some((scheme, rest)) = text.split_once("://").filter(|(scheme, _)| is_scheme(scheme)) else {
        return Ok(typed.to_owned());
    };
    if scheme.eq_ignore_ascii_case("file") {
        let path = rest.strip_prefix("localhost").unwrap_or(rest);
        if path.starts_with('/') {
            let path = percent_decode_str(path).decode_utf8();
            return path.map(|p| PathBuf::from(p.as_ref())).map_err(CliError::from);
        }
        return Err(CliError::new(format!("{text} names another machine")).hint("write it as file:///path"));
    }
    // What stands behind the question mark may be a signature that opens the container.
    let shown = text.split('?').next().unwrap_or_default();
    Err(CliError::new(format!("--lake takes a folder, and {shown} is a URL")).hint(
        "mount the container and give the folder, or sync it: `azcopy sync URL DIR` before, `--lake DIR`, \
         `azcopy sync DIR URL --delete-destination=true` after",
    ))
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_folders_and_file_urls_are_taken() {
        for (typed, found) in [
            ("./patwatch-lake", "./patwatch-lake"),
            ("/data/a:b//c", "/data/a:b//c"),
            ("file:///data/my%20lake", "/data/my lake"),
            ("FILE://localhost/data", "/data"),
        ] {
            assert_eq!(folder(Path::new(typed)).expect(typed), Path::new(found));
        }
        for typed in
            ["https://a.blob.core.windows.net/c?sig=SECRET", "abfss://c@a/d", "s3://b", "file://host/x"]
        {
            let error = folder(Path::new(typed)).expect_err(typed).render();
            assert!(error.contains("hint:") && !error.contains("SECRET"), "{error}");
        }
    }
}
