//! Fills the fake from files, such as `simulate` writes or a pull has kept, for a try-out by hand.

use super::{Events, FakeOrganisation, FakeUser};
use crate::model::identity::{cuid_of_descriptor, person_key};
use crate::source::azure_devops::envelope;
use base64::Engine as _;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

/// Files of each kind; any list may be empty.
#[derive(Debug, Clone, Default)]
pub struct FakeFiles {
    /// Audit rows in the API's shape: lines, arrays or pages.
    pub audit: Vec<PathBuf>,
    /// Graph users: arrays or pages.
    pub users: Vec<PathBuf>,
    /// Session tokens of all users: arrays or pages.
    pub tokens: Vec<PathBuf>,
    /// User entitlements: arrays or pages.
    pub entitlements: Vec<PathBuf>,
    /// Usage records: arrays or pages. Without any, the call is not there.
    pub usage: Vec<PathBuf>,
}

impl FakeOrganisation {
    /// Reads an organisation from files.
    ///
    /// # Errors
    /// When a file cannot be read or holds something else.
    pub fn load(name: &str, files: &FakeFiles) -> io::Result<Self> {
        let mut users: Vec<FakeUser> =
            all(&files.users)?.into_iter().map(|row| FakeUser { row, tokens: Vec::new() }).collect();
        give_out(all(&files.tokens)?, &mut users);
        Ok(Self {
            name: name.to_owned(),
            events: Events::from_files(&files.audit)?,
            users,
            own_tokens: Vec::new(),
            entitlements: all(&files.entitlements)?,
            usage: if files.usage.is_empty() { None } else { Some(all(&files.usage)?) },
        })
    }
}

/// Gives each token to its owner; an owner whom no file of users knows becomes a user.
pub(super) fn give_out(tokens: Vec<Value>, users: &mut Vec<FakeUser>) {
    let mut by_key: HashMap<String, usize> = HashMap::new();
    for (at, user) in users.iter().enumerate() {
        let cuid = user.row["descriptor"].as_str().and_then(cuid_of_descriptor);
        let ids = [cuid, user.row["storageKey"].as_str().map(str::to_owned)];
        for key in ids.iter().flatten().filter_map(|id| person_key(id)) {
            by_key.entry(key).or_insert(at);
        }
    }
    for token in tokens {
        let owner = token["userId"].as_str().unwrap_or_default().to_owned();
        let key = person_key(&owner).unwrap_or_else(|| owner.clone());
        let at = *by_key.entry(key).or_insert_with(|| {
            let code = base64::engine::general_purpose::STANDARD_NO_PAD.encode(&owner);
            let row =
                json!({ "subjectKind": "user", "descriptor": format!("aad.{code}"), "displayName": owner });
            users.push(FakeUser { row, tokens: Vec::new() });
            users.len() - 1
        });
        users[at].tokens.push(token);
    }
}

fn all(paths: &[PathBuf]) -> io::Result<Vec<Value>> {
    let mut rows = Vec::new();
    for path in paths {
        rows.extend(self::rows(path)?);
    }
    Ok(rows)
}

/// Returns the rows of an array, of a page of any of the services, or of lines.
pub(super) fn rows(path: &Path) -> io::Result<Vec<Value>> {
    let bytes = std::fs::read(path)?;
    let bad = |why: &str| io::Error::new(io::ErrorKind::InvalidData, format!("{}: {why}", path.display()));
    if let Ok(value) = envelope::read::<Value>(&bytes) {
        return list(value).ok_or_else(|| bad("no list of rows in it"));
    }
    let lines = bytes.split(|c| *c == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
    lines.map(|line| envelope::read::<Value>(line).map_err(|_| bad("it is no JSON"))).collect()
}

pub(super) fn list(value: Value) -> Option<Vec<Value>> {
    match value {
        Value::Array(rows) => Some(rows),
        Value::Object(mut page) => ["decoratedAuditLogEntries", "value", "members", "items", "patTokens"]
            .iter()
            .find_map(|name| page.remove(*name))
            .and_then(list),
        _ => None,
    }
}
