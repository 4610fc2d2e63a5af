//! The earlier bundle that `--compare` names.
//!
//! In: a folder. Out: the bundle, read before this run may write over it, or why it cannot be compared with.

use super::error::CliError;
use crate::report::compare::{self, Earlier};
use std::path::Path;

/// Reads the bundle in a folder; `anonymise` says whether this run writes pseudonyms.
pub(super) fn earlier(folder: &Path, anonymise: bool) -> Result<Earlier, CliError> {
    let hint = "give the folder that an earlier `patwatch report --output` wrote";
    if !folder.is_dir() {
        return Err(CliError::new(format!("{} is no folder", folder.display())).hint(hint));
    }
    let read = |name: &str| {
        std::fs::read(folder.join(name)).map_err(|e| {
            CliError::new(format!("{} is no bundle: cannot read its {name}: {e}", folder.display()))
                .hint(hint)
        })
    };
    let (findings, tokens) = (read("findings.json")?, read("tokens.json")?);
    // A bundle without one was not written to its end: its files may be of two runs.
    let manifest = read("manifest.json")?;
    let earlier = compare::read(&findings, &tokens, Some(&manifest))
        .map_err(|e| CliError::new(format!("cannot compare with {}: {e}", folder.display())))?;
    if earlier.pseudonyms.is_some() && !anonymise {
        return Err(CliError::new(format!("{} holds pseudonyms, and this run names people", folder.display()))
            .hint("add --anonymise with the same PATWATCH_PSEUDONYM_KEY, or compare with a bundle without pseudonyms"));
    }
    Ok(earlier)
}
